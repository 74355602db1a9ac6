"""One verdict about a run, from a closed list, each with its rule.

The rules are asked in this order; the first that holds is the verdict.

===================== ==================================================================
verdict               rule
===================== ==================================================================
suspicious_data       at least 2 % of the pictures (and 5 of them) have content that stands
                      under two labels; or at least 5 % of the held-out pictures (and 5)
                      have a copy in training, or 1 % (and 5) where at least 99.5 % are
                      right; or at least 10 % of the pictures (and 5) cannot be decoded
too_few_pictures      a class has fewer than 10 training pictures; or the 95 % interval of
                      the held-out accuracy is wider than 20 points
no_better_than_       the interval reaches down to what always guessing the commonest class
guessing              gets
underfitting          training makes more than a fifth of guessing's errors, and held-out
                      accuracy is near it (the gap is not the one of overfitting)
overfitting           training accuracy is above held-out accuracy by at least 5 points, and
                      by more than chance (the 95 % interval of the gap lies above 0)
good_but_uncertain    the interval is wider than 5 points, or a class has fewer than 10
                      held-out pictures
healthy               none of these
===================== ==================================================================

The interval of the gap joins the intervals of both accuracies
(:func:`tellapart.metrics.intervals.difference`), so that groups of pictures count in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tellapart.metrics.intervals import difference, wilson

CODES = (
    "suspicious_data",
    "too_few_pictures",
    "no_better_than_guessing",
    "underfitting",
    "overfitting",
    "good_but_uncertain",
    "healthy",
)

CONTRADICTING_SHARE = 0.02
LEAKED_SHARE = 0.05
LEAKED_SHARE_NEARLY_PERFECT = 0.01
NEARLY_PERFECT = 0.995
UNDECODABLE_SHARE = 0.10
SUSPICIOUS_PICTURES = 5
TRAIN_PICTURES = 10
WIDE = 0.20
UNCERTAIN = 0.05
GAP = 0.05
UNLEARNED = 0.2
HELD_OUT_PICTURES = 10


@dataclass(frozen=True)
class Facts:
    """What a verdict is made from: plain numbers, shares from 0 to 1.

    Attributes:
        train_n: Training pictures.
        train_accuracy: Of the model file over the training part.
        held_out_n: Held-out pictures that count (all of them, for repeated folds).
        held_out_accuracy: Accuracy on them.
        held_out_ci95: Its interval.
        majority_accuracy: What always naming the commonest training class gets on them.
        smallest_train_class: Training pictures of the class that has the fewest.
        smallest_train_name: That class.
        smallest_held_out_class: Held-out pictures of the class that has the fewest.
        smallest_held_out_name: That class.
        pictures: All pictures found, those left out included.
        contradicting: Pictures whose content stands under two labels.
        leaked: Held-out pictures with a copy in training (they do not count above).
        undecodable: Pictures that cannot be decoded.
        held_out_groups: Groups that the held-out pictures come in; None for as many as pictures.
        data: The data as it was named on the command line, for the next steps.
        model: What was trained, for the next steps: ``probe`` or a network.
    """

    train_n: int
    train_accuracy: float
    held_out_n: int
    held_out_accuracy: float
    held_out_ci95: tuple[float, float]
    majority_accuracy: float
    smallest_train_class: int
    smallest_train_name: str
    smallest_held_out_class: int
    smallest_held_out_name: str
    pictures: int
    contradicting: int = 0
    leaked: int = 0
    undecodable: int = 0
    held_out_groups: int | None = None
    data: str = "DATA"
    model: str = "probe"

    @property
    def is_probe(self) -> bool:
        """Whether it stands on pretrained features; others learn from these pictures alone."""
        return self.model == "probe"

    @property
    def width(self) -> float:
        """Width of the held-out accuracy's interval."""
        return self.held_out_ci95[1] - self.held_out_ci95[0]

    @property
    def gap(self) -> tuple[float, float, float]:
        """Training minus held-out accuracy, with the ends of its interval."""
        trained = wilson(self.train_accuracy * self.train_n, self.train_n)
        return difference(self.train_accuracy, trained, self.held_out_accuracy, self.held_out_ci95)


