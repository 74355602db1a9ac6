"""The classifier that :func:`tellapart.load` returns.

Example:
    >>> pets = ta.load("runs/pets-1")  # doctest: +SKIP
    >>> pets.predict("new.jpg").label  # doctest: +SKIP
    'cats'
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.core.errors import PictureError, SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.data.catalog import Catalog, open_pictures
from tellapart.data.sources.names import printable, quote
from tellapart.images.decoder import decode, from_image
from tellapart.images.resizing import resize
from tellapart.inference.prediction import ModelLike, Prediction, predict, predicted

if TYPE_CHECKING:
    from tellapart.explanations import Explanation
    from tellapart.model import Model

PictureLike = str | Path | bytes | bytearray | NDArray[np.uint8] | Image.Image
PictureList = list[PictureLike] | tuple[PictureLike, ...]


class HasModel(Protocol):
    """A run or an export."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def model(self) -> ModelLike:
        """Its model, ready to run."""

    def _repr_html_(self) -> str: ...


class Classifier:
    """A run's or an export's model, ready to predict.

    Args:
        run: The run or export that the model comes from.
    """

    def __init__(self, run: HasModel) -> None:
        self.run = run
        self._model = run.model

    @property
    def model(self) -> Model:
        """The open model; for an export, the model in its own runtime."""
        return cast("Model", self._model)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the model's outputs."""
        return self.model.classes

    @overload
    def predict(self, picture: PictureLike) -> Prediction: ...
    @overload
    def predict(self, picture: PictureList) -> list[Prediction]: ...
    def predict(self, picture: PictureLike | PictureList) -> Prediction | list[Prediction]:
        """Classify one picture or several.

        Args:
            picture: A path, the bytes of a file, a ``PIL.Image``, pixels (uint8 ``[H, W, 3]``,
                RGB, or ``[H, W]``, gray), or a list or tuple of these. Paths, bytes and
                ``PIL.Image`` are decoded as in training (EXIF orientation is applied,
                transparency becomes white, more than 8 bits are scaled); pixels are taken as
                they are.

        Returns:
            One prediction for one picture, a list for a list. A picture that cannot be
            decoded has its ``error``.

        Raises:
            SettingsError: If a path holds several pictures, pixels have another shape, or
                ``picture`` is of another type.
        """
        if not isinstance(picture, (list, tuple)):
            return self._one(picture)
        known = self._files([one for one in picture if isinstance(one, (str, Path))])
        return [
            (isinstance(one, (str, Path)) and known.get(one)) or self._one(one) for one in picture
        ]

    def explain(
        self,
        picture: str | Path | bytes,
        *,
        target: str | None = None,
        method: str = "auto",
        progress: Progress = SILENT,
    ) -> Explanation:
        """Where in a picture the evidence for a class is.

        Args:
            picture: A path or the bytes of a file.
            target: The class; the predicted one unless given.
            method: ``"auto"``, ``"evidence"``, ``"hirescam"``, ``"gradcam"`` or
                ``"occlusion"``; see :func:`tellapart.explanations.explain`.
            progress: Gets the progress of ``"occlusion"``.

        Raises:
            PictureError: If the picture cannot be decoded.
            SettingsError: If there is no such class or method, the model does not allow the
                method, or the path holds several pictures.
        """
        from tellapart.explanations import explain

        return explain(self.model, picture_bytes(picture), target, method, progress=progress)

    def _files(self, paths: Sequence[str | Path]) -> Mapping[str | Path, Prediction]:
        """Predictions from one catalog of all paths; none where a path is not a single file."""
        names = {path: printable(os.fspath(path)) for path in paths}
        catalog = open_pictures(list(names)) if names else None
        if catalog is None or set(catalog.paths) != set(names.values()):
            return {}
        found = {one.path: one for one in predict(self.model, catalog)}
        return {path: found[name] for path, name in names.items()}

    def _one(self, picture: PictureLike) -> Prediction:
        if isinstance(picture, (str, Path)):
            return next(iter(predict(self.model, _one_picture(picture))))
        try:
            pixels = _pixels(picture)
        except PictureError as error:
            return Prediction("", None, None, None, str(error))
        square = resize(pixels, self.model.size, self.model.fit)
        return predicted("", self.model.run(square[None])[0], self.classes)

    def __repr__(self) -> str:
        return f"Classifier({self.run.name!r}, {len(self.classes)} classes)"

    def _repr_html_(self) -> str:
        return self.run._repr_html_()


def picture_bytes(picture: str | Path | bytes) -> bytes:
    """The bytes of one picture's file.

    Args:
        picture: Its path, which may lead into an archive, or its bytes.

    Raises:
        SettingsError: If the path holds several pictures.
        SourceError: If it cannot be read.
    """
    return picture if isinstance(picture, bytes) else _one_picture(picture).source.read(0)


def _one_picture(path: str | Path) -> Catalog:
    catalog = open_pictures([path])
    if len(catalog) != 1:
        raise SettingsError(
            f"{quote(str(path))} holds {len(catalog):,} pictures, where one is asked for.",
            remedy="Name one picture file; 'tellapart predict' takes folders and archives.",
            code="not_one_picture",
        )
    return catalog


def _pixels(picture: Any) -> NDArray[np.uint8]:
    """Upright RGB pixels of a picture that is no path.

    Raises:
        PictureError: If it cannot be decoded.
        SettingsError: If it is nothing that can be taken for a picture.
    """
    if isinstance(picture, (bytes, bytearray)):
        return decode(bytes(picture)).pixels
    if isinstance(picture, Image.Image):
        return from_image(picture)
    if isinstance(picture, np.ndarray):
        return _rgb(picture)
    raise SettingsError(
        f"A picture is a path, the bytes of a file, a PIL.Image, pixels (uint8 [H, W, 3]) or a "
        f"list of these, not {type(picture).__name__}.",
        code="not_a_picture",
    )


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise SettingsError(
            f"Pixels are uint8 [H, W, 3] or [H, W], not {pixels.dtype} {list(pixels.shape)}."
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] != 3 or 0 in pixels.shape:
        raise SettingsError(f"Pixels are uint8 [H, W, 3] or [H, W], not {list(pixels.shape)}.")
    return np.ascontiguousarray(pixels)
