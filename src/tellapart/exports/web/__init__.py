"""The target ``web``: a folder of static files that classifies pictures in any browser.

:mod:`.site` writes the folder from ``page/`` (ours) and ``vendor/`` (ONNX Runtime Web, which
:mod:`.vendoring` verifies); :mod:`.browser` finds a browser, :mod:`.server` lets the page in
it classify the held-out pictures, and :mod:`.comparison` compares its pixels with Python's.
"""
