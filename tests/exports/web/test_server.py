"""The check in a browser: what it serves, what it takes, and what it does when something fails."""

from __future__ import annotations

import http.client
import stat
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from killing import kill_while_read

from tellapart.core.errors import ModelError, SettingsError
from tellapart.exports import export_run
from tellapart.exports.web import server
from tellapart.exports.web.browser import VARIABLE, Browser, find_browser, opened
from tellapart.runs import Run

ACTS = """
def send(body):
    with urllib.request.urlopen(base + "next", body, 60) as answer:
        return answer.read()

def tell(pixels=b"", **what):
    return send(b"%s\\n%s" % (json.dumps(what).encode(), pixels))
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
    while tell({answer}):
        pass
    time.sleep(60)
"""


def test_a_page_that_answers_otherwise_is_not_put_in_place(
    pets_run: Run, posing: Callable[[str], None], tmp_path: Path
) -> None:
    posing(ANSWERING.format(answer="bytes(224 * 224 * 3), probabilities=[0.5, 0.5]"))
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
        ("tell(failed='Error: no WebAssembly')", "no WebAssembly"),
        ("send(b'[' * 5000)", "something else"),
        ("tell()", "something else"),
        ("tell(probabilities=[1, 0])", "something else"),
        ("tell(started='x', exact=True)\ntell(probabilities=[1])", "something else"),
        ("tell(started='x', exact=True)\ntell(probabilities=[1, 0])", "something else"),
        ("tell(started='x', exact=True)\ntell(probabilities=[[1], 'x'])", "something else"),
        (
            "tell(started='x', exact=True)\ntell(bytes(9), probabilities=[1, 0])",
            "something else",
        ),
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
    monkeypatch.setattr(server, "START_LIMIT", 1.0)
    with pytest.raises(ModelError, match="1 second") as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "browser_failed"


def test_without_a_browser_there_is_no_export(
    pets_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "no-such-browser-here")
    with pytest.raises(SettingsError, match="no-such-browser-here") as caught:
        export_run(pets_run, to="web", out=tmp_path / "out")
    assert caught.value.code == "no_browser"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tellapart.exports.web.browser._APPLICATIONS", ())
    with pytest.raises(SettingsError, match="none was found"):
        find_browser()


def test_a_browser_is_gone_after_its_block(tmp_path: Path, posing: Callable[[str], None]) -> None:
    posing("time.sleep(300)")
    with opened(find_browser(), "http://127.0.0.1:1/", tmp_path / "profile") as ended:
        assert ended() is None
    assert ended() is not None


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
def served(tmp_path: Path) -> Iterator[server.Page]:
    """A server of a folder with one file; next to the folder lies a secret."""
    folder = tmp_path / "export"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("page", encoding="utf-8")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "links").symlink_to(tmp_path)
    with server.Page(folder, classes=2, size=4) as running:
        yield running


def request(
    running: server.Page, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", running.server_port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_only_files_of_the_export_and_of_the_check_are_served(served: server.Page) -> None:
    assert request(served, "GET", "/index.html") == (200, b"page")
    for name in ("check.html", "check.js"):
        assert request(served, "GET", f"/{served.token}/{name}")[0] == 200
    for path in (
        "/../secret",
        "/%2e%2e/secret",
        "//etc/passwd",
        "/link",
        "/links/secret",
        "/js/",
        "/",
        f"/{served.token}/",
        f"/{served.token}/../../secret",
        f"/{served.token}/../server.py",
        f"/{served.token}/%2e%2e/server.py",
        f"/{served.token}/next",
        "/wrong-token/check.html",
        "/check.html",
    ):
        assert request(served, "GET", path)[0] == 404, path
        assert request(served, "HEAD", path)[0] == 404, path


def test_only_this_computer_by_its_own_name_may_ask(served: server.Page) -> None:
    for host in ("evil.example", f"evil.example:{served.server_port}", "127.0.0.1"):
        assert request(served, "GET", "/index.html", Host=host)[0] == 404
        assert request(served, "POST", f"/{served.token}/next", b"{}", Host=host)[0] == 400
    assert served.messages.empty()


def test_messages_are_bounded_and_answered_with_the_next_picture(served: server.Page) -> None:
    place = f"/{served.token}/next"
    assert request(served, "POST", place, b"x" * (served.most + 1))[0] == 400
    for length in ("-1", "many", "9" * 30):
        assert request(served, "POST", place, **{"Content-Length": length})[0] == 400
    assert request(served, "POST", "/wrong/next", b"{}")[0] == 400
    assert served.messages.empty()
    served.pictures.put(b"picture")
    assert request(served, "POST", place, b"{}\npixels") == (200, b"picture")
    assert served.messages.get(timeout=5) == b"{}\npixels"
    served.pictures.put(None)
    assert request(served, "POST", place, b"{}") == (204, b"")


def test_nothing_is_left_running(tmp_path: Path) -> None:
    before = threading.active_count()
    with server.Page(tmp_path, classes=2, size=4):
        pass
    assert threading.active_count() <= before


def test_the_desktops_own_browser_is_opened_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "default")
    asked_for: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: asked_for.append(url) or True)
    assert find_browser() == Browser("default")
    with opened(find_browser(), "http://127.0.0.1:1/x", tmp_path) as ended:
        assert ended() is None
    assert asked_for == ["http://127.0.0.1:1/x"]
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    with pytest.raises(SettingsError), opened(find_browser(), "http://127.0.0.1:1/", tmp_path):
        pass
