"""An export, opened again for predicting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tellapart.exports.folder import damaged, is_export, open_card
from tellapart.exports.registry import TARGETS, target_named
from tellapart.exports.target import Runner


@dataclass(frozen=True)
class Exported:
    """An export in hand.

    Attributes:
        path: Its folder.
        card: Content of ``tellapart.json``.
        model: What answers, in the target's own runtime.
    """

    path: Path
    card: Mapping[str, Any]
    model: Runner

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    def _repr_html_(self) -> str:
        from html import escape

        target = escape(str(self.card["target"]))
        return f"<b>{escape(self.name)}</b>: {len(self.model.classes)} classes, as {target}."


def open_export(path: str | Path) -> Exported:
    """Open a folder that ``tellapart export`` wrote.

    Raises:
        ModelError: If it is missing, damaged, changed, or from a newer version.
        SettingsError: If what runs it is not installed.
    """
    folder = Path(path)
    if not is_export(folder):
        raise damaged(folder, "it holds no tellapart.json")
    card = open_card(folder)
    if card["target"] not in TARGETS:
        raise damaged(folder, f"there is no target {card['target'][:40]!r}")
    model = target_named(card["target"]).open(folder, card)
    if tuple(card["classes"]) != model.classes or (card["size"], card["fit"]) != (
        model.size,
        model.fit,
    ):
        raise damaged(folder, "tellapart.json speaks of another model than the one beside it")
    return Exported(folder, card, model)
