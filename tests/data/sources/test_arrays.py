from __future__ import annotations

import gzip
import io
import os
import struct
import threading
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tellapart.core.cache import Cache
from tellapart.core.errors import LabelError, PictureError, SettingsError, SourceError
from tellapart.data.catalog import Catalog, open_catalog, open_pictures
from tellapart.data.sources import arrays as arrays_module
from tellapart.data.sources.idx import idx_name
from tellapart.data.sources.npz import npz_name
from tellapart.images import decoder, netpbm
from tellapart.scanning.scanner import scan

Write = Callable[[Mapping[str, bytes]], Path]
RNG = np.random.default_rng(3)
TRAIN = RNG.integers(0, 256, (12, 5, 7), dtype=np.uint8)
TEST = RNG.integers(0, 256, (4, 5, 7), dtype=np.uint8)
TRAIN_LABELS = np.arange(12, dtype=np.uint8) % 10
TEST_LABELS = np.array([3, 1, 4, 1], np.uint8)


def idx(values: np.ndarray, kind: int = 8) -> bytes:
    header = struct.pack(f">HBB{values.ndim}I", 0, kind, values.ndim, *values.shape)
    return header + values.tobytes()


def mnist(ending: str = ".gz") -> dict[str, bytes]:
    pack = gzip.compress if ending == ".gz" else bytes
    return {
        f"train-images-idx3-ubyte{ending}": pack(idx(TRAIN)),
        f"train-labels-idx1-ubyte{ending}": pack(idx(TRAIN_LABELS)),
        f"t10k-images-idx3-ubyte{ending}": pack(idx(TEST)),
        f"t10k-labels-idx1-ubyte{ending}": pack(idx(TEST_LABELS)),
    }


def npz(path: Path, **values: Any) -> Path:
    with path.open("wb") as file:
        np.savez_compressed(file, **values)
    return path


def pixels(catalog: Catalog, row: int) -> np.ndarray:
    return decoder.decode(catalog.source.read(row)).pixels


def refused(path: Path, code: str) -> SourceError | LabelError:
    with pytest.raises((SourceError, LabelError)) as caught:
        open_catalog(path)
    assert caught.value.code == code
    assert caught.value.remedy
    return caught.value


# ------------------------------------------------------------------ what is read


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_files_of_mnist_are_a_catalog(folder: Write, ending: str) -> None:
    catalog = open_catalog(folder(mnist(ending)))
    assert catalog.layout == "arrays"
    assert catalog.classes == tuple("0123456789")
    frame = catalog.frame
    assert frame["part"].value_counts(sort=True).rows() == [("train", 12), ("test", 4)]
    assert frame["path"].is_unique().all()
    assert catalog.paths[0] == f"t10k-images-idx3-ubyte{ending}!/00000"
    assert frame["label"].to_list() == [str(n) for n in (*TEST_LABELS, *TRAIN_LABELS)]
    for row, picture in enumerate((*TEST, *TRAIN)):
        assert np.array_equal(pixels(catalog, row), np.repeat(picture[..., None], 3, 2))


@pytest.mark.parametrize("kind", ["make_zip", "make_tar"])
def test_the_files_may_lie_in_an_archive(request: Any, kind: str) -> None:
    files = {f"MNIST/raw/{name}": data for name, data in mnist().items()}
    catalog = open_catalog(request.getfixturevalue(kind)(files))
    name = catalog.source.name
    assert catalog.paths[0] == f"{name}!/MNIST/raw/t10k-images-idx3-ubyte.gz!/00000"
    assert np.array_equal(pixels(catalog, 4)[..., 0], TRAIN[0])


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_an_npz_is_a_catalog(tmp_path: Path, names: tuple[str, ...]) -> None:
    values = (TRAIN, TRAIN_LABELS, TEST, TEST_LABELS)
    path = npz(tmp_path / "digits.npz", **dict(zip(names, values, strict=True)))
    for place, before in ((path, "digits.npz!/"), (tmp_path, "digits.npz!/")):
        catalog = open_catalog(place)
        assert (len(catalog), catalog.layout) == (16, "arrays")
        assert f"{before}{names[0]}/00011" in catalog.paths
        assert set(catalog.frame["part"]) == {"train", "test"}
        row = catalog.paths.index(f"{before}{names[0]}/00011")
        assert np.array_equal(pixels(catalog, row)[..., 0], TRAIN[11])


def test_color_and_one_channel_and_names_as_labels(tmp_path: Path) -> None:
    color = RNG.integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    names = np.array([["cat"], ["dog"], ["cat"]])
    catalog = open_catalog(npz(tmp_path / "a.npz", x=np.asfortranarray(color), y=names))
    assert catalog.frame["label"].to_list() == ["cat", "dog", "cat"]
    assert catalog.frame["part"].is_null().all()
    assert all(np.array_equal(pixels(catalog, row), color[row]) for row in range(3))
    gray = open_catalog(npz(tmp_path / "b.npz", images=color[..., :1], labels=np.arange(3)))
    assert np.array_equal(pixels(gray, 1)[..., 2], color[1, ..., 0])


