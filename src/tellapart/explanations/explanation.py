"""The explanation of one picture: choice of the method, heat map, and drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from tellapart.core.errors import SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Floats
from tellapart.explanations import gradcam, occlusion
from tellapart.explanations.evidence import evidence
from tellapart.explanations.painting import enlarged, overlay, png
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, resize

if TYPE_CHECKING:
    from tellapart.model import Model

Method = Literal["auto", "evidence", "hirescam", "gradcam", "occlusion"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True)
class Explanation:
    """Where in a picture the evidence for a class is.

    Attributes:
        target: The class that is explained.
        predicted: The class that the model predicts.
        probabilities: Of every class, most probable first.
        heat: float32 ``[h, w]``, the evidence for ``target`` at each place, in logits; negative is
            against it. With ``evidence`` its mean is the evidence of the whole picture, with
            ``hirescam`` that less what biases add; with ``occlusion`` each number is the evidence
            that is lost if this place is hidden.
        pixels: uint8 ``[S, S, 3]``, the square that the network saw.
        png: ``pixels`` in gray under the heat in color, as a PNG file.
        method: The method that was used, never ``auto``.
    """

    target: str
    predicted: str
    probabilities: Mapping[str, float]
    heat: Floats
    pixels: RGB
    png: bytes
    method: str = "evidence"

    def _repr_png_(self) -> bytes:
        return self.png


def explain(
    model: Model,
    data: bytes,
    target: str | None = None,
    method: str = "auto",
    *,
    progress: Progress = SILENT,
) -> Explanation:
    """Explain one picture.

    Args:
        model: Any model.
        data: The bytes of the picture's file.
        target: The class; the predicted one unless given.
        method: ``evidence``, exact, for networks whose file outputs a ``logit_map``; ``hirescam``
            or ``gradcam`` for networks with a convolution (:mod:`.gradcam` compares them);
            ``occlusion`` for all. ``auto`` takes the first of ``evidence``, ``hirescam`` and
            ``occlusion`` that the model allows.
        progress: Gets the progress of ``occlusion``.

    Raises:
        PictureError: The picture cannot be decoded.
        SettingsError: There is no such class or method, or the model does not allow it.
        ModelError: The model's file is damaged.
    """
    if target is not None and target not in model.classes:
        raise _unknown("class", target, model.classes)
    chosen_method = _allowed(model, method)
    pixels = square(model, data)
    probabilities = model.run(pixels[None])[0]
    order = np.argsort(-probabilities, kind="stable")
    predicted = model.classes[int(order[0])]
    chosen = predicted if target is None else target
    heat = heat_of(model, pixels, model.classes.index(chosen), chosen_method, progress=progress)
    return Explanation(
        target=chosen,
        predicted=predicted,
        probabilities={model.classes[i]: float(probabilities[i]) for i in order.tolist()},
        heat=heat,
        pixels=pixels,
        png=png(overlay(enlarged(pixels), heat)),
        method=chosen_method,
    )


def square(model: Model, data: bytes) -> RGB:
    """A picture, decoded and resized for a model: uint8 ``[S, S, 3]``.

    Raises:
        PictureError: The picture cannot be decoded.
    """
    return resize(decode(data).pixels, model.size, model.fit)


def heat_of(
    model: Model,
    pixels: RGB,
    target: int,
    method: str = "auto",
    *,
    progress: Progress = SILENT,
) -> Floats:
    """The heat map of decoded pixels.

    Args:
        model: Any model.
        pixels: uint8 ``[S, S, 3]``, as :func:`square` gives them.
        target: The class, ``0 .. K - 1``.
        method: As in :func:`explain`.
        progress: As in :func:`explain`.

    Returns:
        float32 ``[h, w]``: :attr:`Explanation.heat`.

    Raises:
        SettingsError: There is no such method, or the model does not allow it.
        ModelError: The model's file is damaged.
    """
    match _allowed(model, method):
        case "evidence":
            return evidence(model.run_with_map(pixels[None])[1][0], target)
        case "hirescam":
            return gradcam.hirescam(model, pixels, target)
        case "gradcam":
            return gradcam.gradcam(model, pixels, target)
        case _:
            return occlusion.heat(model, pixels, target, progress=progress)


def _allowed(model: Model, method: str) -> Method:
    """The method to use; :class:`SettingsError` if the model does not allow it."""
    if method not in METHODS:
        raise _unknown("method", method, METHODS)
    if method == "auto":
        if model.has_map:
            return "evidence"
        return "hirescam" if model.layers() else "occlusion"
    if method == "evidence" and not model.has_map:
        raise SettingsError(
            "The method 'evidence' needs a network that ends in a mean over places and one dense "
            "layer, and this one does not.",
            remedy=f"Use --method {'hirescam' if model.layers() else 'occlusion'}.",
            code="no_logit_map",
        )
    if method in ("hirescam", "gradcam") and not model.layers():
        raise no_convolutions(f"The method '{method}'")
    return cast(Method, method)


def no_convolutions(what: str) -> SettingsError:
    """The error for a network without convolutions, where one is needed."""
    return SettingsError(
        f"{what} needs a network with convolutions, and this one has none.",
        remedy="Use --method occlusion, which works for every network.",
        code="no_convolutions",
    )


def _unknown(what: str, given: str, known: tuple[str, ...]) -> SettingsError:
    near = get_close_matches(given, known, n=1)
    owner = "The model has no class" if what == "class" else "There is no method"
    kinds = "Its classes" if what == "class" else "The methods"
    return SettingsError(
        f"{owner} '{given}'.",
        remedy=f"Did you mean '{near[0]}'?"
        if near
        else f"{kinds} are {', '.join(known[:20])}{' …' if len(known) > 20 else ''}.",
        code=f"unknown_{what}",
    )
