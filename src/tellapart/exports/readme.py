"""``README.txt``, the note for people in every export."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from tellapart.core import text
from tellapart.exports.parity import sentences

_WIDTH = 90  # characters per line
_FITS = {
    "squash": "stretched to the square, whatever their shape",
    "crop": "cropped to their middle square",
    "pad": "placed whole in the square, on gray",
}


def page(usage: str, card: Mapping[str, Any], parity: Mapping[str, Any]) -> str:
    """What the export is, how to use it, how good it is and how it was checked.

    Args:
        usage: How to use the target; ``SIZE`` in it stands for the side in pixels.
        card: Content of ``tellapart.json``.
        parity: Content of ``parity.json``.
    """
    size, classes, accuracy = card["size"], card["classes"], card["accuracy"]
    listed = "\n".join(f"    {place}  {text.clean(one)}" for place, one in enumerate(classes[:50]))
    if len(classes) > 50:
        listed += f"\n    … {len(classes) - 50:,} more in tellapart.json"
    quantized = ""
    if "quantization" in card:
        nearly = "This is the model in 8-bit integers: smaller and faster, and nearly the same."
        quantized = _filled(f"{nearly} {card['quantization']['note']}") + "\n\n"
    taken = _filled(
        f"Input: `image`, uint8 [N, {size}, {size}, 3], RGB. Pictures are decoded whole, rotated "
        "as their EXIF data says, put on white where they are transparent, and "
        f"{_FITS[card['fit']]}, with an antialiased bicubic filter (like Pillow's). Scaling and "
        'normalization are inside the model. "decode" in tellapart.json has the details.'
    )
    good = _filled(
        f"How good it is: {text.percent(accuracy['accuracy'])} of {accuracy['n']:,} pictures right "
        f"(95 % interval {text.interval(*accuracy['accuracy_ci95'])}), measured with model.onnx on "
        "pictures that it was not trained on."
    )
    checked = _filled(
        f"How it was checked: in {parity['runtime']}. {' '.join(sentences(parity))} parity.json "
        "has the figures, tellapart.json everything that is known about the model."
    )
    return f"""\
{text.clean(card["run"]["name"])}: a picture classifier, exported by tellapart {card["tellapart"]}

{quantized}{usage.replace("SIZE", str(size)).strip()}

Or with tellapart itself, which decodes and resizes as in training:

    import tellapart as ta
    ta.load("this folder").predict("some.jpg").label

{taken}

Output: `probabilities`, float32 [N, {len(classes)}], in this order:

{listed}

{good}

{checked}
"""


def _filled(paragraph: str) -> str:
    return textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
