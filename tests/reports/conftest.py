"""The made-up views of ``samples.py``, and a reader of finished pages."""

from __future__ import annotations

import importlib.util
import itertools
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

VOID = {"meta", "link", "img", "br", "input", "hr"}

ALLOWED = {
    "a", "bdi", "body", "caption", "circle", "code", "dd", "details", "div", "dl", "dt",
    "figcaption", "figure", "footer", "h1", "h2", "h3", "head", "header", "html", "i", "img",
    "li", "line", "link", "main", "meta", "nav", "ol", "p", "path", "pre", "rect", "section",
    "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "text", "th", "thead",
    "title", "tr", "ul",
}  # fmt: skip


def _module(file: str) -> ModuleType:
    name = f"report_{file}"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{file}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    return _module("samples")


@pytest.fixture(scope="session")
def network_samples() -> ModuleType:
    return _module("network_samples")


@dataclass
class Tag:
    name: str
    attributes: dict[str, str]


@dataclass
class Page(HTMLParser):
    """What a browser would find in a page: its elements, their nesting and its text."""

    source: str
    tags: list[Tag] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.feed(self.source)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"attribute twice: {tag} {names}"
        self.tags.append(Tag(tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def named(self, *names: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name in names]

    def assert_inert(self) -> None:
        """No script, no handler, nothing fetched, nothing but known elements."""
        for tag in self.tags:
            assert tag.name in ALLOWED, tag
            for name, value in tag.attributes.items():
                assert not name.startswith("on"), tag
                if name in ("src", "href"):
                    inside = re.fullmatch(r"#[\w-]+", value) is not None
                    assert inside or value.startswith("data:image/"), tag
            style = tag.attributes.get("style", "")
            assert re.fullmatch(r"(?:(?:width|--s):[\d.]+%?)?", style), tag
        css = self.source.split("<style>")[1].split("</style>")[0]
        assert "url(" not in css and "@import" not in css
        # SVG inside HTML needs no namespace: the favicon is the one place that names it.
        assert set(re.findall(r"https?://[\w./]+", self.source)) <= {"http://www.w3.org/2000/svg"}

    def assert_accessible(self) -> None:
        """One h1, no level skipped, words for every picture, a caption for every table."""
        levels = [int(tag.name[1]) for tag in self.named("h1", "h2", "h3")]
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert all(tag.attributes.get("alt") for tag in self.named("img"))
        for tag in self.named("svg"):
            assert tag.attributes.get("aria-label") or tag.attributes.get("aria-hidden") == "true"
        assert len(self.named("table")) == len(self.named("caption"))
        assert all(tag.attributes.get("scope") in ("col", "row") for tag in self.named("th"))
        links = {tag.attributes["href"][1:] for tag in self.named("a")}
        ids = [tag.attributes["id"] for tag in self.tags if "id" in tag.attributes]
        assert links <= set(ids) and len(ids) == len(set(ids))


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Page]:
    return Page
