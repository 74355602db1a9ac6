"""The page as people use it, in real Chromium."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import tellapart as ta
from tellapart.core import text

LOADED = 60_000  # milliseconds


@pytest.fixture
def open_page(chromium: Any, serve: Any) -> Iterator[Callable[..., Any]]:
    """``open_page(folder)`` gives a page that is ready; what it complains of fails the test."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def start(folder: Path, **options: Any) -> Any:
        site = serve(folder)
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.site = site
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        page.goto(site.url)
        page.locator("#answer h2", has_text="Ready").wait_for(timeout=LOADED)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def give(page: Any, *files: Path) -> None:
    """Choose files, and wait until every one has an answer."""
    before = page.locator("#shots li").count()
    page.set_input_files("#file", [str(file) for file in files])
    page.locator("#shots li").nth(before + len(files) - 1).wait_for(
        state="attached", timeout=LOADED
    )
    page.locator("#stage:not([aria-busy])").wait_for(timeout=LOADED)


def transfer(page: Any, file: Path) -> Any:
    """A DataTransfer with one file, as a drop and a paste carry it."""
    return page.evaluate_handle(
        """([data, name]) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [base64.b64encode(file.read_bytes()).decode(), file.name],
    )


def heading(page: Any) -> str:
    return str(page.locator("#answer .best").inner_text())


def shares(page: Any) -> list[tuple[str, float]]:
    """What the bars say: class and percent, from the top."""
    rows = page.locator("#answer .line").all()
    return [
        (
            row.locator(".class").inner_text(),
            float(re.sub(r"[^\d.]", "", row.locator(".share").inner_text())),
        )
        for row in rows
    ]


def test_answers_are_those_of_predict(pets: Any, unseen: list[Path], open_page: Any) -> None:
    page = open_page(pets.folder)
    model = ta.load(pets.run)
    for file in unseen[:8]:
        give(page, file)
        expected = model.predict(file)
        bars = shares(page)
        assert heading(page) == expected.label
        assert [share for _, share in bars] == sorted((s for _, s in bars), reverse=True)
        assert {name for name, _ in bars} == set(model.classes)
        written = page.locator("#answer .sure").inner_text().replace("\u00a0", " ")
        assert written == text.certainty(expected.probability)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_pictures_are_dropped_and_pasted(
    pets: Any, unseen: list[Path], open_page: Any, way: str
) -> None:
    page = open_page(pets.folder)
    file = unseen[0] if way == "drop" else unseen[1]
    page.evaluate(
        """([way, transfer]) => document.body.dispatchEvent(way === "drop"
            ? new DragEvent(way, { dataTransfer: transfer, bubbles: true, cancelable: true })
            : new ClipboardEvent(way, { clipboardData: transfer, bubbles: true }))""",
        [way, transfer(page, file)],
    )
    page.locator("#answer", has_text=file.name).wait_for(timeout=LOADED)
    assert heading(page) == ta.load(pets.run).predict(file).label


def test_nothing_is_asked_for_elsewhere_and_nothing_is_sent(
    pets: Any, unseen: list[Path], chromium: Any, serve: Any
) -> None:
    site = serve(pets.folder)
    context = chromium.new_context()
    asked: list[tuple[str, str]] = []
    context.on("request", lambda request: asked.append((request.method, request.url)))
    page = context.new_page()
    page.goto(site.url)
    page.locator("#answer h2", has_text="Ready").wait_for(timeout=LOADED)
    loaded = len(asked)
    give(page, unseen[0])
    context.close()
    assert loaded > 8
    assert all(method == "GET" and url.startswith((site.url, "blob:")) for method, url in asked), (
        asked
    )
    # The service worker may still be keeping files; none of them is a picture.
    names = {url.removeprefix(site.url) for _, url in asked[loaded:]}
    assert names <= {"", *pets.export.card.get("files", {}), *kept(pets.folder)}


def kept(folder: Path) -> list[str]:
    """What the service worker keeps."""
    source = (folder / "service-worker.js").read_text(encoding="utf-8")
    found = re.search(r"const FILES = \[(.*?)\];", source)
    assert found is not None
    return re.findall(r'"([^"]+)"', found[1])


def test_it_works_without_a_network_after_the_first_visit(
    pets: Any, unseen: list[Path], open_page: Any
) -> None:
    page = open_page(pets.folder)
    page.locator("#offline-short", has_text="Yes").wait_for(timeout=LOADED)
    page.site.stop()
    page.reload()
    page.locator("#answer h2", has_text="Ready").wait_for(timeout=LOADED)
    give(page, unseen[2])
    assert heading(page) == ta.load(pets.run).predict(unseen[2]).label


def test_a_broken_picture_gets_a_message_and_the_next_an_answer(
    pets: Any, unseen: list[Path], open_page: Any, tmp_path: Path
) -> None:
    cut = tmp_path / "cut <i>off.jpg"
    cut.write_bytes(unseen[0].read_bytes()[:2000])
    page = open_page(pets.folder)
    give(page, cut)
    assert "could not be read" in page.inner_text("#answer h2")
    assert "cut off" in page.inner_text("#answer")
    assert cut.name in page.inner_text("#answer .path")
    assert "cut off" in page.inner_text("#status")
    give(page, unseen[0])
    assert heading(page) == ta.load(pets.run).predict(unseen[0]).label


def test_the_heat_map_is_laid_over_the_picture_for_the_class_that_is_chosen(
    pets: Any, unseen: list[Path], open_page: Any
) -> None:
    page = open_page(pets.folder)
    give(page, unseen[0])

    def pixels() -> str:
        return str(page.evaluate("document.getElementById('picture').toDataURL()"))

    plain = pixels()
    page.locator("#heat").press("Space")
    own = pixels()
    assert own != plain
    assert page.locator("#legend").is_visible()
    page.locator("#answer .line").nth(1).press("Enter")
    other = pixels()
    assert other != own
    chosen = page.locator("#answer .line[aria-pressed=true]")
    assert chosen.locator(".class").inner_text() == page.inner_text("#heat-class")
    page.locator("#heat").press("Space")
    assert pixels() == plain


def test_a_picture_as_thin_as_a_line_is_drawn(pets: Any, open_page: Any, tmp_path: Path) -> None:
    """Small pictures are enlarged, but no browser draws on a canvas of any length."""
    thin = tmp_path / "thin.png"
    Image.new("RGB", (3000, 2), "red").save(thin)
    page = open_page(pets.folder)
    give(page, thin)
    page.locator("#heat").press("Space")
    middle = """() => {
        const { width, height } = document.getElementById("picture");
        const pen = document.getElementById("picture").getContext("2d");
        return [Math.max(width, height), ...pen.getImageData(width / 2, height / 2, 1, 1).data];
    }"""
    longest, *_, alpha = page.evaluate(middle)
    assert longest <= 2048
    assert alpha == 255


def test_hostile_names_are_shown_as_text(hostile: Any, open_page: Any, tmp_path: Path) -> None:
    page = open_page(hostile.folder)
    names = [text.clean(name) for name in hostile.run.classes]
    assert page.locator("#answer .classes li").all_inner_texts() == names
    picture = Path(str(hostile.run.settings["data"]["location"])) / hostile.run.classes[0] / "0.png"
    give(page, picture)
    assert sorted(page.locator("#answer .class").all_inner_texts()) == sorted(names)
    assert heading(page) == text.clean(str(ta.load(hostile.run).predict(picture).label))
    assert page.locator("img").count() == 0
    assert page.inner_text("h1") == hostile.run.name
    assert page.title() == f"{hostile.run.name} · tellapart"


def test_the_camera_gives_a_picture(pets: Any, open_page: Any) -> None:
    page = open_page(pets.folder)
    page.click("#open-camera")
    take = page.locator("[data-take]:enabled")
    take.wait_for(timeout=LOADED)
    take.click()
    page.locator("#answer", has_text="camera, ").wait_for(timeout=LOADED)
    assert heading(page) in pets.run.classes
    assert not page.locator("#camera").is_visible()
    assert page.evaluate("document.querySelector('video').srcObject") is None


def test_the_page_fits_a_telephone_and_is_used_by_keyboard(
    pets: Any, unseen: list[Path], open_page: Any
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    page = open_page(pets.folder, viewport={"width": 360, "height": 740})
    give(page, unseen[0], unseen[1])
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # The page moves by itself to where the answer is seen, too.
    playwright.expect(page.locator("#answer .sure")).to_be_in_viewport(timeout=LOADED)
    reached = set()
    page.locator("body").press("Tab")
    for _ in range(12):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        page.keyboard.press("Tab")
    assert {"choose", "open-camera", "heat", "line"} <= reached


def test_the_page_says_how_good_it_is(pets: Any, open_page: Any) -> None:
    page = open_page(pets.folder)
    facts = page.inner_text(".facts").replace("\u00a0", " ")
    held_out = pets.run.metrics["held_out"]
    assert text.percent(held_out["accuracy"]) in facts
    assert text.interval(*held_out["accuracy_ci95"]) in facts
    assert pets.run.model.fingerprint[:10] in facts


def test_opened_as_a_file_it_says_what_to_do(pets: Any, chromium: Any) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto((pets.folder / "index.html").as_uri())
    page.locator("#unserved").wait_for(timeout=LOADED)
    assert "python -m http.server" in page.inner_text("#unserved")
    assert not page.locator("#tool").is_visible()
    context.close()


def test_a_folder_of_two_exports_is_refused(
    pets: Any, hostile: Any, chromium: Any, serve: Any, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(pets.folder, mixed)
    shutil.copy(hostile.folder / "model.onnx", mixed)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(serve(mixed).url)
    page.locator("#answer h2", has_text="could not start").wait_for(timeout=LOADED)
    assert "from two exports" in page.inner_text("#answer")
    context.close()
