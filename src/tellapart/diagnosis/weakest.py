"""The class that a headline hides: one that is found far less often than the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tellapart.core.text import count, percent

BALANCED = 0.05
"""From this far under the accuracy, the balanced accuracy is named."""
RECALL = 0.15
"""From this far under the accuracy, the share of a class that was found is named."""


def weakest(measured: Mapping[str, Any]) -> str:
    """A sentence on the weakest class, if it is far from the headline; else empty.

    Args:
        measured: ``held_out`` of ``metrics.json``.

    Example:
        >>> rows = {"ok": {"recall": 1.0, "n": 280}, "defect": {"recall": 0.0, "n": 2}}
        >>> weakest({"accuracy": 0.993, "balanced_accuracy": 0.5, "per_class": rows})
        "Of the class 'defect', 0 % of 2 pictures were found. Balanced accuracy: 50.0 %."
    """
    rows = {
        name: row
        for name, row in measured.get("per_class", {}).items()
        if row["recall"] is not None
    }
    if not rows:
        return ""
    name = min(rows, key=lambda one: rows[one]["recall"])
    row, accuracy = rows[name], measured["accuracy"]
    balanced = measured.get("balanced_accuracy")
    hides = balanced is not None and accuracy - balanced > BALANCED
    if not hides and accuracy - row["recall"] <= RECALL:
        return ""
    told = (
        f"Of the class '{name}', {percent(row['recall'])} of {count(row['n'])} pictures were found."
    )
    return told if balanced is None else f"{told} Balanced accuracy: {percent(balanced)}."
