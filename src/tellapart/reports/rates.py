"""Learning rates as inline SVG: what the finder tried, and what was used epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tellapart.reports.network_views import EpochRow
from tellapart.reports.plot import Plot, decade_axis, epoch_axis, evenly, line, number_axis
from tellapart.reports.svg import Svg

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
    picked = [chosen] if chosen and chosen > 0 else []
    across = decade_axis("learning rate", [*(rate for rate, _ in sound), *picked])
    plot = Plot(across, number_axis("loss", least - pad, high + pad, "{:.3g}".format))
    pairs = [(math.log10(rate), loss) for rate, loss in sound]
    kept = next((k for k, (_, loss) in enumerate(pairs) if loss > high + pad), len(pairs))
    parts = line(plot.points(pairs[: kept + 1]), "of-training")
    said = ""
    for rate in picked:
        parts += plot.mark(math.log10(rate), f"chosen: {written(rate)}", "best-line")
        said = f"; chosen {written(rate)}"
    label = (
        f"Loss at {len(sound)} learning rates from {written(sound[0][0])} to "
        f"{written(sound[-1][0])}; lowest {least:.3g}{said}."
    )
    return plot.chart(label, parts)


def rate_curve(history: Sequence[EpochRow]) -> Svg:
    """The learning rate at the end of each epoch; empty where it never changes."""
    pairs = [(row.epoch, row.learning_rate) for row in history
             if row.learning_rate is not None and math.isfinite(row.learning_rate)]  # fmt: skip
    pairs = [pairs[index] for index in evenly(len(pairs), POINTS)]
    rates = [rate for _, rate in pairs]
    if len(rates) < 2 or max(rates) - min(rates) <= 1e-9 * max(rates):
        return Svg("")
    up = number_axis("learning rate", 0.0, 1.08 * max(rates), written)
    plot = Plot(epoch_axis(pairs[0][0], pairs[-1][0]), up, top=10, height=100, left=76)
    label = (
        f"Learning rate over the epochs: {written(rates[0])} after the first, "
        f"{written(max(rates))} at most, {written(rates[-1])} after the last."
    )
    tips = [(epoch, f"Epoch {epoch}: {written(rate)}") for epoch, rate in pairs]
    return plot.chart(label, [*line(plot.points(pairs), "of-training"), *plot.tooltips(tips)])
