"""The folder of an export: written whole or not at all, and opened again with distrust.

``tellapart.json``, the card, says what lies beside it: classes in order, decode policy, size,
version, the data's fingerprint, the measured accuracy, and the SHA-256 of every file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tellapart.core.errors import ModelError, RunError
from tellapart.core.version import __version__
from tellapart.exports.target import unusable
from tellapart.images.decoder import POLICY
from tellapart.images.resizing import FITS
from tellapart.runs import Run, read_json, write_json
from tellapart.runs.writing import explained, locked

CARD, PARITY, README = "tellapart.json", "parity.json", "README.txt"
SCHEMA = 1
MAX_FILES = 1_000  # that a card may name
MAX_ENTRIES = 10_000  # files and folders below an export that is opened
MAX_CARD = 16 * 1024**2  # bytes
MAX_BYTES = 4 * 1024**3
"""Bytes of all files that an export's card may name."""
MAX_SIZE = 4096

_LOCK = ".lock"


def card_of(run: Run, target: str, main: str) -> dict[str, Any]:
    """The content of ``tellapart.json`` that does not depend on the target's files.

    Where the data lay is left out: an export goes to strangers.
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
            "created": settings.get("created"),
            "model": settings.get("model"),
            "backbone": settings.get("backbone"),
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
            "meaning": "RGB, rows from the top, 0 to 255; nothing else is to be scaled",
        },
        "output": {
            "name": "probabilities",
            "dtype": "float32",
            "shape": ["N", len(model.classes)],
            "meaning": "one probability a class, in the order of 'classes'; they sum to 1",
        },
        "data": {name: data.get(name) for name in ("name", "fingerprint", "pictures")},
        "accuracy": {
            name: held.get(name)
            for name in ("method", "n", "accuracy", "accuracy_ci95", "majority_accuracy")
        },
        "verdict": run.metrics["verdict"],
    }


@contextlib.contextmanager
def placing(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``target`` when the block ends well.

    An earlier export of ours in its place is replaced at the end, in one step after the other:
    whoever looks sees the old one, for an instant none, then the new one. On any failure nothing
    is left, and the earlier one stays.

    Raises:
        RunError: If something else stands there, another process is writing it, or it cannot be
            written.
    """
    partial = _partial_of(target)
    with explained(f"export '{target}'"):
        check_free(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(partial, f"export '{target}'", name=_LOCK):
            try:
                filled = partial / "export"
                filled.mkdir()
                scratch_of(target).mkdir()
                yield filled
                check_free(target)
                _put(filled, target, aside=partial / "earlier")
            finally:
                shutil.rmtree(partial, ignore_errors=True)


def scratch_of(target: Path) -> Path:
    """The folder for anything, while :func:`placing` is at work; gone afterwards."""
    return _partial_of(target) / "scratch"


def _partial_of(target: Path) -> Path:
    return target.parent / f".{target.name}.partial"


def _put(filled: Path, target: Path, *, aside: Path) -> None:
    if not target.exists():
        filled.rename(target)
        return
    target.rename(aside)
    try:
        filled.rename(target)
    except BaseException:
        aside.rename(target)
        raise


def check_free(target: Path) -> None:
    """Make sure that nothing but an earlier export of ours stands where one is to be put.

    Raises:
        RunError: If something else does, or somebody has put other files into it.
    """
    if not target.exists() and not target.is_symlink():
        return
    remedy = "Choose another --out, or remove it."
    if target.is_symlink() or not target.is_dir():
        raise RunError(f"'{target}' exists already.", remedy=remedy, code="exists")
    if Path.cwd().is_relative_to(target.resolve()):
        raise RunError(
            f"'{target}' is the folder you stand in, or one above it.",
            remedy="Choose another --out, such as a new folder in it: its place is replaced.",
            code="exists",
        )
    if not any(target.iterdir()):
        return
    try:
        card = read_json(target / CARD)
        known = set(_files(card))
    except (RunError, ValueError):
        raise RunError(
            f"'{target}' exists already, and is no export of tellapart's.",
            remedy=remedy,
            code="exists",
        ) from None
    others = sorted(set(_found(target)) - known - {CARD, PARITY, README})
    if others:
        raise RunError(
            f"'{target}' is an earlier export, but somebody put other files there: {others[0]!r}.",
            remedy="Move them away, or choose another --out.",
            code="exists",
        )


def seal(folder: Path, card: Mapping[str, Any], parity: Mapping[str, Any], readme: str) -> None:
    """Write what stands beside the model's files: card, parity and the note for people."""
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)}
        for name in sorted(_found(folder))
    }
    write_json(folder / CARD, {**card, "files": files})
    write_json(folder / PARITY, parity)
    (folder / README).write_text(readme, encoding="utf-8", errors="backslashreplace")


