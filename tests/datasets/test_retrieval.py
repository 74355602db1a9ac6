from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_server import Server, cut, redirect, stall, wrong_bytes

from tellapart.core.errors import DataError, DownloadError
from tellapart.datasets import find, get, retrieval
from tellapart.datasets.dataset import DataFile, DataSet
from tellapart.datasets.digits import DIGITS

Register = Callable[..., DataSet]
NO_PAUSES = (0.0, 0.0, 0.0)


def offered(server: Server, name: str, data: bytes) -> DataFile:
    """The record of a file that the server has from now on."""
    server.files[f"/{name}"] = data
    return DataFile(name, len(data), (hashlib.sha256(data).hexdigest(),), (server.url(f"/{name}"),))


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def fashion(register: Register, server: Server) -> DataSet:
    files = (offered(server, "a.gz", b"pictures" * 999), offered(server, "b.gz", b"labels" * 99))
    return register("fashion-mnist", files=files)


def test_what_lies_here_is_not_downloaded(fashion: DataSet, places: Path, server: Server) -> None:
    for file in fashion.files:
        path = places / "data" / "fashion-mnist" / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(server.files[f"/{file.name}"])
    assert get("fashion-mnist").path == places / "data" / "fashion-mnist"
    assert server.asked == []


def test_what_is_downloaded_is_found_from_then_on(
    fashion: DataSet, places: Path, server: Server
) -> None:
    server.script = [cut]
    got = get("fashion-mnist", pauses=NO_PAUSES)
    assert got.path == places / "datasets" / "fashion-mnist"
    assert sorted(path.name for path in got.path.iterdir()) == ["a.gz", "b.gz"]
    asked = len(server.asked)
    assert find("fashion-mnist").path == get("fashion-mnist").path == got.path
    assert len(server.asked) == asked


def test_only_what_is_missing_is_downloaded(fashion: DataSet, places: Path, server: Server) -> None:
    (places / "datasets" / "fashion-mnist").mkdir()
    (places / "datasets" / "fashion-mnist" / "a.gz").write_bytes(server.files["/a.gz"])
    get("fashion-mnist")
    assert [path for path, _ in server.asked] == ["/b.gz"]


def test_a_damaged_download_is_deleted_and_fetched_again(
    fashion: DataSet, places: Path, server: Server
) -> None:
    got = get("fashion-mnist")
    (got.path / "a.gz").write_bytes(b"damaged")
    assert get("fashion-mnist").path == got.path
    assert (got.path / "a.gz").read_bytes() == server.files["/a.gz"]


def test_a_wrong_checksum_names_both_ways(fashion: DataSet, places: Path, server: Server) -> None:
    server.script = [wrong_bytes]
    with pytest.raises(DownloadError, match="deleted") as caught:
        get("fashion-mnist")
    assert caught.value.code == "wrong_checksum"
    assert "--from" in caught.value.remedy and "TELLAPART_DATA" in caught.value.remedy
    assert list((places / "datasets" / "fashion-mnist").iterdir()) == []


def test_without_a_network_one_message_names_both_ways(places: Path) -> None:
    """In tests, the proxy of the environment is one where nobody listens."""
    with pytest.raises(DownloadError) as caught:
        get("mnist", pauses=NO_PAUSES)
    assert caught.value.message.startswith("There is no copy of 'mnist' on this machine.")
    assert "proxy" in caught.value.message
    for word in ("https://storage.googleapis.com/cvdf-datasets/mnist/t10k", "--from"):
        assert word in caught.value.remedy


def test_what_is_given_is_never_replaced_by_a_download(
    fashion: DataSet, places: Path, server: Server
) -> None:
    (places / "mine").mkdir()
    with pytest.raises(DataError, match="mine"):
        get("fashion-mnist", given=places / "mine")
    assert server.asked == []


def test_digits_are_written(places: Path) -> None:
    got = get("digits")
    assert got.path == places / "datasets" / "digits"
    assert sum(1 for _ in got.path.rglob("*.png")) == DIGITS
    assert find("digits").path == got.path


# ------------------------------------------------------------------ two archives

PARTS = {"train/horses": 2, "train/humans": 1, "validation/horses": 1, "validation/humans": 1}


