"""One training as a value that a child process can read from a folder.

The folder holds ``job.json`` (spec, recipe, classes, where the pixels lie) and
``job.npz`` (labels, rows, initial weights). The pixels stay where they are: a ``.npy`` file that
is mapped into memory, never copied.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tellapart.core.errors import RunError
from tellapart.core.typing import Ints
from tellapart.networks.array_files import load_arrays, save_arrays, write_atomically
from tellapart.networks.spec.architectures import Spec
from tellapart.networks.spec.recipes import Recipe

SCHEMA = 1
_JSON, _ARRAYS = "job.json", "job.npz"
_MOST_JSON = 64 * 2**20  # bytes


@dataclass(frozen=True)
class Job:
    """What to train on what.

    Attributes:
        spec: The network.
        recipe: How it is trained.
        pixels: A ``.npy`` file, uint8 ``[N, H, W, C]``, C 1 for a gray network and 3 for
            others; opened read-only.
        labels: int64 ``[N]``, one for each row of the pixels, 0 to K - 1.
        training: int64 ``[n]``, rows to learn from.
        validation: int64 ``[v]``, rows to choose by; may be empty.
        classes: Names in the order of the labels.
        initial: Weights to start from by the names of
            :func:`tellapart.graph.layers.weight_shapes`, or None; may be a part of them.
    """

    spec: Spec
    recipe: Recipe
    pixels: Path
    labels: Ints
    training: Ints
    validation: Ints
    classes: tuple[str, ...]
    initial: dict[str, NDArray[np.float32]] | None = field(default=None)

    def save(self, folder: Path) -> None:
        """Write the job into a folder, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {
            "labels": self.labels,
            "training": self.training,
            "validation": self.validation,
        }
        for name, weight in (self.initial or {}).items():
            arrays[f"initial/{name}"] = weight
        save_arrays(folder / _ARRAYS, arrays)
        text = json.dumps(self._as_json() | {"pixels": str(self.pixels.absolute())}, indent=1)
        write_atomically(folder / _JSON, text.encode())

    @classmethod
    def load(cls, folder: Path) -> Job:
        """Read the job of a folder.

        Raises:
            RunError: If it is missing, damaged, or of a newer version.
        """
        try:
            path = folder / _JSON
            if path.stat().st_size > _MOST_JSON:
                raise ValueError("job.json is too large")
            values = json.loads(path.read_bytes())
            if values.get("schema") != SCHEMA:
                raise RunError(
                    f"'{path}' is from another version of tellapart.",
                    remedy="Start the training again.",
                    code="other_version",
                )
            arrays = load_arrays(folder / _ARRAYS)
            initial = {
                name.removeprefix("initial/"): array.astype(np.float32, copy=False)
                for name, array in arrays.items()
                if name.startswith("initial/")
            }
            return cls(
                spec=Spec.model_validate_json(json.dumps(values["spec"])),
                recipe=Recipe.model_validate_json(json.dumps(values["recipe"])),
                pixels=Path(values["pixels"]),
                labels=arrays["labels"].astype(np.int64),
                training=arrays["training"].astype(np.int64),
                validation=arrays["validation"].astype(np.int64),
                classes=tuple(str(name) for name in values["classes"]),
                initial=initial or None,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
            raise RunError(
                f"The job in '{folder}' cannot be read: {error}.",
                remedy="Start the training again.",
                code="damaged_job",
            ) from None

    def open_pixels(self) -> NDArray[np.uint8]:
        """The pixels, uint8 ``[N, H, W, C]``, mapped and read-only.

        Raises:
            RunError: If the file is missing or does not fit the labels.
        """
        try:
            pixels = np.load(self.pixels, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise RunError(
                f"The pixels in '{self.pixels}' cannot be read: {error}.",
                remedy="Start the training again; it decodes them anew.",
                code="pixels",
            ) from None
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or len(pixels) != len(self.labels):
            raise RunError(
                f"The pixels in '{self.pixels}' do not fit the labels.",
                remedy="Start the training again; it decodes them anew.",
                code="pixels",
            )
        return cast("NDArray[np.uint8]", pixels)

    def fingerprint(self) -> str:
        """SHA-256 of all that decides the weights, except the content of the pixels."""
        digest = hashlib.sha256(json.dumps(self._as_json(), sort_keys=True).encode())
        for array in (self.labels, self.training, self.validation):
            digest.update(np.ascontiguousarray(array, np.int64).tobytes() + b"|")
        for name, weight in sorted((self.initial or {}).items()):
            digest.update(name.encode() + np.ascontiguousarray(weight, np.float32).tobytes())
        return digest.hexdigest()

    def _as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "spec": json.loads(self.spec.model_dump_json()),
            "recipe": json.loads(self.recipe.model_dump_json()),
            "classes": list(self.classes),
        }
