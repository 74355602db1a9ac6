"""Findings, pairs of copies, and what is left out: the result of an audit.

Sentences contain file and class names as they are; the code that shows them must escape them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import polars as pl

from tellapart.core.text import agree, counted
from tellapart.scanning.scanner import Scan

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
EXAMPLES = 5

_FINDINGS_SCHEMA = {
    "code": pl.String,
    "level": pl.String,
    "path": pl.String,
    "sentence": pl.String,
    "remedy": pl.String,
    "count": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit found.

    Attributes:
        code: A stable name, such as ``"near_duplicates"``; all are listed in docs/audit.md.
        level: ``error`` (something is wrong), ``warning`` (look at it), ``note`` (good to know).
        count: How many pictures (or classes, or files) it is about.
        sentence: What was found and what it means.
        remedy: What to do about it; may be empty.
        paths: The pictures; copies are next to their originals, so there can be more paths than
            ``count``.
    """

    code: str
    level: Level
    count: int
    sentence: str
    remedy: str = ""
    paths: tuple[str, ...] = ()

    @property
    def examples(self) -> tuple[str, ...]:
        """The first few paths."""
        return self.paths[:EXAMPLES]

    def as_json(self) -> dict[str, Any]:
        """The finding as a member of ``check --json``."""
        return {
            "code": self.code,
            "level": self.level,
            "count": self.count,
            "sentence": self.sentence,
            "remedy": self.remedy,
            "examples": list(self.examples),
        }


def inflect(template: str, n: int) -> str:
    """A template for ``n`` pictures (or files), its words in the form that goes with ``n``.

    Example:
        >>> inflect("{pictures} {are} very dark. Look at {them}.", 1)
        '1 picture is very dark. Look at it.'
    """
    return template.format(
        n=f"{n:,}",
        pictures=counted(n, "picture"),
        files=counted(n, "file"),
        are=agree(n, "is", "are"),
        have=agree(n, "has", "have"),
        they=agree(n, "it", "they"),
        They=agree(n, "It", "They"),
        them=agree(n, "it", "them"),
        their=agree(n, "its", "their"),
        do=agree(n, "does", "do"),
        exist=agree(n, "exists", "exist"),
        a_picture=agree(n, "a picture", "pictures"),
        s=agree(n, "", "s"),  # of a noun: "the file{s}"
        z=agree(n, "s", ""),  # of a verb: "they look{z}"
    )


class Pair(NamedTuple):
    """Two rows, ``a < b``, that show the same picture.

    ``exact`` pairs have the same bytes: each copy is paired with the first of its kind.
    ``near`` pairs were each confirmed on pixels; ``score`` is their correlation, 0 to 1.
    """

    a: int
    b: int
    kind: Literal["exact", "near"]
    score: float


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit of a scan found.

    Attributes:
        findings: Errors first.
        left_out: Row → why it is not used for training or measuring, in words.
        pairs: Copies and near-copies, sorted by their rows.
    """

    findings: tuple[Finding, ...] = ()
    left_out: Mapping[int, str] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors before warnings before notes; the given order within a level."""
    return tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))


def findings_frame(audit: Audit) -> pl.DataFrame:
    """All findings as rows, one per path (one with a null path if there is none).

    Returns:
        ``code``, ``level``, ``path``, ``sentence``, ``remedy``, ``count``.
    """
    rows = [
        (finding.code, finding.level, path, finding.sentence, finding.remedy, finding.count)
        for finding in audit.findings
        for path in (finding.paths or (None,))
    ]
    return pl.DataFrame(rows, schema=_FINDINGS_SCHEMA, orient="row")


def corrections_frame(audit: Audit, scan: Scan) -> pl.DataFrame:
    """A corrections file to fill in: a row for every picture that a finding names.

    Returns:
        ``path``, ``action`` (empty: reading ignores the line until somebody writes
        ``exclude`` or ``relabel``), ``label`` (the present one) and ``finding`` (its codes);
        pictures with errors first, then by path.
    """
    codes: dict[str, list[str]] = {}
    for finding in audit.findings:  # errors first
        for path in dict.fromkeys(finding.paths):
            codes.setdefault(path, []).append(finding.code)
    levels = {finding.code: LEVELS.index(finding.level) for finding in audit.findings}
    named = pl.DataFrame(
        [(path, " ".join(found), levels[found[0]]) for path, found in codes.items()],
        schema={"path": pl.String, "finding": pl.String, "level": pl.Int64},
        orient="row",
    )
    return (
        scan.frame.select("path", pl.lit("").alias("action"), "label")
        .join(named, on="path", how="inner")
        .sort("level", "path")
        .drop("level")
    )
