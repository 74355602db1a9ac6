"""All projects, in the order in which each builds on those before."""

from __future__ import annotations

from tellapart.core.errors import SettingsError
from tellapart.lessons import devices, digits, growth, photos, prices
from tellapart.lessons.base import Project

PROJECTS: tuple[Project, ...] = (
    prices.PROJECT,
    digits.FASHION_DNN,
    digits.DIGITS_DNN,
    digits.FASHION_CNN,
    digits.DIGITS_CNN,
    devices.PROJECT,
    photos.HORSES_HUMANS,
    photos.CATS_DOGS_3K,
    photos.CATS_DOGS_25K,
    growth.PROJECT,
    photos.HAPPY_SAD,
)


def named(name: str) -> Project:
    """The project of a name.

    Raises:
        SettingsError: With code ``unknown_project``, and the near spelling.
    """
    import difflib

    known = {project.name: project for project in PROJECTS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise SettingsError(
        f"No project is called {name!r}.",
        remedy=f"{hint}'tellapart project list' shows all of them.",
        code="unknown_project",
    )
