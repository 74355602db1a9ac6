"""The page for people: what it holds, and what a browser makes of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from serving import BLUE, RED, Server

from tellapart.serve.engine.loaded import LoadedRun

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
Make = Callable[..., Any]


class Elements(HTMLParser):
    """All elements of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\u00a0", " ")


def test_the_page_holds_the_models_card_and_nothing_from_elsewhere(make_client: Make) -> None:
    client, context = make_client()
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    page = Elements(answer.text)
    card = context.engine.served.card
    for told in ("blue", "red", "95 % interval", card["version"], card["data"]["fingerprint"][:12]):
        assert told in page.text
    for tag, attributes in page.found:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert "//" not in (attributes.get(name) or "")
        if tag == "script":
            assert attributes.get("src") == "static/page.js"
    links = [attributes.get("href") for tag, attributes in page.found if tag == "a"]
    assert "report" in links
    assert client.get("/static/house.css").content == (
        files("tellapart.reports").joinpath("templates", "report.css").read_bytes()
    )
    for path in ("static/page.css", "static/page.js", "static/camera.js", "static/icon.svg"):
        assert client.get(f"/{path}").status_code == 200


def test_names_are_shown_as_text(make_client: Make, served: LoadedRun) -> None:
    class Named:
        size, fit, fingerprint = 64, "squash", "0" * 64
        classes = ("<script>alert(1)</script>", 'a"b\u202e')

        def layers(self) -> tuple[()]:
            return ()

    model: Any = Named()
    client, _ = make_client(replace(served, name="<img src=x>", model=model, wide=model))
    answer = client.get("/")
    page = Elements(answer.text)
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in answer.text
    assert next(attributes for tag, attributes in page.found if tag == "img") == {
        "class": "picture",
        "alt": "",
    }


def test_the_report_is_the_runs_and_may_run_no_script(make_client: Make, run_folder: Path) -> None:
    client, _ = make_client()
    answer = client.get("/report")
    assert answer.content == (run_folder / "report.html").read_bytes()
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_run_without_a_report_is_served_without(make_client: Make, served: LoadedRun) -> None:
    client, _ = make_client(replace(served, report=None))
    assert client.get("/report").status_code == 404
    assert "Read the report" not in client.get("/").text


def test_a_model_without_quick_heat_maps_says_so_on_its_card(
    make_client: Make, served: LoadedRun
) -> None:
    assert "--method occlusion" not in make_client()[0].get("/").text
    text = make_client(replace(served, heat=None))[0].get("/").text
    assert "--method occlusion" in text
    assert "&#34;heat&#34;: false" in text


# ------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    arguments = [
        *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    ]
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """The page, opened; whatever it complains of fails the test."""
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    # Playwright begins to catch choosers when the first listens, and a moment later than it says.
    opened.on("filechooser", lambda chooser: None)
    opened.goto(server.url)
    yield opened
    context.close()
    assert faults == []


def expect(what: Any) -> Any:
    from playwright.sync_api import expect as of_playwright

    return of_playwright(what)


def chosen(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def test_chosen_pictures_get_bars_and_a_heat_map(page: Any) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose pictures").click()
    choosing.value.set_files([chosen("a.jpg", RED), chosen("b.jpg", BLUE), chosen("c.jpg", b"no")])
    answers = page.locator(".answer")
    expect(answers).to_have_count(3)
    expect(answers.filter(has_text="a.jpg").locator(".label")).to_contain_text("red")
    expect(answers.filter(has_text="b.jpg").locator(".label")).to_contain_text("blue")
    expect(answers.filter(has_text="c.jpg").locator(".label")).to_contain_text("not a picture")
    first = answers.filter(has_text="a.jpg")
    expect(first.locator(".answer-bar")).to_have_count(2)
    why = first.get_by_role("button", name=re.compile("Show why|Hide"))
    why.click()
    expect(first.locator(".heat")).to_be_visible()
    expect(why).to_have_attribute("aria-expanded", "true")
    expect(why).to_have_text("Hide")
    expect(page.get_by_role("status")).to_contain_text("evidence for red")
    assert first.locator(".heat").evaluate("image => image.naturalWidth") > 0
    page.get_by_role("button", name="Clear").click()
    expect(answers).to_have_count(0)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_pictures_can_be_dropped_and_pasted(page: Any, way: str) -> None:
    page.evaluate(
        """([way, bytes]) => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], "d.jpg", { type: "image/jpeg" }));
            const event = way === "drop"
                ? new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: files, bubbles: true });
            document.body.dispatchEvent(event);
        }""",
        [way, list(BLUE)],
    )
    expect(page.locator(".answer .label")).to_contain_text("blue")
    expect(page.get_by_role("status")).to_contain_text("blue")


def test_a_picture_can_be_taken_with_the_camera(page: Any) -> None:
    page.get_by_role("button", name="Use the camera").click()
    take = page.get_by_role("button", name="Take the picture")
    expect(take).to_be_enabled()
    expect(take).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".answer .answer-bar")).to_have_count(2)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Use the camera").click()
    expect(take).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".answer")).to_have_count(1)


def test_a_camera_that_may_not_be_used_is_said(page: Any) -> None:
    page.evaluate(
        """() => {
            navigator.mediaDevices.getUserMedia =
                () => Promise.reject(new DOMException("no", "NotAllowedError"));
        }"""
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("alert")).to_contain_text("told not to use the camera")
    expect(page.get_by_role("button", name="Take the picture")).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_server_that_is_gone_is_said_in_words(
    browser: Any, own_server: Callable[..., Server]
) -> None:
    server = own_server()
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    page.set_input_files("#files", [chosen("a.jpg", RED)])
    first = page.locator(".answer").filter(has_text="a.jpg")
    expect(first.locator(".answer-bar")).to_have_count(2)
    assert server.stop() == 0
    page.set_input_files("#files", [chosen("b.jpg", BLUE)])
    told = "The server cannot be reached."
    expect(page.locator(".answer").filter(has_text="b.jpg").locator(".label")).to_have_text(told)
    first.get_by_role("button", name="Show why").click()
    expect(first.locator(".heat-key")).to_have_text(told)
    context.close()


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(page: Any) -> None:
    def focused() -> str:
        text = page.evaluate("document.activeElement.textContent")
        return str(text).strip()

    page.keyboard.press("Tab")
    assert focused() == "Skip to the content"
    page.keyboard.press("Tab")
    assert focused() == "Choose pictures"
    with page.expect_file_chooser() as choosing:
        page.keyboard.press("Enter")
    choosing.value.set_files([chosen("a.jpg", RED)])
    why = page.get_by_role("button", name=re.compile("Show why|Hide"))
    expect(why).to_be_visible()
    assert focused() == "Results"
    page.keyboard.press("Tab")
    assert focused() == "Clear"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".heat")).to_be_visible()
    expect(why).to_be_focused()
    page.keyboard.press("Tab")
    assert focused() == "Read the report"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Report of a training run")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_fits_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.set_input_files("#files", [chosen("a-very-long-name-" * 8 + ".jpg", RED)])
    expect(page.locator(".answer .answer-bar")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
