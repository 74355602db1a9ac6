"""Natural order of names: ``2`` before ``10``, upper and lower case together."""

from __future__ import annotations

import re

_DIGITS = re.compile("([0-9]+)")


def natural(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """A sort key for names of classes and files.

    Example:
        >>> sorted(["10", "2", "b", "A", "a 10", "a 9"], key=natural)
        ['2', '10', 'A', 'a 9', 'a 10', 'b']
    """
    steps = []
    for place, part in enumerate(_DIGITS.split(name.casefold())):
        number = part.lstrip("0") if place % 2 else ""
        steps.append((len(number), number) if place % 2 else (0, part))
    return tuple(steps), name
