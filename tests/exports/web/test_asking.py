"""The check in a browser: what it hands out, what it takes, and what it does where it fails."""

from __future__ import annotations

import http.client
import json
import stat
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from killing import kill_while_read

from tellapart.core.errors import ModelError, SettingsError
from tellapart.exports import export_run
from tellapart.exports.web import asking
from tellapart.exports.web.browser import VARIABLE, Browser, find_browser, opened
from tellapart.runs import Run

ACTS = """
def get(path):
    with urllib.request.urlopen(base + path, timeout=20) as answer:
        return answer.read()

def post(path, data):
    with urllib.request.urlopen(base + path, data=data, timeout=20) as answer:
        return answer.status

def tell(**what):
    return post("answer", json.dumps(what).encode())
"""


@pytest.fixture
def posing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``posing(code)``: a program that stands in for a browser and answers by itself."""

    def make(code: str) -> None:
        program = tmp_path / "chromium-of-a-test"
        start = f"#!{sys.executable}\nimport json, sys, time, urllib.request\n"
        base = "base = sys.argv[-1].removesuffix('check.html')\n"
        program.write_text(start + base + ACTS + textwrap.dedent(code), encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(VARIABLE, str(program))

    return make


ANSWERING = """
    tell(started="Mozilla/5.0 Chrome/1.0", exact=True)
    for place in range(json.loads(get("pictures.json"))["pictures"]):
        get(f"picture/{{place}}")
        post(f"square/{{place}}", bytes(224 * 224 * 3))
        tell(place=place, {answer})
    time.sleep(60)
"""


def test_a_page_that_answers_otherwise_is_not_put_in_place(
    pets_run: Run, posing: Callable[[str], None], tmp_path: Path
) -> None:
    posing(ANSWERING.format(answer="probabilities=[0.5, 0.5]"))
    with pytest.raises(ModelError, match="another class") as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "parity"
    assert not (tmp_path / "out").exists()


def test_pictures_without_an_answer_are_not_the_same_answer(
    pets_run: Run, posing: Callable[[str], None], tmp_path: Path
) -> None:
    posing(ANSWERING.format(answer="code='unsupported', message='no'"))
    with pytest.raises(ModelError) as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "parity"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit(3)", "ended by itself"),
        ("tell(failed='Error: no WebAssembly')\ntime.sleep(60)", "no WebAssembly"),
        ("post('answer', b'[' * 5000)", "something else"),
        ("tell(started='x', exact=True)\ntell(place=0, probabilities=[1])", "something else"),
        ("tell(started='x', exact=True)\ntell(place=99, probabilities=[1, 0])", "something else"),
        ("tell(place=0, probabilities=[1, 0])", "something else"),
    ],
)
def test_a_page_that_fails_is_an_error(
    pets_run: Run, posing: Callable[[str], None], tmp_path: Path, code: str, message: str
) -> None:
    posing(code)
    with pytest.raises(ModelError, match=message) as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "browser_failed"
    assert not (tmp_path / "out").exists()


def test_a_page_that_says_nothing_is_given_up(
    pets_run: Run,
    posing: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posing("time.sleep(300)")
    monkeypatch.setattr(asking, "START_LIMIT", 1.0)
    with pytest.raises(ModelError, match="said nothing"):
        export_run(pets_run, to="web", out=tmp_path / "out")


def test_without_a_browser_there_is_no_export(
    pets_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "no-such-browser-here")
    with pytest.raises(SettingsError, match="no-such-browser-here") as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "no_browser"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tellapart.exports.web.browser._APPLICATIONS", {})
    with pytest.raises(SettingsError, match="none was found"):
        find_browser()


def test_a_browser_is_gone_after_its_block(tmp_path: Path, posing: Callable[[str], None]) -> None:
    posing("time.sleep(300)")
    with opened(find_browser(), "http://127.0.0.1:1/", tmp_path / "profile") as running:
        assert running.ended() is None
    assert running.ended() is not None


def test_a_browser_ends_with_a_process_that_is_killed(
    tmp_path: Path, posing: Callable[[str], None]
) -> None:
    pipe = tmp_path / "pipe"
    # As a browser does it: a helper of its own, which it leaves behind where it is ended alone.
    posing(f"import subprocess\nsubprocess.run(['cat', {str(pipe)!r}])")
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tellapart.exports.web.browser import find_browser, opened\n"
        "with opened(find_browser(), 'http://127.0.0.1:1/', Path(sys.argv[1])):\n"
        "    time.sleep(300)\n"
    )
    kill_while_read(pipe, script, tmp_path / "profile")


def test_a_browser_that_cannot_be_started_says_why(
    pets_run: Run, posing: Callable[[str], None], tmp_path: Path
) -> None:
    posing("")
    (tmp_path / "chromium-of-a-test").write_text("#!/no/such/interpreter\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"\(126\): it cannot be started: No such file") as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "browser_failed"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Any, str, int]]:
    """A desk that serves a folder of one file, and its address."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "index.html").write_text("page", encoding="utf-8")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "secret")
    made = asking._Desk(folder, 2, lambda place: b"picture %d" % place, classes=2, square=12)
    with asking._served(made) as url:
        host, port = url.split("/")[2].split(":")
        yield made, host, int(port)


