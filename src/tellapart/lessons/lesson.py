"""A lesson as data: its trainings, what is published for it, and what to reach.

A :class:`Lesson` names its trainings and :class:`Target`s; :mod:`.runner` runs it and returns a
:class:`Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tellapart.core.text import MINUS, percent

if TYPE_CHECKING:
    from tellapart.lessons.context import Context
    from tellapart.lessons.illustrations import Illustration

Number = float | str

SCHEMA = 1


@dataclass(frozen=True)
class Bound:
    """The values that reach a target; without limits, every value.

    Attributes:
        low: The least value, or None.
        high: The largest value, or None.
        below: Whether ``high`` itself is too much.
        equals: A word that the value must be, instead of limits.
        unit: ``"%"`` for a share, otherwise what follows the number.
    """

    low: float | None = None
    high: float | None = None
    below: bool = False
    equals: str | None = None
    unit: str = ""

    def holds(self, value: Number) -> bool:
        """Whether a value is within the bound.

        Example:
            >>> Bound(low=0.9, unit="%").holds(0.9), Bound(high=4, below=True).holds(4.0)
            (True, False)
        """
        if self.equals is not None:
            return value == self.equals
        if isinstance(value, str):
            return False
        if self.low is not None and value < self.low:
            return False
        return self.high is None or value < self.high or (value == self.high and not self.below)

    def text(self) -> str:
        """The bound in words.

        Example:
            >>> Bound(low=0.9, unit="%").text(), Bound(low=3.98, high=4.02).text()
            ('at least 90.0 %', '3.98 to 4.02')
        """
        if self.equals is not None:
            return self.equals
        if self.low is not None and self.high is not None:
            return f"{self.shown(self.low)} to {self.shown(self.high)}"
        if self.low is not None:
            return f"at least {self.shown(self.low)}"
        if self.high is not None:
            return f"{'under' if self.below else 'at most'} {self.shown(self.high)}"
        return "shown"

    def shown(self, value: Number) -> str:
        """A value with its unit, with enough digits that a miss never looks like a hit.

        Example:
            >>> Bound(low=0.993, unit="%").shown(0.9926), Bound(unit="%").shown(0.99996)
            ('99.26 %', 'over 99.9 %')
        """
        if isinstance(value, str):
            return value
        for digits in (1, 2, 3, 4):
            if self.unit == "%":
                text = percent(value, digits)
                read = float(text.split()[-2].replace(MINUS, "-")) / 100
            else:
                text = f"{value:.{3 + digits}g}"
                read = float(text)
            if self.holds(read) == self.holds(value):
                break
        return text if self.unit == "%" else f"{text} {self.unit}".rstrip()


@dataclass(frozen=True)
class Target:
    """A figure of a lesson, and the value to reach.

    Attributes:
        what: What the figure measures.
        number: Its key in :attr:`Result.numbers`.
        published: What is commonly published for it; empty if nothing is.
        to_reach: What to reach here.
    """

    what: str
    number: str
    published: str
    to_reach: Bound

    def judged(self, numbers: Mapping[str, Number]) -> dict[str, Any]:
        """The target and what was measured for it, as in the command's JSON."""
        got = numbers.get(self.number)
        return {
            "what": self.what,
            "published": self.published,
            "to_reach": self.to_reach.text(),
            "got": None if got is None else self.to_reach.shown(got),
            "value": got,
            "reached": got is not None and self.to_reach.holds(got),
        }


@dataclass(frozen=True)
class Training:
    """One training of a lesson.

    Attributes:
        name: In the lesson.
        says: What it shows, in a sentence.
        settings: Arguments of :func:`tellapart.train`.
    """

    name: str
    says: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """One classic lesson.

    Attributes:
        name: Its name on the command line.
        title: Its title for people.
        idea: The one thing it teaches, in plain words.
        task: The task as courses set it.
        data: Data sets it can use, the best first; empty for a lesson without pictures.
        targets: Its figures.
        minutes: How long it takes on two cores, roughly.
        trainings: What it trains, in order; empty if ``work`` does everything.
        code: Some ten lines of Python that do the same; made from the trainings if empty.
        keras: The same in plain Keras.
        errors: Common errors, each with its remedy.
        next: What to try next.
        work: What it does besides its trainings.
    """

    name: str
    title: str
    idea: str
    task: str
    data: tuple[str, ...]
    targets: tuple[Target, ...]
    minutes: float
    trainings: tuple[Training, ...] = ()
    code: str = ""
    keras: str = ""
    errors: tuple[tuple[str, str], ...] = ()
    next: tuple[str, ...] = ()
    work: Callable[[Context], None] | None = None


@dataclass(frozen=True)
class Result:
    """The result of running a lesson.

    Attributes:
        lesson: The lesson.
        folder: Where everything was written.
        numbers: ``TRAINING.held_out``, ``TRAINING.train`` and others.
        notes: Sentences to show, such as that a reduced copy of the data was used.
        runs: Run folders by the name of the training.
        pictures: Files in the folder ``pictures`` next to the runs.
        about: Date, seed, versions, cores, data, and whether its licence lets pictures be shown.
    """

    lesson: Lesson
    folder: Path
    numbers: Mapping[str, Number]
    notes: tuple[str, ...]
    runs: Mapping[str, str]
    pictures: Sequence[Illustration]
    about: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The document of ``tellapart project run --json``, and of ``project.json``."""
        return {
            "schema": SCHEMA,
            "name": self.lesson.name,
            "title": self.lesson.title,
            "targets": [target.judged(self.numbers) for target in self.lesson.targets],
            "numbers": dict(self.numbers),
            "notes": list(self.notes),
            "runs": dict(self.runs),
            "pictures": [asdict(one) for one in self.pictures],
            **self.about,
        }
