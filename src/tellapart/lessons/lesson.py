"""A lesson as data: its trainings, what is published for it, and what to reach.

A :class:`Lesson` names its trainings and :class:`Target`s; :mod:`.runner` runs it and returns a
:class:`Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tellapart.core.text import MINUS, percent

if TYPE_CHECKING:
    from tellapart.lessons.context import Context
    from tellapart.lessons.illustrations import Illustration

Number = float | str

SCHEMA = 1


@dataclass(frozen=True)
class Bound:
    """What a number has to be.

    Attributes:
        low: At least this, or None.
        high: At most this, or None; ``below`` makes it less than this.
        below: Whether ``high`` itself is too much already.
        equals: The word it has to be, in place of both.
        unit: ``"%"`` for a share, otherwise what follows the number.
    """

    low: float | None = None
    high: float | None = None
    below: bool = False
    equals: str | None = None
    unit: str = ""

    def holds(self, value: Number) -> bool:
        """Whether a value is as it has to be.

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
        """A value of this kind for people; what misses the bound never looks as if it reached it.

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


SHOWN = Bound(unit="%")
"""A share that there is nothing to reach for."""


def at_least(share: float) -> Bound:
    """At least this share."""
    return Bound(low=share, unit="%")


@dataclass(frozen=True)
class Target:
    """A figure of a lesson.

    Attributes:
        what: It is the figure of.
        number: Its key among the numbers that a run of the lesson gives.
        published: What is commonly published for it, in words; empty where nothing is.
        to_reach: What is to be reached here.
    """

    what: str
    number: str
    published: str
    to_reach: Bound

    def judged(self, numbers: Mapping[str, Number]) -> dict[str, Any]:
        """The target beside what was got, as the command's JSON has it."""
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
        settings: Of :func:`tellapart.train`.
    """

    name: str
    says: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """One classic lesson.

    Attributes:
        name: On the command line.
        title: For people.
        idea: The one thing that it teaches, in plain words.
        task: As it is commonly taught.
        data: Data sets that will do, the best first; none for a lesson without pictures.
        trainings: What is trained, in order; empty where ``work`` does something else.
        targets: Its figures.
        minutes: That it takes on two cores, roughly.
        code: Ten lines of Python that do the same; made from the trainings unless given.
        keras: What the same takes in plain Keras.
        errors: What often goes wrong, each with what to do.
        next: What to try next.
        work: Does it, where that is more than its trainings.
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
    """What a run of a lesson gave.

    Attributes:
        lesson: Which.
        numbers: All of them, by name: ``TRAINING.held_out``, ``TRAINING.train`` and others.
        notes: Sentences worth telling, such as that a reduced copy was used.
        runs: Run folders by the name of the training.
        pictures: In the folder ``pictures`` beside them.
        about: Date, seed, versions, cores, data, and whether pictures of it may be shown again.
    """

    lesson: Lesson
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