def test_one_part_alone_parts_nothing(folder: Write) -> None:
    files = {name: data for name, data in mnist().items() if "train" in name}
    assert open_catalog(folder(files)).frame["part"].is_null().all()


def test_what_lies_beside_is_counted(folder: Write, tmp_path: Path) -> None:
    files = {**mnist(), "readme.txt": b"hello", "train-labels-idx1-ubyte": idx(TRAIN_LABELS)}
    assert dict(open_catalog(folder(files)).passed_over) == {
        "IDX files that are there twice, packed and unpacked": 1,
        "files beside the arrays": 1,
    }
    path = npz(tmp_path / "a.npz", x=TRAIN, y=TRAIN_LABELS, mean=np.zeros(3), x_test=TEST)
    assert dict(open_catalog(path).passed_over) == {
        "arrays without a partner or a known name (mean, x_test)": 2
    }


def test_folders_of_pictures_stay_folders_of_pictures(
    folder: Write, make_picture: Callable[..., Path]
) -> None:
    root = folder({**mnist(), "features.npz": b"PK\x05\x06" + bytes(18)})
    for name in ("cats/1.png", "dogs/1.png"):
        make_picture(root / name)
    catalog = open_catalog(root)
    assert (catalog.layout, catalog.classes) == ("folders", ("cats", "dogs"))


def test_identity_is_that_of_the_file_and_the_row(folder: Write) -> None:
    root = folder(mnist())
    catalog = open_catalog(root)
    facts = (root / "train-images-idx3-ubyte.gz").stat()
    path, size, mtime, inode = catalog.source.identity(4)
    assert path == f"{root}/train-images-idx3-ubyte.gz!/00000"
    assert (size, mtime, inode) == (
        len(catalog.source.read(4)),
        facts.st_mtime_ns,
        facts.st_ino,
    )
    assert len({catalog.source.identity(row) for row in range(16)}) == 16


def test_a_second_scan_reads_nothing_and_a_change_is_seen(folder: Write, tmp_path: Path) -> None:
    root = folder(mnist())
    cache = Cache(tmp_path / "cache", 2**30)
    first = scan(open_catalog(root), cache=cache)
    again = scan(open_catalog(root), cache=cache)
    assert (first.decoded, again.decoded) == (16, 0)
    assert first.frame["error"].is_null().all() and first.frame["gray"].all()
    assert first.frame["format"].unique().to_list() == ["PNM"]
    (root / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(255 - TEST)))
    assert scan(open_catalog(root), cache=cache).decoded == 4
    cache.close()


def test_corrections_know_the_rows(folder: Write, tmp_path: Path) -> None:
    lines = ["path,action,label", "train-images-idx3-ubyte.gz!/00002,relabel,9"]
    lines += ["t10k-images-idx3-ubyte.gz!/00000,exclude,"]
    corrections = tmp_path / "corrections.csv"
    corrections.write_text("\n".join(lines))
    catalog = open_catalog(folder(mnist()), corrections=corrections)
    labels = dict(zip(catalog.paths, catalog.frame["label"], strict=True))
    assert len(labels) == 15 and labels["train-images-idx3-ubyte.gz!/00002"] == "9"


def test_arrays_are_pictures_to_predict_too(folder: Write) -> None:
    root = folder(mnist())
    catalog = open_pictures([root])
    assert len(catalog) == 16 and catalog.frame["label"].is_null().all()
    assert catalog.paths[0] == f"{root}/t10k-images-idx3-ubyte.gz!/00000"


def test_many_threads_read_at_once_and_closed_says_so(folder: Write) -> None:
    catalog = open_catalog(folder(mnist()))
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(catalog.source.read, [0, 5, 15] * 40))
    assert read == [catalog.source.read(row) for row in (0, 5, 15)] * 40
    catalog.source.close()
    with pytest.raises(PictureError, match="closed"):
        catalog.source.read(0)


@settings(deadline=None, max_examples=40)
@given(
    arrays(
        np.uint8,
        st.one_of(
            st.tuples(st.integers(1, 40), st.integers(1, 40)),
            st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)),
        ),
    )
)
def test_the_picture_file_holds_exactly_the_values(values: np.ndarray) -> None:
    decoded = decoder.decode(netpbm.packed(values))
    expected = values if values.ndim == 3 else np.repeat(values[..., None], 3, 2)
    assert np.array_equal(decoded.pixels, expected)
    assert (decoded.format, decoded.bits, decoded.alpha) == ("PNM", 8, False)


