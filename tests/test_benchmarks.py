"""The parts of the benchmarks that measure nothing: arithmetic, results, the table, the copies."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks are not installed

from benchmarks import pictures, results, table
from benchmarks.__main__ import chosen, main
from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.measures import growth, mean, median, paired_ratio
from benchmarks.processes import anonymous_mb
from benchmarks.results import Line, Result, Target
from benchmarks.rows import ROWS, networks

ROOT = Path(__file__).parents[1]


@pytest.fixture
def line() -> Line:
    return Line(
        what="Scan of 10 photos",
        unit="pictures/s",
        value=1500.0,
        target=Target("ratio", "at least", 2.0),
        values=(1400.0, 1500.0, 1600.0),
        peer_name="a loop",
        peer=500.0,
        peer_values=(500.0, 500.0, 505.0),
        ratio=3.0,
        ratio_unit="times as fast",
    )


@pytest.fixture
def result(line: Line) -> Result:
    return Result(
        row="scan",
        how="With care.",
        lines=(line,),
        date="2026-01-02T03:04:05+00:00",
        code="0123456789ab",
        machine={
            "cores": 2,
            "cpu": "A Processor @ 2.80GHz",
            "memory_gb": 25.2,
            "system": "Linux x86_64",
            "load_before": 0.1,
        },
        versions={"ours": {"python": "3.11.7"}, "peers": {"pillow": "13.0.0"}},
        raw={"ours": [{"seconds": 1.0}] * 3, "peer": [{"seconds": 3.0}] * 3},
    )


# ------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0], 3.0), ([9.0, 1.0, 2.0], 2.0), ([4.0, 1.0, 2.0, 3.0], 2.5)]
)
def test_median(values: list[float], expected: float) -> None:
    assert median(values) == expected


def test_no_repeats_have_no_median() -> None:
    for middle in (median, mean):
        with pytest.raises(ValueError, match="no repeats"):
            middle([])


def test_mean() -> None:
    assert mean([1.0, 2.0, 6.0]) == 3.0


def test_the_ratio_is_of_neighbors() -> None:
    # The machine is three times slower in the second pair: both halves are, the ratio is not.
    assert paired_ratio([10.0, 30.0, 10.0], [5.0, 15.0, 4.0]) == 2.0
    with pytest.raises(ValueError, match="argument 2"):
        paired_ratio([1.0, 2.0], [1.0])


def test_growth_is_in_time_a_picture() -> None:
    assert growth([3.0, 3.0, 3.0], 30, [11.0, 12.0, 90.0], 100) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("sense", "number", "reached"),
    [
        ("at least", 2.0, True),
        ("at least", 1.999, False),
        ("at most", 2.0, True),
        ("at most", 2.001, False),
        ("under", 2.0, False),
        ("under", 1.999, True),
    ],
)
def test_targets_have_an_exact_edge(sense: Any, number: float, reached: bool) -> None:
    assert Target("value", sense, 2.0).reached(number) is reached


def test_a_target_of_the_ratio_without_a_ratio_is_missed(line: Line) -> None:
    assert line.reached is True
    assert replace(line, ratio=None).reached is False
    assert replace(line, target=None).reached is None


@pytest.mark.parametrize(("difference", "reached"), [(-2.0, True), (-2.01, False), (None, False)])
def test_a_target_may_be_a_difference(line: Line, difference: float | None, reached: bool) -> None:
    target = Target("difference", "at least", -2.0)
    points = replace(
        line, target=target, ratio=None, difference=difference, difference_unit="points"
    )
    assert points.reached is reached
    assert "at least -2 points" in table.line_of(points)
    assert ("-2.00 points" in table.line_of(points)) is (difference == -2.0)


def test_memory_is_summed_over_descendants_only() -> None:
    statuses = {
        1: "Name:\tinit\nPPid:\t0\nRssAnon:\t  9000 kB\n",
        10: "PPid:\t1\nRssAnon:\t  1000 kB\n",
        11: "PPid:\t10\nRssAnon:\t  500 kB\n",
        12: "PPid:\t11\nRssAnon:\t  250 kB\n",
        13: "PPid:\t1\nRssAnon:\t  7000 kB\n",
        14: "PPid:\t12\n",  # a kernel thread or a zombie has none
    }
    assert anonymous_mb(statuses, 10) == pytest.approx(1750 * 1024 / 1e6)


# ------------------------------------------------------------------ results


def test_a_result_comes_back_as_it_was_written(result: Result, tmp_path: Path) -> None:
    path = results.write(result, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["scan.json"]
    assert json.loads(path.read_text(encoding="utf-8"))["lines"][0]["reached"] is True
    assert results.read("scan", tmp_path) == result
    assert results.read("other", tmp_path) is None


def test_a_result_of_another_schema_is_refused(result: Result) -> None:
    with pytest.raises(BenchmarkError, match="schema 9"):
        results.from_json({**result.as_json(), "schema": 9})


def test_committed_results_name_no_path_and_the_page_is_made_from_them() -> None:
    kept = {row.name: results.read(row.name) for row in ROWS}
    found = [one for one in kept.values() if one is not None]
    if not found:
        pytest.skip("nothing was measured yet")
    for one in found:
        text = json.dumps(one.as_json())
        assert not re.search(r"/(home|root|work|tmp|opt|Users)/", text), one.row
    missing = [name for name, one in kept.items() if one is None]
    assert table.PAGE.read_text(encoding="utf-8") == table.render(found, missing)


# ------------------------------------------------------------------ table


def test_a_line_shows_both_sides_the_ratio_and_the_verdict(line: Line) -> None:
    assert table.line_of(line) == (
        "| Scan of 10 photos | 1,500 pictures/s | 500.0 pictures/s (a loop) "
        "| 3.00 times as fast | at least 2 times as fast | reached |"
    )


def test_a_missed_line_is_shown_as_missed(line: Line, result: Result) -> None:
    slow = replace(line, ratio=1.99)
    assert table.line_of(slow).endswith("| **missed** |")
    page = table.render([replace(result, lines=(line, slow))])
    assert "1 of 2 targets reached, 1 missed." in page


def test_what_was_not_measured_is_shown(result: Result) -> None:
    page = table.render([result], ["train"])
    assert "| train | not measured | | | | **not measured** |" in page
    assert "1 rows not measured" in page


def test_a_line_without_peer_or_target(line: Line) -> None:
    plain = Line("Memory", "MB", 812.34, Target("value", "under", 1000.0))
    assert table.line_of(plain) == "| Memory | 812.3 MB |  |  | under 1,000 MB | reached |"
    assert table.line_of(replace(line, target=None)).endswith("|  | no target |")


def test_the_page_names_machine_versions_and_spread(result: Result) -> None:
    page = table.render([result])
    assert "2 cores of A Processor @ 2.80GHz, 25.2 GB of memory" in page
    assert "pillow 13.0.0" in page and "2026-01-02" in page
    assert "1,400 to 1,600 pictures/s, peer 500.0 to 505.0" in page


def test_rows_of_two_machines_are_told_apart(result: Result) -> None:
    other = replace(result, row="train", machine={**result.machine, "cores": 1})
    page = table.render([result, other])
    assert "- scan: 2 cores of" in page and "- train: 1 core of" in page


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123")]
)
def test_numbers_have_the_digits_they_deserve(value: float, text: str) -> None:
    assert table.number(value) == text


# ------------------------------------------------------------------ pictures


@pytest.fixture
def archive(small_photos: Path, tmp_path: Path) -> Path:
    """Six real photos in a zip with parts and class folders."""
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as written:
        for label in ("cats", "dogs"):
            for photo in sorted((small_photos / label).iterdir())[:3]:
                written.write(photo, f"train/{label}/{photo.name}")
    return path


def test_copies_are_as_many_as_asked_for_and_all_different(archive: Path, tmp_path: Path) -> None:
    folder = pictures.multiply(archive, tmp_path / "copies", 15)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len({path.read_bytes() for path in files}) == 15
    assert {path.parent.name for path in files} == {"cats", "dogs"}
    for path in files:
        with Image.open(path) as picture:
            assert picture.size == (180, 180)


def test_copies_are_the_same_every_time(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        few, many = list(pictures.copies(opened, 8)), list(pictures.copies(opened, 13))
    assert many[:8] == few


def test_a_copy_has_some_pixels_changed_and_no_more(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        data = opened.read(pictures.members(opened)[0])
    copy = pictures.changed(data, np.random.default_rng(0))
    before, after = (
        np.asarray(Image.open(io.BytesIO(one)).convert("RGB")).astype(int) for one in (data, copy)
    )
    far = (np.abs(before - after).max(axis=2) > 60).mean()
    assert 0.001 < far < 0.1  # 200 of 32,400 pixels, and what JPEG spreads around them
    assert Image.open(io.BytesIO(copy)).quantization == Image.open(io.BytesIO(data)).quantization


def test_a_flat_archive_is_written_out_by_class(archive: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat.zip"
    with zipfile.ZipFile(archive) as opened, zipfile.ZipFile(flat, "w") as written:
        names = pictures.members(opened)
        for place, name in enumerate(names):
            label = "cat" if "cats" in name else "dog"
            written.writestr(f"{label}.{place}.jpg", opened.read(name))
    folder = pictures.extract(flat, tmp_path / "folder")
    assert sorted(path.name for path in folder.iterdir()) == ["cat", "dog"]
    assert pictures.count_pictures(folder) == len(names)


def test_a_sample_has_each_class(archive: Path, tmp_path: Path) -> None:
    path = pictures.sample(archive, tmp_path / "deep" / "sample.zip", each=2)
    with zipfile.ZipFile(path) as opened:
        labels = [pictures.label_of(name) for name in pictures.members(opened)]
    assert labels == ["cats", "cats", "dogs", "dogs"]


def test_a_set_is_made_whole_or_not_at_all(archive: Path, tmp_path: Path) -> None:
    left = tmp_path / "copies.partial" / "cats"
    left.mkdir(parents=True)
    (left / "left-over.jpg").write_bytes(b"cut")
    folder = pictures.multiply(archive, tmp_path / "copies", 4)
    assert pictures.count_pictures(folder) == 4
    assert not left.exists()


def test_without_data_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TELLAPART_DATA", raising=False)
    with pytest.raises(BenchmarkError, match="let TELLAPART_DATA name the folder"):
        pictures.data_set("cats-dogs-3k.zip")


def test_a_set_without_parts_is_dealt_the_same_every_time(archive: Path, tmp_path: Path) -> None:
    folders = [pictures.deal(archive, tmp_path / name, share=1 / 3) for name in "ab"]
    dealt = [
        sorted(str(f.relative_to(folder)) for f in folder.rglob("*.jpg")) for folder in folders
    ]
    assert dealt[0] == dealt[1] and len(dealt[0]) == 6
    parts = [name.rpartition("/")[0] for name in dealt[0]]
    assert parts == ["train/cats"] * 2 + ["train/dogs"] * 2 + ["validation/cats", "validation/dogs"]


def test_few_arrays_are_whole_idx_files(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    for part in pictures.ARRAYS:
        shape = (5, 28, 28) if "images" in part else (5,)
        values = np.arange(np.prod(shape)).astype(np.uint8)
        header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
        (whole / f"{part}-ubyte.gz").write_bytes(gzip.compress(header + values.tobytes()))
    few = pictures.few_arrays(whole, tmp_path / "few", 2)
    for part in pictures.ARRAYS:
        data = gzip.decompress((few / f"{part}-ubyte.gz").read_bytes())
        sides = np.frombuffer(data, ">i4", data[3], offset=4)
        assert sides[0] == 2
        assert len(data) == 4 + 4 * data[3] + np.prod(sides)


def test_arrays_that_are_nowhere_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLAPART_DATA", str(tmp_path))
    with pytest.raises(BenchmarkError, match="IDX files of letters are missing"):
        pictures.arrays("letters")


# ------------------------------------------------------------------ repeats and rows


def test_sides_are_measured_in_turn(tmp_path: Path) -> None:
    order: list[str] = []

    def side(name: str) -> dict[str, Any]:
        order.append(name)
        return {"seconds": float(len(order)), "versions": {name: "1"}}

    bench = Bench("row", repeats=2, work=tmp_path)
    said = bench.in_turn({"a": lambda: side("a"), "b": lambda: side("b")})
    assert order == ["a", "b", "a", "b"]
    assert said == {
        "a": [{"seconds": 1.0}, {"seconds": 3.0}],
        "b": [{"seconds": 2.0}, {"seconds": 4.0}],
    }
    assert bench.versions == {"a": "1", "b": "1"}


def test_an_interrupted_row_goes_on_where_it_was(tmp_path: Path) -> None:
    def interrupted() -> dict[str, Any]:
        raise KeyboardInterrupt

    def run(code: str, *, stop: bool = False) -> Bench:
        bench = Bench("row", repeats=1, code=code, work=tmp_path)
        sides = {"a": lambda: {"code": code}, "b": interrupted if stop else lambda: {"code": code}}
        bench.in_turn(sides)
        return bench

    with pytest.raises(KeyboardInterrupt):
        run("old", stop=True)
    assert run("old").raw == {"a": [{"code": "old"}], "b": [{"code": "old"}]}
    new = run("new")
    assert new.raw["a"] == [{"code": "new"}], "repeats of other code are measured again"
    new.finished()
    assert run("newer").raw["a"] == [{"code": "newer"}]


def test_repeats_of_other_code_count_where_that_is_asked_for(tmp_path: Path) -> None:
    def run(code: str, repeats: int) -> Bench:
        bench = Bench("row", repeats=repeats, code=code, any_code=True, work=tmp_path)
        bench.in_turn({"a": lambda: {"code": code}})
        return bench

    run("old", 1)
    both = run("new", 2)
    assert both.raw["a"] == [{"code": "old"}, {"code": "new"}]
    assert both.codes == ["old", "new"]


def test_each_turn_has_a_seed_of_its_own_on_all_sides(tmp_path: Path) -> None:
    def side(seed: int) -> dict[str, Any]:
        return {"seed": seed}

    Bench("row", repeats=1, work=tmp_path).by_seed({"a": side, "b": side})
    said = Bench("row", repeats=3, work=tmp_path).by_seed({"a": side, "b": side})
    assert said == {name: [{"seed": 0}, {"seed": 1}, {"seed": 2}] for name in "ab"}


def test_lines_of_networks_have_means_spread_and_the_peers_difference() -> None:
    ours = [{"held_out": {"accuracy": one}, "seconds": 8.0} for one in (0.9, 0.8, 0.7)]
    ours[0]["as_given"] = {"accuracy": 0.95}  # with the pictures that have a copy in training
    peers = [{"accuracy": one, "process_seconds": 10.0} for one in (0.8, 0.8, 0.8)]
    target = Target("difference", "at least", 0.0)
    line = networks.accuracy_line("Held out", ours, target, "a script", peers)
    assert line.values == pytest.approx((95, 80, 70)) and line.value == pytest.approx(
        81.667, abs=1e-3
    )
    assert line.difference == pytest.approx(1.667, abs=1e-3) and line.reached
    assert (networks.whole(ours), networks.whole(peers)) == ([8.0] * 3, [10.0] * 3)
    assert networks.distance_line("Held out", ours, 87.0).value == pytest.approx(-5.333, abs=1e-3)
    assert networks.seconds_line("Held out", ours, 7.0).reached is False


def test_devices_stand_beside_the_cpu_where_there_are_any(tmp_path: Path) -> None:
    def said(*devices: str) -> dict[str, Any]:
        rows = [
            {"network": network, "device": device, "step_ms": 2.0, "epoch_seconds": 5.0 - 4 * place}
            | {"agrees": None if place == 0 else True}
            for network in ("dnn", "cnn")
            for place, device in enumerate(devices)
        ]
        names = {"cpu:0": "Processor 9, 2 cores", "gpu:0": "NVIDIA H200"}
        return {"engine": "jax", "hardware": names, "rows": rows}

    def lines(*names: str) -> list[Line]:
        bench = Bench("devices", repeats=1, work=tmp_path)
        bench.raw["devices"] = [said(*names)]
        return list(next(row for row in ROWS if row.name == "devices").measure(bench))

    alone = lines("cpu:0")
    assert len(alone) == 4 and all("no GPU here" in line.what for line in alone)
    beside = lines("cpu:0", "gpu:0")[1]
    assert (beside.value, beside.peer, beside.ratio) == (5.0, 1.0, 5.0)
    assert beside.peer_name == "gpu:0, NVIDIA H200"


def test_rows_are_chosen_by_name() -> None:
    short, long = ([row for row in ROWS if row.long is wanted] for wanted in (False, True))
    assert chosen([]) == short
    assert chosen(["long"]) == long
    assert chosen(["long", "scan"]) == [ROWS[0], *long]
    assert [row.name for row in chosen(["features", "scan"])] == ["scan", "features"]
    with pytest.raises(BenchmarkError, match=r"No row is called quick\. There are: scan, "):
        chosen(["quick"])


def test_the_page_lists_every_row() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [row.name for row in ROWS]


def test_list_and_unknown_rows_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        row.name for row in ROWS
    ]
    assert main(["quick"]) == 1
    assert "No row is called quick" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "some"])
def test_repeats_are_a_number_from_one_up(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--repeats", text])
    assert "--repeats" in capsys.readouterr().err
