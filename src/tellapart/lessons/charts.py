"""Line charts as SVG files in the report's colors, light or dark like the reader's system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from tellapart.reports.line_labels import named
from tellapart.reports.plot import Axis, Plot, line
from tellapart.reports.svg import Svg, element

KINDS = ("of-training", "of-validation")
"""Colors of the lines, in order."""

_BLOCKS = re.compile(
    r"^(?::root|@media screen and \(prefers-color-scheme: dark\)) \{\n.*?^\}", re.M | re.S
)
_RULE = re.compile(r"^([^\n{}@]+)\{[^\n{}]*\}", re.M)
_CLASSES = re.compile(r'class="([^"]*)"')
_SELECTED = re.compile(r"\.([\w-]+)")


@dataclass(frozen=True, slots=True)
class Point:
    """A value in a chart.

    Attributes:
        x: Position on the lower axis (a logarithm if the axis is logarithmic).
        y: Position on the left axis.
        says: Its tooltip.
        low: Lower end of its interval, or None.
        high: Upper end, or None.
    """

    x: float
    y: float
    says: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart, from left to right.

    Attributes:
        name: Written next to it.
        points: At least one.
        dots: Whether each point is marked.
    """

    name: str
    points: Sequence[Point]
    dots: bool = True


def line_chart(lines: Sequence[Line], across: Axis, up: Axis, *, label: str) -> str:
    """Draw lines as a whole SVG file.

    Args:
        lines: At most two.
        across: The lower axis.
        up: The left axis.
        label: Description of the chart, for screen readers.
    """
    plot = Plot(across, up, top=30, width=360, height=220)
    parts: list[Svg] = []
    traces = []
    for one, kind in zip(lines, KINDS, strict=False):
        places = [(plot.x(point.x), plot.y(point.y)) for point in one.points]
        for point in one.points:
            if point.low is not None and point.high is not None:
                parts.append(plot.whisker(point.x, point.low, point.high, f"line {kind}"))
        parts += line([places], kind)
        if one.dots:
            parts += [_dot(plot, point, kind) for point in one.points]
        traces.append((one.name, kind, [places]))
    parts += named(plot, traces)
    return alone(plot.chart(label, parts, right=16))


def alone(drawing: str) -> str:
    """A chart as a whole file, with its XML namespace and the report's colors."""
    head, rest = drawing.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{_style(drawing)}</style>{rest}\n'


def _dot(plot: Plot, point: Point, kind: str) -> Svg:
    tip = [element("title", point.says)] if point.says else []
    place = {"cx": plot.x(point.x), "cy": plot.y(point.y)}
    return element("circle", *tip, r=4.5, class_=f"dot {kind}", **place)


def _style(drawing: str) -> str:
    """The report's colors, and those of its CSS rules that apply to the drawing."""
    used = {name for names in _CLASSES.findall(drawing) for name in names.split()}
    made = []
    templates = resources.files("tellapart.reports").joinpath("templates")
    sheets = [sheet for sheet in templates.iterdir() if sheet.name.endswith(".css")]
    for sheet in sorted(sheets, key=lambda one: one.name):
        text = sheet.read_text(encoding="utf-8")
        made += _BLOCKS.findall(text)
        for rule in _RULE.finditer(text):
            selected = set(_SELECTED.findall(rule[1]))
            if (selected and selected <= used) or rule[1].strip() == "svg text":
                made.append(rule[0])
    return "\n".join(made)
