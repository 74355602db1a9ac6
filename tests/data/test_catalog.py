from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tellapart.core.errors import CorrectionsError, PictureError, SettingsError, SourceError
from tellapart.data.catalog import SCHEMA, open_catalog, open_pictures


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in ("cats/1.jpg", "cats/2.jpg", "dogs/1.jpg", "dogs/.hidden"):
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "pets"


# ------------------------------------------------------------------ open_catalog


def expected_schema() -> dict[str, pl.DataType]:
    return {name: getattr(pl, kind)() for name, kind in SCHEMA.items()}


def test_the_frame(pets: Path) -> None:
    catalog = open_catalog(pets)
    assert dict(catalog.frame.schema) == {
        name: getattr(pl, kind)() for name, kind in SCHEMA.items()
    }
    assert catalog.frame.rows() == [
        ("cats/1.jpg", None, "cats", None, None, 10),
        ("cats/2.jpg", None, "cats", None, None, 10),
        ("dogs/1.jpg", None, "dogs", None, None, 10),
    ]
    assert len(catalog) == 3
    assert catalog.source.name == "pets"
    assert catalog.source.location == str(pets)
    assert catalog.passed_over == {"hidden": 1}
    assert [catalog.source.read(row) for row in range(3)] == [
        path.encode() for path in catalog.frame["path"]
    ]


