"""A few pictures of a data set as training would see them.

Only the pictures shown are read. They are spread evenly over the classes and over each class; one
that cannot be decoded is replaced by its neighbor.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from tellapart.core.config import DataSettings, Option
from tellapart.core.errors import DataError, PictureError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Pixels
from tellapart.data.catalog import Catalog
from tellapart.images.decoder import decode, header_size
from tellapart.images.resizing import Fit, resize
from tellapart.networks.augment.contact_sheet import sheet
from tellapart.networks.augment.defaults import default
from tellapart.networks.augment.policy import Policy
from tellapart.networks.spec.input_size import choose

SCHEMA = 1
FINETUNE_SIZE = 224
"""The size that the pretrained network was trained on."""
_TRIES = 25  # pictures that are tried for one row of the sheet


class PreviewSettings(DataSettings):
    """Options of a preview."""

    model: Annotated[
        Literal["linear", "dnn", "cnn", "resnet", "finetune"],
        Option("The network whose default is shown.", "linear|dnn|cnn|resnet|finetune"),
    ] = "cnn"
    augment: Annotated[
        str | None,
        Option(
            "none, light, strong, or changes such as 'flip,shift=0.1,rotation=15' [the network's "
            "own].",
            "SPEC",
        ),
    ] = None
    size: Annotated[
        int | None,
        Field(ge=8, le=1024),
        Option(
            "Size in pixels; pictures are resized to a square of this side [as in training].",
            "PIXELS",
        ),
    ] = None
    fit: Annotated[Fit, Option("How pictures are fitted to the square.", "squash|crop|pad")] = (
        "squash"
    )
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), Option("Random seed.", "N")] = 0
    n: Annotated[int, Field(ge=1, le=32), Option("Pictures to show, up to 32.", "N")] = 6


@dataclass(frozen=True)
class Preview:
    """A contact sheet and what it shows.

    Attributes:
        pixels: The sheet, uint8 ``[height, width, 3]``.
        policy: What may happen to training pictures.
        settings: The options.
        size: Side of the pictures in pixels.
        gray: Whether they have one channel.
        paths: The pictures, one per row of the sheet.
        labels: Their classes.
        total: Number of training pictures; held-out parts do not count.
        unreadable: Pictures that could not be decoded and were replaced.
    """

    pixels: Pixels
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
        """What happens to training pictures, and what the sheet cannot show."""
        alone = self.policy.mixes and len(self.paths) < 2
        more = " The sheet has only one picture, so nothing is mixed in." if alone else ""
        return self.policy.describe() + more

    def as_json(self) -> dict[str, Any]:
        """The document of ``augment-preview --json``, without the file."""
        return {
            "schema": SCHEMA,
            "model": self.settings.model,
            "augment": self.policy.text,
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


def preview(catalog: Catalog, settings: PreviewSettings, *, progress: Progress = SILENT) -> Preview:
    """Draw a few pictures as training would see them.

    Args:
        catalog: Labeled pictures; if they are split into parts, those to train from are shown.
        settings: The options.
        progress: Told how many pictures are read.

    Raises:
        SettingsError: If the policy has no meaning.
        DataError: With code ``no_pictures`` if no picture can be decoded.
    """
    policy = None if settings.augment is None else Policy.parse(settings.augment)
    classes = _training_rows(catalog)
    counts = _counts([len(rows) for rows in classes], settings.n)
    stretches = [
        stretch
        for rows, count in zip(classes, counts, strict=True)
        for stretch in _stretches(rows, count)
    ]
    size = settings.size or (FINETUNE_SIZE if settings.model == "finetune" else None)
    if size is None:
        size = _usual_size(catalog, [stretch[0] for stretch in stretches], settings.model)
    shown: dict[int, Pixels] = {}
    unreadable: list[str] = []
    with progress.stage("Reading", total=len(stretches)) as stage:
        for stretch in stretches:
            for row in stretch:
                try:
                    pixels = decode(catalog.source.read(row)).pixels
                except PictureError:
                    unreadable.append(catalog.paths[row])
                else:
                    shown[row] = resize(pixels, size, settings.fit)
                    break
            stage.advance()
    if not shown:
        raise DataError(
            f"None of the pictures tried in {catalog.source.name} can be decoded.",
            remedy="See what is wrong with them: tellapart check DATA",
            code="no_pictures",
        )
    gray = all((pixels[..., :1] == pixels).all() for pixels in shown.values())
    if policy is None:
        policy = default(settings.model, gray=gray, size=size)
    labels = [catalog.columns["label"][row] for row in shown]
    originals = [pixels[..., : 1 if gray else 3] for pixels in shown.values()]
    return Preview(
        pixels=sheet(originals, policy, seed=settings.seed, names=labels),
        policy=policy,
        settings=settings,
        size=size,
        gray=gray,
        paths=[catalog.paths[row] for row in shown],
        labels=labels,
        total=sum(map(len, classes)),
        unreadable=unreadable,
    )


def _training_rows(catalog: Catalog) -> list[list[int]]:
    """The rows of each class to train from: held-out parts are never augmented."""
    parts = catalog.columns["part"]
    wanted = "train" if "train" in parts else None
    rows: dict[str, list[int]] = {name: [] for name in catalog.classes}
    for row, (label, part) in enumerate(zip(catalog.columns["label"], parts, strict=True)):
        if wanted is None or part == wanted:
            rows[label].append(row)
    return [members for members in rows.values() if members]


def _counts(sizes: Sequence[int], total: int) -> list[int]:
    """How many pictures of each class, as evenly as the sizes of the classes allow."""
    counts = [0] * len(sizes)
    for _ in range(min(total, sum(sizes))):
        _, smallest = min((count, i) for i, count in enumerate(counts) if count < sizes[i])
        counts[smallest] += 1
    return counts


def _stretches(rows: Sequence[int], count: int) -> Iterator[list[int]]:
    """Cut the rows of a class into stretches; in each, the middle comes first."""
    bounds = [i * len(rows) // count for i in range(count + 1)] if count else []
    for start, stop in itertools.pairwise(bounds):
        middle = (start + stop) // 2
        yield [*rows[middle:stop], *rows[start:middle]][:_TRIES]


def _usual_size(catalog: Catalog, rows: Sequence[int], kind: str) -> int:
    """The size that training would choose."""
    sizes: set[tuple[int, int]] = set()
    for row in rows:
        with contextlib.suppress(PictureError):
            sizes.add(header_size(catalog.source.read(row)))
    return choose(sizes, kind)
