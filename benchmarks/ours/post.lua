-- For wrk: post forms of one picture each, one after the other, and say as JSON what came back.
-- Arguments: the form's field, and a file that lists the pictures, a path a line.

local forms, at = {}, 0

function init(arguments)
  local mark = "tellapart-load"
  local headers = { ["Content-Type"] = "multipart/form-data; boundary=" .. mark }
  for path in io.lines(arguments[2]) do
    local file = assert(io.open(path, "rb"))
    local body = "--" .. mark .. '\r\nContent-Disposition: form-data; name="' .. arguments[1]
      .. '"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
      .. file:read("*a") .. "\r\n--" .. mark .. "--\r\n"
    file:close()
    forms[#forms + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  at = at % #forms + 1
  return forms[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"seconds": %.6f, "pictures": %d, "p50_ms": %.3f, "p99_ms": %.3f, "failed": %d}\n',
    summary.duration / 1e6, summary.requests, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
