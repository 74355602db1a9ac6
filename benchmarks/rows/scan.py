"""How fast pictures are read, hashed, decoded, measured and resized."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, speed_line

_NAME = "cats-dogs-kaggle-2k.zip"
_LOOP = "Pillow loop, one thread"
_KERAS = "Keras image_dataset_from_directory"


def _measure(bench: Bench) -> list[Line]:
    archive, folder = bench.archive(_NAME), bench.folder(_NAME)
    said = bench.in_turn(
        {
            "zip: ours": partial(_ours, bench, archive),
            "zip: pillow": partial(bench.peer, "pillow_loop", archive),
            "folder: ours": partial(_ours, bench, folder),
            "folder: pillow": partial(bench.peer, "pillow_loop", folder),
            "folder: keras": partial(bench.peer, "keras_directory", folder),
        }
    )
    count = bench.count(archive)
    twice = Target("ratio", "at least", 2.0)
    photos = f"Scan of {count:,} photos with a 224 resize"
    return [
        speed_line(f"{photos}, zip", said["zip: ours"], _LOOP, said["zip: pillow"], twice),
        speed_line(f"{photos}, folder", said["folder: ours"], _LOOP, said["folder: pillow"], twice),
        speed_line(
            f"{photos}, folder (for comparison)",
            said["folder: ours"],
            _KERAS,
            said["folder: keras"],
            None,
        ),
    ]


def _ours(bench: Bench, data: Path) -> Said:
    with bench.fresh() as cache:
        return bench.ours("scan_pictures", data, cache=cache)


SCAN = Row(
    name="scan",
    title="Scan of the Kaggle photos against a Pillow loop",
    how=(
        "`scan(open_catalog(…), taps=[PixelTap(224)])` with a new cache; content hashes, "
        "picture facts and perceptual hashes are included. The peer is a loop that opens each "
        "picture with Pillow, converts it to RGB and resizes it to 224 (bicubic). For comparison, "
        "one pass over Keras's `image_dataset_from_directory` (224, bicubic, batches of 32). "
        "On all sides, process start and imports are excluded, and the files are in the system's "
        "page cache. The folder is the unpacked zip with one sub-folder per class."
    ),
    minutes=4,
    measure=_measure,
)
