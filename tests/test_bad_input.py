"""Bad input, end to end: one clear message, the right exit code, nothing left half-written."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tellapart.cli import main
from tellapart.data.sources import tars

MakePicture = Callable[..., Path]
Invoke = Callable[..., tuple[int, Any]]


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str], in_tmp: Path) -> Invoke:
    """Run a command with ``--json``; its exit code and document."""

    def call(*arguments: object) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--json"])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        code = ended.value.code
        return int(code or 0), json.loads(said.out) if said.out else None

    return call


@pytest.fixture
def pets(tmp_path: Path, make_picture: MakePicture) -> Path:
    folder = tmp_path / "pets"
    for label in ("cats", "dogs"):
        for number in range(6):
            make_picture(folder / label / f"{number}.png", seed=number + 20 * (label == "dogs"))
    return folder


def refusal(answer: tuple[int, Any], *words: str) -> None:
    code, document = answer
    assert code == 1
    text = " ".join(document["error"].values())
    for word in words:
        assert word in text, text


def assert_no_runs() -> None:
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


def claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + b"\0" * 64
    )


def test_an_empty_folder(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "empty").mkdir()
    for command in ("check", "train"):
        refusal(invoke(command, tmp_path / "empty"), "empty")
    assert_no_runs()


def test_a_folder_that_does_not_exist(tmp_path: Path, invoke: Invoke) -> None:
    refusal(invoke("train", tmp_path / "nowhere"), "nowhere")


def test_a_file_where_a_folder_is_expected(pets: Path, invoke: Invoke) -> None:
    refusal(invoke("train", pets / "cats" / "0.png"), "one file")


def test_one_class(pets: Path, invoke: Invoke) -> None:
    shutil.rmtree(pets / "dogs")
    refusal(invoke("train", pets), "one class", "cats")
    assert invoke("check", pets)[0] == 0
    assert_no_runs()


def test_a_class_with_one_picture(pets: Path, invoke: Invoke) -> None:
    for number in range(1, 6):
        (pets / "dogs" / f"{number}.png").unlink()
    refusal(invoke("train", pets), "dogs")
    assert_no_runs()


def test_a_folder_that_may_not_be_read(pets: Path) -> None:
    """As another user, since root may read everything."""
    pets.chmod(0o700)
    code = (
        "import os, sys\n"
        "from tellapart.cli import main\n"
        "import tellapart.api, tellapart.cli.app, tellapart.cli.terminal\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "else: os.chmod(sys.argv[2], 0)\n"
        "main(sys.argv[1:])"
    )
    cache = pets.parent / "cache-for-all"
    cache.mkdir(mode=0o777)
    cache.chmod(0o777)
    parent = pets.parent
    while parent != parent.parent and parent.stat().st_uid == os.geteuid():
        parent.chmod(parent.stat().st_mode | 0o055)
        parent = parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(pets), "--json", "--quiet"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TELLAPART_CACHE": str(cache)},
        cwd=cache,
        check=False,
    )
    pets.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "may not read" in json.loads(done.stdout)["error"]["message"]


def test_damaged_pictures_are_left_out_and_listed(
    pets: Path, make_picture: MakePicture, invoke: Invoke
) -> None:
    whole = make_picture(pets / "cats" / "whole.png", seed=90).read_bytes()
    (pets / "cats" / "half.png").write_bytes(whole[: len(whole) // 2])
    (pets / "cats" / "zero.png").write_bytes(b"")
    (pets / "cats" / "text.jpg").write_text("these are words")
    (pets / "cats" / "huge.png").write_bytes(claiming(60_000, 60_000))
    code, document = invoke("check", pets)
    assert code == 0
    assert document["summary"]["pictures"] == 17
    assert document["summary"]["usable"] == 13
    listed = {path for finding in document["findings"] for path in finding["examples"]}
    assert {"cats/half.png", "cats/zero.png", "cats/text.jpg", "cats/huge.png"} <= listed
    code, document = invoke("train", pets)
    assert code == 0
    assert document["metrics"]["held_out"]["n"] == 13


def test_a_zip_that_climbs_out(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(pets.rglob("*.png")):
            file.write(path, path.relative_to(pets))
        file.writestr("../../escaped.png", b"x")
    code, document = invoke("check", archive)
    assert code == 0
    assert not (tmp_path.parent / "escaped.png").exists()
    assert document["summary"]["passed_over"]


def test_a_zip_bomb(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(pets.rglob("*.png")):
            file.write(path, path.relative_to(pets))
        with file.open("cats/bomb.png", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(b"\0" * 1_000_000)
    code, document = invoke("check", archive)
    assert code == 0
    assert any("bomb.zip!/cats/bomb.png" in f["examples"] for f in document["findings"])


def test_a_gzip_bomb(tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "FREE_SPOOLED", 1 << 20)
    archive = tmp_path / "bomb.tar.gz"
    with gzip.open(archive, "wb", compresslevel=9) as file:
        info = tarfile.TarInfo("cats/a.png")
        info.size = 20_000_000
        file.write(info.tobuf())
        for _ in range(20):
            file.write(b"\0" * 1_000_000)
    refusal(invoke("check", archive), "bomb.tar.gz")


def test_truncated_and_encrypted_zips(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for path in sorted(pets.rglob("*.png")):
            file.write(path, path.relative_to(pets))
    data = whole.getvalue()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    refusal(invoke("check", tmp_path / "cut.zip"), "cut.zip")
    flagged = bytearray(data)
    place = flagged.find(b"PK\x01\x02")
    while place >= 0:
        flagged[place + 8] |= 1
        place = flagged.find(b"PK\x01\x02", place + 4)
    (tmp_path / "locked.zip").write_bytes(bytes(flagged))
    refusal(invoke("check", tmp_path / "locked.zip"), "encrypted")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS refuses such names itself")
def test_names_that_are_hard_to_show(pets: Path, invoke: Invoke, make_picture: MakePicture) -> None:
    data = (pets / "cats" / "0.png").read_bytes()
    for number, name in enumerate((b"\xff\xfe.png", b"-rf.png", b"two\nlines.png")):
        more = make_picture(pets / "x.png", seed=60 + number).read_bytes()
        (pets / "x.png").unlink()
        with open(os.path.join(os.fsencode(pets / "cats"), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(more)
    assert data
    code, document = invoke("train", pets)
    assert code == 0
    assert document["metrics"]["held_out"]["n"] == 15
    code, document = invoke("predict", document["run"], pets)
    assert code == 0
    paths = [row["path"] for row in document["rows"]]
    assert all(row["error"] is None for row in document["rows"])
    assert any("\\xff\\xfe.png" in path for path in paths)
    assert not any("\n" in path for path in paths)


def test_a_loop_of_links_ends(pets: Path, invoke: Invoke) -> None:
    (pets / "cats" / "loop").symlink_to(pets / "cats")
    (pets / "cats" / "up").symlink_to(pets)
    code, _ = invoke("check", pets)
    assert code == 0


def test_a_class_called_script_is_text(
    tmp_path: Path, invoke: Invoke, make_picture: MakePicture
) -> None:
    for label in ("<script>alert(1)</script>".replace("/", "_"), 'dogs" onload="x'):
        for number in range(6):
            make_picture(tmp_path / "odd" / label / f"<b>{number}.png", seed=number + len(label))
    code, document = invoke("train", tmp_path / "odd")
    assert code == 0
    page = (Path(document["run"]) / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert invoke("check", tmp_path / "odd", "--out", tmp_path / "page")[0] == 0
    assert "<script>alert" not in (tmp_path / "page" / "check.html").read_text(encoding="utf-8")


def test_a_manifest_with_faults(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    manifest = tmp_path / "pets.csv"
    rows = [f"pets/{p.parent.name}/{p.name},{p.parent.name},x" for p in sorted(pets.rglob("*.png"))]
    manifest.write_text(
        "\n".join(["path,label,camera", *rows, rows[0], "pets/cats/gone.png,cats,x"])
    )
    code, document = invoke("check", manifest)
    assert code == 0
    assert document["summary"]["pictures"] == 13
    assert document["summary"]["usable"] == 12
    manifest.write_text("\n".join(["path,lable", "pets/cats/0.png,cats"]))
    refusal(invoke("check", manifest), "label")


def test_corrections_for_what_is_not_there(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    file = tmp_path / "corrections.csv"
    file.write_text("path,action,label\ncats/99.png,exclude,\ncats/0.png,relabel,horses\n")
    refusal(invoke("train", pets, "--corrections", file), "cats/99.png", "horses")
    refusal(invoke("train", pets, "--corrections", tmp_path / "none.csv"), "none.csv")


def test_runs_that_cannot_be_opened(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    code, document = invoke("train", pets, "--out", tmp_path / "run")
    assert code == 0
    run = Path(document["run"])
    picture = pets / "cats" / "0.png"

    def copy(name: str) -> Path:
        return Path(shutil.copytree(run, tmp_path / name))

    (copy("no-model") / "model.onnx").unlink()
    refusal(invoke("predict", tmp_path / "no-model", picture), "model.onnx")
    newer = copy("newer")
    settings = json.loads((newer / "run.json").read_text(encoding="utf-8"))
    (newer / "run.json").write_text(json.dumps(settings | {"schema": 999}))
    refusal(invoke("predict", newer, picture), "newer")
    (copy("broken") / "run.json").write_text("{")
    refusal(invoke("predict", tmp_path / "broken", picture), "damaged")
    (copy("swapped") / "model.onnx").write_bytes(b"not a model")
    refusal(invoke("predict", tmp_path / "swapped", picture))
    refusal(invoke("predict", pets, picture), "not a run folder")
    refusal(invoke("predict", tmp_path / "nowhere", picture), "nowhere")
    refusal(invoke("train", pets, "--out", run), "exists")


def test_runs_whose_files_do_not_fit_together(tmp_path: Path, pets: Path, invoke: Invoke) -> None:
    code, document = invoke("train", pets, "--out", tmp_path / "run")
    assert code == 0
    run = Path(document["run"])
    picture = pets / "cats" / "0.png"

    def changed(name: str, file: str, **members: Any) -> Path:
        copied = Path(shutil.copytree(run, tmp_path / name))
        content = json.loads((copied / file).read_text(encoding="utf-8"))
        (copied / file).write_text(json.dumps(content | members), encoding="utf-8")
        return copied

    turned = changed("turned", "run.json", classes=["dogs", "cats"])
    for verb in (["predict", turned, picture], ["evaluate", turned, pets], ["report", turned]):
        refusal(invoke(*verb), "damaged")
    flat = changed("flat", "run.json", data="a folder")
    refusal(invoke("report", flat), "'data'")
    held = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["held_out"]
    for number, members in enumerate(
        (
            {"held_out": None},
            {"held_out": held | {"accuracy": "all"}},
            {"held_out": held | {"accuracy_ci95": None}},
            {"held_out": held | {"confusion": [[1]]}},
            {"verdict": "good"},
        )
    ):
        strange = changed(f"strange-{number}", "metrics.json", **members)
        refusal(invoke("report", strange), "metrics.json")
        refusal(invoke("compare", run, strange), "metrics.json")
    for name in ("split", "predictions", "findings"):
        other = Path(shutil.copytree(run, tmp_path / name))
        pl.DataFrame({"a": [1]}).write_parquet(other / f"{name}.parquet")
        refusal(invoke("report", other), f"{name}.parquet", "column")


def test_nothing_of_the_users_is_changed(pets: Path, invoke: Invoke, tmp_path: Path) -> None:
    def state() -> list[tuple[str, int, bytes]]:
        return [
            (str(path), path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(pets.rglob("*"))
            if path.is_file()
        ]

    before = state()
    invoke("check", pets, "--out", tmp_path / "out")
    _, document = invoke("train", pets)
    invoke("predict", document["run"], pets, "--sort-into", tmp_path / "sorted")
    refusal(invoke("check", pets, "--out", pets / "inside"), "inside")
    assert state() == before
    assert not (pets / "inside").exists()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, where this machine lets us make one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("only root may make a small tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_no_run_is_written_among_the_pictures(
    pets: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal(invoke("train", pets, "--out", pets / "run"), "inside", "outside")
    monkeypatch.chdir(pets)
    refusal(invoke("train", "."), "inside", "--out")
    assert sorted(path.name for path in pets.iterdir()) == ["cats", "dogs"]


def test_pictures_that_vanish_during_training(
    pets: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tellapart.transfer import probe

    fit = probe.fit

    def slow(*args: Any, **kwargs: Any) -> Any:
        (pets / "cats" / "0.png").unlink()
        (pets / "dogs" / "1.png").write_bytes((pets / "dogs" / "2.png").read_bytes())
        return fit(*args, **kwargs)

    monkeypatch.setattr(probe, "fit", slow)
    code, document = invoke("train", pets)
    assert code == 0
    run = json.loads((Path(document["run"]) / "run.json").read_text(encoding="utf-8"))
    assert run["proof"]["n"] == 10


@pytest.mark.skipif(sys.platform != "linux", reason="macOS refuses such names itself")
def test_a_data_folder_whose_name_is_not_utf8(pets: Path, invoke: Invoke) -> None:
    folder = pets.rename(os.fsdecode(os.fsencode(pets.parent / "caf") + b"\xe9"))
    code, document = invoke("train", folder)
    assert code == 0
    content = json.loads((Path(document["run"]) / "run.json").read_bytes().decode("utf-8"))
    assert content["data"]["name"] == "caf\\xe9"
    assert str(folder) in content["command"]
    code, _ = invoke("report", document["run"])
    assert code == 0
    refusal(invoke("train", folder, "--out", folder / "run"), "inside")


def test_explain_overwrites_no_picture_and_takes_one(pets: Path, invoke: Invoke) -> None:
    code, document = invoke("train", pets)
    assert code == 0
    picture = pets / "cats" / "0.png"
    before = picture.read_bytes()
    refusal(invoke("explain", document["run"], picture, "--out", picture), "itself")
    assert picture.read_bytes() == before
    refusal(invoke("explain", document["run"], pets), "12 pictures", "one")
    refusal(invoke("explain", document["run"], picture, "--out", "no/such/folder.png"), "no/such")


def test_copies_are_sorted_into_none_of_the_named_folders(
    pets: Path, invoke: Invoke, tmp_path: Path
) -> None:
    code, document = invoke("train", pets)
    assert code == 0
    first, second = pets / "cats", pets / "dogs"
    inside = second / "sorted"
    refusal(invoke("predict", document["run"], first, second, "--sort-into", inside), "outside")
    assert not inside.exists()


def test_groups_are_named_in_the_verdict(pets: Path, invoke: Invoke) -> None:
    code, document = invoke("train", pets, "--group-from", r"([0-9])\.png")
    assert code == 0
    assert document["metrics"]["held_out"]["groups"] == 6
    assert "group" in document["metrics"]["verdict"]["next"][0]


def test_a_full_disk_under_the_run(pets: Path, tiny_disk: Path, invoke: Invoke) -> None:
    refusal(invoke("train", pets, "--out", tiny_disk / "run"), "full")
    assert list(tiny_disk.iterdir()) == []


def test_a_full_disk_under_the_cache(
    pets: Path,
    tiny_disk: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    make_picture: MakePicture,
) -> None:
    monkeypatch.setenv("TELLAPART_CACHE", str(tiny_disk / "cache"))
    (tiny_disk / "filler").write_bytes(b"x" * 1_700_000)
    for number in range(60):
        make_picture(pets / "cats" / f"more-{number}.png", seed=200 + number)
    refusal(invoke("check", pets), "full", "TELLAPART_CACHE")
    (tiny_disk / "filler").unlink()
    assert invoke("check", pets)[0] == 0
