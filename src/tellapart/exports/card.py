"""``tellapart.json``, the card of an export: written here, and validated when an export is opened.

It describes the files next to it: classes in order, decode policy, size, version, the data's
fingerprint, the measured accuracy, and the SHA-256 of every file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tellapart.core.errors import ModelError, RunError
from tellapart.core.version import __version__
from tellapart.exports.target import unusable
from tellapart.images.decoder import POLICY
from tellapart.images.resizing import Fit
from tellapart.runs import Run, read_json

CARD = "tellapart.json"
SCHEMA = 1
MAX_FILES = 1_000  # that a card may list
MAX_ENTRIES = 10_000  # files and folders in an export that is opened
MAX_CARD = 16 * 1024**2  # bytes
MAX_BYTES = 4 * 1024**3  # of all files that a card lists
MAX_SIZE = 4096  # pixels


def card_of(run: Run, target: str, main: str) -> dict[str, Any]:
    """The content of ``tellapart.json`` that does not depend on the target's files.

    The location of the data is left out, since exports are given to others.
    """
    settings, held = run.settings, run.metrics["held_out"]
    model, data = run.model, settings.get("data", {})
    network = settings.get("network", {})
    return {
        "schema": SCHEMA,
        "name": "tellapart",
        "target": target,
        "main": main,
        "tellapart": __version__,
        "run": {
            "name": run.name,
            **{name: settings.get(name) for name in ("created", "model", "backbone")},
            "tellapart": settings.get("versions", {}).get("tellapart"),
            "model_sha256": model.fingerprint,
        },
        "classes": list(model.classes),
        "size": model.size,
        "fit": model.fit,
        "gray": bool(network.get("spec", {}).get("gray", False)),
        "decode": {
            "policy": list(settings.get("decode", {}).get("policy", POLICY)),
            "decoder": settings.get("decode", {}).get("decoder"),
        },
        "input": {
            "name": "image",
            "dtype": "uint8",
            "shape": ["N", model.size, model.size, 3],
            "meaning": "RGB, rows from the top, 0 to 255; nothing else needs scaling",
        },
        "output": {
            "name": "probabilities",
            "dtype": "float32",
            "shape": ["N", len(model.classes)],
            "meaning": "one probability per class, in the order of 'classes'; they sum to 1",
        },
        "data": {name: data.get(name) for name in ("name", "fingerprint", "pictures")},
        "accuracy": {
            name: held.get(name)
            for name in ("method", "n", "accuracy", "accuracy_ci95", "majority_accuracy")
        },
        "verdict": run.metrics["verdict"],
    }


class Facts(BaseModel):
    """Size and checksum of one file."""

    model_config = ConfigDict(strict=True)

    bytes: Annotated[int, Field(ge=0)]
    sha256: str


class Card(BaseModel):
    """The members of a card that opening relies on. All others are for people."""

    model_config = ConfigDict(strict=True)

    name: Literal["tellapart"]
    number: Annotated[int, Field(alias="schema", ge=1)]
    target: str
    classes: Annotated[list[str], Field(min_length=1)]
    size: Annotated[int, Field(gt=0, le=MAX_SIZE)]
    fit: Fit
    files: Annotated[dict[str, Facts], Field(min_length=1, max_length=MAX_FILES)]

    @field_validator("classes")
    @classmethod
    def _differ(cls, classes: list[str]) -> list[str]:
        if len(set(classes)) < len(classes):
            raise ValueError("two classes have one name")
        return classes

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, Facts]) -> dict[str, Facts]:
        for name in files:
            path = Path(name)
            if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
                raise ValueError(f"the file {name[:80]!r} is outside the export")
        if sum(facts.bytes for facts in files.values()) > MAX_BYTES:
            raise ValueError(f"the files have more than {MAX_BYTES // 1024**3} GiB")
        return files


def open_card(folder: Path) -> dict[str, Any]:
    """Read the card of an export, and check that its files are the ones that it lists.

    Raises:
        ModelError: If it is damaged, incomplete, changed, or from a newer version.
    """
    _check_plain(folder)
    try:
        if (folder / CARD).stat().st_size > MAX_CARD:
            raise damaged(folder, f"{CARD} is too large")
        card = read_json(folder / CARD)
    except OSError as error:
        raise damaged(folder, f"{CARD}: {error.strerror}") from None
    except RunError as error:
        raise damaged(folder, error.message) from None
    schema = card.get("schema")
    if card.get("name") == "tellapart" and type(schema) is int and schema > SCHEMA:
        raise ModelError(
            f"The export '{folder}' was written by a newer tellapart (schema {schema}; this one "
            f"reads up to {SCHEMA}).",
            remedy="Upgrade tellapart.",
            code="newer_schema",
        )
    try:
        files = Card.model_validate(card).files
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise damaged(folder, f"{CARD}, {where!r}: {first['msg']}") from None
    for name, facts in files.items():
        _check_file(folder, name, facts)
    return card


def _check_plain(folder: Path) -> None:
    """Check that there are only files and folders: a link may lead to something endless."""
    try:
        for count, path in enumerate(folder.rglob("*")):
            if count >= MAX_ENTRIES:
                raise damaged(folder, f"it holds more than {MAX_ENTRIES:,} files")
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise damaged(folder, f"{path.name[:80]!r} is no plain file")
    except OSError as error:
        raise damaged(folder, str(error.strerror)) from None


def _check_file(folder: Path, name: str, facts: Facts) -> None:
    """Check that a file is the one that the card lists, without reading more than its size."""
    path = folder / name
    try:
        if not path.is_file():
            raise damaged(folder, f"{name[:80]!r} is missing")
        if path.stat().st_size != facts.bytes or sha256_of(path) != facts.sha256:
            raise damaged(folder, f"{name[:80]!r} is not the file that was checked")
    except OSError as error:  # no permission, or a name that no file can have
        raise damaged(folder, f"{name[:80]!r}: {error.strerror}") from None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(folder: Path, why: str) -> ModelError:
    """The error about an export that is not what it should be."""
    return unusable("export", folder, why)