def test_the_order_is_fixed(tmp_path: Path) -> None:
    names = [f"{label}/{i}.jpg" for label in ("b", "A", "é", "c d") for i in (10, 9, 1)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    paths = open_catalog(tmp_path).frame["path"]
    assert paths.to_list() == sorted(names)
    assert paths.is_sorted()
    assert paths.is_unique().all()


def test_classes_are_in_natural_order(tmp_path: Path) -> None:
    for name in ("10", "2", "1", "Zebra", "ant"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"")
    assert open_catalog(tmp_path).classes == ("1", "2", "10", "ant", "Zebra")


def test_relative_and_odd_ways_to_name_a_folder(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pets.parent)
    for given in ("pets", "./pets/", "pets/../pets", Path("pets")):
        catalog = open_catalog(given)
        assert catalog.frame["path"][0] == "cats/1.jpg"
        assert catalog.source.location == str(pets)
    monkeypatch.chdir(pets)
    before = open_catalog(".")
    monkeypatch.chdir("/")
    assert before.source.read(0) == b"cats/1.jpg"
    assert before.source.name == "pets"


def test_a_folder_whose_name_starts_with_a_dash(pets: Path) -> None:
    assert len(open_catalog(pets.rename(pets.with_name("-rf")))) == 3


def test_an_unknown_way_to_label_is_refused(pets: Path) -> None:
    with pytest.raises(SettingsError, match="label-from"):
        open_catalog(pets, label_from="folder")  # type: ignore[arg-type]


def test_nothing_is_changed(pets: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        facts = [(path, path.stat()) for path in sorted(pets.rglob("*"))]
        return [(str(path), fact.st_mtime_ns, fact.st_size) for path, fact in facts]

    before = state()
    catalog = open_catalog(pets)
    catalog.source.read(0)
    catalog.source.close()
    assert state() == before


def write(folder: Path, text: str) -> Path:
    path = folder / "corrections.csv"
    path.write_text(text)
    return path


def test_corrections_apply(pets: Path, tmp_path: Path) -> None:
    fixes = write(tmp_path, "path,action,label\ncats/1.jpg,exclude,\ncats/2.jpg,relabel,dogs\n")
    catalog = open_catalog(pets, corrections=fixes)
    assert catalog.frame.select("path", "label").rows() == [
        ("cats/2.jpg", "dogs"),
        ("dogs/1.jpg", "dogs"),
    ]
    assert catalog.classes == ("dogs",)
    assert catalog.passed_over == {"excluded by corrections": 1, "hidden": 1}
    assert catalog.noted == {"relabeled by corrections": 1}
    assert catalog.source.read(0) == b"cats/2.jpg"


def test_corrections_that_leave_nothing(pets: Path, tmp_path: Path) -> None:
    lines = [f"{path},exclude," for path in ("cats/1.jpg", "cats/2.jpg", "dogs/1.jpg")]
    fixes = write(tmp_path, "\n".join(["path,action,label", *lines]))
    with pytest.raises(CorrectionsError, match="every picture"):
        open_catalog(pets, corrections=fixes)


def test_corrections_that_leave_one_part(tmp_path: Path) -> None:
    for name in ("train/a/1.jpg", "train/b/1.jpg", "test/a/2.jpg"):
        (tmp_path / "d" / name).parent.mkdir(parents=True)
        (tmp_path / "d" / name).write_bytes(b"")
    fixes = write(tmp_path, "path,action,label\ntest/a/2.jpg,exclude,\n")
    catalog = open_catalog(tmp_path / "d", corrections=fixes)
    assert catalog.layout == "folders"
    assert catalog.frame["part"].null_count() == 2


# ------------------------------------------------------------------ open_pictures


def test_files_folders_and_archives(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pets.parent)
    (pets / "notes.txt").write_bytes(b"no picture")
    with zipfile.ZipFile("more.zip", "w") as archive:
        archive.writestr("deep/9.jpg", b"nine")
    with tarfile.open("more.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("8.jpg")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"eight"))
    Path("-one.jpg").write_bytes(b"one")
    catalog = open_pictures(
        ["./pets", "more.zip", "more.tar.gz", "-one.jpg", Path("pets/cats/1.jpg")]
    )
    assert catalog.layout == "flat"
    assert catalog.classes == ()
    read = {path: catalog.source.read(row) for row, path in enumerate(catalog.frame["path"])}
    assert read == {
        "-one.jpg": b"one",
        "more.tar.gz!/8.jpg": b"eight",
        "more.zip!/deep/9.jpg": b"nine",
        "pets/cats/1.jpg": b"cats/1.jpg",
        "pets/cats/2.jpg": b"cats/2.jpg",
        "pets/dogs/1.jpg": b"dogs/1.jpg",
        "pets/notes.txt": b"no picture",
    }
    assert catalog.passed_over == {"files named twice": 1, "hidden": 1}
    assert catalog.frame.select("label", "part", "group").null_count().row(0) == (7, 7, 7)
    assert dict(catalog.frame.schema) == {
        name: getattr(pl, kind)() for name, kind in SCHEMA.items()
    }


def test_whatever_cannot_be_read_is_a_row(pets: Path) -> None:
    (pets / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    (pets / "empty.jpg").write_bytes(b"")
    os.mkfifo(pets / "pipe.jpg")
    named = ["broken.zip", "empty.jpg", "missing.jpg", "pipe.jpg", "table.csv", "x\0y"]
    (pets / "table.csv").write_text("path,label\n")
    catalog = open_pictures([f"{pets}/{name}" for name in named])
    assert catalog.frame["path"].to_list() == [
        f"{pets}/{name}".replace("\0", "\\u0000") for name in named
    ]
    says = {}
    for row, name in enumerate(named):
        try:
            says[name] = repr(catalog.source.read(row))
        except PictureError as error:
            assert error.code == "unreadable"
            says[name] = error.message
    assert "damaged" in says["broken.zip"]
    assert says["empty.jpg"] == "b''"
    assert "There is no" in says["missing.jpg"]
    assert "regular file" in says["pipe.jpg"]
    assert says["table.csv"] == "b'path,label\\n'"
    assert "x\\u0000y" in says["x\0y"]


def test_hidden_files_are_taken_when_named(pets: Path) -> None:
    assert open_pictures([pets / "dogs/.hidden"]).source.read(0) == b"dogs/.hidden"


def test_odd_names_keep_their_bytes(pets: Path) -> None:
    odd = os.fsencode(pets) + b"/a\n\\b.jpg"
    Path(os.fsdecode(odd)).write_bytes(b"odd")
    catalog = open_pictures([os.fsdecode(odd)])
    assert catalog.frame["path"].to_list() == [f"{pets}/a\\n\\\\b.jpg"]
    assert catalog.frame["path_bytes"].to_list() == [odd]
    assert catalog.source.read(0) == b"odd"


def test_nothing_to_predict(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No pictures were named"):
        open_pictures([])
    with pytest.raises(SourceError, match="No pictures in") as caught:
        open_pictures([tmp_path])
    assert caught.value.code == "no_pictures"


def test_the_frame_can_be_stored(pets: Path, tmp_path: Path) -> None:
    frame = open_catalog(pets).frame
    frame.write_parquet(tmp_path / "catalog.parquet")
    assert pl.read_parquet(tmp_path / "catalog.parquet").equals(frame)
