"""A few pictures of a data set as training would see them.

Only the pictures that are shown are read; they are spread evenly over the classes, and over each
class. One that cannot be decoded makes room for its neighbor.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tellapart.core.config import Settings
from tellapart.core.errors import DataError, PictureError
from tellapart.core.progress import SILENT, Progress
from tellapart.data.catalog import Catalog
from tellapart.images.decoder import Fit, decode, header_size, resize
from tellapart.networks.augment.defaults import default
from tellapart.networks.augment.policy import Policy
from tellapart.networks.augment.sheets import sheet
from tellapart.networks.spec.sizes import chosen

SCHEMA = 1
FINETUNE_SIZE = 224
"""The size that the pretrained network of ``finetune`` was trained on."""
_TRIES = 25  # pictures that are tried for one place in the sheet


class PreviewSettings(Settings):
    """What a preview shows.

    Attributes:
        model: The network whose default policy is shown where no other is asked for.
        augment: A policy as :meth:`Policy.parse` reads it, or None for the default.
        size: Side in pixels of the square that pictures are brought to; None for what training
            would choose.
        fit: How they are brought to it.
        seed: Draws every random choice.
        n: Pictures, a row each.
    """

    model: Literal["linear", "dnn", "cnn", "resnet", "finetune"] = "cnn"
    augment: str | None = None
    size: int | None = Field(default=None, ge=8, le=1024)
    fit: Fit = "squash"
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    n: int = Field(default=6, ge=1, le=32)


@dataclass(frozen=True)
class Preview:
    """A contact sheet and what it shows.

    Attributes:
        pixels: The sheet, uint8 ``[height, width, 3]``.
        policy: What may happen to training pictures.
        settings: What was asked for.
        size: Side of the pictures, in pixels.
        gray: Whether they have one channel.
        paths: The pictures, one a row of the sheet.
        labels: Their classes.
        total: Pictures there are to train from, those in other parts not counted.
        unreadable: Pictures that were to be shown and could not be decoded.
    """

    pixels: NDArray[np.uint8]
    policy: Policy
    settings: PreviewSettings
    size: int
    gray: bool
    paths: Sequence[str]
    labels: Sequence[str]
    total: int
    unreadable: Sequence[str]

    @property
    def sentence(self) -> str:
        """What happens to training pictures, and what the sheet cannot show of it."""
        alone = self.policy.mixes and len(self.paths) < 2
        said = self.policy.describe()
        return said + (" With one picture there is nothing to mix it with." if alone else "")

    def as_json(self) -> dict[str, Any]:
        """The document of ``augment-preview --json``, but for the file."""
        return {
            "schema": SCHEMA,
            "model": self.settings.model,
            "augment": self.policy.spec,
            "policy": self.policy.model_dump(),
            "sentence": self.sentence,
            "size": self.size,
            "gray": self.gray,
            "pictures": [
                {"path": path, "label": label}
                for path, label in zip(self.paths, self.labels, strict=True)
            ],
            "unreadable": list(self.unreadable),
        }


def preview(
    catalog: Catalog,
    settings: PreviewSettings,
    *,
    progress: Progress = SILENT,
) -> Preview:
    """Draw what training would see of a few pictures.

    Args:
        catalog: Labelled pictures; where they have parts, those to train from are shown.
        settings: What to show.
        progress: Who is told how far it is.

    Raises:
        SettingsError: If the policy has no meaning.
        DataError: If no picture can be decoded, with the code ``no_pictures``.
    """
    asked = None if settings.augment is None else Policy.parse(settings.augment)
    classes = _to_train_from(catalog)
    counts = _shares([len(members) for members in classes], settings.n)
    stretches = [
        stretch
        for members, count in zip(classes, counts, strict=True)
        for stretch in _stretches(members, count)
    ]
    size = settings.size or (FINETUNE_SIZE if settings.model == "finetune" else None)
    if size is None:
        size = _size(catalog, [rows[0] for rows in stretches], settings.model)
    rows: list[int] = []
    shown: list[NDArray[np.uint8]] = []
    unreadable: list[str] = []
    with progress.stage("Reading", total=len(stretches)) as stage:
        for candidates in stretches:
            row, pixels = _first_sound(catalog, candidates, unreadable)
            if pixels is not None:
                rows.append(row)
                shown.append(resize(pixels, size, settings.fit))
            stage.advance()
    if not shown:
        raise DataError(
            f"None of the pictures that were tried in {catalog.source.name} can be decoded.",
            remedy="See what is wrong with them: tellapart check DATA",
            code="no_pictures",
        )
    gray = all(_is_gray(pixels) for pixels in shown)
    policy = default(settings.model, gray=gray, size=size) if asked is None else asked
    channels = 1 if gray else 3
    labels = [catalog.columns["label"][row] for row in rows]
    drawn = sheet(
        [pixels[..., :channels] for pixels in shown], policy, seed=settings.seed, names=labels
    )
    return Preview(
        pixels=drawn,
        policy=policy,
        settings=settings,
        size=size,
        gray=gray,
        paths=[catalog.paths[row] for row in rows],
        labels=labels,
        total=sum(map(len, classes)),
        unreadable=unreadable,
    )


def _to_train_from(catalog: Catalog) -> list[list[int]]:
    """The rows of each class that would be trained from: held-out parts are never varied."""
    parts = catalog.columns["part"]
    wanted = "train" if "train" in parts else None
    rows: dict[str, list[int]] = {name: [] for name in catalog.classes}
    for row, (label, part) in enumerate(zip(catalog.columns["label"], parts, strict=True)):
        if wanted is None or part == wanted:
            rows[label].append(row)
    return [members for members in rows.values() if members]


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """How many pictures of each class: as many of each as there are, up to ``count`` in all."""
    taken = [0] * len(sizes)
    for _ in range(min(count, sum(sizes))):
        least = min((have, at) for at, have in enumerate(taken) if have < sizes[at])
        taken[least[1]] += 1
    return taken


def _stretches(members: Sequence[int], count: int) -> Iterator[list[int]]:
    """The rows of a class in ``count`` stretches, each begun in its middle and not endless."""
    bounds = [at * len(members) // count for at in range(count + 1)] if count else []
    for start, stop in itertools.pairwise(bounds):
        middle = (start + stop) // 2
        yield [*members[middle:stop], *members[start:middle]][:_TRIES]


def _first_sound(
    catalog: Catalog, rows: Sequence[int], unreadable: list[str]
) -> tuple[int, NDArray[np.uint8] | None]:
    """The first of some rows that can be decoded, uint8 [H, W, 3], or None for its pixels."""
    for row in rows:
        try:
            return row, decode(catalog.source.read(row)).pixels
        except PictureError:
            unreadable.append(catalog.paths[row])
    return rows[0], None


def _size(catalog: Catalog, rows: Sequence[int], kind: str) -> int:
    """The size that training chooses."""
    sizes: set[tuple[int, int]] = set()
    for row in rows:
        try:
            sizes.add(header_size(catalog.source.read(row)))
        except PictureError:
            continue
    return chosen(sizes, kind)


def _is_gray(pixels: NDArray[np.uint8]) -> bool:
    return bool((pixels[..., :1] == pixels).all())
