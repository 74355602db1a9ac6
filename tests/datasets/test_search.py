from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tellapart.core.errors import DataError, SourceError
from tellapart.data.catalog import open_catalog
from tellapart.datasets import find, search
from tellapart.datasets.dataset import DataFile, DataSet
from tellapart.datasets.registry import named

Register = Callable[..., DataSet]
FILES = {"a.gz": b"pictures", "b.gz": b"labels"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def arrays(register: Register) -> DataSet:
    """Fashion-MNIST, as if it were two small files with a second packing of the first."""
    files = tuple(
        DataFile(name, len(data), (sha256(data),), (f"https://example.org/{name}",))
        for name, data in FILES.items()
    )
    second = DataFile("a.gz", 8, (*files[0].sha256s, sha256(b"packed anew")), files[0].urls)
    return register("fashion-mnist", files=(second, files[1]))


def put(folder: Path, **changed: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(changed.get(name[0], data))
    return folder


def no_copy(name: str, code: str = "no_copy", **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        find(name, **options)  # type: ignore[arg-type]
    assert caught.value.code == code
    return caught.value


def test_places_are_looked_at_in_order(arrays: DataSet, places: Path) -> None:
    copies = [
        put(places / "data" / "fashion-mnist"),
        put(places / "system" / "fashion-mnist"),
        put(places / "datasets" / "fashion-mnist"),
    ]
    given = put(places / "given")
    assert find("fashion-mnist", given=given).path == given
    for copy in copies:
        assert find("fashion-mnist").path == copy
        shutil.rmtree(copy)
    no_copy("fashion-mnist")


def test_what_is_given_is_looked_at_alone(arrays: DataSet, places: Path) -> None:
    put(places / "data" / "fashion-mnist")
    (places / "empty").mkdir()
    assert "empty" in no_copy("fashion-mnist", given=places / "empty").message
    with pytest.raises(SourceError, match="nowhere"):
        find("fashion-mnist", given=places / "nowhere")


def test_another_packing_of_the_same_is_known(arrays: DataSet, places: Path) -> None:
    put(places / "data" / "fashion-mnist", a=b"packed anew")
    found = find("fashion-mnist")
    assert found.sha256s == {"a.gz": sha256(b"packed anew"), "b.gz": sha256(b"labels")}
    assert found.notes == found.dataset.notes, "all was compared"


def test_a_wrong_copy_is_passed_over_and_told(arrays: DataSet, places: Path) -> None:
    wrong = put(places / "data" / "fashion-mnist", a=b"tampered")
    told = no_copy("fashion-mnist").message
    assert str(wrong / "a.gz") in told and sha256(b"tampered") in told
    right = put(places / "system" / "fashion-mnist")
    found = find("fashion-mnist")
    assert found.path == right
    assert "Passed over" in found.notes[-1] and str(wrong / "a.gz") in found.notes[-1]
    assert (wrong / "a.gz").read_bytes() == b"tampered", "it is not ours to delete"


def test_a_copy_that_lacks_a_file_is_none(arrays: DataSet, places: Path) -> None:
    (put(places / "data" / "fashion-mnist") / "b.gz").unlink()
    assert "lacks b.gz" in no_copy("fashion-mnist").message


def test_the_message_names_both_ways(arrays: DataSet, places: Path) -> None:
    remedy = no_copy("fashion-mnist").remedy
    for word in (
        "tellapart data get fashion-mnist",
        "https://example.org/a.gz",
        "https://example.org/b.gz",
        "--from",
        search.DATA,
    ):
        assert word in remedy


def test_what_has_no_download_says_so(places: Path) -> None:
    remedy = no_copy("cats-dogs-3k").remedy
    assert "no official download" in remedy and "cats-dogs-3k.zip" in remedy
    assert "data get" not in remedy and "http" not in remedy


@pytest.mark.parametrize("place", ["cats-dogs-3k.zip", "cats-dogs-3k/cats-dogs-3k.zip"])
def test_an_archive_lies_by_its_name_or_in_a_folder(
    register: Register, places: Path, place: str
) -> None:
    register("cats-dogs-3k", files=(DataFile("cats-dogs-3k.zip", 3, (sha256(b"zip"),)),))
    path = places / "data" / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"zip")
    assert find("cats-dogs-3k").path == path


def test_an_archive_may_have_any_name_where_it_is_given(register: Register, places: Path) -> None:
    register("cats-dogs-3k", files=(DataFile("cats-dogs-3k.zip", 3, (sha256(b"zip"),)),))
    path = places / "renamed (1).zip"
    path.write_bytes(b"zip")
    assert find("cats-dogs-3k", given=path).path == path
    path.write_bytes(b"zap")
    assert "is not the known file" in no_copy("cats-dogs-3k", given=path).message


def test_without_a_known_checksum_the_size_counts_and_it_is_told(
    register: Register, places: Path
) -> None:
    register("cats-and-dogs-filtered", files=(DataFile("cats_and_dogs_filtered.zip", 3),))
    path = places / "data" / "cats_and_dogs_filtered.zip"
    path.write_bytes(b"zip")
    found = find("cats-and-dogs-filtered")
    assert "nothing to compare it with" in found.notes[0] and sha256(b"zip") in found.notes[0]
    path.write_bytes(b"longer")
    assert "has 6 bytes, and not 3" in no_copy("cats-and-dogs-filtered").message


# ------------------------------------------------------------------ unpacked copies

TREE = {"train/horses": 2, "train/humans": 1, "validation/horses": 1, "validation/humans": 1}


def write_tree(folder: Path, counts: dict[str, int]) -> Path:
    for name, n in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(n):
            (folder / name / f"{number}.png").write_bytes(b"")
    return folder


@pytest.mark.parametrize("inside", [".", "horses-or-humans"])
def test_an_unpacked_copy_is_counted(register: Register, places: Path, inside: str) -> None:
    register("horses-or-humans", tree=TREE)
    folder = write_tree(places / "given" / inside, TREE)
    (folder / "train" / "horses" / ".DS_Store").write_bytes(b"")
    found = find("horses-or-humans", given=places / "given")
    assert found.path == folder
    assert "counted" in found.notes[-1]
    (folder / "train" / "humans" / "0.png").unlink()
    told = no_copy("horses-or-humans", given=places / "given").message
    assert "0 of 1 in train/humans" in told


def test_archives_that_are_not_unpacked_are_told(register: Register, places: Path) -> None:
    files = tuple(DataFile(name, 1, (sha256(name.encode()),)) for name in ("a.zip", "b.zip"))
    register("horses-or-humans", tree=TREE, files=files)
    for file in files:
        (places / "data" / file.name).write_bytes(file.name.encode())
    error = no_copy("horses-or-humans", code="not_unpacked")
    assert error.remedy == "Run: tellapart data get horses-or-humans"


def test_broken_pictures_may_be_missing_where_some_are_broken(
    register: Register, places: Path
) -> None:
    tree = {"PetImages/Cat": 3, "PetImages/Dog": 3}
    register("cats-dogs-25k-180px", tree=tree)
    folder = places / "data" / "cats-dogs-25k-180px"
    write_tree(folder, {"PetImages/Cat": 2, "PetImages/Dog": 3})
    (folder / "PetImages" / "Cat" / "Thumbs.db").write_bytes(b"")
    found = find("cats-dogs-25k-180px")
    assert found.path == folder
    assert "It has 2 of 3 in PetImages/Cat pictures." in found.notes
    shutil.rmtree(folder / "PetImages" / "Dog")
    assert "0 of 3 in PetImages/Dog" in no_copy("cats-dogs-25k-180px").message


def test_an_archive_that_nobody_knows_is_counted(register: Register, places: Path) -> None:
    register("cats-dogs-25k-180px", tree={"PetImages/Cat": 1, "PetImages/Dog": 1})
    path = places / "data" / "cats-dogs-25k-180px.zip"
    path.write_bytes(b"not a zip")
    no_copy("cats-dogs-25k-180px")
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("Cat/0.jpg", "Cat/Thumbs.db", "Dog/0.jpg"):
            archive.writestr(f"wrapped/PetImages/{name}", b"")
    found = find("cats-dogs-25k-180px")
    assert found.path == path
    assert any("nothing to compare" in sentence for sentence in found.notes)


# ------------------------------------------------------------------ the real copies


@pytest.mark.parametrize(
    "name",
    ["mnist", "happy-or-sad", "horses-or-humans-100px", "cats-dogs-3k", "cats-dogs-kaggle-2k"],
)
def test_the_real_copies_are_the_known_ones_and_hold_what_the_records_say(
    name: str, data_folder: Path, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(search.DATA, str(data_folder))
    found = find(name)
    assert found.path.is_relative_to(data_folder)
    catalog = open_catalog(found.path, label_from=found.dataset.label_from)
    assert catalog.classes == found.dataset.classes
    parts = Counter(part or "all" for part in catalog.columns["part"])
    assert parts == found.dataset.counts


@pytest.fixture
def debian() -> Path:
    folder = Path("/usr/share/datasets")
    if not (folder / "fashion-mnist").is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    return folder


def test_the_copy_of_debian_is_a_known_one(
    debian: Path, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SYSTEM", debian)
    assert find("fashion-mnist").path == debian / "fashion-mnist"


def test_the_copy_of_debian_is_the_providers_without_names_and_dates(debian: Path) -> None:
    packed_at = {"train": 1_504_176_606, "t10k": 1_504_176_627}  # on August 31, 2017
    for file in named("fashion-mnist").files:
        data = (debian / "fashion-mnist" / file.name).read_bytes()
        assert data[:4] == b"\x1f\x8b\x08\x00", "a gzip header without a name"
        date = packed_at[file.name.partition("-")[0]].to_bytes(4, "little")
        name = file.name.removesuffix(".gz").encode() + b"\0"
        official = b"\x1f\x8b\x08\x08" + date + data[8:10] + name + data[10:]
        assert len(official) == file.size
        assert sha256(official) == file.sha256s[0]
