"""Features of pictures: a frozen backbone as a consumer of the scan.

Example:
    >>> from tellapart.transfer import backbones
    >>> consumer = FeatureConsumer(backbones.get("efficientnet-lite0"), size=64)
    >>> consumer.apply(np.zeros((2, 64, 64, 3), np.uint8)).shape
    (2, 1280)
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart.graph import INPUT, open_session
from tellapart.images.decoder import DECODER
from tellapart.images.resizing import Fit
from tellapart.transfer.backbones import Backbone

CHUNK = 2
"""Pictures per call of the engine. From 1 to 4 the speed is the same. From 8 on it is slower,
since the first layers' maps do not fit into the processor's caches, and a thread needs 90 MB
instead of 25 (docs/decisions/0011-one-thread-a-session.md)."""


class FeatureConsumer:
    """Computes features of square pictures, in as many threads as call it.

    Args:
        backbone: The pretrained network.
        size: Side of the squares in pixels.
        fit: How pictures are fitted to the squares; part of the key only.
        folder: Where the converted network is kept between runs, or None.

    Attributes:
        key: Changes whenever the features of the same picture would.
        shape: Of the features of one picture.
        dtype: float32, so that the head on these features gives the same as the whole model file
            (docs/decisions/0012).
        keep: Whether the cache keeps the features.
    """

    keep = True
    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self, backbone: Backbone, size: int = 224, fit: Fit = "squash", folder: Path | None = None
    ) -> None:
        self.backbone = backbone
        self.size = size
        self.fit: Fit = fit
        self.folder = folder
        self.key = f"features/{backbone.key}/{self.dtype}/{size}/{fit}/{DECODER}"
        self.shape: tuple[int, ...] = (backbone.features,)
        self._session: Any = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Open the network now instead of at the first picture.

        Raises:
            SettingsError: If the backbone does not take this size.
            WeightsError: If its weights are missing or changed.
        """
        with self._lock:
            if self._session is None:
                data = self.backbone.onnx(self.size, self.folder)
                self._session = open_session(data)

    def apply(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Features of some pictures; safe to call from several threads at once.

        Args:
            pixels: uint8 ``[n, size, size, 3]``, RGB.

        Returns:
            float32 ``[n, features]``.

        Raises:
            ValueError: If the pixels have another shape or type.
        """
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (self.size, self.size, 3):
            raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, not {self.size} squares")
        self.prepare()
        features = np.empty((len(pixels), *self.shape), np.float32)
        for start in range(0, len(pixels), CHUNK):
            chunk = np.ascontiguousarray(pixels[start : start + CHUNK])
            features[start : start + CHUNK] = self._session.run(["features"], {INPUT: chunk})[0]
        return features
