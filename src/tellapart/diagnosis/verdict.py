"""One verdict per run, from a fixed list, each with its rule.

The rules are checked in this order; the first that applies is the verdict.

======================= ================================================================
verdict                 rule
======================= ================================================================
suspicious_data         at least 2 % of the pictures (and 5 of them) have the same content
                        as a picture with another label; or at least 5 % of the held-out
                        pictures (and 5) have a copy in training, or 1 % (and 5) where at
                        least 99.5 % are right; or at least 10 % of the pictures (and 5)
                        cannot be decoded
too_few_pictures        a class has fewer than 10 training pictures, or the 95 % interval
                        of the held-out accuracy is wider than 20 points
no_better_than_guessing the interval includes the score of always guessing the most common
                        class
underfitting            training accuracy leaves more than a fifth of guessing's errors,
                        and there is no gap as in overfitting
overfitting             training accuracy is above held-out accuracy by at least 5 points,
                        and by more than chance (the gap's 95 % interval is above 0)
good_but_uncertain      the interval is wider than 5 points, or a class has fewer than 10
                        held-out pictures
healthy                 none of these
======================= ================================================================

The gap's interval combines the intervals of both accuracies
(:func:`tellapart.metrics.intervals.difference`), so it takes groups of pictures into account.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.core.text import counted, interval, percent, points
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

QUOTED = re.compile(r"`(tellapart [^`]*)`")
"""A command in a step, between backticks."""
_COMMAND = re.compile(r"tellapart [^`]*")  # older runs have no backticks around it
_PLACEHOLDER = re.compile(r"\b(RUN|DATA|PICTURE)\b")


@dataclass(frozen=True)
class Facts:
    """The numbers that a verdict depends on; shares are from 0 to 1.

    Attributes:
        train_n: Training pictures.
        train_accuracy: Accuracy of the model file on them.
        held_out_n: Held-out pictures that count (with repeated folds: all pictures).
        held_out_accuracy: Accuracy on them.
        held_out_ci95: Its 95 % interval.
        majority_accuracy: Accuracy of always answering the most common training class.
        smallest_train_class: Training pictures of the class with the fewest.
        smallest_train_name: Name of that class.
        smallest_held_out_class: Held-out pictures of the class with the fewest.
        smallest_held_out_name: Name of that class.
        pictures: All pictures found, including those left out.
        contradicting: Pictures whose content has two labels.
        leaked: Held-out pictures with a copy in training (not in ``held_out_n``).
        undecodable: Pictures that cannot be decoded.
        held_out_groups: Groups among the held-out pictures; None if each is its own group.
        model: The model's kind: ``probe`` or the name of a network.
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
    model: str = "probe"

    @property
    def is_probe(self) -> bool:
        """Whether the model is a linear head on frozen pretrained features."""
        return self.model == "probe"

    @property
    def width(self) -> float:
        """Width of the held-out accuracy's 95 % interval."""
        return self.held_out_ci95[1] - self.held_out_ci95[0]

    @property
    def gap(self) -> tuple[float, float, float]:
        """Training minus held-out accuracy, and the ends of its 95 % interval."""
        trained = wilson(self.train_accuracy * self.train_n, self.train_n)
        return difference(self.train_accuracy, trained, self.held_out_accuracy, self.held_out_ci95)


