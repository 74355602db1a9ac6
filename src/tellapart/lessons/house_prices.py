"""``house-prices``: a line through six house prices, found by gradient descent.

The model is one dense unit with one input: ``price = weight · bedrooms + bias``. NumPy is enough
for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tellapart.lessons import charts
from tellapart.reports.plot import Axis

if TYPE_CHECKING:
    from tellapart.lessons.context import Context

BEDROOMS = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
PRICES = 0.5 + 0.5 * BEDROOMS
"""In units of 100,000: 50,000 plus 50,000 per bedroom."""
ASKED = 7.0
EPOCHS, RATE = 1_000, 0.01


@dataclass(frozen=True)
class Line:
    """A line, and how gradient descent found it.

    Attributes:
        weight: Price per bedroom.
        bias: Price without bedrooms.
        losses: float64 ``[epochs]``, the mean squared error before each step.
    """

    weight: float
    bias: float
    losses: NDArray[np.float64]

    def at(self, bedrooms: float) -> float:
        """The price that the line gives."""
        return self.weight * bedrooms + self.bias


def fit_line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    epochs: int = EPOCHS,
    rate: float = RATE,
    seed: int = 0,
) -> Line:
    """Find a line by gradient descent on the mean squared error, with all examples in each step.

    What ``keras.Sequential([keras.layers.Dense(1)])`` does, compiled with ``SGD(0.01)`` and mean
    squared error, when six examples fit into one batch.

    Args:
        x: float64 ``[n]``.
        y: float64 ``[n]``.
        epochs: Steps.
        rate: Learning rate.
        seed: Seed of the first weight, uniform between -√3 and √3 (Glorot and Bengio, 2010, for one
            input and one output).

    Example:
        >>> line = fit_line(BEDROOMS, PRICES)
        >>> round(line.at(7.0), 2)
        4.01
    """
    weight = float(np.random.default_rng(seed).uniform(-np.sqrt(3), np.sqrt(3)))
    bias = 0.0
    losses = np.empty(epochs)
    for epoch in range(epochs):
        error = weight * x + bias - y
        losses[epoch] = np.mean(error**2)
        weight -= rate * 2 * float(np.mean(error * x))
        bias -= rate * 2 * float(np.mean(error))
    return Line(weight, bias, losses)


def work(context: Context) -> None:
    """Fit the line, and record its price, its weights and its losses."""
    line = fit_line(BEDROOMS, PRICES, seed=context.seed)
    context.record("price", line.at(ASKED))
    context.record("weight", line.weight)
    context.record("bias", line.bias)
    for epoch in (1, 10, 100, EPOCHS):
        context.record(f"loss in epoch {epoch}", float(line.losses[epoch - 1]))
    context.draw("loss.svg", _falling(line), _SAYS)
    context.note(
        f"A house with {ASKED:.0f} bedrooms costs {line.at(ASKED):.4f}, not exactly 4: the line "
        f"is price = {line.weight:.4f} · bedrooms + {line.bias:.4f}, and the true one is "
        "0.5 · bedrooms + 0.5. Each step covers only a part of the remaining distance, so the line "
        "comes closer and closer but never arrives. Weight and bias can also compensate for each "
        "other: a little more of one and a little less of the other hardly changes the six prices, "
        "so the last bit is the slowest."
    )


_SAYS = (
    "The loss after 1 to 1,000 steps; each grid line is a tenth of the one above. It falls at "
    "once, and then ever more slowly."
)


def _falling(line: Line) -> str:
    """The loss over the steps, both on logarithmic axes, as an SVG file."""
    steps = sorted({round(10 ** (place / 20)) for place in range(61)})
    points = [
        charts.Point(math.log10(step), math.log10(max(line.losses[step - 1], 1e-12)))
        for step in steps
    ]
    low = math.floor(min(point.y for point in points))
    return charts.line_chart(
        [charts.Line("loss", points, dots=False)],
        Axis("steps", 0.0, 3.0, [(n, f"{10**n:,}") for n in range(4)]),
        Axis(
            "mean squared error",
            low,
            0.0,
            [(power, f"{10.0**power:g}") for power in range(low, 1)],
        ),
        label=f"Loss falling from {line.losses[0]:.3g} to {line.losses[-1]:.2g}.",
    )
