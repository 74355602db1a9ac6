"""Pretrained networks that turn pictures into features.

A :class:`Backbone` is a table of layers with its weights. :mod:`.weights` finds and checks the
file of weights, :mod:`.torch_reader` reads its tensors, :mod:`.efficientnet_lite` assigns them to
layers.

Example:
    >>> names()
    ('efficientnet-lite0',)
    >>> get("efficientnet-lite0").features
    1280
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tellapart.core.errors import SettingsError
from tellapart.graph import Graph, Weights, to_onnx
from tellapart.transfer.backbones import efficientnet_lite
from tellapart.transfer.backbones.weights import WeightsFile

__all__ = ["Backbone", "WeightsFile", "get", "names"]

SIZES = (32, 1024)
"""Smallest and largest side a backbone takes, in pixels."""

_CONVERTER = 1
"""Increased whenever the same weights are converted differently."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained network without its last layer.

    Args:
        name: Its name in settings and files.
        title: Its name in texts.
        features: Length of a picture's feature vector.
        file: The file of its weights.
        table: Gives its layers for a size, with the tensors ``feature_map`` and ``features``.
        load: Gives its weights.
    """

    name: str
    title: str
    features: int
    file: WeightsFile
    table: Callable[[int], Graph]
    load: Callable[[], Weights]

    @property
    def key(self) -> str:
        """Changes whenever its features would: name, weights and converter."""
        return f"{self.name}-{self.file.sha256[:12]}-{_CONVERTER}"

    def graph(self, size: int) -> Graph:
        """Its layers for pictures of ``size`` x ``size``.

        Raises:
            SettingsError: If the size is outside :data:`SIZES`.
        """
        low, high = SIZES
        if not low <= size <= high:
            raise SettingsError(
                f"{self.title} takes sizes from {low} to {high}, not {size}.",
                remedy="Choose a size in between; 224 is what it was trained on.",
            )
        return self.table(size)

    def onnx(self, size: int, folder: Path | None = None) -> bytes:
        """The network as an ONNX file: ``image`` uint8 ``[N, S, S, 3]`` to ``features``.

        Args:
            size: Side of the pictures in pixels.
            folder: Where the converted file is kept between runs, or None. A damaged file is
                replaced; if it cannot be written, the next run converts again.

        Returns:
            The file; its output ``features`` is float32 ``[N, features]``.

        Raises:
            SettingsError: If the size is outside :data:`SIZES`.
            WeightsError: If the weights are missing or changed.
        """
        table = self.graph(size)
        path = folder / f"{self.key}-{size}.onnx" if folder else None
        if path and (kept := _read(path)):
            return kept
        data = to_onnx(table, self.load())
        if path:
            with contextlib.suppress(OSError):  # a full disk is no reason to stop
                _write(path, data)
        return data


_BACKBONES = {
    "efficientnet-lite0": Backbone(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0",
        features=efficientnet_lite.FEATURES,
        file=efficientnet_lite.WEIGHTS,
        table=efficientnet_lite.graph,
        load=efficientnet_lite.weights,
    )
}


def names() -> tuple[str, ...]:
    """The names of all backbones."""
    return tuple(_BACKBONES)


def get(name: str) -> Backbone:
    """The backbone of that name.

    Raises:
        SettingsError: If there is none.
    """
    if name in _BACKBONES:
        return _BACKBONES[name]
    near = difflib.get_close_matches(name, _BACKBONES, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise SettingsError(
        f"There is no backbone {name!r}.", remedy=f"{hint}Known are: {', '.join(_BACKBONES)}."
    )


def _read(path: Path) -> bytes | None:
    """The file without the SHA-256 at its end; None if it is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    body, digest = data[:-32], data[-32:]
    return body if body and hashlib.sha256(body).digest() == digest else None


def _write(path: Path, data: bytes) -> None:
    """Write a file with its SHA-256 at the end, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data + hashlib.sha256(data).digest())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
