"""The downloader against a real server that cuts, lies, redirects and comes back."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from bad_server import (
    Behaviour,
    Server,
    answer_status,
    as_encoding,
    chunked,
    claims_length,
    cut,
    endless_redirect,
    ignore_range,
    redirect,
    without_length,
    wrong_bytes,
)
from recorder import Recorder

from tellapart.core.errors import DownloadError
from tellapart.datasets import downloads, http_client
from tellapart.datasets.dataset import DataFile
from tellapart.datasets.downloads import download

NO_PAUSES = (0.0, 0.0, 0.0)


def fetch(file: DataFile, folder: Path, heard: Recorder | None = None) -> bytes:
    path = download(file, folder, progress=heard or Recorder(), pauses=NO_PAUSES)
    assert path == folder / file.name
    assert [entry.name for entry in folder.iterdir()] == [file.name], "nothing is left beside it"
    return path.read_bytes()


def fails(file: DataFile, folder: Path, code: str) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        download(file, folder, pauses=NO_PAUSES)
    assert caught.value.code == code, caught.value.message
    assert not (folder / file.name).exists()
    return caught.value


def test_a_file_comes_whole_and_says_how_far_it_is(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    heard = Recorder()
    assert fetch(toy, tmp_path / "deep" / "folder", heard) == content
    assert heard.done == 300
    assert heard.lines[-1] == "toy.bin · 0.3 MB"
    assert server.asked[0][1]["Accept-Encoding"] == "identity"


def test_a_download_that_is_cut_goes_on_where_it_was(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.etags["/toy.bin"] = '"one"'
    server.script = [cut, cut]
    heard = Recorder()
    assert fetch(toy, tmp_path, heard) == content
    assert server.ranges() == [None, "bytes=150000-", "bytes=225000-"]
    assert [headers.get("If-Range") for _, headers in server.asked] == [None, '"one"', '"one"']
    assert heard.done == 300
    assert len(heard.lines[1:-1]) == 2


def test_an_interrupted_download_is_kept_and_goes_on(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.script = [cut]
    with pytest.raises(KeyboardInterrupt):
        download(toy, tmp_path, progress=Recorder(interrupt_at=100), pauses=NO_PAUSES)
    kept = (tmp_path / "toy.bin.part").read_bytes()
    assert kept and content.startswith(kept)
    assert fetch(toy, tmp_path) == content
    assert server.ranges() == [None, f"bytes={len(kept)}-"]


def test_a_weak_etag_is_not_trusted_but_the_date_is(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.etags["/toy.bin"] = 'W/"weak"'
    server.script = [cut, ignore_range]
    assert fetch(toy, tmp_path) == content
    assert "If-Range" not in server.asked[1][1]


def test_a_server_that_knows_no_ranges_starts_over(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.script = [cut, ignore_range]
    heard = Recorder()
    assert fetch(toy, tmp_path, heard) == content
    assert heard.done == 300


def test_a_file_that_changed_meanwhile_is_sent_from_its_beginning(
    tmp_path: Path, server: Server, content: bytes
) -> None:
    file = DataFile("toy.bin", len(content), (), (server.url("/toy.bin"),))
    server.files["/toy.bin"] = bytes(len(content))
    server.etags["/toy.bin"] = '"old"'
    server.script = [cut]
    with pytest.raises(KeyboardInterrupt):
        download(file, tmp_path, progress=Recorder(interrupt_at=100), pauses=NO_PAUSES)
    server.files["/toy.bin"] = content
    server.etags["/toy.bin"] = '"new"'
    assert fetch(file, tmp_path) == content


def test_without_a_checksum_the_part_of_another_address_is_not_continued(
    tmp_path: Path, server: Server, content: bytes
) -> None:
    file = DataFile("toy.bin", len(content), (), (server.url("/toy.bin"),))
    server.files["/toy.bin"] = content
    (tmp_path / "toy.bin.part").write_bytes(b"from who knows where")
    assert fetch(file, tmp_path) == content
    assert server.ranges() == [None]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_errors_that_may_pass_are_tried_again(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server, status: int
) -> None:
    server.script = [answer_status(status), answer_status(status, Retry_After=0)]
    heard = Recorder()
    assert fetch(toy, tmp_path, heard) == content
    assert str(status) in heard.lines[1]


def test_tries_and_pauses_are_bounded(
    toy: DataFile, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(downloads.time, "sleep", slept.append)
    server.script = [answer_status(500)] * 5 + [answer_status(503, Retry_After=86_400)] * 9
    with pytest.raises(DownloadError, match="503"):
        download(toy, tmp_path)
    assert len(server.asked) == 6
    assert slept == [1, 2, 4, 8, 16]
    server.asked.clear()
    slept.clear()
    with pytest.raises(DownloadError):
        download(toy, tmp_path)
    assert max(slept) == 60


def test_what_is_not_there_is_asked_for_once(toy: DataFile, tmp_path: Path, server: Server) -> None:
    server.files.clear()
    assert "404" in fails(toy, tmp_path, "refused_by_server").message
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_next_address_is_tried(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    two = replace(toy, urls=(server.url("/gone.bin"), *toy.urls))
    assert fetch(two, tmp_path) == content


def test_nobody_answers(toy: DataFile, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone = replace(toy, urls=(f"http://127.0.0.1:{port}/toy.bin",))
    assert "no connection to 127.0.0.1" in fails(gone, tmp_path, "unreachable").message


def test_the_proxy_of_the_environment_is_used(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is asked for the whole address."""
    url = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/toy.bin"
    server.files[url] = content
    monkeypatch.setenv("http_proxy", server.url(""))
    assert fetch(replace(toy, urls=(url,)), tmp_path) == content
    assert server.asked[0][0] == url


