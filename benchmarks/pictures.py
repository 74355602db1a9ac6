"""The pictures that are measured on: real data sets, extracted, sampled and multiplied.

Everything is made under a work folder, appears whole or not at all, and is used again by the
next run.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, JpegImagePlugin

from benchmarks.errors import BenchmarkError

CHANGED = 200
"""Pixels that get another color in every copy."""

ARRAYS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
"""The four official files of MNIST and of Fashion-MNIST, without ``-ubyte.gz``."""

_PACKAGED = Path("/usr/share/datasets")  # where Debian's dataset-fashion-mnist lies
_SEED = 20
_QUALITY = 90  # of copies whose original was not an RGB JPEG


def data_set(name: str) -> Path:
    """A file of the folder that ``TELLAPART_DATA`` names.

    Raises:
        BenchmarkError: If the variable is not set, or the file is not there.
    """
    folder = os.environ.get("TELLAPART_DATA", "")
    if not folder:
        raise BenchmarkError(
            "The benchmarks need real pictures: let TELLAPART_DATA name the folder that holds "
            f"{name} (docs/benchmarks.md lists what else)."
        )
    path = Path(folder).expanduser().resolve() / name
    if not path.is_file():
        raise BenchmarkError(f"TELLAPART_DATA names a folder without {name}.")
    return path


def arrays(name: str) -> Path:
    """A folder of four IDX files: below ``TELLAPART_DATA``, or where Debian installs it.

    Raises:
        BenchmarkError: If it is in neither place.
    """
    places = [_PACKAGED / name]
    if folder := os.environ.get("TELLAPART_DATA", ""):
        places.insert(0, Path(folder).expanduser().resolve() / name)
    for place in places:
        if all((place / f"{part}-ubyte.gz").is_file() for part in ARRAYS):
            return place
    raise BenchmarkError(
        f"The four IDX files of {name} are missing: put them into a folder {name}/ in the folder "
        "that TELLAPART_DATA names (docs/benchmarks.md lists what else)."
    )


def few_arrays(whole: Path, target: Path, count: int) -> Path:
    """The first ``count`` pictures of either part of :func:`arrays`, as IDX files again.

    Returns:
        ``target``.
    """

    def fill(folder: Path) -> None:
        for part in ARRAYS:
            # Magic number, count, and for pictures height and width, each of four bytes.
            header, each = (16, 28 * 28) if "images" in part else (8, 1)
            with gzip.open(whole / f"{part}-ubyte.gz") as opened:
                data = opened.read(header + count * each)
            few = data[:4] + count.to_bytes(4, "big") + data[8:]
            (folder / f"{part}-ubyte.gz").write_bytes(gzip.compress(few, mtime=0))

    return _made(target, fill)


def members(archive: zipfile.ZipFile) -> list[str]:
    """The pictures in an archive, sorted by name."""
    endings = (".jpg", ".jpeg", ".png")
    return sorted(
        name
        for name in archive.namelist()
        if name.lower().endswith(endings) and not name.startswith("__MACOSX")
    )


def label_of(member: str) -> str:
    """Class of a member: its folder, or the first part of its name in a flat archive."""
    path = PurePosixPath(member)
    return path.parent.name or path.name.partition(".")[0]


def extract(archive: Path, target: Path) -> Path:
    """Write an archive out as folders, a flat one with a sub-folder a class.

    Returns:
        ``target``.
    """

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            for name in members(opened):
                flat = "/" not in name
                _write(folder / (f"{label_of(name)}/{name}" if flat else name), opened.read(name))

    return _made(target, fill)


def deal(archive: Path, target: Path, share: float) -> Path:
    """Write an archive without parts out as ``train/CLASS/`` and ``validation/CLASS/``.

    The same pictures of every class are drawn each time.

    Args:
        archive: Pictures with their class in folder or name.
        target: The folder to make.
        share: Of each class that goes into ``validation/``.

    Returns:
        ``target``.
    """

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            kinds: dict[str, list[str]] = defaultdict(list)
            for name in members(opened):
                kinds[label_of(name)].append(name)
            for place, (label, names) in enumerate(sorted(kinds.items())):
                order = np.random.default_rng([_SEED, place]).permutation(len(names))
                held_out = set(order[: round(share * len(names))].tolist())
                for index, name in enumerate(names):
                    part = "validation" if index in held_out else "train"
                    _write(folder / part / label / PurePosixPath(name).name, opened.read(name))

    return _made(target, fill)


def sample(archive: Path, target: Path, each: int) -> Path:
    """An archive with the first ``each`` pictures of every class of every part.

    Returns:
        ``target``.
    """
    with zipfile.ZipFile(archive) as opened:
        kinds: dict[tuple[PurePosixPath, str], list[str]] = defaultdict(list)
        for name in members(opened):
            kinds[PurePosixPath(name).parent, label_of(name)].append(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(target.name + ".partial")
        with zipfile.ZipFile(unfinished, "w") as written:
            for names in kinds.values():
                for name in names[:each]:
                    written.writestr(name, opened.read(name))
    unfinished.replace(target)
    return target


def multiply(archive: Path, target: Path, count: int) -> Path:
    """Write ``count`` changed copies of an archive's pictures, one sub-folder a class.

    The pictures are put in a fixed random order and gone through again and again; the first
    files of a larger set are therefore the files of a smaller one. See :func:`changed`.

    Args:
        archive: Pictures in folders; parts above the class folders are dropped.
        target: The folder to make.
        count: How many files.

    Returns:
        ``target``, holding ``CLASS/COPY-NAME.jpg``.
    """

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            for name, copy, data in copies(opened, count):
                stem = PurePosixPath(name).stem
                _write(folder / label_of(name) / f"{copy:02d}-{stem}.jpg", data)

    return _made(target, fill)


def copies(archive: zipfile.ZipFile, count: int) -> Iterator[tuple[str, int, bytes]]:
    """Changed copies: member name, number of the copy from 0, bytes of a JPEG file."""
    names = members(archive)
    order = np.random.default_rng(_SEED).permutation(len(names))
    for index in range(count):
        copy, place = divmod(index, len(names))
        name = names[order[place]]
        yield name, copy, changed(archive.read(name), np.random.default_rng([_SEED, index]))


def changed(data: bytes, random: np.random.Generator) -> bytes:
    """A JPEG file of the same picture, as large, with :data:`CHANGED` pixels of random color.

    It is encoded with the quantization tables and the chroma subsampling of the original, so
    that it costs as much to decode.
    """
    with Image.open(io.BytesIO(data)) as opened:
        as_before = opened.format == "JPEG" and opened.mode == "RGB"
        tables = getattr(opened, "quantization", None)
        subsampling = JpegImagePlugin.get_sampling(opened) if as_before else -1
        pixels = np.array(opened.convert("RGB"))  # uint8 [H, W, 3]
    height, width = pixels.shape[:2]
    rows = random.integers(0, height, CHANGED)
    columns = random.integers(0, width, CHANGED)
    pixels[rows, columns] = random.integers(0, 256, (CHANGED, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    if as_before and subsampling >= 0:
        Image.fromarray(pixels).save(buffer, "JPEG", qtables=tables, subsampling=subsampling)
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def count_pictures(folder: Path) -> int:
    """Files below a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file())


def _made(target: Path, fill: Callable[[Path], None]) -> Path:
    if not target.exists():
        unfinished = target.with_name(target.name + ".partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        fill(unfinished)
        unfinished.rename(target)
    return target


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
