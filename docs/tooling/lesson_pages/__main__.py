"""Write the pages of the lessons, ``docs/projects/*.md``.

    python -m lesson_pages FOLDER [OUT ...]

Each ``OUT`` is the folder of a lesson that has been run; its result and pictures are stored first.
Then every page is written again from the stored results.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lesson_pages import pages, results


def main(arguments: Sequence[str]) -> None:
    """Store results, and write the pages."""
    folder, *outs = map(Path, arguments)
    for out in outs:
        results.store(folder, out)
    pages.write(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
