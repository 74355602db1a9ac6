"""A lesson as a notebook: text, code, and what to try next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tellapart.core.errors import RunError
from tellapart.lessons.lesson import Lesson, Training


def write(lesson: Lesson, file: str | Path, *, data: str = "") -> Path:
    """Write a lesson as a notebook (nbformat 4.5), without outputs.

    Args:
        lesson: The lesson.
        file: A new file whose name ends in ``.ipynb``.
        data: Path of the pictures, if known.

    Raises:
        RunError: If the file exists, cannot be written, or has another ending.
    """
    target = Path(file)
    if target.suffix != ".ipynb":
        raise RunError(f"'{target}' does not end in .ipynb.", remedy="Choose another name.")
    text = json.dumps(_notebook(lesson, data), indent=1, ensure_ascii=False) + "\n"
    try:
        with target.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise RunError(
            f"'{target}' exists.", remedy="Choose another name, or move it away."
        ) from None
    except OSError as error:
        raise RunError(f"'{target}' cannot be written: {error}.") from None
    return target


def code(lesson: Lesson, data: str = "") -> str:
    """The lesson in some ten lines of Python, with tellapart."""
    if lesson.code:
        return lesson.code
    lines = ["import tellapart as ta"]
    if data:
        lines += ["", f"data = {data!r}"]
    else:
        lines += ["from tellapart.datasets import find", ""]
        lines += [f"data = find({lesson.data[0]!r}).path"]
    for training in lesson.trainings:
        lines += [f"# {training.says}", _call(training)]
    names = ", ".join(_name(training) for training in lesson.trainings)
    lines += [f"for run in [{names}]:", '    print(run.metrics["held_out"]["accuracy"])']
    return "\n".join(lines) + "\n"


def _notebook(lesson: Lesson, data: str) -> dict[str, Any]:
    needed = "You need `pip install 'tellapart[keras]'`"
    if lesson.data:
        get = f"`tellapart data get {lesson.data[0]}`"
        needed += f", and the pictures: {get} downloads them or says where to get them"
    cells = [
        _words(f"# {lesson.title}\n\n{lesson.idea}\n\n**The task.** {lesson.task}"),
        _words(f"{needed}."),
        _code(code(lesson, data)),
    ]
    if lesson.targets:
        cells.append(_words(_table(lesson)))
    if lesson.keras:
        cells.append(_words(f"In plain Keras:\n\n```python\n{lesson.keras}```"))
    if lesson.errors:
        told = "\n\n".join(f"**{symptom}** {remedy}" for symptom, remedy in lesson.errors)
        cells.append(_words(f"## Common errors\n\n{told}"))
    if lesson.next:
        cells.append(_words("**Try next**\n\n" + "\n".join(f"- {one}" for one in lesson.next)))
    return {
        "cells": [{"id": f"cell-{place}", **cell} for place, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _table(lesson: Lesson) -> str:
    rows = ["| figure | commonly published | to reach |", "| --- | --- | --- |"]
    for target in lesson.targets:
        rows.append(f"| {target.what} | {target.published} | {target.to_reach.text()} |")
    return "\n".join(rows)


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text,
    }


def _call(training: Training) -> str:
    options = "".join(
        f", {name}={value!r}" for name, value in training.settings.items() if value is not None
    )
    return f"{_name(training)} = ta.train(data{options})"


def _name(training: Training) -> str:
    return training.name.replace("-", "_")
