"""A listener to progress that remembers what it was told, and can interrupt the work."""

from __future__ import annotations

from types import TracebackType


class Recorder:
    """Every stage of a :class:`tellapart.core.progress.Progress` in one record.

    Attributes:
        total: What the stages announced, in all.
        done: How far they came, in all.
        lines: Names of stages, notes and summaries, in the order in which they came.

    Args:
        interrupt_at: Ctrl-C is pressed as soon as so much is done.
    """

    def __init__(self, interrupt_at: int | None = None) -> None:
        self.total = self.done = 0
        self.lines: list[str] = []
        self._interrupt_at = interrupt_at

    def stage(self, name: str, *, total: int | None = None, unit: str = "pictures") -> Recorder:
        self.lines.append(name)
        self.total += total or 0
        return self

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def advance(self, n: int = 1) -> None:
        self.done += n
        if self._interrupt_at is not None and self.done >= self._interrupt_at:
            raise KeyboardInterrupt

    def note(self, line: str) -> None:
        self.lines.append(line)

    def summarize(self, sentence: str) -> None:
        self.lines.append(sentence)
