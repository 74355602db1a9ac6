"""The rows of a small table, as text: CSV, JSON Lines or Parquet.

Manifests and corrections files come from spreadsheets, scripts and other programs. So a
byte-order mark, semicolons or tabs between cells, Windows line ends, spaces around a cell and
capitals in a column's name are all understood. A cell is text, and is never evaluated.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.core.errors import SourceError, TellapartError
from tellapart.data.sources.names import ending, printable, quote

MAX_TABLE_BYTES = 1 << 30
"""Bytes a table may have; it is read as a whole."""

MAX_ROWS = 5_000_000
"""Rows a Parquet table may have: compressed, any number would fit into a kilobyte."""

ENDINGS = frozenset(["csv", "tsv", "jsonl", "ndjson", "parquet"])
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        columns: Names, lower case, spaces at the ends removed, in the file's order.
        rows: One dict per row, by column; a missing cell is the empty string. For Parquet,
            only the requested columns.
        lines: The line or row number of each row as an editor shows it, from 1.
        unit: What ``lines`` counts, ``line`` or ``row``.
    """

    columns: tuple[str, ...]
    rows: Sequence[dict[str, str]]
    lines: Sequence[int]
    unit: str = "line"


def looks_like_table(name: str) -> bool:
    """Whether a file's ending is one of those that :func:`read_table` reads."""
    return ending(name) in ENDINGS


def read_table(
    path: str, *, only: Sequence[str] | None = None, error: type[TellapartError] = SourceError
) -> Table:
    """Read a table; Parquet is recognized by its content, the others by their ending.

    Args:
        path: The file.
        only: The columns that are needed; of a Parquet file, the others are not read. By
            default all whose cells are text, numbers or lists of them.
        error: The class of errors to raise.

    Raises:
        TellapartError: Of class ``error``: the file is missing, too large, or broken.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the path may hold undecodable bytes
            if os.fstat(file.fileno()).st_size > MAX_TABLE_BYTES:
                raise error(f"{quote(path)} has more than {MAX_TABLE_BYTES // 2**20:,} MiB.")
            data = file.read(MAX_TABLE_BYTES)
    except OSError as cause:
        reason = (cause.strerror or str(cause)).lower()
        raise error(f"{quote(path)} cannot be read: {reason}.") from cause
    if data.startswith(b"PAR1"):
        return _read_parquet(data, path, only, error)
    text = _decode(data, path, error)
    if ending(path) in ("jsonl", "ndjson"):
        return _read_json_lines(text, path, error)
    return _read_csv(text, path, error)


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None.

    Example:
        >>> near("lable", ["path", "label"])
        'label'
    """
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return found[0] if found else None


def require_columns(
    table: Table,
    path: str,
    *,
    needed: Sequence[str],
    wanted: Sequence[str] = (),
    error: type[TellapartError] = SourceError,
) -> tuple[str, ...]:
    """Check the columns of a table; all faults are reported together.

    Args:
        table: The table.
        path: Its file, for messages.
        needed: Columns that must be there.
        wanted: Columns that may be there.
        error: The class of errors to raise.

    Returns:
        The columns that are neither.

    Raises:
        TellapartError: Of class ``error``: a column is missing, or one that is not known
            looks like a misspelled one that is.
    """
    known = (*needed, *wanted)
    strange = tuple(name for name in table.columns if name not in known)
    faults = []
    for name in needed:
        if name not in table.columns:
            guess = near(name, strange)
            hint = f" ('{printable(guess)}' is near)" if guess else ""
            faults.append(f"it has no column '{name}'{hint}")
    for name in wanted:
        if name not in table.columns and (guess := near(name, strange)):
            faults.append(f"it has a column '{printable(guess)}', which is near '{name}'")
    if faults:
        shown = ", ".join(printable(name)[:40] for name in table.columns[:12]) or "none"
        raise error(
            f"{quote(path)} cannot be understood: {'; '.join(faults)}. Its columns: {shown}.",
            remedy=f"Name the columns {', '.join(known)}; rename or remove one that is near.",
            code="columns",
        )
    return strange