def open_card(folder: Path) -> dict[str, Any]:
    """Read the card of an export, and make sure that its files are those it names.

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
    if card.get("name") != "tellapart" or type(schema) is not int or schema < 1:
        raise damaged(folder, f"{CARD} was not written by tellapart")
    if schema > SCHEMA:
        raise ModelError(
            f"The export '{folder}' was written by a newer tellapart (schema {schema}; this one "
            f"reads up to {SCHEMA}).",
            remedy="Upgrade tellapart.",
            code="newer_schema",
        )
    classes, size = card.get("classes"), card.get("size")
    sound = (
        isinstance(classes, list)
        and len(classes) > 0
        and all(isinstance(name, str) for name in classes)
        and len(set(classes)) == len(classes)
        and type(size) is int
        and 0 < size <= MAX_SIZE
        and card.get("fit") in FITS
        and isinstance(card.get("target"), str)
    )
    if not sound:
        raise damaged(folder, f"{CARD} names no classes, size, fit or target that has a meaning")
    try:
        files = _files(card)
    except ValueError as error:
        raise damaged(folder, str(error)) from None
    for name, known in files.items():
        _check_file(folder, name, known)
    return card


def _check_plain(folder: Path) -> None:
    """Make sure that there are files and folders alone: a link may lead to what never ends."""
    try:
        for count, path in enumerate(folder.rglob("*")):
            if count >= MAX_ENTRIES:
                raise damaged(folder, f"it holds more than {MAX_ENTRIES:,} files")
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise damaged(folder, f"{path.name[:80]!r} is no plain file")
    except OSError as error:
        raise damaged(folder, str(error.strerror)) from None


def _check_file(folder: Path, name: str, known: _Known) -> None:
    """Make sure that a file is the one that the card names; no more of it is read than it says."""
    path = folder / name
    try:
        if not path.is_file():
            raise damaged(folder, f"{name[:80]!r} is missing")
        if path.stat().st_size != known.size or _sha256(path) != known.sha256:
            raise damaged(folder, f"{name[:80]!r} is not the file that was checked")
    except OSError as error:  # not allowed, or a name that no file can have
        raise damaged(folder, f"{name[:80]!r}: {error.strerror}") from None


def damaged(folder: Path, why: str) -> ModelError:
    """The error about an export that is not what it should be."""
    return unusable("export", folder, why)


def is_export(path: Path) -> bool:
    """Whether a folder looks like an export rather than a run."""
    return (path / CARD).is_file() and not (path / "run.json").exists()


class _Known(NamedTuple):
    """What a card says of a file: bytes, and their SHA-256."""

    size: int
    sha256: str


def _files(card: Mapping[str, Any]) -> dict[str, _Known]:
    """The files a card speaks of by name, none of them outside its folder.

    Raises:
        ValueError: If they have no meaning.
    """
    files = card.get("files")
    if not isinstance(files, dict) or not 0 < len(files) <= MAX_FILES:
        raise ValueError(f"{CARD} lists no files")
    made: dict[str, _Known] = {}
    for name, about in files.items():
        parts = Path(name).parts
        if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
            raise ValueError(f"{CARD} lists the file {name[:80]!r}, which is outside")
        said = about if isinstance(about, dict) else {}
        size, sha256 = said.get("bytes"), said.get("sha256")
        if type(size) is not int or size < 0 or not isinstance(sha256, str):
            raise ValueError(f"{CARD} has no size or no checksum of {name[:80]!r}")
        made[name] = _Known(size, sha256)
    if sum(known.size for known in made.values()) > MAX_BYTES:
        raise ValueError(f"{CARD} lists files of more than {MAX_BYTES // 1024**3} GiB")
    return made


def _found(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_out(run: Run, target: str) -> Path:
    """``exports/RUN-TARGET`` below the folder the user stands in."""
    return Path("exports") / f"{run.path.resolve().name}-{target}"


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(os.path.getsize(folder / name) for name in _found(folder))  # noqa: PTH202
