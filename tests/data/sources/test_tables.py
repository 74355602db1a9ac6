from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest

from tellapart.core.errors import CorrectionsError, SourceError
from tellapart.data.sources import tables
from tellapart.data.sources.tables import Table, near, read_table, require_columns

COLUMNS = ("path", "label")


def read(tmp_path: Path, content: bytes | str, name: str = "x.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(str(path), only=COLUMNS)


@pytest.mark.parametrize(
    "content",
    [
        b"path,label\na.jpg,cat\n\nb.jpg,dog\n",
        b"\xef\xbb\xbfpath,label\r\na.jpg,cat\r\n\r\nb.jpg,dog",
        b"Path; LABEL \r\n a.jpg ;cat\r\n\r\nb.jpg;dog;\r\n",
        b'"path"\t"label"\na.jpg\tcat\n\nb.jpg\tdog\n',
        "path\tlabel\r\na.jpg\tcat\r\n\r\nb.jpg\tdog\r\n".encode("utf-16"),
    ],
)
def test_every_way_to_write_a_csv(tmp_path: Path, content: bytes) -> None:
    table = read(tmp_path, content)
    assert table.columns == COLUMNS
    assert [tuple(row.values()) for row in table.rows] == [("a.jpg", "cat"), ("b.jpg", "dog")]
    assert list(table.lines) == [2, 4]


def test_quotes_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    table = read(tmp_path, 'path,label\n"a,b\nc.jpg","say ""hi"""\n')
    assert table.rows[0] == {"path": "a,b\nc.jpg", "label": 'say "hi"'}


def test_short_rows_are_filled(tmp_path: Path) -> None:
    assert read(tmp_path, "path,label\na.jpg\n").rows == [{"path": "a.jpg", "label": ""}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"path,label\na,b,c\nd,e,f\n", "2 faults"),
        (b"path,label\nk\xe4tzchen.jpg,cat\n", "not UTF-8 text (line 2)"),
        (b'path,label\n"a.jpg,cat\n', "broken in line 2"),
        (b"path,path\n", "'path' twice"),
        (b"path,label\n" + b"x" * 200_000 + b",cat\n", "broken in line 2"),
    ],
)
def test_a_broken_csv_says_where(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, content)
    assert says in str(caught.value)
    assert "x.csv" in str(caught.value)


def test_json_lines(tmp_path: Path) -> None:
    text = '{"path": "a.jpg", "label": 7}\n\n{"label": true, "Path": "b.jpg", "x": [1]}\r\n'
    table = read(tmp_path, text, "x.jsonl")
    assert table.columns == ("path", "label", "x")
    assert [row["label"] for row in table.rows] == ["7", "true"]
    assert list(table.lines) == [1, 3]


def test_all_broken_json_lines_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, '{"path": "a"}\n[1]\n{"path"\n' + "[" * 100_000, "x.ndjson")
    for line in ("line 2: it is not an object", "line 3: it is not JSON", "line 4"):
        assert line in str(caught.value)


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def test_parquet_is_told_by_its_content(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Path": ["a", "b"], "label": [1.0, None], "pixels": [b"x", b"y"]})
    table = read(tmp_path, parquet(frame), "x.bin")
    assert table.columns == ("path", "label", "pixels")
    assert table.rows == [{"path": "a", "label": "1"}, {"path": "b", "label": ""}]
    assert table.unit == "row"


@pytest.mark.parametrize("cut", [4, 40, -5])
def test_a_broken_parquet_file(tmp_path: Path, cut: int) -> None:
    with pytest.raises(SourceError, match="not a whole Parquet file"):
        read(tmp_path, parquet(pl.DataFrame({"path": ["a"] * 50}))[:cut])


def test_a_parquet_of_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 10)
    with pytest.raises(SourceError, match="more than 10 rows"):
        read(tmp_path, parquet(pl.DataFrame({"path": ["a"] * 11})))


def test_a_table_that_is_too_large_or_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", 1 << 20)
    with pytest.raises(SourceError, match="more than 1 MiB"):
        read(tmp_path, b" " * (2 << 20))
    with pytest.raises(CorrectionsError, match="no such file"):
        read_table(str(tmp_path / "none.csv"), only=COLUMNS, error=CorrectionsError)


def test_column_faults_are_reported_together() -> None:
    table = Table(("paths", "lable", "spilt", "site"), [], [])
    with pytest.raises(SourceError) as caught:
        require_columns(table, "m.csv", needed=COLUMNS, wanted=("split", "group"))
    message = str(caught.value)
    assert "no column 'path' ('paths' is near)" in message
    assert "no column 'label' ('lable' is near)" in message
    assert "'spilt', which is near 'split'" in message


def test_other_columns_are_returned() -> None:
    assert require_columns(Table((*COLUMNS, "site"), [], []), "m.csv", needed=COLUMNS) == ("site",)


def test_near() -> None:
    assert near("lable", COLUMNS) == "label"
    assert near("zzz", COLUMNS) is None
