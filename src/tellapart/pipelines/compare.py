"""Comparison of runs: a table, and for each pair whether the difference can be chance.

McNemar's exact test compares two runs that held out the same pictures with the same labels. It
counts the pictures that only one of them got right. Pictures are the same if their files have the
same content. For other pairs a sentence gives the reason why there is no test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tellapart.core import text
from tellapart.core.errors import SettingsError
from tellapart.metrics.intervals import mcnemar

if TYPE_CHECKING:
    import polars as pl

    from tellapart.runs import Run

SCHEMA = 1
SURE = 0.05
"""A difference with a p-value below this is called more than chance."""


@dataclass(frozen=True)
class Row:
    """One run in the table; None for numbers that it does not have."""

    name: str
    model: str
    size: int | None
    train_n: int | None
    train_accuracy: float | None
    held_out_method: str | None
    held_out_n: int | None
    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    guessing: float | None
    log_loss: float | None
    calibration_error: float | None
    verdict: str | None
    seconds: float | None


@dataclass(frozen=True)
class Pair:
    """The test of two runs.

    Attributes:
        first: Name of the first run.
        second: Name of the second run.
        n: Pictures that both held out; 0 if no test is possible.
        only_first: Pictures that only the first got right.
        only_second: Pictures that only the second got right.
        p_value: Of McNemar's exact test, two-sided; None if no test is possible.
        sentence: The result in words, or why there is no test.
    """

    first: str
    second: str
    n: int
    only_first: int
    only_second: int
    p_value: float | None
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """One row per run, and one test per pair of runs."""

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]

    def as_json(self) -> dict[str, Any]:
        """The document that ``tellapart compare --json`` prints."""
        return {
            "schema": SCHEMA,
            "runs": [
                vars(row) | {"accuracy_ci95": row.accuracy_ci95 and list(row.accuracy_ci95)}
                for row in self.rows
            ],
            "pairs": [dict(vars(pair)) for pair in self.pairs],
        }

    def as_text(self) -> str:
        """The table and the sentences, as plain text."""
        return "\n".join([self.as_table(), "", *(pair.sentence for pair in self.pairs)])

    def as_table(self) -> str:
        """A header, and one line per run."""
        head = ("run", "size", "held out", "right", "95 % interval", "guessing", "log loss")
        cells = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.as_text())}</pre>"


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compare runs.

    Raises:
        SettingsError: If there are fewer than two.
    """
    if len(runs) < 2:
        raise SettingsError(
            f"'compare' needs at least two runs, but got {len(runs)}.",
            remedy="Give two run folders, such as runs/pets-1 runs/pets-2.",
            code="too_few_runs",
        )
    names = _names([run.name for run in runs])
    rows = tuple(_row(name, run) for name, run in zip(names, runs, strict=True))
    pairs = tuple(
        _pair(names[a], _counted(runs[a]), names[b], _counted(runs[b]))
        for a, b in combinations(range(len(runs)), 2)
    )
    return Comparison(rows, pairs)


def _row(name: str, run: Run) -> Row:
    held = run.metrics.get("held_out") or {}
    train = run.metrics.get("train") or {}
    interval = held.get("accuracy_ci95")
    return Row(
        name=name,
        model=str(run.settings.get("model", "probe")),
        size=(run.settings.get("decode") or {}).get("size"),
        train_n=train.get("n"),
        train_accuracy=train.get("accuracy"),
        held_out_method=held.get("method"),
        held_out_n=held.get("n"),
        accuracy=held.get("accuracy"),
        accuracy_ci95=(float(interval[0]), float(interval[1])) if interval else None,
        guessing=held.get("majority_accuracy"),
        log_loss=held.get("log_loss"),
        calibration_error=held.get("calibration_error"),
        verdict=(run.metrics.get("verdict") or {}).get("code"),
        seconds=(run.timings.get("seconds") or {}).get("total"),
    )


def _pair(first: str, a: pl.DataFrame, second: str, b: pl.DataFrame) -> Pair:
    joined = a.join(b, on=["content", "label"], how="inner", suffix="_b")
    if len(joined) != len(a) or len(joined) != len(b) or len(joined) == 0:
        shared = len(a.join(b, on="content", how="inner"))
        why = (
            f"{first} held out {len(a):,}, {second} {len(b):,}, and {shared:,} of them are shared"
            if len(joined) == shared
            else f"{text.counted(shared - len(joined), 'picture')} "
            f"{text.agree(shared - len(joined), 'has', 'have')} different labels"
        )
        return Pair(
            first,
            second,
            0,
            0,
            0,
            None,
            f"{first} and {second} cannot be tested: they did not hold out the same pictures with "
            f"the same labels ({why}). Train both on the same data with the same --seed.",
        )
    right, other = joined["correct"].to_numpy(), joined["correct_b"].to_numpy()
    only_first, only_second = int((right & ~other).sum()), int((~right & other).sum())
    p = mcnemar(only_first, only_second)
    return Pair(
        first,
        second,
        len(joined),
        only_first,
        only_second,
        float(f"{p:.4g}"),
        _sentence(first, second, len(joined), only_first, only_second, p),
    )


def _counted(run: Run) -> pl.DataFrame:
    """``content``, ``label`` and ``correct`` of the held-out pictures that count."""
    frame = run.predictions
    contents = run.split.select("path", "content")
    return (
        frame.filter(frame["counted"])
        .join(contents, on="path", how="left")
        .select("content", "label", "correct")
    )


def _sentence(first: str, second: str, n: int, one: int, two: int, p: float) -> str:
    pair = f"{first} and {second}, on the same {text.counted(n, 'picture')}: "
    if one == two == 0:
        return pair + "both make exactly the same mistakes."
    better = first if one > two else second
    pair += f"only {first} is right on {one:,}, only {second} on {two:,} (McNemar p = {p:.3g}). "
    if p < SURE:
        return pair + f"{better} is better, and the difference is more than chance."
    return pair + "The difference can be chance."


def _cells(row: Row) -> tuple[str, ...]:
    interval = row.accuracy_ci95
    return (
        row.name,
        "–" if row.size is None else str(row.size),
        "–" if row.held_out_n is None else f"{row.held_out_n:,} ({row.held_out_method})",
        text.percent(row.accuracy),
        "–" if interval is None else text.interval(*interval),
        text.percent(row.guessing),
        "–" if row.log_loss is None else f"{row.log_loss:.4f}",
    )


def _names(names: Sequence[str]) -> list[str]:
    """Unique names: runs of the same name get a number."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out
