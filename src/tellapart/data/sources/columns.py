"""What the columns of a table of labels mean: which has the files, which the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tellapart.core.errors import SourceError
from tellapart.core.text import counted
from tellapart.data.sources.names import part_of, printable, quote
from tellapart.data.sources.tables import Table, near, require_columns

# fmt: off
PATHS = (
    "path", "file_name", "filename", "file", "filepath", "file_path", "image", "image_path",
    "image_name", "imagename", "image_file", "img", "img_path", "img_name", "picture", "photo",
    "image_id", "id", "name",
)
LABELS = (
    "label", "class", "labels", "classes", "class_name", "classname", "label_name", "category",
    "category_name", "target", "breed", "species", "diagnosis", "dx", "type", "tag",
)
# fmt: on
SPLITS = ("split", "part", "set", "subset", "partition")
GROUP = "group"
_SAMPLE = 40  # rows that are looked at
_LEAST = 0.5  # share of them whose file must be there
_MANY = 0.5  # share of different values from which a column is no label


@dataclass(frozen=True)
class Columns:
    """What columns mean.

    Attributes:
        path: The column of files.
        label: The column of labels; empty for a one-hot table.
        one_hot: The columns of a one-hot table, one per class; empty for others.
        split: The column of parts; empty without one.
        group: The column of groups; empty without one.
        unused: All others.
    """

    path: str
    label: str
    one_hot: tuple[str, ...]
    split: str
    group: str
    unused: tuple[str, ...]

    @property
    def usual(self) -> bool:
        """Whether files and labels are in columns with the names that the docs ask for."""
        return (self.path, self.label) == ("path", "label")

    def label_of(self, cells: dict[str, str]) -> tuple[str, str]:
        """The label of a row, and why it has none (else empty)."""
        if not self.one_hot:
            return cells[self.label], "" if cells[self.label] else "the label is empty"
        ones = [name for name in self.one_hot if cells[name] in ("1", "true", "1.0")]
        if len(ones) == 1:
            return ones[0], ""
        return "", f"it has {len(ones)} classes instead of one" if ones else "it has no class"


def columns_of(
    table: Table,
    path: str,
    *,
    path_column: str | None,
    label_column: str | None,
    is_there: Callable[[str], bool],
) -> Columns:
    """Find out what the columns mean.

    Args:
        table: The table.
        path: Its file, for messages.
        path_column: The column of files, if the user named it.
        label_column: The column of labels, if the user named it.
        is_there: Whether a cell names a file.

    Raises:
        SourceError: With what each column looks like, and the option to give.
    """
    names = table.columns
    chosen_path = _chosen(path_column, "--path-column", table, path)
    chosen_label = _chosen(label_column, "--label-column", table, path)
    strange = [one for one in names if one not in LABELS]
    has_label = "label" in names or near("label", strange) or len(names) == 1
    if "path" in names and has_label and not (chosen_path or chosen_label):
        unused = require_columns(table, path, needed=("path", "label"), wanted=("split", GROUP))
        split, group = ("split" in names) * "split", (GROUP in names) * GROUP
        return Columns("path", "label", (), split, group, unused)
    sample = table.rows[:_SAMPLE]
    files = chosen_path or _path_column(names, sample, is_there)
    if not files:
        raise _unclear(table, path, "No column is clearly the one with the files", "--path-column")
    split = next((one for one in SPLITS if one in names and _are_parts(table, one)), "")
    group = GROUP if GROUP in names and files != GROUP else ""
    rest = [one for one in names if one and one not in (files, split, group)]
    label = chosen_label or _label_column(table, rest)
    one_hot: tuple[str, ...] = ()
    if not label:
        one_hot = _one_hot(sample, rest)
        if not one_hot:
            what = "No column is clearly the one with the labels"
            raise _unclear(table, path, what, "--label-column")
    unused = tuple(one for one in rest if one != label and one not in one_hot)
    return Columns(files, label, one_hot, split, group, unused)


def _chosen(column: str | None, option: str, table: Table, path: str) -> str:
    if column is None:
        return ""
    name = column.strip().lower()
    if name not in table.columns:
        raise _unclear(table, path, f"It has no column '{printable(column)[:40]}'", option)
    return name


def _path_column(
    names: Sequence[str], sample: Sequence[dict[str, str]], is_there: Callable[[str], bool]
) -> str:
    """The column whose cells name files: one with a known name first."""
    shares = {
        name: sum(is_there(row[name]) for row in sample if row[name]) / max(len(sample), 1)
        for name in names
        if name
    }
    known = [name for name in PATHS if shares.get(name, 0.0) >= _LEAST]
    if known:
        return known[0]
    found = [name for name, share in shares.items() if share >= _LEAST]
    if found:
        return found[0] if len(found) == 1 else ""
    return next((name for name in PATHS if name in names), "")  # no file is there: say that later


def _label_column(table: Table, rest: Sequence[str]) -> str:
    known = [name for name in LABELS if name in rest]
    if known:
        return known[0] if len(known) == 1 or known[0] in ("label", "class") else ""
    if len(rest) == 1 and _differ(table, rest[0]) <= max(2, _MANY * len(table.rows)):
        return rest[0]
    return ""


def _one_hot(sample: Sequence[dict[str, str]], rest: Sequence[str]) -> tuple[str, ...]:
    """Columns of zeros and ones of which nearly every row has a single one."""
    bits = tuple(
        name for name in rest
        if all(row[name] in ("0", "1", "0.0", "1.0", "true", "false") for row in sample)
    )  # fmt: skip
    ones = [sum(row[name] in ("1", "1.0", "true") for name in bits) for row in sample]
    return bits if len(bits) > 1 and ones.count(1) > len(ones) / 2 else ()


def _are_parts(table: Table, column: str) -> bool:
    return any(part_of(row[column]) for row in table.rows[:_SAMPLE])


def _differ(table: Table, column: str) -> int:
    return len({row[column] for row in table.rows})


def _unclear(table: Table, path: str, what: str, option: str) -> SourceError:
    looks = []
    for name in table.columns[:12]:
        values = list(dict.fromkeys(row.get(name, "") for row in table.rows))
        shown = ", ".join(quote(value[:20]) for value in values[:2])
        looks.append(f"'{printable(name)[:40]}' ({counted(len(values), 'value')}: {shown})")
    return SourceError(
        f"{quote(path)} cannot be understood: {what[:1].lower()}{what[1:]}. "
        f"Its columns: {', '.join(looks) or 'none'}.",
        remedy=f"Name it: {option} NAME. Or name the columns path and label.",
        code="columns",
    )
