"""The target ``web``: written, and checked in a real browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tellapart.exports.target import Advance, Answers, Target, Tolerance, Work
from tellapart.exports.web.browser import find_browser
from tellapart.exports.web.comparison import Comparison
from tellapart.exports.web.server import open_page
from tellapart.exports.web.site import MODEL, write_site
from tellapart.exports.web.vendoring import PINS
from tellapart.model import Model

_BROWSERS = (  # the more specific first: Edge calls itself Chrome, too
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chromium"),
    ("Chrome", "Chromium"),
    ("Version", "Safari"),
)


def _write(folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
    write_site(folder, work.run.path / MODEL, card, has_map=work.model.has_map)
    return {"runtime": {"package": PINS["package"], "version": PINS["version"]}}


def _predict(folder: Path, work: Work, advance: Advance) -> Answers:
    """Open the page in a browser, which decodes and resizes every picture itself."""
    pictures, comparison = work.held_out, Comparison(work)
    with open_page(
        folder,
        find_browser(),
        work.scratch / "browser",
        classes=len(work.model.classes),
        size=work.model.size,
    ) as page:
        for place in range(len(pictures)):
            comparison.add(page.predict(pictures.read(place)))
            advance(1)
    more = {"browser": page.agent, "canvas_reads_true": page.exact, **comparison.as_json()}
    return Answers(comparison.probabilities, runtime(page.agent), more)


def runtime(agent: str) -> str:
    """Browser and engine in words, from a browser's user agent."""
    for token, name in _BROWSERS:
        if found := re.search(rf"\b{token}/(\d+)", agent):
            return f"{name} {found[1]} / ONNX Runtime Web {PINS['version']}"
    return f"a browser / ONNX Runtime Web {PINS['version']}"


_USAGE = """\
Put this folder on any web server: its files are static. To try it here, run in this folder

    python -m http.server 8000 --bind 127.0.0.1

and open http://localhost:8000/. Opened as a file (file://) it cannot work: browsers load no
modules and no WebAssembly for such pages. After the first visit it works without a network, where
it came over https or from localhost. Pictures never leave the browser. service-worker.js,
index.html and model.json belong together: upload the whole folder, whenever you export again.
"""

TARGET = Target(
    name="web",
    main="index.html",
    write=_write,
    predict=_predict,
    open=lambda folder, card: Model.load(folder / MODEL),
    usage=_USAGE,
    # The browser decodes pictures itself; a difference there may change a class now and then.
    tolerance=Tolerance(same_top1=0.99, tie=0.02, spare=1),
    check=find_browser,
    slow=True,
)
