"""Ids, keys, hosts, other sites, and the headers of every answer."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from serving import RED, Client

from tellapart.serve import ServeSettings
from tellapart.serve.api.application import build
from tellapart.serve.engine.loaded import LoadedRun
from tellapart.serve.logs import Lines, RequestLog, as_words

KEY = "correct-horse-battery"
Make = Callable[..., Any]
FILE = {"picture": ("a.jpg", RED)}


def test_every_answer_has_an_id_and_the_headers_of_safety(make_client: Make) -> None:
    client, _ = make_client()
    for path in ("/", "/v1/model", "/nothing", "/healthz", "/metrics", "/static/page.js"):
        answer = client.get(path, headers={"X-Request-ID": "abc-1.2_3"})
        assert answer.headers["x-request-id"] == "abc-1.2_3"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
    for strange in ("a b", "x" * 65, "<script>", "a\tb"):
        given = client.get("/healthz", headers={"X-Request-ID": strange}).headers["x-request-id"]
        assert given != strange and len(given) == 16


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"X-API-Key": KEY},
        {"Authorization": "Basic " + base64.b64encode(f"anybody:{KEY}".encode()).decode()},
    ],
)
def test_the_right_key_opens_everything(make_client: Make, headers: dict[str, str]) -> None:
    client, _ = make_client(api_key=SecretStr(KEY))
    for path in ("/", "/report", "/v1/model", "/v2/models/tellapart", "/metrics", "/openapi.json"):
        assert client.get(path, headers=headers).status_code == 200
    assert client.post("/v1/predict", files=FILE, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Basic " + base64.b64encode(KEY.encode()).decode()},
        {"Authorization": "Basic \xff"},
        {"Authorization": "Bearer \xe9"},
        {"X-API-Key": KEY.upper()},
        {"X-API-Key": "\xe9"},
    ],
)
def test_a_wrong_key_opens_nothing_but_the_health_checks(
    make_client: Make, headers: dict[str, str]
) -> None:
    client, _ = make_client(api_key=SecretStr(KEY))
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for path in (
        "/",
        "/report",
        "/v1/model",
        "/v2",
        "/metrics",
        "/openapi.json",
        "/static/page.js",
    ):
        answer = client.get(path, headers=raw)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
    refused = client.post("/v1/predict", files=FILE, headers=raw)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "key"
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
        assert client.get(path, headers=raw).status_code == 200


def test_on_the_loopback_only_its_own_names_are_answered(make_client: Make) -> None:
    client, _ = make_client()
    for host in ("127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"):
        assert client.get("/v1/model", headers={"Host": host}).status_code == 200
    strange = ("localhost:80@evil.example", "[::1]evil.example", "localhost:x", "localhost:1:1")
    for host in ("evil.example", "127.0.0.1.evil.example:8000", "", "[::2]", *strange):
        answer = client.get("/v1/model", headers={"Host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "host")
    twice = [("Host", "localhost"), ("Host", "evil.example")]
    assert client.get("/v1/model", headers=twice).status_code == 421
    client, _ = make_client(host="0.0.0.0")
    assert client.get("/v1/model", headers={"Host": "pets.example"}).status_code == 200


def test_who_watches_over_the_server_need_not_know_its_name(make_client: Make) -> None:
    """As the image's health check and those of clusters ask: by an address."""
    client, _ = make_client(host="0.0.0.0", allowed_hosts=("pets.example",))
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
        assert client.get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/v1/model", headers={"Host": "10.0.0.7:8000"}).status_code == 421
    assert client.get("/v1/model", headers={"Host": "pets.example"}).status_code == 200


