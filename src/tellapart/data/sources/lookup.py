"""Files that a table names in other words: without an ending, with other folders before them.

A table often comes from another machine or another program. Its files are found under the root
alone, by the same path in another Unicode form or case, with an ending, or by the end of the path.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from functools import cached_property

from tellapart.data.sources.base import Member
from tellapart.data.sources.folder import FolderStore
from tellapart.data.sources.names import ending, may_be_picture

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_TELLING = 6  # letters of a file name that tell one picture from others
SPELLING = "found under another spelling"
NO_ENDING = "found by their names without an ending"
OTHER_FOLDER = "found in another folder than the table says"


class Lookup:
    """The files below a folder, by what a table may call them.

    Args:
        root: The folder; it is listed when the first file is looked for.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.how: Counter[str] = Counter()

    def find(self, cell: str) -> Member | None:
        """The one file that a cell means, or None; counts in ``how`` how it was found."""
        wanted = _key(cell.replace("\\", "/"))
        for index, how in (
            (self._paths, SPELLING),
            (self._stems, NO_ENDING),
        ):
            if found := index.get(wanted):
                return self._counted(found, how)
        steps = wanted.strip("/").split("/")
        # A table of this machine names whole ends of paths; of another, its first folders go.
        for start in range(len(steps) if is_elsewhere(cell) else 1):
            end = "/".join(steps[start:])
            if start and "/" not in end and len(_stem(end)) < _TELLING:
                return None  # '1.jpg' may be anything
            for index in (self._ends, self._stem_ends):
                found = index.get(end, [])
                if len(found) == 1:
                    return self._counted(found, OTHER_FOLDER)
                if found:
                    return None  # several files: it is not clear which is meant
        return None

    def _counted(self, found: list[Member], how: str) -> Member | None:
        if len(found) != 1:
            return None
        self.how[how] += 1
        return found[0]

    @cached_property
    def _members(self) -> list[Member]:
        listing = FolderStore(self._root).listing()
        return [member for member in listing.members if may_be_picture(member.name)]

    @cached_property
    def _paths(self) -> dict[str, list[Member]]:
        return self._by(lambda key: [key])

    @cached_property
    def _stems(self) -> dict[str, list[Member]]:
        return self._by(lambda key: [_stem(key)])

    @cached_property
    def _ends(self) -> dict[str, list[Member]]:
        return self._by(_ends)

    @cached_property
    def _stem_ends(self) -> dict[str, list[Member]]:
        return self._by(lambda key: _ends(_stem(key)))

    def _by(self, keys_of) -> dict[str, list[Member]]:  # type: ignore[no-untyped-def]
        index: dict[str, list[Member]] = defaultdict(list)
        for member in self._members:
            for key in keys_of(_key(member.name)):
                index[key].append(member)
        return index


def is_elsewhere(cell: str) -> bool:
    """Whether a path is absolute, on this or another system."""
    return cell.startswith("/") or _DRIVE.match(cell) is not None


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().removeprefix("./")


def _stem(key: str) -> str:
    last = ending(key)
    return key[: -len(last) - 1] if last else key


def _ends(key: str) -> list[str]:
    """``a/b/c`` as ``b/c`` and ``c``: what the path may end with."""
    steps = key.split("/")
    return ["/".join(steps[start:]) for start in range(len(steps))]