@pytest.mark.parametrize(
    ("name", "part", "what"),
    [
        ("train-images-idx3-ubyte.gz", "train", "images"),
        ("t10k-labels.idx1-ubyte", "test", "labels"),
        ("raw/emnist-letters-test-images-idx3-ubyte.gz", "test", "images"),
        ("images-idx3-ubyte", None, "images"),
    ],
)
def test_names_of_idx_files(name: str, part: str | None, what: str) -> None:
    found = idx_name(name)
    assert found is not None and (found.part, found.what) == (part, what)


@pytest.mark.parametrize("name", ["images.jpg", "train.gz", "index.html", "x", "mean", "x_y"])
def test_other_names_are_none(name: str) -> None:
    assert idx_name(name) is None
    assert name == "x" or npz_name(name) is None


# ------------------------------------------------------------------ what is refused

HEADER = struct.pack(">HBB3I", 0, 8, 3, 12, 5, 7)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "shorter than a header"),
        (b"\x00\x00\x08", "shorter than a header"),
        (b"\x89PNG\r\n\x1a\n", "does not begin as an IDX file (89 50 4e 47)"),
        (b"\x00\x00\x08\x09" + bytes(36), "claims 9 dimensions"),
        (b"\x00\x00\x08\x00", "claims 0 dimensions"),
        (HEADER[:9], "ends inside its header"),
        (HEADER + bytes(419), "claims 12 x 5 x 7 bytes, but there are only 419"),
        (HEADER + bytes(421), "claims 12 x 5 x 7 bytes, but there are more"),
        (gzip.compress(HEADER + bytes(420), mtime=0)[:-12], "compression is cut off or broken"),
        (b"\x1f\x8b" + bytes(30), "compression is cut off or broken"),
    ],
)
def test_damaged_idx_files(folder: Write, data: bytes, words: str) -> None:
    path = folder({**mnist(), "train-images-idx3-ubyte.gz": data})
    error = refused(path, "damaged_array")
    assert words in str(error) and "'data/train-images-idx3-ubyte.gz'" in str(error)


def test_a_claim_beyond_memory_is_refused_before_it_is_read(folder: Write) -> None:
    huge = struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    bomb = gzip.compress(huge + bytes(1 << 20))
    error = refused(folder({**mnist(), "train-images-idx3-ubyte.gz": bomb}), "array_too_large")
    assert "at most 2 GiB" in str(error)


def test_a_bomb_inflates_no_further_than_its_claim(folder: Write) -> None:
    bomb = gzip.compress(HEADER + bytes(50 << 20))
    refused(folder({**mnist(), "train-images-idx3-ubyte.gz": bomb}), "damaged_array")


def test_huge_pictures_are_refused(folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellapart.data.sources.labeled_arrays.MAX_PIXELS", 20)
    assert "million pixels" in str(refused(folder(mnist()), "array_too_large"))


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        (
            "train-labels-idx1-ubyte.gz",
            idx(TRAIN_LABELS[:11]),
            "array_counts",
            "12 pictures, but 'data/train-labels-idx1-ubyte.gz' has 11 labels",
        ),
        ("train-labels-idx1-ubyte.gz", idx(TRAIN), "array_shape", "12 x 5 x 7; labels are"),
        ("train-images-idx3-ubyte.gz", idx(TRAIN_LABELS), "array_shape", "pictures are N x"),
        ("train-images-idx3-ubyte.gz", idx(TRAIN[:0]), "array_shape", "holds no pictures"),
        (
            "train-images-idx3-ubyte.gz",
            idx(TRAIN.astype(">f4"), 0x0D),
            "array_type",
            "holds float32, but pictures and labels are read as uint8",
        ),
    ],
)
def test_arrays_that_do_not_fit(
    folder: Write, name: str, data: bytes, code: str, words: str
) -> None:
    assert words in str(refused(folder({**mnist(), name: gzip.compress(data)}), code))


