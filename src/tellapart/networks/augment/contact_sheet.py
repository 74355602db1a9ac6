"""A contact sheet of augmented pictures: originals on the left, their variants next to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tellapart.core.typing import Pixels
from tellapart.networks.augment.mixup_cutmix import mix
from tellapart.networks.augment.policy import Policy
from tellapart.networks.augment.random_draws import draw
from tellapart.networks.augment.transforms import apply

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as BitmapFont

_CELL = 128  # pixels; smaller pictures are enlarged by whole numbers, larger ones reduced
_GAP = 6
_MARGIN = 12
_TEXT = 14
_BACKGROUND = (255, 255, 255)
_TEXT_COLOR = (40, 40, 40)
_BORDER = (200, 200, 200)


def variants(pictures: Sequence[Pixels], policy: Policy, *, seed: int, count: int) -> list[Pixels]:
    """A few pictures as training would see them in its first epochs.

    Args:
        pictures: uint8 ``[H, W, C]`` each, all of one shape.
        policy: What may happen to them. Mixup and cutmix mix them with each other.
        seed: The run's seed.
        count: Epochs.

    Returns:
        uint8 ``[n, H, W, C]`` for each epoch.

    Raises:
        ValueError: If the pictures differ in shape.
    """
    pixels = np.stack(pictures)
    targets = np.ones((len(pixels), 1), np.float32)
    indices = np.arange(len(pixels))
    shown = []
    for epoch in range(count):
        varied = apply(pixels, draw(policy, seed=seed, epoch=epoch, indices=indices))
        shown.append(mix(varied, targets, policy, seed=seed, epoch=epoch, step=0)[0])
    return shown


def sheet(
    pictures: Sequence[Pixels],
    policy: Policy,
    *,
    seed: int,
    columns: int = 8,
    names: Sequence[str] = (),
) -> Pixels:
    """Draw a contact sheet with one row per picture, the original first.

    Args:
        pictures: uint8 ``[H, W, C]`` each, all of one shape, C 1 or 3.
        policy: What may happen to them.
        seed: The run's seed.
        columns: Pictures in a row, the original included; at least 2.
        names: A name for each row, or none.

    Returns:
        uint8 ``[height, width, 3]``.

    Raises:
        ValueError: If there are no pictures, they differ in shape, or ``columns`` is below 2.
    """
    if not pictures or columns < 2:
        raise ValueError("A sheet takes at least one picture and two columns.")
    originals = np.stack(pictures)
    grid = [originals, *variants(pictures, policy, seed=seed, count=columns - 1)]
    width, height = _cell(*originals.shape[1:3])
    font = ImageFont.load_default(size=_TEXT)
    left = _MARGIN + _names_width(names, font)
    top = _MARGIN + _TEXT + _GAP
    # A wider gap between the original and its variants.
    lefts = [left, *(left + column * (width + _GAP) + _GAP for column in range(1, columns))]
    size = (lefts[-1] + width + _MARGIN, top + len(pictures) * (height + _GAP) - _GAP + _MARGIN)
    page = Image.new("RGB", size, _BACKGROUND)
    pen = ImageDraw.Draw(page)
    for column, x in enumerate(lefts):
        head = _fitting("original" if column == 0 else f"epoch {column}", width, font)
        pen.text((x + width / 2, _MARGIN), head, _TEXT_COLOR, font, anchor="mt")
        for row, picture in enumerate(grid[column]):
            y = top + row * (height + _GAP)
            page.paste(_enlarged(picture, width, height), (x, y))
            pen.rectangle((x - 1, y - 1, x + width, y + height), outline=_BORDER)
    for row, name in enumerate(names):
        middle = top + row * (height + _GAP) + height / 2
        pen.text((_MARGIN, middle), _fitting(name, _CELL, font), _TEXT_COLOR, font, anchor="lm")
    return np.asarray(page)


def _cell(height: int, width: int) -> tuple[int, int]:
    """Width and height at which a picture is drawn, in its own aspect ratio."""
    longest = max(height, width)
    if longest <= _CELL:
        times = _CELL // longest
        return width * times, height * times
    return max(1, round(width * _CELL / longest)), max(1, round(height * _CELL / longest))


def _enlarged(picture: Pixels, width: int, height: int) -> Image.Image:
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).convert("RGB")
    grows = width >= image.width
    return image.resize(
        (width, height), Image.Resampling.NEAREST if grows else Image.Resampling.LANCZOS
    )


def _names_width(names: Sequence[str], font: FreeTypeFont | BitmapFont) -> int:
    widths = [font.getlength(_fitting(name, _CELL, font)) for name in names]
    return int(max(widths)) + 2 * _GAP if widths else 0


def _fitting(text: str, width: int, font: FreeTypeFont | BitmapFont) -> str:
    """The text, shortened to a width; letters that the font lacks (not Latin) become ``?``."""
    shown = "".join(
        letter if letter.isprintable() and ord(letter) < 0x250 else "?" for letter in text
    )
    if font.getlength(shown) <= width:
        return shown
    while shown and font.getlength(shown + "…") > width:
        shown = shown[:-1]
    return shown + "…"