def report_faults(
    faults: Sequence[str], path: str, *, error: type[TellapartError], remedy: str, code: str
) -> None:
    """Raise all faults of a table as one error, if there are any."""
    if not faults:
        return
    most = 10
    more = f"\n  … and {len(faults) - most:,} more" if len(faults) > most else ""
    count = "one fault" if len(faults) == 1 else f"{len(faults):,} faults"
    listed = "".join(f"\n  {fault}" for fault in faults[:most])
    raise error(f"{quote(path)} has {count}:{listed}{more}\n", remedy=remedy, code=code)


def _decode(data: bytes, path: str, error: type[TellapartError]) -> str:
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # "Unicode text" of spreadsheets
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data[: cause.start].count(b"\n") + 1
        raise error(
            f"{quote(path)} is not UTF-8 text (line {line:,}).",
            remedy="Save it as “CSV UTF-8”.",
            code="not_text",
        ) from cause


def _read_csv(text: str, path: str, error: type[TellapartError]) -> Table:
    header = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count) if header else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    faults: list[str] = []
    try:
        for cells in _with_content(reader):
            if not columns:
                columns = _column_names(cells, path, error)
                continue
            if len(cells) > len(columns) and any(cells[len(columns) :]):
                faults.append(
                    f"line {reader.line_num:,}: {len(cells)} cells for {len(columns)} columns"
                )
            rows.append(dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False)))
            lines.append(reader.line_num)
    except csv.Error as cause:
        raise error(
            f"{quote(path)} is broken in line {reader.line_num:,}: {cause}.", code="broken_table"
        ) from cause
    report_faults(
        faults, path, error=error, code="broken_table",
        remedy=f"Put a cell that holds '{printable(delimiter)}' in double quotes.",
    )  # fmt: skip
    return Table(columns, rows, lines)


def _with_content(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield stripped


def _column_names(cells: Sequence[str], path: str, error: type[TellapartError]) -> tuple[str, ...]:
    names = tuple(cell.strip().lower() for cell in cells)
    while names and not names[-1]:
        names = names[:-1]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise error(f"{quote(path)} has the column '{printable(twice[0])}' twice.", code="columns")
    return names


def _read_json_lines(text: str, path: str, error: type[TellapartError]) -> Table:
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    faults: list[str] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            faults.append(f"line {number:,}: it is not JSON")
            continue
        if not isinstance(value, dict):
            faults.append(f"line {number:,}: it is not an object in braces")
            continue
        row = {str(key).strip().lower(): _as_text(cell) for key, cell in value.items()}
        columns.update(dict.fromkeys(row))
        rows.append(row)
        lines.append(number)
    report_faults(
        faults, path, error=error, code="broken_table", remedy="Write one JSON object per line."
    )
    complete = [{name: row.get(name, "") for name in columns} for row in rows]
    return Table(tuple(columns), complete, lines)


def _read_parquet(
    data: bytes, path: str, only: Sequence[str] | None, error: type[TellapartError]
) -> Table:
    import polars as pl  # not at the top: predicting reads no tables, and starts sooner

    try:
        schema = pl.read_parquet_schema(io.BytesIO(data))
        columns = list(schema)
        names = _column_names(columns, path, error)
        count = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
        if count > MAX_ROWS:
            raise error(f"{quote(path)} has more than {MAX_ROWS:,} rows.")
        frame = pl.read_parquet(
            io.BytesIO(data),
            columns=[
                column
                for column, name in zip(columns, names, strict=False)
                if (name in only if only is not None else not isinstance(schema[column], pl.Struct))
            ],
        )
    except TellapartError:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as cause:
        raise error(f"{quote(path)} is not a whole Parquet file.", code="broken_table") from cause
    kept = [column.strip().lower() for column in frame.columns]
    rows = [
        {name: _as_text(cell) for name, cell in zip(kept, cells, strict=True)}
        for cells in frame.iter_rows()
    ]
    return Table(names, rows, range(1, len(rows) + 1), unit="row")


def _as_text(cell: Any) -> str:
    """A cell as the text a spreadsheet would show for it; lists and objects as JSON."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # Parquet from pandas holds labels with gaps as floats
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace").strip()
    if isinstance(cell, list) and len(cell) == 1:
        return _as_text(cell[0])
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell).strip()
