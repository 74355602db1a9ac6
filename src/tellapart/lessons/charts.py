"""Line charts as SVG files in the report's colors, light or dark like the reader's system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from tellapart.reports.frames import Frame, drawn
from tellapart.reports.lettering import named
from tellapart.reports.svg import Svg, chart, element, words

KINDS = ("of-training", "of-validation")
"""Colors of the lines, in order."""

_BLOCKS = re.compile(
    r"^(?::root|@media screen and \(prefers-color-scheme: dark\)) \{\n.*?^\}", re.M | re.S
)
_RULE = re.compile(r"^([^\n{}@]+)\{[^\n{}]*\}", re.M)
_CLASSES = re.compile(r'class="([^"]*)"')
_SELECTED = re.compile(r"\.([\w-]+)")
_WIDTH, _HEIGHT, _LEFT, _RIGHT = 360, 220, 56, 16


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


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of a chart.

    Attributes:
        name: The quantity, with its unit.
        marks: Positions and their labels.
        low: Where it begins.
        high: Where it ends.
    """

    name: str
    marks: Sequence[tuple[float, str]]
    low: float
    high: float


def line_chart(lines: Sequence[Line], across: Axis, up: Axis, *, label: str) -> str:
    """Draw lines as a whole SVG file.

    Args:
        lines: At most two.
        across: The lower axis.
        up: The left axis.
        label: Description of the chart, for screen readers.
    """
    frame = Frame(across.low, across.high, up.low, up.high, _LEFT, 30, _WIDTH, _HEIGHT)
    parts = _axes(frame, across, up)
    traces = []
    for line, kind in zip(lines, KINDS, strict=False):
        places = [(frame.x(point.x), frame.y(point.y)) for point in line.points]
        parts += [_whisker(frame, point, kind) for point in line.points if point.low is not None]
        parts += drawn([places], kind)
        if line.dots:
            parts += [_dot(frame, point, kind) for point in line.points]
        traces.append((line.name, kind, [places]))
    parts += named(frame, traces)
    whole = chart(frame.right + _RIGHT, frame.bottom + 44, label, *parts)
    return alone(whole)


def alone(drawing: str) -> str:
    """A chart as a whole file, with its XML namespace and the report's colors."""
    head, rest = drawing.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{_style(drawing)}</style>{rest}\n'


def _axes(frame: Frame, across: Axis, up: Axis) -> list[Svg]:
    parts = [
        element(
            "rect", x=frame.left, y=frame.top, width=frame.width, height=frame.height, class_="plot"
        ),
        words(up.name, 4.0, frame.top - 12, "start", "tick strong"),
        words(
            across.name, (frame.left + frame.right) / 2, frame.bottom + 38, "middle", "tick strong"
        ),
    ]
    for value, text in up.marks:
        y = frame.y(value)
        parts.append(element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="grid"))
        parts.append(words(text, frame.left - 8, y + 4, "end"))
    parts += [words(text, frame.x(value), frame.bottom + 18) for value, text in across.marks]
    return parts


def _whisker(frame: Frame, point: Point, kind: str) -> Svg:
    assert point.low is not None and point.high is not None
    x = frame.x(point.x)
    return element(
        "line", x1=x, x2=x, y1=frame.y(point.high), y2=frame.y(point.low), class_=f"line {kind}"
    )


def _dot(frame: Frame, point: Point, kind: str) -> Svg:
    tip = [element("title", point.says)] if point.says else []
    place = {"cx": frame.x(point.x), "cy": frame.y(point.y)}
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
