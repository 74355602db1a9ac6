"""What a command says: progress on standard error, answers on standard output.

In a terminal a stage is a bar with rate and time left that ends as one line; elsewhere it
is a plain line when it ends, and one every ten seconds while it runs.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tellapart.core.errors import TellapartError
from tellapart.core.progress import SILENT, Progress, Stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

NAME_WIDTH = 10
MAX_WIDTH = 100
_EVERY = 10.0  # seconds between plain lines of a long stage
_PLAIN = re.compile(r"[\w@%+=:,./-]+")
_GLUE = "\ue000"  # stands for a space where a line must not be broken
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: object) -> str:
    """Text from outside, safe to show: no control or direction characters, no lone bytes."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text))


def console(*, stderr: bool = False) -> Console:
    """A console for a stream; imported late, since ``--help`` and ``--json`` need none."""
    from rich.console import Console

    shown = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not shown.is_terminal:
        shown.width = MAX_WIDTH
    return shown


def progress_of(*, quiet: bool) -> Progress:
    """Bars in a terminal, lines elsewhere, nothing when asked to be quiet."""
    if quiet:
        return SILENT
    return _Bars(console(stderr=True)) if sys.stderr.isatty() else _Lines()


def print_json(content: Any) -> None:
    """One JSON document on standard output, and nothing else there."""
    plain = not (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    text = json.dumps(content, indent=2, ensure_ascii=plain, allow_nan=False)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


def print_error(error: TellapartError, *, as_json: bool) -> None:
    """What is wrong, where, and what to do: one message, no traceback."""
    if as_json:
        print_json({"schema": 1, "error": error.as_json()})
        return
    shown = console(stderr=True)
    _print_told(shown, "Error  ", "bold red", error.message)
    if error.remedy:
        _print_told(shown, "To do  ", "bold", error.remedy)


def _print_told(shown: Console, name: str, style: str, message: str) -> None:
    """A message beside its name; each of its lines begins below the first.

    A line that is set in, such as an address to copy, stays as it is.
    """
    from rich.text import Text

    first = Text(name, style=style)
    for line in clean_lines(message).split("\n"):
        if line.startswith(" "):
            shown.print(line, soft_wrap=True)
        else:
            print_indented(shown, line, first=first)
        first = Text(" " * len(name))


def clean_lines(text: str) -> str:
    """Like :func:`clean`, but lines stay lines."""
    return "\n".join(clean(line) for line in text.split("\n"))


def print_headline(shown: Console, measured: Mapping[str, Any], what: str, how: str = "") -> None:
    """The accuracy with its interval and the score of guessing, and ``how`` it was measured."""
    from tellapart.core import text

    right = text.percent(measured["accuracy"])
    guessing = text.percent(measured["majority_accuracy"])
    interval = text.interval(*measured["accuracy_ci95"])
    rest = f"  of {what} right{how} (95 % interval {interval}; guessing gets {guessing})"
    from rich.text import Text

    told = Text.assemble((right, "bold"), rest)
    shown.print()
    print_indented(shown, told)


def print_indented(shown: Console, told: Text | str, first: Text | str = "  ") -> None:
    """Print text under ``first``; the lines it is broken into begin below its own beginning.

    A percentage is never parted from its number, and what is longer than a line, such as a path
    or an address, stays in one piece, so that it can be copied.
    """
    from rich.text import Text

    whole = Text(told) if isinstance(told, str) else told.copy()
    whole.plain = whole.plain.replace(" %", f"{_GLUE}%")
    # Rich would break a word that is longer than a line.
    width = max(shown.width - len(first), 20)
    for paragraph in whole.split("\n", allow_blank=True):
        for line in paragraph.divide(_breaks(paragraph.plain, width)):
            line.plain = line.plain.replace(_GLUE, " ")
            line.rstrip()
            shown.print(Text.assemble(first, line), soft_wrap=True)
            first = " " * len(first)


def _breaks(text: str, width: int) -> list[int]:
    """Where lines begin, so that they are not wider than this unless a word is."""
    from rich.cells import cell_len

    starts, column = [], 0
    for word in re.finditer(r"[^ ]+ *", text):
        if column and column + cell_len(word.group().rstrip()) > width:
            starts.append(word.start())
            column = 0
        column += cell_len(word.group())
    return starts


def program() -> str:
    """How this program is called, for commands to copy: by its path where no PATH leads to it."""
    typed = sys.argv[0]
    if Path(typed).stem == "tellapart" and shutil.which("tellapart") is None:
        return quoted(typed)
    return "tellapart"


def quoted(text: object) -> str:
    """A path as a shell reads it, with quotes only where it has spaces and the like."""
    plain = str(text)
    return plain if _PLAIN.fullmatch(plain) else shlex.quote(plain)


class _Count:
    """Counts from any thread; what both ways of showing share."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.done = 0
        self.sentence = ""
        self.start = time.perf_counter()
        self._lock = threading.Lock()

    def advance(self, n: int = 1) -> None:
        with self._lock:
            self.done += n
        self.moved()

    def moved(self) -> None:
        """Called after every step."""

    def summarize(self, sentence: str) -> None:
        self.sentence = sentence

    def note(self, line: str) -> None:
        _write_line(clean(line))

    def lines(self, width: int, name: str, unit: str) -> list[str]:
        """What stays when the stage has ended, in several lines where one is too short."""
        sentence, right = self._ended(unit)
        room = min(width, MAX_WIDTH) - len(right) - 1
        left = f"{name:<{NAME_WIDTH - 1}} {sentence}"
        if len(left) + 1 + len(right.rstrip()) <= width:
            return [f"{left:<{room}} {right}".rstrip()]
        whole = " · ".join(part.replace(" ", _GLUE) for part in sentence.split(" · "))
        first, *rest = textwrap.wrap(whole, max(room - NAME_WIDTH, 20), break_on_hyphens=False)
        left = f"{name:<{NAME_WIDTH - 1}} {first}"
        lines = [f"{left:<{room}} {right}".rstrip(), *(" " * NAME_WIDTH + line for line in rest)]
        return [line.replace(_GLUE, " ") for line in lines]

    def _ended(self, unit: str) -> tuple[str, str]:
        """What was done, and how long it took and how fast it went."""
        from tellapart.core import text

        seconds = time.perf_counter() - self.start
        sentence = clean(self.sentence) or text.counted(self.done, unit.removesuffix("s"))
        rate = ""
        if unit == "pictures" and self.done and seconds > 0.05:
            rate = f"{self.done / seconds:,.0f}/s"
        return sentence, f"{text.seconds(seconds):>9}{rate:>9}"


class _Bars:
    """A :class:`Progress` of bars in a terminal."""

    def __init__(self, shown: Console) -> None:
        self._console = shown

    @contextmanager
    def stage(
        self, name: str, *, total: int | None = None, unit: str = "pictures"
    ) -> Iterator[Stage]:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            ProgressColumn,
            Task,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars
        from rich.text import Text

        class Rate(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")

        bars = Bars(
            TextColumn("{task.description:<" + str(NAME_WIDTH - 1) + "}"),
            BarColumn(bar_width=None),
            *([MofNCompleteColumn()] if total is not None else []),
            Rate(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            expand=False,
        )

        class Bar(_Count):
            def moved(self) -> None:
                bars.update(task, completed=self.done)

            def note(self, line: str) -> None:
                bars.console.print(Text(clean(line)), soft_wrap=True)

        with bars:
            task = bars.add_task(name, total=total)
            stage = Bar(total)
            yield stage
        for line in stage.lines(self._console.width, name, unit):
            self._console.print(line, soft_wrap=True)


class _Lines:
    """A :class:`Progress` of plain lines; needs no Rich, which takes a while to import."""

    @contextmanager
    def stage(
        self, name: str, *, total: int | None = None, unit: str = "pictures"
    ) -> Iterator[Stage]:
        class Lines(_Count):
            said = time.perf_counter()

            def moved(self) -> None:
                now = time.perf_counter()
                if now - self.said >= _EVERY:
                    self.said = now
                    of = f" of {self.total:,}" if self.total else ""
                    _write_line(f"{name:<{NAME_WIDTH - 1}} {self.done:,}{of} {unit}")

        stage = Lines(total)
        yield stage
        _write_line("\n".join(stage.lines(sys.maxsize, name, unit)))


def _write_line(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
