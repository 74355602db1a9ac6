"""Corrections by the user: a CSV of pictures to leave out or to relabel.

The file has the columns ``path``, ``action`` and ``label``. The action is ``exclude`` or
``relabel``. If it is empty, the line is a proposal without a decision, and is ignored.
No picture is changed; corrections apply while the data is read.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tellapart.core.errors import CorrectionsError
from tellapart.core.natural_order import natural
from tellapart.data.sources.names import label_of, quote
from tellapart.data.sources.tables import near, read_table, report_faults, require_columns

ACTIONS = ("exclude", "relabel")
_FORMULA = tuple("=+-@")
_GUESSES = 5
"""Faults that get a near spelling; a comparison with every path takes a while."""


@dataclass(frozen=True)
class Corrections:
    """What to change, by printable path.

    Attributes:
        exclude: Pictures to leave out.
        relabel: Pictures to relabel, with their new labels.
    """

    exclude: frozenset[str] = frozenset()
    relabel: Mapping[str, str] = field(default_factory=dict)


def read_corrections(file: str | Path, *, labels: Mapping[str, str]) -> Corrections:
    """Read a corrections file and check every line against the data.

    Args:
        file: The CSV.
        labels: The label of each picture of the data, by printable path.

    Raises:
        CorrectionsError: The file cannot be read, or some lines do not fit the data;
            all of them are named.
    """
    shown = str(file)
    columns = ("path", "action", "label")
    table = read_table(shown, only=columns, error=CorrectionsError)
    require_columns(table, shown, needed=columns, error=CorrectionsError)
    known = _Known(labels)
    decided: dict[str, tuple[str, str, int]] = {}
    faults: list[str] = []
    for cells, line in zip(table.rows, table.lines, strict=True):
        action = cells["action"].lower()
        if not action:
            continue
        here = f"{table.unit} {line:,}"
        path = known.path(cells["path"])
        label = known.label(cells["label"]) if action == "relabel" else ""
        problems = []
        if action not in ACTIONS:
            problems.append(known.strange_action(action))
        if path is None:
            problems.append(known.strange_path(cells["path"]))
        if action == "relabel" and label is None:
            problems.append(known.strange_label(cells["label"]))
        if path is not None and label is not None and not problems:
            before = decided.setdefault(path, (action, label, line))
            if before[:2] != (action, label):
                problems.append(f"{quote(path)} has another decision in {table.unit} {before[2]:,}")
        faults.extend(f"{here}: {problem}" for problem in problems)
    report_faults(
        faults,
        shown,
        error=CorrectionsError,
        remedy="Correct or remove these lines; nothing was applied.",
        code="corrections",
    )
    return Corrections(
        frozenset(path for path, (action, _, _) in decided.items() if action == "exclude"),
        {path: label for path, (action, label, _) in decided.items() if action == "relabel"},
    )


class _Known:
    """The paths and labels of the data, and guesses for unknown ones."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._paths = labels
        self._labels = sorted(set(labels.values()), key=natural)
        self._left = _GUESSES

    def path(self, cell: str) -> str | None:
        return _find(cell, self._paths)

    def label(self, cell: str) -> str | None:
        return _find(label_of(cell), self._labels) or _find(cell, self._labels)

    def strange_action(self, action: str) -> str:
        guess = _hint(near(action, ACTIONS))
        return f"the action {quote(action)} is neither exclude nor relabel{guess}"

    def strange_label(self, label: str) -> str:
        if not label:
            return "relabel needs a label"
        classes = ", ".join(quote(name) for name in self._labels[:10])
        more = ", …" if len(self._labels) > 10 else ""
        guess = near(label, self._labels)
        return f"no class {quote(label)}{_hint(guess) or f' (classes: {classes}{more})'}"

    def strange_path(self, path: str) -> str:
        if not path:
            return "the path is empty"
        guess = None
        if self._left:
            self._left -= 1
            guess = self._near_path(path)
        return f"no picture {quote(path)}{_hint(guess)}"

    def _near_path(self, path: str) -> str | None:
        base = _base(path)
        same = sorted(known for known in self._paths if _base(known) == base)
        if same:
            return max(same, key=lambda known: difflib.SequenceMatcher(None, known, path).ratio())
        folder = path.rpartition("/")[0]
        same_folder = [known for known in self._paths if known.rpartition("/")[0] == folder]
        return near(path, (same_folder or list(self._paths))[:5000])


def _base(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _find(cell: str, known: Mapping[str, str] | Sequence[str]) -> str | None:
    """The cell as in the data, or None; a quote before something like a formula is removed.

    Spreadsheets, and tools that guard against formulas in cells, put it there.
    """
    if cell in known:
        return cell
    if cell.startswith("'") and cell[1:].startswith(_FORMULA) and cell[1:] in known:
        return cell[1:]
    return None


def _hint(guess: str | None) -> str:
    return f" (near: {quote(guess)})" if guess else ""
