"""Every block of Python in README and docs runs as it is written."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest
from fences import Block, blocks, pages

BLOCKS = blocks("python")
ELSEWHERE = "docs/tutorial.md"
"""Its blocks are cells that build on each other; ``test_tutorial`` runs them."""
PAGES = sorted({block.page for block in BLOCKS} - {ELSEWHERE})


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
    assert {block.page for block in BLOCKS} == {*PAGES, ELSEWHERE}


@pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra 'keras' is not installed"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")
@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run(page: str, world: Path, tmp_path: Path) -> None:
    import outside

    with outside.replaced(outside.copied(world, tmp_path / "work")):
        for block in (block for block in BLOCKS if block.page == page):
            run(block)


def run(block: Block) -> None:
    """Run a block by itself: what an earlier one imported or made is not known to it."""
    code = "\n" * (block.line - 1) + block.code
    exec(compile(code, block.page, "exec"), {"__name__": "__main__"})
