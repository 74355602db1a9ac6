"""The page that draws the code's layout, compared with the code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import tellapart
from tellapart.data import sources

ROOT = Path(__file__).parents[1]
SOURCE = Path(tellapart.__file__).parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DRAWING = PAGE.partition("## The drawing")[2].partition("\n## ")[0]


def test_the_page_draws_the_rooms_in_the_order_that_is_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert re.findall(r"^\| `(\w+)` \|", DRAWING, re.M) == layers


def test_every_package_is_drawn() -> None:
    names = {path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py"}
    rooms = {name for name in names if not name.startswith(("__", "."))} - {"py"}
    assert rooms == set(re.findall(r"^\| `(\w+)` \|", DRAWING, re.M))


@pytest.mark.parametrize(
    "package",
    sorted(SOURCE.glob("*/**/__init__.py")),
    ids=lambda path: str(path.parent.relative_to(SOURCE)),
)
def test_a_package_exports_at_most_ten_names(package: Path) -> None:
    assigned = [
        node.value
        for node in ast.parse(package.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert sum(len(ast.literal_eval(names)) for names in assigned) <= 10


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+\.py)`", PAGE))))
def test_every_file_that_the_page_names_exists(name: str) -> None:
    assert (SOURCE / name).is_file()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "Makefile"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    names = re.findall(r"\btests/[\w/.]*\w", (ROOT / page).read_text(encoding="utf-8"))
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_modules_of_data_sources_are_listed() -> None:
    listed = re.findall(r"^    ([\w, ]+?)  ", sources.__doc__ or "", re.M)
    names = {path.stem for path in Path(sources.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(", ".join(listed).split(", ")) == names


@pytest.mark.parametrize("hop", re.findall(r"`([\w/]+\.py)`, `([\w.]+)` \|", PAGE), ids="-".join)
def test_every_function_that_the_page_names_is_in_its_file(hop: tuple[str, str]) -> None:
    tree = ast.parse((SOURCE / hop[0]).read_text(encoding="utf-8"))
    defined = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    assert hop[1].rpartition(".")[2] in defined


def test_no_way_through_the_house_is_longer_than_eight_hops() -> None:
    for title in ("From a picture to the report", "From a run folder to an HTTP answer"):
        section = PAGE.partition(f"## {title}")[2].partition("\n## ")[0]
        hops = [int(number) for number in re.findall(r"^\| (\d+) \|", section, re.M)]
        assert hops == list(range(1, len(hops) + 1)) and 0 < len(hops) <= 8
