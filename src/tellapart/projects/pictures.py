"""Charts of a project's runs as files of their own, for its page."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from tellapart import runs
from tellapart.network_view import learning_view
from tellapart.report import curves

_BLOCKS = re.compile(
    r"^(?::root|@media screen and \(prefers-color-scheme: dark\)) \{\n.*?^\}", re.M | re.S
)
_RULE = re.compile(r"^([^\n{}@]+)\{[^\n{}]*\}", re.M)
_CLASSES = re.compile(r'class="([^"]*)"')
_SELECTED = re.compile(r"\.([\w-]+)")


def learning_curve(run: runs.Run) -> str | None:
    """The accuracy over the epochs of a network, as a whole SVG file; None for a probe.

    It has the colors of the report, light or dark as the reader's system is.
    """
    view = learning_view(run, lambda path: None)
    if view is None or not view.history:
        return None
    held, trained = run.metrics["held_out"], run.metrics["train"]["accuracy"]
    low, high = held["accuracy_ci95"]
    chart = str(curves.accuracy_curve(view, trained, held["accuracy"], (low, high)))
    head, rest = chart.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{_style(chart)}</style>{rest}\n'


def keep(folder: Path, project: str, paths: dict[str, str]) -> list[str]:
    """Write what can be drawn of a project's runs into a folder.

    Args:
        folder: For the pictures.
        project: Its name.
        paths: Run folders by the name of the training.

    Returns:
        The names of the trainings that have a picture.
    """
    kept = []
    for name, path in paths.items():
        drawn = learning_curve(runs.open_run(path))
        if drawn is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{project}-{name}.svg").write_text(drawn, encoding="utf-8")
            kept.append(name)
    return kept


def _style(chart: str) -> str:
    """The report's colors, and those of its rules that speak of what is in the chart."""
    used = {name for names in _CLASSES.findall(chart) for name in names.split()}
    made = []
    templates = resources.files("tellapart.report").joinpath("templates")
    sheets = [sheet for sheet in templates.iterdir() if sheet.name.endswith(".css")]
    for sheet in sorted(sheets, key=lambda one: one.name):
        text = sheet.read_text(encoding="utf-8")
        made += _BLOCKS.findall(text)
        for rule in _RULE.finditer(text):
            selected = set(_SELECTED.findall(rule[1]))
            if (selected and selected <= used) or rule[1].strip() == "svg text":
                made.append(rule[0])
    return "\n".join(made)