@dataclass(frozen=True)
class Verdict:
    """The outcome.

    Attributes:
        code: One of :data:`CODES`.
        sentence: What was found, with its numbers.
        next: What to do, a short sentence each.
    """

    code: str
    sentence: str
    next: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The ``verdict`` member of ``metrics.json``."""
        return {"code": self.code, "sentence": self.sentence, "next": list(self.next)}


def diagnose(facts: Facts) -> Verdict:
    """The first verdict whose rule holds."""
    rules = (
        _suspicious,
        _too_few,
        _guessing,
        _underfitting,
        _overfitting,
        _uncertain,
    )
    for rule in rules:
        verdict = rule(facts)
        if verdict is not None:
            return verdict
    return _healthy(facts)


def _suspicious(f: Facts) -> Verdict | None:
    tested = f.held_out_n + f.leaked
    perfect = f.held_out_accuracy >= NEARLY_PERFECT
    leak_limit = LEAKED_SHARE_NEARLY_PERFECT if perfect else LEAKED_SHARE
    check = f"tellapart check {f.data} --out findings lists them, with a corrections.csv to edit."
    if _many(f.contradicting, f.pictures, CONTRADICTING_SHARE):
        reason = (
            f"{f.contradicting:,} of {f.pictures:,} pictures stand under two labels at once, "
            "so some labels must be wrong"
        )
        steps = (check, "Decide which label is right, then train again with --corrections.")
    elif _many(f.leaked, tested, leak_limit):
        reason = (
            f"{f.leaked:,} of {tested:,} held-out pictures have a copy among the training pictures"
        )
        steps = (
            "Trust the headline, which does not count them, not the accuracy as given.",
            "Part the pictures by where they come from, or give them unparted: "
            "tellapart then keeps copies together.",
        )
    elif _many(f.undecodable, f.pictures, UNDECODABLE_SHARE):
        reason = f"{f.undecodable:,} of {f.pictures:,} pictures cannot be decoded"
        steps = (check, "Copy or download the damaged files again.")
    else:
        return None
    return Verdict("suspicious_data", f"Suspicious data: {reason}.", steps)


def _too_few(f: Facts) -> Verdict | None:
    if f.smallest_train_class < TRAIN_PICTURES:
        reason = (
            f"'{f.smallest_train_name}' has {_pictures(f.smallest_train_class)} to learn from; "
            f"{TRAIN_PICTURES} a class are the least"
        )
    elif f.width > WIDE:
        reason = (
            f"with {_measured(f)} to measure on, the accuracy may lie anywhere "
            f"from {_percent(f.held_out_ci95[0])} to {_percent(f.held_out_ci95[1])}"
        )
    else:
        return None
    if _grouped(f):
        more = "Add pictures unlike those there are: a group counts little more than one picture."
    else:
        more = f"Add pictures, first of '{f.smallest_train_name}'; 50 a class say much more."
    steps = (more, "Do not rely on this model yet.")
    return Verdict("too_few_pictures", f"Too few pictures: {reason}.", steps)


def _guessing(f: Facts) -> Verdict | None:
    if f.held_out_ci95[0] > f.majority_accuracy:
        return None
    return Verdict(
        "no_better_than_guessing",
        f"No better than guessing: {_percent(f.held_out_accuracy)} right "
        f"(95 % interval from {_percent(f.held_out_ci95[0])}), and always naming the commonest "
        f"class gets {_percent(f.majority_accuracy)}.",
        (
            f"See whether the labels fit the pictures: tellapart check {f.data}",
            "Ask whether a person could tell the classes apart at this size.",
            "Try a larger --size, or pictures cut to what matters."
            if f.is_probe
            else _pretrained(f),
        ),
    )


def _underfitting(f: Facts) -> Verdict | None:
    if _overfits(f) or 1 - f.train_accuracy <= UNLEARNED * (1 - f.majority_accuracy):
        return None
    return Verdict(
        "underfitting",
        f"Underfitting: only {_percent(f.train_accuracy)} of the training pictures themselves "
        f"are right, and {_percent(f.held_out_accuracy)} of the held-out ones.",
        (
            f"Look for wrong labels first: tellapart check {f.data}",
            *(
                (
                    f"Let the network see more detail: tellapart train {f.data} --size 320",
                    "Look at the most confident mistakes in the report: what do they share?",
                )
                if f.is_probe
                else (
                    f"Train longer: tellapart train {f.data} --model {f.model} --epochs, with more "
                    "than the report names.",
                    _pretrained(f),
                )
            ),
        ),
    )


def _overfitting(f: Facts) -> Verdict | None:
    if not _overfits(f):
        return None
    return Verdict(
        "overfitting",
        f"Overfitting: training {_percent(f.train_accuracy)}, held out "
        f"{_percent(f.held_out_accuracy)}; a gap of {_points(f.gap[0])}, more than chance "
        "explains.",
        (
            "Add pictures, above all such as the mistakes in the report.",
            f"Look for wrong labels among them: tellapart check {f.data}"
            if f.is_probe
            else f"Vary them more: tellapart train {f.data} --model {f.model} --augment strong",
            "Believe the held-out number, not the training one." if f.is_probe else _pretrained(f),
        ),
    )


def _uncertain(f: Facts) -> Verdict | None:
    if f.width > UNCERTAIN:
        reason = (
            f"the 95 % interval runs from {_percent(f.held_out_ci95[0])} to "
            f"{_percent(f.held_out_ci95[1])}, for {_measured(f)} to measure on"
        )
    elif f.smallest_held_out_class < HELD_OUT_PICTURES:
        reason = (
            f"'{f.smallest_held_out_name}' has only "
            f"{_pictures(f.smallest_held_out_class)} to measure on"
        )
    else:
        return None
    return Verdict(
        "good_but_uncertain",
        f"Good but uncertain: {_percent(f.held_out_accuracy)} right, but {reason}.",
        (
            "Add pictures: four times as many halve the interval.",
            "Measure on new pictures when you have some: tellapart evaluate RUN DATA",
        ),
    )


def _healthy(f: Facts) -> Verdict:
    gap, low, _ = f.gap
    if gap <= 0:
        said = "no gap to the held-out pictures"
    elif low <= 0:
        said = f"gap {_points(gap)}, within what chance explains"
    else:
        said = f"gap {_points(gap)}, small"
    return Verdict(
        "healthy",
        f"Healthy: training {_percent(f.train_accuracy)}, {said}.",
        (
            "Try it on pictures of your own: tellapart predict RUN PICTURE",
            "Look at the mistakes in the report before you ship it.",
        ),
    )


def _pretrained(f: Facts) -> str:
    """What helps a network that knows these pictures alone."""
    if f.model == "finetune":
        return "Believe the held-out number, not the training one."
    return (
        f"Start from pretrained features, which need far fewer pictures: tellapart train {f.data}"
    )


def _overfits(f: Facts) -> bool:
    gap, low, _ = f.gap
    # A gap of 5 points stays one where 0.99 - 0.94 is a little less.
    return gap >= GAP - 1e-9 and low > 0


def _many(count: int, of: int, share: float) -> bool:
    return count >= SUSPICIOUS_PICTURES and count >= share * of


def _grouped(f: Facts) -> bool:
    """Whether groups make the held-out pictures worth clearly less than their number."""
    return f.held_out_groups is not None and f.held_out_groups <= 0.8 * f.held_out_n


def _measured(f: Facts) -> str:
    if not _grouped(f):
        return _pictures(f.held_out_n)
    groups = f"{f.held_out_groups:,} group{'' if f.held_out_groups == 1 else 's'}"
    return f"{_pictures(f.held_out_n)} in {groups}"


def _pictures(count: int) -> str:
    return f"{count:,} picture" if count == 1 else f"{count:,} pictures"


def _percent(share: float) -> str:
    """One decimal; what is not all is never rounded up to 100 %."""
    shown = min(share, 0.999) if share < 1 else share
    return f"{100 * shown:.4g} %" if shown == 1 else f"{100 * shown:.1f} %"


def _points(gap: float) -> str:
    return f"{100 * gap:.1f} points"
