"""The folder of an export: written completely or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tellapart.core.errors import RunError
from tellapart.exports.card import CARD, Card, sha256_of
from tellapart.runs import Run, read_json, write_json
from tellapart.runs.writing import explained, locked

PARITY, README = "parity.json", "README.txt"
_LOCK = ".lock"


@contextlib.contextmanager
def placing(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``target`` when the block ends well.

    An earlier export in its place is replaced at the end, by two renames. On any failure nothing
    is left, and the earlier export stays.

    Raises:
        RunError: If something else is there, another process is writing it, or it cannot be
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
    """The folder for temporary files inside a :func:`placing` block; gone afterwards."""
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
    """Check that nothing but an earlier export is where a new one will be.

    Raises:
        RunError: If something else is there, or somebody has put other files into it.
    """
    if not target.exists() and not target.is_symlink():
        return
    remedy = "Choose another --out, or remove it."
    if target.is_symlink() or not target.is_dir():
        raise RunError(f"'{target}' exists already.", remedy=remedy, code="exists")
    if Path.cwd().is_relative_to(target.resolve()):
        raise RunError(
            f"'{target}' is the current folder, or one above it.",
            remedy="Choose another --out, such as a new folder inside it.",
            code="exists",
        )
    if not any(target.iterdir()):
        return
    try:
        known = set(Card.model_validate(read_json(target / CARD)).files)
    except (RunError, ValueError):
        raise RunError(
            f"'{target}' exists already, and was not written by tellapart export.",
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
    """Write the card, the parity and the note for people next to the model's files."""
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
        for name in sorted(_found(folder))
    }
    write_json(folder / CARD, {**card, "files": files})
    write_json(folder / PARITY, parity)
    (folder / README).write_text(readme, encoding="utf-8", errors="backslashreplace")


def _found(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    ]


def default_out(run: Run, target: str) -> Path:
    """``exports/RUN-TARGET`` in the current folder."""
    return Path("exports") / f"{run.path.resolve().name}-{target}"


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum((folder / name).stat().st_size for name in _found(folder))
