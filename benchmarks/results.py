"""A measured row as a value, and as the JSON file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.errors import BenchmarkError

SCHEMA = 1
FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Target:
    """What is to be reached.

    Attributes:
        of: Which number counts: the ``ratio`` to the peer, the ``difference`` from it, or the
            ``value`` itself.
        sense: On which side of ``limit`` it must be.
        limit: In the unit of that number.
    """

    of: Literal["ratio", "difference", "value"]
    sense: Literal["at least", "at most", "under"]
    limit: float

    def reached(self, number: float) -> bool:
        """Whether a number is good enough, unrounded."""
        if self.sense == "at least":
            return number >= self.limit
        return number <= self.limit if self.sense == "at most" else number < self.limit


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        what: What was measured.
        unit: Of ``value`` and ``peer``, such as ``s`` or ``pictures/s``.
        value: Ours: the median of times and sizes, the mean of accuracies.
        target: What is to be reached; None where something is only shown beside.
        values: Ours, all repeats.
        peer_name: With what it is compared, or None.
        peer: Its median or mean.
        peer_values: All its repeats.
        ratio: Ours to the peer's, the median of the pairs.
        ratio_unit: What the ratio says, such as ``times as fast``.
        difference: Ours less the peer's, in ``difference_unit``, where no ratio is meant.
        difference_unit: Such as ``points``.
    """

    what: str
    unit: str
    value: float
    target: Target | None = None
    values: tuple[float, ...] = ()
    peer_name: str | None = None
    peer: float | None = None
    peer_values: tuple[float, ...] = ()
    ratio: float | None = None
    ratio_unit: str = ""
    difference: float | None = None
    difference_unit: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        number: float | None = getattr(self, self.target.of)
        return number is not None and self.target.reached(number)


@dataclass(frozen=True)
class Result:
    """A finished row.

    Attributes:
        row: Its name.
        how: How it was measured, in words.
        lines: Its lines of the table.
        date: When, ISO, UTC.
        code: Short hash of the measured sources.
        machine: What :func:`benchmarks.machine.describe` said.
        versions: Of Python and of the packages on both sides.
        raw: Everything each repeat said, by side.
    """

    row: str
    how: str
    lines: tuple[Line, ...]
    date: str
    code: str
    machine: Mapping[str, Any]
    versions: Mapping[str, Mapping[str, str]]
    raw: Mapping[str, Sequence[Any]]

    def as_json(self) -> dict[str, Any]:
        """What is written, with ``reached`` beside each line's numbers."""
        lines = [{**asdict(line), "reached": line.reached} for line in self.lines]
        return {"schema": SCHEMA, **asdict(self), "lines": lines}


def from_json(document: Mapping[str, Any]) -> Result:
    """The result that :meth:`Result.as_json` described.

    Raises:
        BenchmarkError: If it has another schema.
    """
    if document.get("schema") != SCHEMA:
        raise BenchmarkError(f"A result has schema {document.get('schema')}, not {SCHEMA}.")
    fields = {name: document[name] for name in Result.__dataclass_fields__ if name != "lines"}
    return Result(lines=tuple(_line(line) for line in document["lines"]), **fields)


def write(result: Result, folder: Path = FOLDER) -> Path:
    """Keep a result as ``folder/ROW.json``, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.row}.json"
    text = json.dumps(result.as_json(), indent=1, ensure_ascii=False) + "\n"
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path


def read(row: str, folder: Path = FOLDER) -> Result | None:
    """The kept result of a row, or None."""
    path = folder / f"{row}.json"
    if not path.is_file():
        return None
    return from_json(json.loads(path.read_text(encoding="utf-8")))


def _line(fields: Mapping[str, Any]) -> Line:
    kept = {name: value for name, value in fields.items() if name in Line.__dataclass_fields__}
    kept["target"] = Target(**kept["target"]) if kept["target"] else None
    kept["values"], kept["peer_values"] = tuple(kept["values"]), tuple(kept["peer_values"])
    return Line(**kept)
