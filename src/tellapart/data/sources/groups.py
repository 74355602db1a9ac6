"""Groups read from paths: pictures of one patient, specimen or burst stay together.

A group comes from the folder of a picture, or from a regular expression. The expression is
the user's own and paths are short, so there is no guard against slow expressions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tellapart.core.errors import SettingsError
from tellapart.data.sources.names import label_of, quote


def groups_of(names: Sequence[str], group_from: str, *, depth: int) -> list[str | None]:
    """The group of each picture.

    Args:
        names: Paths inside the data, not empty.
        group_from: ``parent`` for the name of a picture's folder (none if that is the class
            folder itself), or a regular expression that is searched in
            the printable path, in Unicode's composed form: its first group, or all it matched.
        depth: Number of folders down to the class folder, including it.

    Returns:
        One group per picture; None if nothing matched.

    Raises:
        SettingsError: The expression is broken, or gives no group at all.

    Example:
        >>> groups_of(["cats/p1/a.jpg", "cats/b.jpg"], "parent", depth=1)
        ['p1', None]
        >>> groups_of(["cats/p1_a.jpg"], r"(p[0-9]+)_", depth=1)
        ['p1']
    """
    if group_from == "parent":
        groups = [_parent(name, depth) for name in names]
        why = "every picture is directly in its class folder"
    else:
        try:
            pattern = re.compile(group_from)
        except (re.error, RecursionError, OverflowError) as error:
            raise SettingsError(
                f"--group-from {quote(group_from)} is not a regular expression: {error}.",
                remedy="Give 'parent' or an expression such as '(patient[0-9]+)'.",
                code="group_from",
            ) from error
        groups = [_matched(pattern, label_of(name)) for name in names]
        why = f"it matches none of {len(names):,} paths; the first is {quote(min(names))}"
    if not any(groups):
        raise SettingsError(
            f"--group-from {quote(group_from)} gives no group: {why}.",
            remedy="Leave it out, or give an expression that matches the paths.",
            code="group_from",
        )
    return groups


def _parent(name: str, depth: int) -> str | None:
    folders = name.split("/")[:-1]
    return label_of(folders[-1]) if len(folders) > depth else None


def _matched(pattern: re.Pattern[str], path: str) -> str | None:
    match = pattern.search(path)
    if match is None:
        return None
    return (match.group(1) if pattern.groups else match.group(0)) or None
