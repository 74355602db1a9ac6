"""Compares the output that a page shows with the real one.

They must be equal, with two exceptions, which the tutorial explains to its readers: ``…``
replaces text that is left out (alone on a line, any number of lines), and a number after *about*
may differ a little, because processors round differently.
"""

from __future__ import annotations

import re

POINTS = 4.0
"""Largest difference of a percentage after *about*."""
LEAST, SHARE = 3.0, 0.2
"""Largest difference of any other number after *about*: this, or this share of it if larger."""

_TOKEN = re.compile(r"(…|(?<=\babout )\d+(?:\.\d+)?%?(?: to \d+(?:\.\d+)?%?)?)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def difference(shown: str, came: str) -> str | None:
    """The first line that the page shows differently, or None.

    Example:
        >>> difference("about 97% of 10\\n…", "about 96% of 10\\nand more")
        >>> difference("about 97% of 10", "about 90% of 10")
        "shown 'about 97% of 10', came 'about 90% of 10'"
    """
    want = [line.rstrip() for line in shown.strip("\n").splitlines()]
    have = [line.rstrip() for line in came.strip("\n").splitlines()]
    return None if _all_fit(want, have) else _first(want, have)


def fits(shown: str, came: str) -> bool:
    """Whether one line of output agrees with the page."""
    parts = _TOKEN.split(shown)
    pattern = "".join(
        re.escape(part) if place % 2 == 0 else ".*" if part == "…" else f"({_loose(part)})"
        for place, part in enumerate(parts)
    )
    found = re.fullmatch(pattern, came)
    if found is None:
        return False
    about = [part for part in parts[1::2] if part != "…"]
    return all(_near(one, other) for one, other in zip(about, found.groups(), strict=True))


def _all_fit(want: list[str], have: list[str]) -> bool:
    if not want:
        return not have
    if want[0].strip() == "…":
        return any(_all_fit(want[1:], have[skipped:]) for skipped in range(len(have) + 1))
    return bool(have) and fits(want[0], have[0]) and _all_fit(want[1:], have[1:])


def _first(want: list[str], have: list[str]) -> str:
    for one, other in zip(want, have, strict=False):
        if one.strip() == "…":
            break
        if not fits(one, other):
            return f"shown {one!r}, came {other!r}"
    return f"shown {want}, came {have}"


def _loose(part: str) -> str:
    """A pattern for the same text with other numbers."""
    return r"\d+(?:\.\d+)?".join(re.escape(between) for between in _NUMBER.split(part))


def _near(shown: str, came: str) -> bool:
    def allowed(number: float) -> float:
        return POINTS if "%" in shown else max(LEAST, SHARE * number)

    pairs = zip(_NUMBER.findall(shown), _NUMBER.findall(came), strict=True)
    return all(abs(float(one) - float(other)) <= allowed(float(one)) for one, other in pairs)
