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
from tellapart.lessons.lesson import Bound, Lesson, Target

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


def _work(context: Context) -> None:
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
        charts.Axis("steps", [(n, f"{10**n:,}") for n in range(4)], 0.0, 3.0),
        charts.Axis(
            "mean squared error",
            [(power, f"{10.0**power:g}") for power in range(low, 1)],
            low,
            0.0,
        ),
        label=f"Loss falling from {line.losses[0]:.3g} to {line.losses[-1]:.2g}.",
    )


LESSON = Lesson(
    name="house-prices",
    title="A line through six house prices",
    idea=(
        "Nobody tells the machine the rule. It gets examples, guesses, is told by how much it was "
        "wrong, and guesses a little better, a thousand times over."
    ),
    task=(
        "One dense unit, stochastic gradient descent, a handful of pairs of bedrooms and price: "
        "50,000 plus 50,000 per bedroom, in units of 100,000. What does a house with 7 bedrooms "
        "cost?"
    ),
    data=(),
    targets=(
        Target("price of 7 bedrooms, in 100,000", "price", "about 4.0", Bound(low=3.98, high=4.02)),
    ),
    minutes=0.1,
    code=(
        "from tellapart.lessons.house_prices import BEDROOMS, PRICES, fit_line\n\n"
        "line = fit_line(BEDROOMS, PRICES, epochs=1_000, rate=0.01)\n"
        "print(line.at(7.0))            # nearly 4\n"
        "print(line.weight, line.bias)  # nearly 0.5 and 0.5\n"
        "print(line.losses[[0, 9, 99, 999]])\n"
    ),
    keras=(
        "import keras\nimport numpy as np\n\n"
        "x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])\n"
        "y = 0.5 + 0.5 * x\n"
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"
        'model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mean_squared_error")\n'
        "model.fit(x, y, epochs=1_000, verbose=0)\n"
        "print(model.predict(np.array([[7.0]])))\n"
    ),
    errors=(
        (
            "The loss becomes `inf`, and then `nan`.",
            "The learning rate is too large: each step lands further from the valley than the one "
            "before. Divide it by ten.",
        ),
        (
            "7 bedrooms cost some 400,000 instead of 4.",
            "Then prices are in single units. Gradient descent works best with numbers of "
            "about 1; with prices in single units it would need another learning rate.",
        ),
        (
            "Keras complains about the shape of what `predict` is given.",
            "It takes a batch: `np.array([[7.0]])` (one example with one number), not `7.0`.",
        ),
    ),
    next=(
        "Fit with 100 epochs, and with 10,000: how far is it from 4?",
        "Fit with rate=0.1: each step goes too far, and the losses explode.",
        "Give it one wrong price. Where does the line go?",
    ),
    work=_work,
)