def test_head_gets_what_get_would_without_the_body(make_client: Make) -> None:
    client, context = make_client()
    for path in ("/", "/report", "/healthz", "/v1/model", "/static/page.js", "/nothing"):
        whole, head = client.get(path), client.ask("HEAD", path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        for name in ("content-type", "content-length", "content-security-policy"):
            assert head.headers[name] == whole.headers[name]
    assert client.ask("HEAD", "/v1/predict").status_code == 405
    assert b'method="HEAD",route="/healthz",status="200"' in context.metrics.text()


def test_pages_of_other_sites_ask_only_where_they_may(make_client: Make) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    client, _ = make_client()
    assert client.post("/v1/predict", files=FILE, headers=foreign).status_code == 403
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=followed).status_code == 200
    assert client.post(
        "/v1/predict", files=FILE, headers={"Sec-Fetch-Site": "same-origin"}
    ).is_success

    client, _ = make_client(cors=("https://good.example",), api_key=SecretStr(KEY))
    good = {"Sec-Fetch-Site": "cross-site", "Origin": "https://good.example", "X-API-Key": KEY}
    answer = client.post("/v1/predict", files=FILE, headers=good)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://good.example"
    refused = client.post("/v1/predict", files=FILE, headers={**foreign, "X-API-Key": KEY})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    before = client.ask(
        "OPTIONS", "/v1/predict", headers={"Origin": "https://good.example", **asked}
    )
    assert before.status_code == 200
    before = client.ask(
        "OPTIONS", "/v1/predict", headers={"Origin": "https://evil.example", **asked}
    )
    assert before.status_code == 400


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/predict?top=1", "/v2/models/tellapart/infer"])
def test_an_error_of_ours_is_told_to_the_log_alone(
    make_client: Make,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, context = make_client()

    def fail(order: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(context.engine, "submit", fail)
    inputs = [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 1, 3], "data": [0, 0, 0]}]
    body = {"json": {"inputs": inputs}} if path.startswith("/v2") else {"files": FILE}
    with caplog.at_level(logging.ERROR, "tellapart.serve"):
        answer = client.post(path, headers={"X-Request-ID": "r7"}, **body)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    assert "secret" not in answer.text
    [record] = [one for one in caplog.records if one.name == "tellapart.serve"]
    line = json.loads(Lines().format(record))
    assert line["request_id"] == "r7"
    assert "a secret of ours" in line["traceback"]


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_somebody_who_looks_on_reads_words_that_steer_nothing(served: LoadedRun) -> None:
    written = Terminal()
    requests = RequestLog(written)
    app, context = build(served, ServeSettings(), threads=1, requests=requests)
    client = Client(app)
    client.post("/v1/predict", files={"picture": ("a.jpg", RED)})
    client.get("/%1B%5B2J%C2%9B%E2%80%AE")
    requests.flush()
    assert context.engine.close(10)
    first, second = written.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  POST /v1/predict  200 · [\d.]+ ms · 1 picture", first)
    assert re.fullmatch(r".*GET /\\u001b\[2J\\u009b\\u202e  404 · [\d.]+ ms", second)


def test_errors_in_words_keep_their_traceback() -> None:
    record = logging.LogRecord("tellapart.serve", logging.ERROR, "", 0, "reload_failed", (), None)
    record.fields = {"error": "gone"}
    try:
        raise RuntimeError("of ours")
    except RuntimeError:
        record.exc_info = sys.exc_info()
    text = Lines(as_words).format(record)
    assert text.splitlines()[0].endswith("error: reload_failed · error gone")
    assert text.endswith("RuntimeError: of ours")


def test_the_log_says_what_was_asked_and_nothing_of_the_picture(served: LoadedRun) -> None:
    written = io.StringIO()
    requests = RequestLog(written)
    settings = ServeSettings(api_key=SecretStr(KEY))
    app, context = build(served, settings, threads=1, requests=requests)
    Client(app).post(
        "/v1/predict?top=1",
        files={"picture": ("secret-name.jpg", RED)},
        headers={"X-API-Key": KEY, "X-Request-ID": "r1"},
    )
    requests.flush()
    assert context.engine.close(10)
    [line] = [json.loads(text) for text in written.getvalue().splitlines()]
    assert line["event"] == "request"
    assert (line["request_id"], line["status"], line["pictures"]) == ("r1", 200, 1)
    assert (line["method"], line["path"]) == ("POST", "/v1/predict")
    assert KEY not in json.dumps(line) and "secret-name" not in json.dumps(line)
