"""The measures of ``metrics.json``, from probabilities and labels, in plain NumPy.

Definitions, where there are several in use:

- *accuracy interval*: Wilson's, by groups where there are groups (:mod:`.intervals`).
- *balanced accuracy*: mean recall of the classes that have held-out pictures.
- *macro F1*: mean of F1 over classes that have held-out pictures or were predicted.
- *log loss*: natural logarithm, probabilities kept above 1.2e-7 (float32's epsilon).
- *calibration error*: expected calibration error of the most probable class, in at most 15
  bins of equal count with at least 20 pictures each (fewer pictures, fewer bins; equal
  probabilities share a bin): Naeini et al. 2015, with the bins of Nguyen and O'Connor 2015.
- *majority accuracy*: of always predicting the commonest **training** class.

An undefined number is ``None``: recall of a class without held-out pictures, precision of a class
that was never predicted. Numbers are rounded to six digits, so that the file is reproducible.

Predictions of repeated folds come as ``[R, n, K]``: counts and means are averages over the
repeats, while ``n``, and with it the interval, stays the number of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.metrics.intervals import Interval, grouped_interval, mcnemar, wilson

__all__ = ["Bin", "Evaluation", "PerClass", "evaluate", "grouped_interval", "mcnemar", "wilson"]

DIGITS = 6
MOST_BINS = 15
BIN_PICTURES = 20
_EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class PerClass:
    """Measures of one class, from 0 to 1; None if undefined."""

    precision: float | None
    recall: float | None
    n: int


@dataclass(frozen=True)
class Bin:
    """A bin of the reliability chart: pictures with similar probabilities.

    Attributes:
        low: Least probability of the predicted class in the bin.
        high: Largest probability in the bin.
        n: Predictions, of all repeats together.
        confidence: Mean probability of the predicted class.
        accuracy: Share of right predictions.
        ci95: Wilson's interval of the accuracy; each picture counts once.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    ci95: Interval


@dataclass(frozen=True)
class Evaluation:
    """All measures of some predictions; the module's docstring defines them.

    Attributes:
        classes: Names, in the order of the columns.
        method: ``"split"``, ``"folds"`` or ``"given"``.
        n: Pictures.
        groups: Groups of pictures; ``n`` if none were given.
        confusion: ``[K][K]``, rows true, columns predicted; fractions for repeated folds.
        reliability: Bins of rising probability.
    """

    classes: tuple[str, ...]
    method: str
    n: int
    groups: int
    accuracy: float
    accuracy_ci95: Interval
    balanced_accuracy: float
    macro_f1: float
    log_loss: float
    calibration_error: float
    majority_accuracy: float
    per_class: tuple[PerClass, ...]
    confusion: tuple[tuple[float, ...], ...]
    reliability: tuple[Bin, ...]

    def as_json(self) -> dict[str, Any]:
        """The ``held_out`` member of ``metrics.json``."""
        return {
            **{name: value for name, value in vars(self).items() if name != "classes"},
            "accuracy_ci95": list(self.accuracy_ci95),
            "per_class": {
                name: dict(vars(row))
                for name, row in zip(self.classes, self.per_class, strict=True)
            },
            "confusion": [list(row) for row in self.confusion],
            "reliability": [vars(bin) | {"ci95": list(bin.ci95)} for bin in self.reliability],
        }


