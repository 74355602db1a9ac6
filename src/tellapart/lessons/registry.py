"""All lessons, in the order in which each builds on those before.

A lesson's texts, trainings and targets are a file in ``definitions``, whose texts may be wrapped
anywhere. What it does besides its trainings is a function.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

from tellapart.core.errors import SettingsError
from tellapart.lessons import devices, house_prices, more_data
from tellapart.lessons.context import Context
from tellapart.lessons.lesson import Bound, Lesson, Target, Training

Work = Callable[[Context], None]


def _read(name: str, work: Work | None = None) -> Lesson:
    file = resources.files("tellapart.lessons").joinpath("definitions", f"{name}.toml")
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    trainings = (_joined(one) for one in content.pop("trainings", ()))
    targets = content.pop("targets")
    errors = (_joined(one) for one in content.pop("errors"))
    return Lesson(
        name=name,
        data=tuple(content.pop("data")),
        next=tuple(content.pop("next")),
        code=content.pop("code", ""),
        keras=content.pop("keras", ""),
        trainings=tuple(Training(**{**one, "settings": _settings(one)}) for one in trainings),
        targets=tuple(Target(**{**one, "to_reach": Bound(**one["to_reach"])}) for one in targets),
        errors=tuple((one["symptom"], one["remedy"]) for one in errors),
        work=work,
        **_joined(content),
    )


def _joined(texts: dict[str, Any]) -> dict[str, Any]:
    """Texts on one line each; other values as they are."""
    return {
        key: " ".join(value.split()) if isinstance(value, str) else value
        for key, value in texts.items()
    }


def _settings(training: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in training["settings"].items()
    }


LESSONS: tuple[Lesson, ...] = (
    _read("house-prices", house_prices.work),
    _read("fashion-dnn"),
    _read("digits-dnn"),
    _read("fashion-cnn"),
    _read("digits-cnn"),
    devices.LESSON,
    _read("horses-humans"),
    _read("cats-dogs-3k"),
    _read("cats-dogs-25k"),
    _read("more-data", more_data.work),
    _read("happy-sad"),
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
