"""Feature maps of one picture, and the kernels of the first convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import ModelError
from tellapart.core.typing import Floats
from tellapart.explanations.explanation import no_convolutions
from tellapart.images.resizing import RGB

if TYPE_CHECKING:
    from tellapart.model import Model


def feature_maps(model: Model, pixels: RGB) -> list[tuple[str, Floats]]:
    """The output of each convolution and pooling for a picture.

    Args:
        model: A model with a convolution.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.

    Returns:
        In the order of the layers, name and float32 ``[h, w, c]`` of each.

    Raises:
        SettingsError: If the model has no convolution.
    """
    names = [name for name, _ in model.layers()]
    if not names:
        raise no_convolutions("Showing maps")
    found = model.activations(pixels[None], names)
    return [(name, found[name][0]) for name in names]


def strongest(maps: Floats, limit: int) -> Floats:
    """The strongest channels, strongest first.

    A channel is strong if it differs much from place to place (by its standard deviation): one
    that is bright everywhere shows nothing of the picture.

    Args:
        maps: float32 ``[h, w, c]``.
        limit: Most channels returned.

    Returns:
        float32 ``[h, w, min(c, limit)]``.
    """
    return maps[..., ranked(maps)[:limit]]


def ranked(maps: Floats) -> NDArray[np.int64]:
    """Numbers of the channels of float32 ``[h, w, c]``, strongest first."""
    spread = np.nan_to_num(maps.std(axis=(0, 1), dtype=np.float64))
    return np.argsort(-spread, kind="stable")


def first_layer(model: Model) -> str:
    """Name of the first convolution.

    Raises:
        SettingsError: If there is none.
    """
    for name, _ in model.layers():
        try:
            model.weight(f"{name}/kernel")
        except ModelError:  # a pooling
            continue
        return name
    raise no_convolutions("Showing filters")


def filters(model: Model) -> RGB | None:
    """The kernels of the first convolution as pictures.

    Each has its own scale: mid-gray is zero, brighter is above, darker below. Kernels over color
    pictures have three channels and are in color; those over gray pictures are gray.

    Args:
        model: Any model.

    Returns:
        uint8 ``[F, k, k, 3]``; None if the network has no convolution.
    """
    if not model.layers():
        return None
    return kernel_pictures(model.weight(f"{first_layer(model)}/kernel"))


def kernel_pictures(kernels: Floats) -> RGB:
    """Kernels as pictures.

    Args:
        kernels: float32 ``[F, c, k, k]``; unless there are three channels, their mean is shown
            in gray.

    Returns:
        uint8 ``[F, k, k, 3]``.
    """
    last = np.nan_to_num(kernels.transpose(0, 2, 3, 1))
    if last.shape[-1] != 3:
        last = np.repeat(last.mean(axis=-1, keepdims=True), 3, axis=-1)
    largest = np.abs(last).max(axis=(1, 2, 3), keepdims=True)
    share = last / np.maximum(largest, 1e-12)
    pictures: RGB = np.rint(127.5 + 127.5 * share).astype(np.uint8)
    return pictures
