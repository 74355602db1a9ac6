"""One array of pictures with its labels, checked: do they fit together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import LabelError, SourceError
from tellapart.data.sources.base import Member
from tellapart.data.sources.idx import damaged_array
from tellapart.data.sources.names import Part, label_of, quote
from tellapart.images.opening import MAX_PIXELS

MAX_LABEL = 80
"""Characters a label of text may have; more is a description, not a class."""


@dataclass(frozen=True, slots=True)
class LabeledArray:
    """One array of pictures and the labels that belong to it.

    Attributes:
        name: The start of a row's path, before its number, such as ``train-images-idx3-ubyte.gz!``.
        part: The part of the data, or None.
        pixels: uint8 ``[N, H, W]`` (gray) or ``[N, H, W, 3]`` (RGB).
        labels: One per picture.
        file: The file behind it: its time and inode.
    """

    name: str
    part: Part | None
    pixels: NDArray[np.uint8]
    labels: Sequence[str]
    file: Member


def labeled_array(
    name: str,
    part: Part | None,
    pictures: NDArray[Any],
    labels: NDArray[Any],
    file: Member,
    shown: tuple[str, str],
) -> LabeledArray:
    """Check that pictures and labels fit together.

    Args:
        name: The start of a row's path, before its number.
        part: The part of the data, or None.
        pictures: Should be uint8 ``[N, H, W]``, ``[N, H, W, 1]`` or ``[N, H, W, 3]``.
        labels: Should be integers or text ``[N]`` or ``[N, 1]``.
        file: The file behind the pictures.
        shown: How an error names the pictures and the labels.

    Raises:
        SourceError: ``array_type``, ``array_shape``, ``array_counts`` or ``array_too_large``.
        LabelError: ``array_labels``.
    """
    if pictures.dtype != np.uint8:
        raise SourceError(
            f"{quote(shown[0])} holds {pictures.dtype}, but pictures are read as uint8.",
            remedy="Scale the values to 0 to 255 and save them as uint8.",
            code="array_type",
        )
    if pictures.ndim == 4 and pictures.shape[3] == 1:
        pictures = pictures[..., 0]
    shape = " x ".join(f"{length:,}" for length in pictures.shape)
    if not (pictures.ndim == 3 or (pictures.ndim == 4 and pictures.shape[3] == 3)):
        first = pictures.ndim == 4 and pictures.shape[1] in (1, 3)
        raise SourceError(
            f"{quote(shown[0])} is {shape}; pictures are N x height x width, or N x height x "
            "width x 3.",
            remedy="Move the channels to the end: numpy.moveaxis(x, 1, -1)."
            if first
            else "Save them in that shape.",
            code="array_shape",
        )
    if min(pictures.shape) == 0:
        raise SourceError(
            f"{quote(shown[0])} is {shape}: it holds no pictures.",
            remedy="Leave the file out, or save it again.",
            code="array_shape",
        )
    if pictures.shape[1] * pictures.shape[2] > MAX_PIXELS:
        raise SourceError(
            f"{quote(shown[0])} is {shape}: pictures of more than {MAX_PIXELS // 10**6} million "
            "pixels are refused.",
            remedy="Save smaller pictures.",
            code="array_too_large",
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        found = " x ".join(f"{length:,}" for length in labels.shape)
        raise SourceError(
            f"{quote(shown[1])} is {found or 'one value'}; labels are one value per picture.",
            remedy="Of one-hot labels, save labels.argmax(1).",
            code="array_shape",
        )
    if len(labels) != len(pictures):
        raise SourceError(
            f"{quote(shown[0])} has {len(pictures):,} pictures, but {quote(shown[1])} has "
            f"{len(labels):,} labels.",
            remedy="Take both files from the same download: each picture needs its label.",
            code="array_counts",
        )
    return LabeledArray(name, part, pictures, _texts(labels, shown[1]), file)


def _texts(labels: NDArray[Any], shown: str) -> list[str]:
    """Labels as text, ``"0"`` to ``"9"`` for digits."""
    if labels.dtype.kind in "iu":
        return [str(label) for label in labels.tolist()]
    if labels.dtype.kind != "U":
        raise SourceError(
            f"{quote(shown)} holds {labels.dtype}, but labels are integers or text.",
            remedy="Save them with labels.astype(int).",
            code="array_type",
        )
    try:
        names = {text: label_of(text.strip()) for text in set(labels.tolist())}
    except ValueError as error:
        raise damaged_array(shown, "its text cannot be read") from error
    for text, name in names.items():
        if not name or len(name) > MAX_LABEL:
            row = labels.tolist().index(text)
            raise LabelError(
                f"Label {row:,} of {quote(shown)} is "
                + (f"longer than {MAX_LABEL} characters." if name else "empty."),
                remedy="Give every picture a short name of its class.",
                code="array_labels",
            )
    return [names[text] for text in labels.tolist()]
