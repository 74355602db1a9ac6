"""Progress reporting, independent of how it is displayed.

A function takes a :class:`Progress` and opens stages with :meth:`Progress.stage`. The command line
passes one that draws bars; the default is :data:`SILENT`.

Example:
    >>> with SILENT.stage("Reading", total=3) as stage:
    ...     stage.advance(3)
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Stage(Protocol):
    """One part of the work, such as reading 3,000 pictures."""

    def advance(self, n: int = 1) -> None:
        """Report that ``n`` more units are done. May be called from any thread."""

    def summarize(self, sentence: str) -> None:
        """Set the sentence shown when the stage ends."""

    def note(self, line: str) -> None:
        """Show a line that stays, such as a row of a table, while the stage continues."""


class Progress(Protocol):
    """Displays stages."""

    def stage(
        self, name: str, *, total: int | None = None, unit: str = "pictures"
    ) -> AbstractContextManager[Stage]:
        """A context manager for a stage; leaving it ends the stage and shows its summary."""


class Silent:
    """A :class:`Progress` that shows nothing, and its own :class:`Stage`."""

    def stage(
        self, name: str, *, total: int | None = None, unit: str = "pictures"
    ) -> AbstractContextManager[Stage]:
        """A stage that shows nothing."""
        return nullcontext(self)

    def advance(self, n: int = 1) -> None:
        """Show nothing."""

    def summarize(self, sentence: str) -> None:
        """Show nothing."""

    def note(self, line: str) -> None:
        """Show nothing."""


SILENT: Progress = Silent()
