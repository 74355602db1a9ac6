"""Takes ``web-export.png`` again: the page for browsers, with heat map and history.

Give it an export that ``tellapart export RUN --to web`` wrote, and some pictures; the last one is
shown:

    python docs/images/make_web_export.py exports/pets-1-web a.jpg b.jpg c.jpg

It needs Playwright and a browser: Playwright's own Chromium, or the one that
``TELLAPART_BROWSER`` names.
"""

from __future__ import annotations

import functools
import io
import os
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

FILE = Path(__file__).with_name("web-export.png")
WIDTH, SCALE = 1072, 1.5


def shoot(url: str, pictures: list[str]) -> Image.Image:
    """The page after some pictures, with a palette, which is a third of the size."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=os.environ.get("TELLAPART_BROWSER"))
        page = browser.new_page(
            viewport={"width": WIDTH, "height": 900},
            device_scale_factor=SCALE,
            color_scheme="light",
        )
        page.goto(url)
        page.locator("#answer h2", has_text="Ready").wait_for()
        page.locator("#offline-short", has_text="Yes").wait_for()
        page.set_input_files("#file", pictures)
        page.locator("#shots li").nth(len(pictures) - 1).wait_for()
        page.locator("#heat").check(force=True)
        page.locator("#heat").blur()
        page.wait_for_timeout(500)  # the switch moves
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        browser.close()
    return shot.convert("RGB").quantize(256, kmeans=8, dither=Image.Dither.NONE)


def main(folder: Path, pictures: list[str]) -> None:
    """Serve the page, and take the picture."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shoot(f"http://localhost:{server.server_port}/", pictures).save(FILE, optimize=True)
        server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
