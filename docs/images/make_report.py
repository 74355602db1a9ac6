"""Takes ``report.png`` and ``report-dark.png`` again: the report on cats and dogs.

Give it a run that ``tellapart train cats-dogs-3k.zip`` wrote:

    python docs/images/make_report.py runs/cats-dogs-3k-1

It needs Playwright and a browser: Playwright's own Chromium, or the one that
``TELLAPART_BROWSER`` names. The pictures show the headline, the verdict and the first mistakes;
the sections between them are hidden.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent
WIDTH, SCALE = 1072, 1.5
MISTAKES = 3
"""How many mistakes are shown: the picture ends below them."""
HIDDEN = f"""
main > section:not(.hero, #mistakes), main > nav {{ display: none }}
#mistakes .gallery > :nth-child(n + {MISTAKES + 1}) {{ display: none }}
#mistakes {{ margin-top: 44px; padding-bottom: 32px }}
"""


def shoot(browser: Browser, report: Path, scheme: str) -> Image.Image:
    """The top of a report as a picture with a palette, which is a third of the size."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": 2000}, device_scale_factor=SCALE, color_scheme=scheme
    )
    page.goto(report.resolve().as_uri())
    page.add_style_tag(content=HIDDEN)
    page.wait_for_function("[...document.querySelectorAll('#mistakes img')].every(i => i.complete)")
    box = page.locator("#mistakes").bounding_box()
    end = {"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"]}
    shot = Image.open(io.BytesIO(page.screenshot(clip=end, full_page=True)))
    return shot.convert("RGB").quantize(256, dither=Image.Dither.NONE)


def main(run: Path) -> None:
    """Take both pictures."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=os.environ.get("TELLAPART_BROWSER"))
        for scheme, name in (("light", "report.png"), ("dark", "report-dark.png")):
            shoot(browser, run / "report.html", scheme).save(FOLDER / name, optimize=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