@pytest.fixture
def horses(register: Register, server: Server) -> DataSet:
    train = zipped({"horses/1.png": b"1", "horses/2.png": b"2", "humans/1.png": b"3"})
    validation = zipped({"horses/3.png": b"4", "humans/2.png": b"5"})
    files = (offered(server, "train.zip", train), offered(server, "validation.zip", validation))
    return register("horses-or-humans", files=files, tree=PARTS)


def pictures(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


UNPACKED = [
    "train/horses/1.png",
    "train/horses/2.png",
    "train/humans/1.png",
    "validation/horses/3.png",
    "validation/humans/2.png",
]


def test_two_archives_become_one_folder(horses: DataSet, places: Path) -> None:
    got = get("horses-or-humans")
    assert got.path == places / "datasets" / "horses-or-humans"
    assert pictures(got.path) == UNPACKED
    assert find("horses-or-humans").path == got.path


def test_archives_of_the_user_are_unpacked_and_kept(
    horses: DataSet, places: Path, server: Server
) -> None:
    for file in horses.files:
        (places / "data" / file.name).write_bytes(server.files[f"/{file.name}"])
    got = get("horses-or-humans", given=places / "data")
    assert pictures(got.path) == UNPACKED
    assert pictures(places / "data") == ["train.zip", "validation.zip"]
    for given in (places / "data", places / "data" / "train.zip"):
        assert find("horses-or-humans", given=given).path == got.path
    assert server.asked == []


def test_another_archive_that_is_given_never_ends_in_the_unpacked_copy(
    horses: DataSet, places: Path, server: Server
) -> None:
    get("horses-or-humans")
    other = places / "other.zip"
    other.write_bytes(server.files["/train.zip"])
    for given in (other, places / "data"):
        with pytest.raises(DataError) as caught:
            find("horses-or-humans", given=given)
        assert caught.value.code == "no_copy"


def test_unpacking_goes_on_after_an_interruption(horses: DataSet, places: Path) -> None:
    got = get("horses-or-humans")
    for path in list((got.path / "validation").rglob("*.png")):
        path.unlink()
    for folder in ("horses", "humans", "."):
        (got.path / "validation" / folder).rmdir()
    assert pictures(get("horses-or-humans").path) == UNPACKED


def test_a_folder_that_is_not_whole_is_left_as_it_is(horses: DataSet, places: Path) -> None:
    got = get("horses-or-humans")
    (got.path / "train" / "horses" / "1.png").unlink()
    with pytest.raises(DataError, match="not whole") as caught:
        get("horses-or-humans")
    assert caught.value.code == "folder_in_use"
    assert (got.path / "train" / "horses" / "2.png").exists()


# ------------------------------------------------------------------ interrupting

SCRIPT = """
import sys
from dataclasses import replace
from tellapart.datasets import registry
from tellapart.datasets.dataset import DataFile
file = DataFile("toy.zip", int(sys.argv[2]), (sys.argv[3],), (sys.argv[1],))
one = replace(registry.named("happy-or-sad"), files=(file,))
registry.DATA_SETS = (one,)
from tellapart.cli import main
main(["data", "get", "happy-or-sad", "--quiet"])
"""


def test_ctrl_c_keeps_the_part_and_names_the_command(
    server: Server, places: Path, content: bytes
) -> None:
    file = offered(server, "toy.zip", content)
    server.script = [redirect("/toy.zip"), stall]
    command = [sys.executable, "-c", SCRIPT, file.urls[0], str(file.size), file.sha256s[0]]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    part = places / "datasets" / "happy-or-sad" / "toy.zip.part"
    while process.poll() is None and not (part.exists() and part.stat().st_size > 100_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said[0] == "" and "Traceback" not in said[1]
    assert "tellapart data get happy-or-sad" in said[1]
    kept = part.stat().st_size
    assert 0 < kept < len(content)
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0, again.stderr
    assert again.stdout.strip() == str(part.with_suffix(""))
    assert server.ranges()[-1] == f"bytes={kept}-"


def test_the_command_that_goes_on_keeps_what_was_given() -> None:
    interrupted = retrieval.Interrupted("mnist", "my data")
    assert interrupted.command == "tellapart data get mnist --from 'my data'"
