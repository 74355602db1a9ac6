"""The note for people that lies in every export."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from tellapart.core import text
from tellapart.exports.parity import checked_on

_WIDTH = 90  # characters per line
_FITS = {
    "squash": "stretched to the square, whatever their shape",
    "crop": "cut to their middle square",
    "pad": "laid whole into the square, on gray",
}


def page(usage: str, card: Mapping[str, Any], parity: Mapping[str, Any]) -> str:
    """``README.txt``: what this is, how to use it, how good it is, how it was checked.

    Args:
        usage: How to use the target; ``SIZE`` in it stands for the side in pixels.
        card: Content of ``tellapart.json``.
        parity: Content of ``parity.json``.
    """
    size, classes = card["size"], card["classes"]
    listed = "\n".join(f"    {place}  {_line(name)}" for place, name in enumerate(classes[:50]))
    if len(classes) > 50:
        listed += f"\n    … {len(classes) - 50:,} more in tellapart.json"
    right = text.percent(card["accuracy"]["accuracy"])
    interval = text.interval(*card["accuracy"]["accuracy_ci95"])
    same = text.percent(parity["same_top1"])
    return f"""\
{_line(card["run"]["name"])}: a picture classifier, exported by tellapart {card["tellapart"]}

{_quantized(card)}{usage.replace("SIZE", str(size)).strip()}

Or with tellapart itself, which decodes and resizes as in training:

    import tellapart as ta
    ta.load("this folder").predict("some.jpg").label

What goes in: `image`, uint8 [N, {size}, {size}, 3], RGB. Pictures are decoded whole, turned
upright (EXIF), laid on white where they are transparent, and
{_FITS[card["fit"]]}, with an antialiased bicubic filter (as Pillow's).
Scaling and normalization are inside the model; "decode" in tellapart.json has all of it.

What comes out: `probabilities`, float32 [N, {len(classes)}], in this order:

{listed}

How good it is: {right} of {card["accuracy"]["n"]:,} pictures \
right (95 % interval {interval}), measured on
model.onnx, on pictures that it had not learnt from.

How it was checked: in {parity["runtime"]}, on {parity["n"]:,} {checked_on(parity)}.
{same} get the same class as from the run's model.onnx; the largest difference in probability
is {parity["max_difference"]:.2g}. {_right(parity)}{_gains(parity)}
parity.json has the figures, tellapart.json all that is known of the model.
"""


def _quantized(card: Mapping[str, Any]) -> str:
    """What the receiver of a model in integers must know, as a paragraph."""
    if "quantization" not in card:
        return ""
    nearly = "This is the model in 8-bit integers: smaller and faster, and nearly the same."
    return textwrap.fill(f"{nearly} {card['quantization']['note']}", _WIDTH) + "\n\n"


def _right(parity: Mapping[str, Any]) -> str:
    ours, theirs = (text.percent(parity[name]) for name in ("accuracy_onnx", "accuracy"))
    if ours == theirs:
        return f"Both get {ours} of them right."
    return f"It gets {theirs} of them right, and model.onnx {ours}."


def _gains(parity: Mapping[str, Any]) -> str:
    """What a smaller form gains, where that was measured."""
    if "speed" not in parity:
        return ""
    speed, sizes = parity["speed"], parity["bytes"]
    before, after = (text.size(sizes[name]) for name in ("onnx", "target"))
    where = f"{_line(speed['processor'])}, {speed['cores']} cores"
    return (
        f"\nIt is {speed['gain']:.1f} times as fast as model.onnx where it was exported ({where}),"
        f"\nand has {after} instead of {before}."
    )


def _line(name: str) -> str:
    """A name on one line, whatever it holds."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