@dataclass(frozen=True)
class Verdict:
    """What a run's numbers mean.

    Attributes:
        code: One of :data:`CODES`.
        sentence: The finding with its numbers.
        next: What to do next, one sentence per step. Commands in it name the run folder
            ``RUN`` and the data ``DATA``; :func:`fill` replaces both before a step is shown.
    """

    code: str
    sentence: str
    next: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The ``verdict`` member of ``metrics.json``."""
        return {"code": self.code, "sentence": self.sentence, "next": list(self.next)}


def fill(steps: Sequence[str], *, run: str, data: str) -> list[str]:
    """Steps with the real run folder and data in their commands, quoted for the shell.

    Example:
        >>> fill(["`tellapart evaluate RUN DATA`"], run="runs/pets-1", data="new pets")
        ["`tellapart evaluate runs/pets-1 'new pets'`"]
    """
    names = {"RUN": run, "DATA": data, "PICTURE": "photo.jpg"}  # older runs name a PICTURE

    def filled(command: re.Match[str]) -> str:
        return _PLACEHOLDER.sub(lambda word: shlex.quote(names[word[0]]), command[0])

    return [_COMMAND.sub(filled, step) for step in steps]


def plain(step: str) -> str:
    """A step without the backticks around its commands, for a terminal."""
    return QUOTED.sub(r"\1", step)


def diagnose(facts: Facts) -> Verdict:
    """The first verdict whose rule applies."""
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
    check = "List them, with a corrections.csv to edit: `tellapart check DATA --out findings`"
    if _many(f.contradicting, f.pictures, CONTRADICTING_SHARE):
        reason = (
            f"{f.contradicting:,} of {counted(f.pictures, 'picture')} have the same content as a "
            "picture with another label, so some labels must be wrong"
        )
        steps = (check, "Decide which labels are right, then train again with --corrections.")
    elif _many(f.leaked, tested, leak_limit):
        reason = (
            f"{f.leaked:,} of {tested:,} held-out pictures have a copy among the training pictures"
        )
        steps = (
            "Trust the accuracy at the top of the report: it leaves these copies out.",
            "Split the pictures by where they come from, or give them unsplit: "
            "tellapart then keeps copies together.",
        )
    elif _many(f.undecodable, f.pictures, UNDECODABLE_SHARE):
        reason = f"{f.undecodable:,} of {counted(f.pictures, 'picture')} cannot be decoded"
        steps = (check, "Copy or download the damaged files again.")
    else:
        return None
    return Verdict("suspicious_data", f"Suspicious data: {reason}.", steps)


def _too_few(f: Facts) -> Verdict | None:
    if f.smallest_train_class < TRAIN_PICTURES:
        reason = (
            f"'{f.smallest_train_name}' has {counted(f.smallest_train_class, 'picture')} to learn "
            f"from; at least {TRAIN_PICTURES} per class are needed"
        )
    elif f.width > WIDE:
        reason = (
            f"measured on {_measured(f)}, the true accuracy can be anywhere "
            f"from {interval(*f.held_out_ci95)}"
        )
    else:
        return None
    if _grouped(f):
        more = (
            "Add pictures of different scenes: near-copies in one group count as little more "
            "than one picture."
        )
    else:
        more = (
            f"Add pictures, starting with '{f.smallest_train_name}'. With 50 per class the "
            "result becomes much more reliable."
        )
    steps = (more, "Do not rely on this model yet.")
    return Verdict("too_few_pictures", f"Too few pictures: {reason}.", steps)


def _guessing(f: Facts) -> Verdict | None:
    low = f.held_out_ci95[0]
    if low > f.majority_accuracy:
        return None
    return Verdict(
        "no_better_than_guessing",
        f"No better than guessing: {percent(f.held_out_accuracy)} on new pictures, which could "
        f"be as low as {percent(low)}. Always answering the most common class gets "
        f"{percent(f.majority_accuracy)}.",
        (
            "Check that the labels fit the pictures: `tellapart check DATA`",
            "Ask whether a person could tell the classes apart at this size.",
            "Try a larger --size, or crop the pictures to what matters."
            if f.is_probe
            else _pretrained(f),
        ),
    )


def _underfitting(f: Facts) -> Verdict | None:
    if _overfits(f) or 1 - f.train_accuracy <= UNLEARNED * (1 - f.majority_accuracy):
        return None
    steps: tuple[str, ...]
    if f.is_probe:
        steps = (
            "Let the model see more detail: `tellapart train DATA --size 320`",
            "Look at the most confident mistakes in the report: what do they have in common?",
        )
    else:
        steps = (
            "Train for more epochs than the report names: "
            f"`tellapart train DATA --model {f.model} --epochs N`",
            _pretrained(f),
        )
    return Verdict(
        "underfitting",
        f"Underfitting: the model gets only {percent(f.train_accuracy)} of the pictures it "
        f"learned from right, and {percent(f.held_out_accuracy)} of new ones.",
        ("Look for wrong labels first: `tellapart check DATA`", *steps),
    )


def _overfitting(f: Facts) -> Verdict | None:
    if not _overfits(f):
        return None
    return Verdict(
        "overfitting",
        f"Overfitting: {_new_against_learned(f)}. A gap of {points(f.gap[0])} is more than chance.",
        (
            "Add pictures, especially ones like the mistakes in the report.",
            "Look for wrong labels among those mistakes: `tellapart check DATA`"
            if f.is_probe
            else "Vary the training pictures more: "
            f"`tellapart train DATA --model {f.model} --augment strong`",
            _TRUST_HELD_OUT if f.is_probe else _pretrained(f),
        ),
    )


def _uncertain(f: Facts) -> Verdict | None:
    if f.width > UNCERTAIN:
        reason = (
            f"measured on {_measured(f)}, the true accuracy can be anywhere from "
            f"{interval(*f.held_out_ci95)}"
        )
    elif f.smallest_held_out_class < HELD_OUT_PICTURES:
        reason = (
            f"'{f.smallest_held_out_name}' was measured on only "
            f"{counted(f.smallest_held_out_class, 'picture')}"
        )
    else:
        return None
    return Verdict(
        "good_but_uncertain",
        f"Good but uncertain: {percent(f.held_out_accuracy)} on new pictures, but {reason}."
        + _doubt(f),
        (
            "Add pictures: four times as many halve the uncertainty.",
            "Measure again when you have new pictures: `tellapart evaluate RUN DATA`",
        ),
    )


def _healthy(f: Facts) -> Verdict:
    gap, low, _ = f.gap
    if gap <= 0:
        judged = "There is no gap."
    elif low <= 0:
        judged = f"A gap of {points(gap)} can be chance."
    else:
        judged = f"A gap of {points(gap)} is small."
    perfect = f.held_out_accuracy == 1
    return Verdict(
        "healthy",
        f"Healthy: {_new_against_learned(f)}. {judged}{_doubt(f)}",
        (
            "Try it on your own pictures: `tellapart predict RUN photo.jpg`",
            "Look at the pictures it was least sure of."
            if perfect
            else "Look at the mistakes in the report before you use it.",
        ),
    )


_TRUST_HELD_OUT = "Trust the accuracy on new pictures, not the one on training pictures."


def _pretrained(f: Facts) -> str:
    """The step that helps a network: pretrained features, unless it starts from them already."""
    if f.model == "finetune":
        return _TRUST_HELD_OUT
    return "Use pretrained features, which need far fewer pictures: `tellapart train DATA`"


def _new_against_learned(f: Facts) -> str:
    return (
        f"{percent(f.held_out_accuracy)} on new pictures against "
        f"{percent(f.train_accuracy)} on the ones it learned from"
    )


def _doubt(f: Facts) -> str:
    """One more sentence where every held-out picture is right."""
    if f.held_out_accuracy < 1:
        return ""
    return (
        " 100 % is rare: check that background, camera or file size does not give the class away."
    )


def _overfits(f: Facts) -> bool:
    gap, low, _ = f.gap
    # 0.99 - 0.94 is slightly below 0.05 in floating point.
    return gap >= GAP - 1e-9 and low > 0


def _many(count: int, of: int, share: float) -> bool:
    return count >= SUSPICIOUS_PICTURES and count >= share * of


def _grouped(f: Facts) -> bool:
    """Whether groups make the held-out pictures worth clearly less than their number."""
    return f.held_out_groups is not None and f.held_out_groups <= 0.8 * f.held_out_n


def _measured(f: Facts) -> str:
    pictures = counted(f.held_out_n, "picture")
    if f.held_out_groups is None or not _grouped(f):
        return pictures
    return f"{pictures} in {counted(f.held_out_groups, 'group')}"
