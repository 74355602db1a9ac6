"""The files of a listing as a tree of folders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tellapart.core.natural_order import natural
from tellapart.data.sources.base import Member
from tellapart.data.sources.names import may_be_picture


class Tree:
    """The content of one folder.

    Attributes:
        path: The folder's path with a slash at its end; empty for the top.
        pictures: Files directly inside that may be pictures.
        others: All other files directly inside, and those of folders without pictures.
        inner: The files of each folder inside, if any of them may be a picture; in natural order.
    """

    def __init__(self, path: str, members: Sequence[Member]) -> None:
        self.path = path
        self.pictures: list[Member] = []
        self.others: list[Member] = []
        inner: dict[str, list[Member]] = defaultdict(list)
        for member in members:
            step, slash, _ = member.name[len(path) :].partition("/")
            if slash:
                inner[step].append(member)
            elif may_be_picture(member.name):
                self.pictures.append(member)
            else:
                self.others.append(member)
        self.inner: dict[str, list[Member]] = {}
        for name in sorted(inner, key=natural):
            files = inner[name]
            if any(may_be_picture(member.name) for member in files):
                self.inner[name] = files
            else:
                self.others.extend(files)

    def enter(self, name: str) -> Tree:
        """The folder of that name inside."""
        return Tree(f"{self.path}{name}/", self.inner[name])

    @property
    def name(self) -> str:
        """The folder's own name; empty for the top."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def depth(self) -> int:
        """Number of folders down to this one, including it; 0 for the top."""
        return self.path.count("/")

    @property
    def only_folder(self) -> str | None:
        """The name of the folder inside, if there is exactly one and no picture beside it."""
        return next(iter(self.inner)) if len(self.inner) == 1 and not self.pictures else None

    @property
    def all_pictures(self) -> list[Member]:
        """All files in it that may be pictures, however deep."""
        inside = (member for files in self.inner.values() for member in files)
        return [*self.pictures, *(member for member in inside if may_be_picture(member.name))]


def pass_over(members: Sequence[Member], reason: str, passed_over: Counter[str]) -> None:
    """Count files that are left out."""
    if members:
        passed_over[reason] += len(members)
