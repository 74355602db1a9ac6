"""How long work says how far it is, without knowing who listens.

A verb takes a :class:`Progress` and opens a stage with :meth:`Progress.stage`; the
command line passes one that draws bars, a notebook or a test passes :data:`SILENT`.

Example:
    >>> with SILENT.stage("Reading", total=3) as stage:
    ...     stage.advance(3)
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol


class Stage(Protocol):
    """One counted piece of work, such as reading 3,000 pictures."""

    def advance(self, n: int = 1) -> None:
        """Say that ``n`` more units are done. May be called from any thread."""

    def summarize(self, sentence: str) -> None:
        """Set the plain-words summary shown when the stage ends."""

    def note(self, line: str) -> None:
        """Show a line that stays, such as one row of a table, while the stage goes on."""


class Progress(Protocol):
    """Somebody who listens to stages."""

    def stage(
        self, name: str, *, total: int | None = None, unit: str = "pictures"
    ) -> AbstractContextManager[Stage]:
        """Open a stage; leaving the ``with`` block ends it and shows its summary."""


class _SilentStage:
    def __enter__(self) -> _SilentStage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def advance(self, n: int = 1) -> None:
        return None

    def summarize(self, sentence: str) -> None:
        return None

    def note(self, line: str) -> None:
        return None


class Silent:
    """A :class:`Progress` that says nothing."""

    def stage(
        self, name: str, *, total: int | None = None, unit: str = "pictures"
    ) -> AbstractContextManager[Stage]:
        """A stage that says nothing."""
        return _SilentStage()


SILENT: Progress = Silent()
