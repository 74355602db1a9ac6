"""Where in a picture a probe finds its evidence, exactly.

A probe is linear over the last feature map of its network: the picture's logits are the mean,
over all places of the map, of the logits that each place would have alone. The file gives
these as ``logit_map`` ``[h, w, K]``, so nothing is approximated here: the mean of the heat
map is the logit's lead itself. That is the class activation map of B. Zhou et al., Learning
deep features for discriminative localization, CVPR 2016.

The evidence for a class is its logit less the mean of the other classes' logits; for two
classes, the difference of both, whose sign is the decision.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.errors import SettingsError
from tellapart.images import decode, luma, resize

if TYPE_CHECKING:
    from tellapart.artifact import Model

Float = NDArray[np.float32]
RGB = NDArray[np.uint8]

COVER = 0.75
"""How much of the picture the strongest evidence hides."""

# From strongest against to strongest for, in equal steps of Oklab: hue 255 degrees (blue) and
# 45 degrees (orange), lightness 0.95 in the middle and 0.55 at both ends.
_COLORS = np.array(
    [
        (41, 113, 198),
        (93, 145, 212),
        (140, 177, 225),
        (187, 208, 234),
        (238, 238, 238),
        (232, 197, 182),
        (219, 158, 130),
        (203, 118, 78),
        (183, 76, 5),
    ],
    np.float32,
)


@dataclass(frozen=True)
class Explanation:
    """What speaks for a class in a picture, and where.

    Attributes:
        target: The class that is explained.
        predicted: The class that the model names.
        probabilities: Of every class, most probable first.
        heat: float32 ``[h, w]``, the evidence for ``target`` at each place, in logits:
            positive speaks for it, negative against; its mean is the whole's.
        pixels: uint8 ``[S, S, 3]``, the square that the network saw.
        png: ``pixels`` in gray under the heat in color, as a PNG file.
    """

    target: str
    predicted: str
    probabilities: Mapping[str, float]
    heat: Float
    pixels: RGB
    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png


def explain(model: Model, data: bytes, target: str | None = None) -> Explanation:
    """Explain one picture.

    Args:
        model: A model whose file gives a ``logit_map``.
        data: The bytes of the picture's file.
        target: The class; the predicted one unless given.

    Raises:
        PictureError: The picture cannot be decoded.
        SettingsError: There is no such class.
        ModelError: The model gives no map.
    """
    if target is not None and target not in model.classes:
        raise _unknown(target, model.classes)
    pixels = resize(decode(data).pixels, model.size, model.fit)
    probabilities, maps = model.run_with_map(pixels[None])
    order = np.argsort(-probabilities[0], kind="stable")
    predicted = model.classes[int(order[0])]
    chosen = predicted if target is None else target
    heat = evidence(maps[0], model.classes.index(chosen))
    return Explanation(
        target=chosen,
        predicted=predicted,
        probabilities={model.classes[i]: float(probabilities[0, i]) for i in order.tolist()},
        heat=heat,
        pixels=pixels,
        png=_png(overlay(pixels, heat)),
    )


def evidence(logit_map: NDArray[np.floating], target: int) -> Float:
    """The lead of one class's logits over the mean of the others', place by place.

    Args:
        logit_map: float ``[h, w, K]`` or ``[n, h, w, K]``, with ``K`` at least 2.
        target: The class, ``0 .. K - 1``.

    Returns:
        float32 of the same shape without ``K``. Its mean over the places is the lead of the
        picture's logit.
    """
    own = logit_map[..., target]
    others = (logit_map.sum(axis=-1) - own) / (logit_map.shape[-1] - 1)
    lead: Float = (own - others).astype(np.float32)
    return lead


def overlay(pixels: RGB, heat: NDArray[np.floating], *, scale: float | None = None) -> RGB:
    """Lay a heat map over a picture: orange speaks for, blue against, gray for nothing.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        heat: float ``[h, w]`` that covers the picture edge to edge; brought to its size by
            bicubic interpolation.
        scale: The evidence with the full color; the largest in the map unless given. Give one
            number to several maps to compare them.

    Returns:
        uint8 ``[H, W, 3]``.
    """
    height, width = pixels.shape[:2]
    values = np.nan_to_num(np.asarray(heat, np.float32), posinf=0, neginf=0)
    full = float(np.abs(values).max()) if scale is None else scale
    values = values / max(full, 1e-12)
    smooth = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
    strength = np.clip(np.asarray(smooth, np.float32), -1, 1)
    cover = COVER * np.abs(strength)[..., None]
    # Shadows are lifted, so that a color is seen on a dark picture too.
    gray = 64 + luma(pixels).astype(np.float32)[..., None] * 0.75
    mixed = gray * (1 - cover) + colors(strength) * cover
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def colors(strength: NDArray[np.floating]) -> Float:
    """Colors of numbers from -1 (blue) over 0 (light gray) to 1 (orange).

    Args:
        strength: float of any shape.

    Returns:
        float32 of that shape and three channels, 0 to 255.
    """
    place = (np.clip(strength, -1, 1) + 1) / 2 * (len(_COLORS) - 1)
    below = np.minimum(place.astype(np.int64), len(_COLORS) - 2)
    share = (place - below)[..., None]
    mixed: Float = (_COLORS[below] * (1 - share) + _COLORS[below + 1] * share).astype(np.float32)
    return mixed


def _png(pixels: RGB) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _unknown(target: str, classes: tuple[str, ...]) -> SettingsError:
    near = get_close_matches(target, classes, n=1)
    return SettingsError(
        f"The model has no class '{target}'.",
        remedy=f"Did you mean '{near[0]}'?"
        if near
        else f"Its classes are {', '.join(classes[:20])}{' …' if len(classes) > 20 else ''}.",
        code="unknown_class",
    )