def test_a_wrong_checksum_is_said_and_the_file_deleted(
    toy: DataFile, tmp_path: Path, server: Server, content: bytes
) -> None:
    server.script = [wrong_bytes]
    message = fails(toy, tmp_path, "wrong_checksum").message
    wrong = hashlib.sha256(content[:-1] + bytes([content[-1] ^ 1])).hexdigest()
    assert wrong in message and toy.sha256s[0] in message and "deleted" in message
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_is_wrong_is_not_blamed_on_the_server(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    (tmp_path / "toy.bin.part").write_bytes(b"x" * 1000)
    heard = Recorder()
    assert fetch(toy, tmp_path, heard) == content
    assert "starting over" in heard.lines[1]


def test_a_part_that_is_whole_needs_no_request(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    (tmp_path / "toy.bin.part").write_bytes(content)
    assert fetch(toy, tmp_path) == content
    assert server.asked == []


def test_a_part_that_is_too_long_is_thrown_away(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    (tmp_path / "toy.bin.part").write_bytes(content + b"more")
    assert fetch(toy, tmp_path) == content
    assert server.ranges() == [None]


def test_a_part_of_unknown_size_that_the_server_cannot_continue(
    tmp_path: Path, server: Server, content: bytes
) -> None:
    file = DataFile("toy.bin", None, (), (server.url("/toy.bin"),))
    server.files["/toy.bin"] = content
    server.etags["/toy.bin"] = '"the same"'
    server.script = [cut]
    with pytest.raises(KeyboardInterrupt):
        download(file, tmp_path, progress=Recorder(interrupt_at=140), pauses=NO_PAUSES)
    server.files["/toy.bin"] = content[:1000]  # it became shorter: 416
    assert fetch(file, tmp_path) == content[:1000]
    assert server.ranges()[-1] is None and server.ranges()[-2] is not None


@pytest.mark.parametrize("claimed", [100, 299_999, 300_001])
def test_another_length_than_the_known_one_is_refused_unread(
    toy: DataFile, tmp_path: Path, server: Server, claimed: int
) -> None:
    server.script = [claims_length(claimed)]
    message = fails(toy, tmp_path, "wrong_size").message
    assert f"{claimed:,} bytes, not 300,000" in message
    assert len(server.asked) == 1


@pytest.mark.parametrize("behaviour", [without_length, chunked])
def test_a_length_need_not_be_told(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server, behaviour: Behaviour
) -> None:
    server.script = [behaviour]
    assert fetch(toy, tmp_path) == content


def test_a_packed_file_stays_packed(tmp_path: Path, server: Server, content: bytes) -> None:
    packed = gzip.compress(content)
    file = DataFile(
        "a.gz", len(packed), (hashlib.sha256(packed).hexdigest(),), (server.url("/a.gz"),)
    )
    server.files["/a.gz"] = packed
    server.script = [as_encoding]
    assert fetch(file, tmp_path) == packed


def test_an_answer_without_end_is_cut_off(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.files["/toy.bin"] = content * 9
    server.script = [without_length]
    fails(toy, tmp_path, "wrong_size")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_size_has_a_ceiling(
    tmp_path: Path, server: Server, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SIZE_LIMIT", 1000)
    file = DataFile("toy.bin", None, (), (server.url("/toy.bin"),))
    server.files["/toy.bin"] = content
    for behaviour in (claims_length(len(content)), without_length):
        server.script = [behaviour]
        assert "at most 1,000 bytes" in fails(file, tmp_path, "wrong_size").message


def test_redirects_are_followed(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.files["/moved.bin"] = content
    server.script = [redirect("/moved.bin"), cut, redirect(server.url("/moved.bin"))]
    assert fetch(toy, tmp_path) == content
    assert [path for path, _ in server.asked] == ["/toy.bin", "/moved.bin"] * 2


@pytest.mark.parametrize(
    "location",
    ["http://example.org/toy.bin", "ftp://example.org/toy.bin", "file:///etc/hostname", "https://"],
)
def test_redirects_to_what_is_not_encrypted_are_refused(
    toy: DataFile, tmp_path: Path, server: Server, location: str
) -> None:
    server.script = [redirect(location)]
    assert "not encrypted" in fails(toy, tmp_path, "insecure").message


def test_a_redirect_to_no_address(toy: DataFile, tmp_path: Path, server: Server) -> None:
    server.script = [redirect("http://[::1/toy.bin")]
    fails(toy, tmp_path, "bad_redirect")


def test_what_comes_with_a_redirect_is_not_read(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.script = [endless_redirect]
    assert fetch(toy, tmp_path) == content


def test_numbers_of_any_length_are_read_as_none(
    toy: DataFile, content: bytes, tmp_path: Path, server: Server
) -> None:
    server.script = [
        answer_status(503, Retry_After="9" * 5000),
        cut,
        answer_status(206, Content_Range=f"bytes {'9' * 5000}-{'9' * 5000}/*"),
    ]
    assert fetch(toy, tmp_path) == content


def test_redirects_come_to_an_end(toy: DataFile, tmp_path: Path, server: Server) -> None:
    server.script = [redirect("/toy.bin")] * 50
    fails(toy, tmp_path, "bad_redirect")
    assert len(server.asked) < 10


def test_two_processes_do_not_write_into_one_part(toy: DataFile, tmp_path: Path) -> None:
    with (tmp_path / "toy.bin.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "Another process" in fails(toy, tmp_path, "in_use").message


@pytest.mark.parametrize(
    "url", ["http://storage.googleapis.com/a", "https:///a", "file:///etc/hostname", "ftp://a/b"]
)
def test_only_https_and_the_hosts_of_the_record_are_asked(url: str) -> None:
    with (
        pytest.raises(DownloadError) as caught,
        http_client.request(url, {}, plain_hosts={"example.org"}),
    ):
        pass
    assert caught.value.code == "insecure"
