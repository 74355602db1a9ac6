"""``tellapart export``: the model in another format, checked in its own runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tellapart.cli.shared_options import Json, Quiet, RunFolder
from tellapart.exports.registry import TARGETS

if TYPE_CHECKING:
    from tellapart.exports import Export

INTERRUPTED = "Interrupted. Nothing was saved; an earlier export is unchanged."


def command(
    run: RunFolder,
    to: Annotated[
        str,
        typer.Option(
            metavar="|".join(TARGETS),
            help=f"Format: {', '.join(words for _, words in TARGETS.values())}.",
        ),
    ] = "onnx",
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder to write [exports/RUN-TARGET]; an earlier export there is replaced.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Where the run's pictures are now, if they were moved.",
            show_default=False,
        ),
    ] = None,
    verify: Annotated[
        Literal["sample", "all"] | None,
        typer.Option(
            metavar="sample|all",
            help="Held-out pictures to check on: all of them, or 50 and up to 50 that the model "
            "gets wrong. [all; sample for web, where one picture takes about a tenth of a second]",
            show_default=False,
        ),
    ] = None,
    accept_processor_differences: Annotated[
        bool,
        typer.Option(
            "--accept-processor-differences",
            help="Required for onnx-int8, whose answers can depend on the processor: without "
            "VNNI, 21 of 48 digits got another class with 8-bit weights, and none with 7-bit "
            "weights.",
        ),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export a run's model to another format, and prove that it gives the same answers.

    The export is run in its own runtime on the pictures that the run held out. If it does not
    agree with model.onnx, nothing is saved.

    Examples:
      tellapart export runs/pets-1

      tellapart export runs/pets-1 --to litert --out app/model
    """
    from tellapart.cli.guard import Interrupted
    from tellapart.cli.terminal import print_json, progress_of
    from tellapart.exports import export_run
    from tellapart.runs import open_run

    progress = progress_of(quiet=quiet)
    try:
        done = export_run(
            open_run(run),
            to=to,
            out=out,
            data=data,
            verify=verify,
            accept_processor_differences=accept_processor_differences,
            progress=progress,
        )
    except KeyboardInterrupt:
        raise Interrupted(INTERRUPTED) from None
    if as_json:
        print_json(done.as_json())
    else:
        print_export(done)


def print_export(done: Export) -> None:
    """How close it is to model.onnx, where it is, and what to do next."""
    from rich.text import Text

    from tellapart.cli.terminal import clean, console, print_indented
    from tellapart.exports.card import CARD
    from tellapart.exports.folder import PARITY
    from tellapart.exports.parity import sentences

    shown = console()
    first, *rest = sentences(done.parity)
    told = Text(f"{first}\n{' '.join(rest)}")
    told.stylize("bold", 0, first.index(" of "))
    shown.print()
    print_indented(shown, told)
    path = clean(done.path)
    shown.print()
    print_indented(shown, f"{path}/   {done.card['main']} · {CARD} · {PARITY}", "Saved     ")
    following = "\n          ".join(_next(done.card["target"], path))
    shown.print(Text(f"Next      {following}"), soft_wrap=True)  # in one piece, to be copied


def _next(target: str, path: str) -> tuple[str, ...]:
    """The first thing to try with an export, as lines."""
    from tellapart.cli.terminal import quoted

    if target == "web":
        return (
            f"python -m http.server 8000 --bind 127.0.0.1 --directory {quoted(path)}",
            "and open http://localhost:8000/ in a browser",
        )
    return (f"ta.load({path!r}).predict('some.jpg')",)