def request(
    place: tuple[Any, str, int], method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(place[1], place[2], timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_files_and_pictures_are_handed_out_by_list_and_number(desk: tuple[Any, str, int]) -> None:
    token = desk[0].token
    assert request(desk, "GET", "/index.html") == (200, b"page")
    assert request(desk, "GET", f"/{token}/picture/1") == (200, b"picture 1")
    assert request(desk, "GET", f"/{token}/check.html")[0] == 200
    for path in (
        "/../secret",
        "/%2e%2e/secret",
        "//etc/passwd",
        "/link",
        f"/{token}/../../secret",
        f"/{token}/asking.py",
        f"/{token}/picture/2",
        f"/{token}/picture/-1",
        f"/{token}/picture/%C2%B2",
        "/wrong-token/picture/0",
        "/picture/0",
    ):
        assert request(desk, "GET", path)[0] == 404, path


def test_only_this_computer_by_its_own_name_may_ask(desk: tuple[Any, str, int]) -> None:
    token = desk[0].token
    assert request(desk, "GET", "/index.html", Host="evil.example")[0] == 404
    assert request(desk, "GET", "/index.html", Host=f"evil.example:{desk[2]}")[0] == 404
    body = json.dumps({"started": "x", "exact": True}).encode()
    assert request(desk, "POST", f"/{token}/answer", body, Host="evil.example")[0] == 400
    assert desk[0].came.empty()


def test_bodies_are_bounded_and_only_what_has_a_meaning_is_taken(
    desk: tuple[Any, str, int],
) -> None:
    token = desk[0].token
    assert request(desk, "POST", f"/{token}/answer", b"x" * 100_000)[0] == 400
    assert request(desk, "POST", f"/{token}/square/0", b"x" * 11)[0] == 400
    assert request(desk, "POST", f"/{token}/square/9", b"x" * 12)[0] == 400
    assert request(desk, "POST", "/wrong/answer", b"{}")[0] == 400
    assert request(desk, "POST", f"/{token}/square/0", b"x" * 12)[0] == 200
    assert desk[0].came.empty()
    answer = json.dumps({"place": 0, "probabilities": [0.25, 0.75]}).encode()
    assert request(desk, "POST", f"/{token}/answer", answer)[0] == 200
    assert desk[0].came.get(timeout=5) == asking.Said(0, (0.25, 0.75), b"x" * 12)


def test_an_error_of_reading_ends_the_asking(tmp_path: Path) -> None:
    def gone(place: int) -> bytes:
        raise ModelError("the picture is gone")

    made = asking._Desk(tmp_path, 1, gone, classes=2, square=12)
    with asking._served(made) as url:
        host, port = url.split("/")[2].split(":")
        assert request((made, host, int(port)), "GET", f"/{made.token}/picture/0")[0] == 404
    with pytest.raises(ModelError, match="gone"):
        made.next(5)


def test_nothing_is_left_running(tmp_path: Path) -> None:
    before = threading.active_count()
    made = asking._Desk(tmp_path, 1, lambda place: b"", classes=2, square=12)
    with asking._served(made):
        pass
    assert threading.active_count() <= before


def test_the_desktops_own_browser_is_opened_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "default")
    asked_for: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: asked_for.append(url) or True)
    assert find_browser() == Browser("default")
    with opened(find_browser(), "http://127.0.0.1:1/x", tmp_path) as running:
        assert running.ended() is None
    assert asked_for == ["http://127.0.0.1:1/x"]
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    with pytest.raises(SettingsError), opened(find_browser(), "http://127.0.0.1:1/", tmp_path):
        pass