def evaluate(
    probabilities: NDArray[np.floating],
    truth: NDArray[np.integer],
    *,
    classes: Sequence[str],
    groups: NDArray[np.integer] | None = None,
    method: str,
    train_counts: Sequence[int] | None = None,
) -> Evaluation:
    """Measure predictions against labels.

    Args:
        probabilities: float ``[n, K]``, or ``[R, n, K]`` for repeated folds.
        truth: int ``[n]``, each in ``0 .. K - 1``.
        classes: Names of the ``K`` columns.
        groups: int ``[n]``; pictures with the same number are not independent.
        method: How the pictures were held out: ``"split"``, ``"folds"``, or ``"given"`` for
            pictures of another data set.
        train_counts: Training pictures per class, ``[K]``, for the majority accuracy; counted in
            ``truth`` unless given.

    Raises:
        ValueError: Nothing to measure, or shapes that do not fit.
    """
    p = np.asarray(probabilities, np.float64)
    p = p[None] if p.ndim == 2 else p
    repeats, n, k = p.shape
    if n == 0 or repeats == 0 or len(truth) != n or len(classes) != k:
        raise ValueError(
            f"probabilities {probabilities.shape} fit neither {len(truth)} labels "
            f"nor {len(classes)} classes"
        )
    labels = truth.astype(np.int64)
    predicted = p.argmax(axis=2)  # [R, n]
    right = predicted == labels
    score = right.mean(axis=0)
    confusion = _confusion(predicted, labels, k)
    support, named, hit = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    counts = np.asarray(support if train_counts is None else train_counts)
    interval = wilson(score.sum(), n) if groups is None else grouped_interval(score, groups)
    picked = np.take_along_axis(p, np.broadcast_to(labels, (repeats, n))[:, :, None], axis=2)
    bins = _reliability(p.max(axis=2).ravel(), right.ravel(), repeats)
    off = sum(bin.n * abs(bin.confidence - bin.accuracy) for bin in bins) / (n * repeats)
    present, met = support > 0, support + named > 0
    return Evaluation(
        classes=tuple(classes),
        method=method,
        n=n,
        groups=n if groups is None else len(np.unique(groups)),
        accuracy=_round(score.mean()),
        accuracy_ci95=(_round(interval[0]), _round(interval[1])),
        balanced_accuracy=_round((hit[present] / support[present]).mean()),
        macro_f1=_round((2 * hit[met] / (support + named)[met]).mean()),
        log_loss=_round(-np.log(np.clip(picked, _EPSILON, 1)).mean()),
        calibration_error=_round(off),
        majority_accuracy=_round(support[int(counts.argmax())] / n),
        per_class=tuple(
            PerClass(_share(hit[i], named[i]), _share(hit[i], support[i]), round(support[i]))
            for i in range(k)
        ),
        confusion=tuple(tuple(_count(value) for value in row) for row in confusion),
        reliability=tuple(_rounded(bin) for bin in bins),
    )


def _confusion(
    predicted: NDArray[np.int64], truth: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """How often class ``i`` was predicted as ``j``, mean over the repeats, ``[K, K]``."""
    cells = np.broadcast_to(truth, predicted.shape) * k + predicted
    return np.bincount(cells.ravel(), minlength=k * k).reshape(k, k) / len(predicted)


def _reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], repeats: int
) -> list[Bin]:
    total = len(confidence)
    wanted = max(1, min(MOST_BINS, total // repeats // BIN_PICTURES))
    order = np.sort(confidence)
    # An edge is the first value of a bin, so equal values share a bin.
    edges = np.unique(order[[i * total // wanted for i in range(1, wanted)]])
    which = np.searchsorted(edges, confidence, side="right")
    bins = []
    for number in range(len(edges) + 1):
        inside = which == number
        count = int(inside.sum())
        if count:
            sure, hits = confidence[inside], float(right[inside].sum())
            bins.append(
                Bin(
                    float(sure.min()),
                    float(sure.max()),
                    count,
                    float(sure.mean()),
                    hits / count,
                    wilson(hits / repeats, count / repeats),
                )
            )
    return bins


def _rounded(bin: Bin) -> Bin:
    return Bin(
        _round(bin.low),
        _round(bin.high),
        bin.n,
        _round(bin.confidence),
        _round(bin.accuracy),
        (_round(bin.ci95[0]), _round(bin.ci95[1])),
    )


def _share(part: float, whole: float) -> float | None:
    return _round(part / whole) if whole else None


def _count(value: float) -> float:
    """A whole number as an int, an average over repeats with two decimals."""
    return int(value) if float(value).is_integer() else round(float(value), 2)


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), DIGITS)
