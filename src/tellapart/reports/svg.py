"""The least that charts need of SVG: elements whose every attribute and text is escaped."""

from __future__ import annotations

import math
from html import escape

from tellapart.core import text


class Svg(str):
    """Finished markup: the template engine does not escape it again."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def element(tag: str, *children: str, **attributes: object) -> Svg:
    """One SVG element; attribute values and plain text children are escaped.

    ``class_`` is written ``class`` and ``_`` in a name becomes ``-``; numbers are rounded to
    a tenth.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
    )
    inner = "".join(
        child if isinstance(child, Svg) else escape(text.safe(child)) for child in children
    )
    return Svg(f"<{tag}{written}>{inner}</{tag}>")


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return escape(text.clean(str(value)))


def chart(width: int, height: int, label: str, *children: str) -> Svg:
    """A whole chart; on a narrow screen it shrinks, it never grows."""
    box = f"0 0 {width} {height}"
    return element(
        "svg",
        *children,
        viewBox=box,
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_="chart",
    )


def words(content: str, x: float, y: float, anchor: str = "middle", kind: str = "tick") -> Svg:
    """Letters at a place."""
    return element("text", content, x=x, y=y, text_anchor=anchor, class_=kind)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two ends, at most about ``count`` of them.

    Example:
        >>> ticks(0.0, 255.0)
        [0.0, 100.0, 200.0]
    """
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]