def test_a_missing_file_and_several_sets(folder: Write) -> None:
    files = mnist()
    del files["t10k-labels-idx1-ubyte.gz"]
    error = refused(folder(files), "missing_array")
    assert "has 't10k-images-idx3-ubyte.gz', but no labels" in str(error)
    more = {f"emnist-letters-{name}": data for name, data in mnist().items()}
    assert "2 data sets" in str(refused(folder({**mnist(), **more}), "many_arrays"))


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"x": TRAIN.astype(np.float32) / 255, "y": TRAIN_LABELS}, "array_type", "float32"),
        ({"x": TRAIN, "y": TRAIN_LABELS.astype(float)}, "array_type", "integers or text"),
        ({"x": TRAIN, "y": np.eye(12)}, "array_shape", "12 x 12"),
        ({"x": TRAIN, "y": TRAIN_LABELS[:3]}, "array_counts", "3 labels"),
        ({"x": TRAIN[:, None], "y": TRAIN_LABELS}, "array_shape", "moveaxis"),
        ({"x": TRAIN, "y": np.array(["a"] * 11 + [" "])}, "array_labels", "Label 11"),
        ({"x": TRAIN, "y": np.array(["a" * 81] * 12)}, "array_labels", "longer than 80"),
        ({"arr_0": TRAIN, "arr_1": TRAIN_LABELS}, "missing_array", "arr_0, arr_1"),
        ({}, "missing_array", "no arrays"),
        ({"x": TRAIN, "y": np.array([{}] * 12, object)}, "array_type", "Python objects"),
        ({"x": TRAIN, "y": np.zeros(12, [("a", "u1")])}, "array_type", "Python objects"),
    ],
)
def test_npz_files_that_do_not_fit(
    tmp_path: Path, values: dict[str, Any], code: str, words: str
) -> None:
    assert words in str(refused(npz(tmp_path / "a.npz", **values), code))


def test_a_pickle_inside_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os._exit, (3,)

    values = np.array([Trap()] * 12, object)
    refused(npz(tmp_path / "a.npz", x=values, y=TRAIN_LABELS), "array_type")


def npy(header: bytes, values: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an array",
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (12, 5, 7)}\n", bytes(419)),
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (-12, 5, -7)}\n", bytes(420)),
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (10**9,)}\n"),
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 9999999)}\n"),
        npy(b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}\n"),
        npy(b"(" * 9000),
        npy(b"__import__('os')._exit(3)\n"),
    ],
)
def test_damaged_arrays_in_an_npz(tmp_path: Path, content: bytes) -> None:
    labels = io.BytesIO()
    np.save(labels, TRAIN_LABELS)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", labels.getvalue())
    assert "a.npz!/x'" in str(refused(tmp_path / "a.npz", "damaged_array"))


def test_an_npz_that_claims_too_much_is_not_inflated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tellapart.data.sources.npz.MAX_ARRAY_BYTES", 1 << 20)
    path = npz(tmp_path / "a.npz", x=np.zeros((3000, 28, 28), np.uint8), y=np.zeros(3000, int))
    assert path.stat().st_size < 1 << 16
    refused(path, "array_too_large")


def test_npz_files_that_are_none_or_many(folder: Write, tmp_path: Path, make_zip: Any) -> None:
    (tmp_path / "fake.npz").write_bytes(b"\x93NUMPY")
    assert "called an .npz" in str(refused(tmp_path / "fake.npz", "unknown_data"))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04" + bytes(100))
    refused(tmp_path / "cut.npz", "damaged_archive")
    assert "2 .npz files: a.npz, b.npz" in str(
        refused(folder({"a.npz": b"", "b.npz": b""}), "many_arrays")
    )
    assert "by itself" in str(refused(make_zip({"a.npz": b"x"}), "many_arrays"))


def test_one_idx_file_alone_says_what_to_give(folder: Write) -> None:
    root = folder(mnist())
    error = refused(root / "train-images-idx3-ubyte.gz", "unknown_data")
    assert "Give the folder that holds them all" in str(error)


@pytest.mark.parametrize("setting", [{"label_from": "name"}, {"group_from": "parent"}])
def test_settings_without_a_meaning(folder: Write, setting: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="has no meaning here"):
        open_catalog(folder(mnist()), **setting)


def test_a_pipe_in_place_of_a_file_is_never_opened(folder: Write) -> None:
    root = folder(mnist())
    (root / "train-labels-idx1-ubyte.gz").unlink()
    os.mkfifo(root / "train-labels-idx1-ubyte.gz")
    done = threading.Event()

    def look() -> None:
        refused(root, "missing_array")
        done.set()

    threading.Thread(target=look, daemon=True).start()
    assert done.wait(10)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_whatever_is_changed_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]))
    root = tmp_path / "fuzzed"
    root.mkdir(exist_ok=True)
    for each, content in mnist("").items():
        (root / each).write_bytes(content)
    content = bytearray(mnist("")[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 24) - 1))] = data.draw(
            st.integers(0, 255)
        )
    (root / name).write_bytes(content)
    try:
        catalog = open_catalog(root)
    except (SourceError, LabelError) as error:
        assert error.remedy
    else:
        assert all(catalog.source.read(row) for row in range(len(catalog)))


def test_a_file_that_goes_away_is_an_error(folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> bytes:
        raise PictureError("'x' cannot be read: there is no such file.", code="unreadable")

    monkeypatch.setattr(arrays_module, "read_file", gone)
    assert "there is no such file" in str(refused(folder(mnist()), "damaged_array"))
