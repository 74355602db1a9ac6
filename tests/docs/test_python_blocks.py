"""Blocks of Python in README and docs.

Every block is parsed, and what it names of tellapart must exist. The main pages' blocks also run
as they are written; with ``TELLAPART_DOCS=all`` in the environment, those of every page do.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fences import ALL_RUN, Block, blocks, pages

import tellapart as ta

BLOCKS = blocks("python")
TUTORIAL = "docs/tutorial.md"
"""Its blocks are cells that build on each other; ``test_tutorial`` runs them."""
PAGES = {block.page for block in BLOCKS} - {TUTORIAL}
MAIN = {
    "README.md",
    *(f"docs/{name}.md" for name in ("index", "getting-started", "train", "predict", "python-api")),
}
RUN = sorted(PAGES if ALL_RUN else PAGES & MAIN)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import outside

    folder = tmp_path_factory.mktemp("outside") / "world"
    folder.mkdir()
    outside.build(folder)
    return folder


def test_no_block_of_python_is_overlooked() -> None:
    texts = [path.read_text(encoding="utf-8") for path in pages()]
    fences = [
        fence for text in texts for fence in re.findall(r"^[ >]*(?:```+|~~~+)(.*)$", text, re.M)
    ]
    languages = Counter(fence.strip().strip("{}.").lower() for fence in fences)
    assert languages["python"] == len(BLOCKS) > 30
    # No other spelling under which a block would go unseen, nor one without a language.
    assert {name for name in languages if "py" in name} == {"python"}
    assert not [block for block in blocks("", "text") if re.search(r"^import ", block.code, re.M)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_parses_and_names_what_exists(block: Block) -> None:
    missing = list(unknown(ast.parse(block.code, block.page)))
    assert not missing, f"{block}: {missing}"


@pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra 'keras' is not installed"
)
@pytest.mark.parametrize("page", RUN)
def test_the_blocks_of_a_page_run(page: str, world: Path, tmp_path: Path) -> None:
    import outside

    with outside.replaced(outside.copied(world, tmp_path / "work")):
        for block in (block for block in BLOCKS if block.page == page):
            run(block)


def test_a_name_that_does_not_exist_is_noticed() -> None:
    code = "import tellapart as ta\nfrom tellapart.errors import Nothing\nta.trian('pets/')"
    assert list(unknown(ast.parse(code))) == ["tellapart.errors.Nothing", "ta.trian"]
    assert list(unknown(ast.parse("import tellapart.nowhere"))) == ["tellapart.nowhere"]


def run(block: Block) -> None:
    """Run a block by itself: what an earlier one imported or made is not known to it."""
    code = "\n" * (block.line - 1) + block.code
    exec(compile(code, block.page, "exec"), {"__name__": "__main__"})


def unknown(tree: ast.Module) -> Iterator[str]:
    """What the code imports from tellapart, or takes from ``ta``, and is not there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if not _exists(alias.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if not _exists(name))
        elif (
            isinstance(node, ast.Attribute)
            and ast.unparse(node.value) == "ta"
            and not hasattr(ta, node.attr)
        ):
            yield f"ta.{node.attr}"


def _exists(name: str) -> bool:
    """Whether a dotted name can be imported; other packages' names are taken to be there."""
    if name.split(".")[0] != "tellapart":
        return True
    module, _, attribute = name.rpartition(".")
    if not module:
        return True
    try:
        return hasattr(importlib.import_module(module), attribute) or bool(
            importlib.util.find_spec(name)
        )
    except ModuleNotFoundError:
        return False
