"""All lessons, in the order in which each builds on those before."""

from __future__ import annotations

from tellapart.core.errors import SettingsError
from tellapart.lessons import class_folders, devices, house_prices, mnist, more_data
from tellapart.lessons.lesson import Lesson

LESSONS: tuple[Lesson, ...] = (
    house_prices.LESSON,
    mnist.FASHION_DNN,
    mnist.DIGITS_DNN,
    mnist.FASHION_CNN,
    mnist.DIGITS_CNN,
    devices.LESSON,
    class_folders.HORSES_HUMANS,
    class_folders.CATS_DOGS_3K,
    class_folders.CATS_DOGS_25K,
    more_data.LESSON,
    class_folders.HAPPY_SAD,
)


def named(name: str) -> Lesson:
    """The lesson of a name.

    Raises:
        SettingsError: With code ``unknown_project``, and the near spelling.
    """
    import difflib

    known = {lesson.name: lesson for lesson in LESSONS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise SettingsError(
        f"No lesson is called {name!r}.",
        remedy=f"{hint}'tellapart project list' shows all of them.",
        code="unknown_project",
    )
