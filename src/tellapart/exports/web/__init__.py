"""The target ``web``: a folder of static files that classifies pictures in any browser.

Who does what: :mod:`.site` writes the folder from ``page/`` (ours) and ``vendor/`` (ONNX Runtime
Web, which :mod:`.vendoring` fetches anew); :mod:`.target` checks it in a real browser, which
:mod:`.browser` finds and :mod:`.asking` asks; :mod:`.beside` holds its answers against Python's.
"""
