"""Opens an export for predicting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tellapart.exports.card import CARD, damaged, open_card
from tellapart.exports.registry import TARGETS, target_named
from tellapart.exports.target import Runner


@dataclass(frozen=True)
class Exported:
    """An open export.

    Attributes:
        path: Its folder.
        card: Content of ``tellapart.json``.
        model: The model, in the target's own runtime.
    """

    path: Path
    card: Mapping[str, Any]
    model: Runner

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    def _repr_html_(self) -> str:
        target = escape(str(self.card["target"]))
        return f"<b>{escape(self.name)}</b>: {len(self.model.classes)} classes, as {target}."


def is_export(path: Path) -> bool:
    """Whether a folder looks like an export rather than a run."""
    return (path / CARD).is_file() and not (path / "run.json").exists()


def open_export(path: str | Path) -> Exported:
    """Open a folder that ``tellapart export`` wrote.

    Raises:
        ModelError: If it is missing, damaged, changed, or from a newer version.
        SettingsError: If its runtime is not installed.
    """
    folder = Path(path)
    if not is_export(folder):
        raise damaged(folder, "it has no tellapart.json")
    card = open_card(folder)
    target, classes = card["target"], tuple(card["classes"])
    if target not in TARGETS:
        raise damaged(folder, f"there is no target {target[:40]!r}")
    model = target_named(target).open(folder, card)
    if (classes, card["size"], card["fit"]) != (model.classes, model.size, model.fit):
        raise damaged(folder, "tellapart.json describes another model than the one next to it")
    return Exported(folder, card, model)
