"""What lies between pixels and probabilities: the maps and numbers inside a model file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart.core.typing import Floats
from tellapart.graph import INPUT, only_asked_for, open_session
from tellapart.graph.reading import MapLayer, Tail, giving, map_layers, number, tail


class Inside:
    """A model file, opened for looking into it. Read at first use, since predicting needs none.

    Args:
        data: The file.
        output: The output whose way is looked at.
        chunk: Pictures a call of the engine.
        threads: Threads within one call.

    Raises:
        ValueError: From every method and attribute, where the file lacks what is asked for.
    """

    def __init__(self, data: bytes, output: str, *, chunk: int, threads: int) -> None:
        self._data = data
        self._output = output
        self._chunk = chunk
        self._threads = threads
        self._lock = threading.Lock()
        self._open: tuple[tuple[str, ...], Any] | None = None

    @cached_property
    def layers(self) -> tuple[MapLayer, ...]:
        """Its convolutions and poolings, in order."""
        return map_layers(self._data, self._output)

    @cached_property
    def tail(self) -> Tail:
        """What follows its last map."""
        return tail(self._data, self._output)

    def weight(self, name: str) -> Floats:
        """One of its weights."""
        return number(self._data, name)

    def named(self, name: str) -> MapLayer:
        """The layer of a name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers[:20]) or "none"
        raise ValueError(f"it has no convolution or pooling {name!r}, but {known}")

    def maps(self, pixels: npt.NDArray[np.uint8], tensors: Sequence[str]) -> list[Floats]:
        """Some tensors from inside, float32 ``[n, c, h, w]`` each."""
        session = self._session(tuple(tensors))
        parts: list[list[Floats]] = []
        for start in range(0, max(1, len(pixels)), self._chunk):
            chunk = np.ascontiguousarray(pixels[start : start + self._chunk])
            parts.append(session.run(list(tensors), {INPUT: chunk}, only_asked_for()))
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def _session(self, tensors: tuple[str, ...]) -> Any:
        """One session is kept: who asks for the same tensors again need not wait."""
        with self._lock:
            if self._open is None or self._open[0] != tensors:
                data = giving(self._data, tensors)
                self._open = (tensors, open_session(data, threads=self._threads))
            return self._open[1]
