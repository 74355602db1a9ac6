"""Learning rates as inline SVG: what the finder tried, and what was used epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tellapart.reports.charts import power_of_ten
from tellapart.reports.frames import Frame, drawn, evenly
from tellapart.reports.learning import EpochRow
from tellapart.reports.svg import Svg, chart, element, ticks, words

POINTS = 400  # drawn at most


def written(rate: float) -> str:
    """A learning rate without powers of ten where that is short: ``0.00005``.

    Example:
        >>> written(5e-05), written(0.0012345), written(3e-12)
        ('0.00005', '0.00123', '3e-12')
    """
    if 0 < abs(rate) < 1e-6 or not math.isfinite(rate):
        return f"{rate:.3g}"
    return np.format_float_positional(float(f"{rate:.3g}"), trim="-")


def finder_curve(tried: Sequence[tuple[float, float]], chosen: float | None) -> Svg:
    """Loss against the learning rate (logarithmic), the chosen rate marked.

    Args:
        tried: ``(learning rate, loss)`` in the order tried; what is no number is passed over,
            and a loss that explodes leaves through the top.
        chosen: The learning rate that was chosen, or None.
    """
    sound = [(rate, loss) for rate, loss in tried
             if rate > 0 and math.isfinite(rate) and math.isfinite(loss)]  # fmt: skip
    if not sound:
        return Svg("")
    sound = [sound[index] for index in evenly(len(sound), POINTS)]
    least, begin = min(loss for _, loss in sound), sound[0][1]
    most = max(loss for _, loss in sound)
    high = min(most, begin + max(begin - least, 0.25 * abs(begin), 1e-6))
    pad = max(0.1 * (high - least), 1e-6)
    decades = [math.log10(rate) for rate, _ in sound]
    ends = [*decades, *([math.log10(chosen)] if chosen and chosen > 0 else [])]
    frame = Frame(min(ends), max(ends), least - pad, high + pad, width=288, height=150)
    parts = [_ground(frame)]
    for loss in ticks(frame.low, frame.high, 4):
        y = frame.y(loss)
        parts.append(element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="grid"))
        parts.append(words(f"{loss:.3g}", frame.left - 8, y + 4, "end"))
    whole = range(math.ceil(frame.first - 1e-9), math.floor(frame.last + 1e-9) + 1)
    for exponent in whole if len(whole) < 9 else whole[::2]:
        parts.append(words(power_of_ten(exponent), frame.x(exponent), frame.bottom + 18))
    pairs = [(decade, loss) for decade, (_, loss) in zip(decades, sound, strict=True)]
    kept = next((k for k, (_, loss) in enumerate(pairs) if loss > high + pad), len(pairs))
    parts += drawn(frame.points(pairs[: kept + 1]), "of-training")
    said = ""
    if chosen and chosen > 0:
        parts += frame.across(math.log10(chosen), f"chosen: {written(chosen)}", "best-line")
        said = f"; chosen {written(chosen)}"
    parts.append(words("learning rate", (frame.left + frame.right) / 2, frame.bottom + 36))
    label = (
        f"Loss at {len(sound)} learning rates from {written(sound[0][0])} to "
        f"{written(sound[-1][0])}; lowest {least:.3g}{said}."
    )
    return chart(frame.right + 10, frame.bottom + 44, label, *parts)


def rate_curve(history: Sequence[EpochRow]) -> Svg:
    """The learning rate at the end of each epoch; empty where it never changes."""
    pairs = [(row.epoch, row.learning_rate) for row in history
             if row.learning_rate is not None and math.isfinite(row.learning_rate)]  # fmt: skip
    pairs = [pairs[index] for index in evenly(len(pairs), POINTS)]
    rates = [rate for _, rate in pairs if rate is not None]
    if len(rates) < 2 or max(rates) - min(rates) <= 1e-9 * max(rates):
        return Svg("")
    frame = Frame(pairs[0][0], pairs[-1][0], 0.0, 1.08 * max(rates), top=10, width=288, height=80,
                  left=60)  # fmt: skip
    label = (
        f"Learning rate over the epochs: {written(rates[0])} after the first, "
        f"{written(max(rates))} at most, {written(rates[-1])} after the last."
    )
    parts = [*frame.axes(written), *drawn(frame.points(pairs), "of-training")]
    parts += frame.hovers([(epoch, f"Epoch {epoch}: {written(rate)}") for epoch, rate in pairs])
    foot = words("epoch", (frame.left + frame.right) / 2, frame.bottom + 36)
    return chart(frame.right + 10, frame.bottom + 44, label, *parts, foot)


def _ground(frame: Frame) -> Svg:
    return element("rect", x=frame.left, y=frame.top, width=frame.width, height=frame.height,
                   class_="plot")  # fmt: skip
