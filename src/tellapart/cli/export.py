"""``tellapart export``: the model in another form, checked in its own runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.options import Json, Quiet, RunFolder
from tellapart.exports.registry import TARGETS

if TYPE_CHECKING:
    from tellapart.exports import Export

INTERRUPTED = "Interrupted. Nothing was put in place; an earlier export is as it was."


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
            help="Where the run's pictures lie now, if they were moved.",
            show_default=False,
        ),
    ] = None,
    accept_processor_differences: Annotated[
        bool,
        typer.Option(
            "--accept-processor-differences",
            help="Needed for onnx-int8, whose answers depend on the processor: on another "
            "processor than this one, many pictures can get another class.",
        ),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a run's model in another form, and prove that it gives the same answers.

    What was written is run in its own runtime on the pictures that the run held out. Where it
    does not agree with model.onnx, nothing is put in place.

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
    """How far it agrees, where it lies, and what to do next."""
    from rich.text import Text

    from tellapart.cli.terminal import clean, console, print_indented
    from tellapart.core import text
    from tellapart.exports.folder import CARD, PARITY
    from tellapart.exports.parity import checked_on

    shown, parity = console(), done.parity
    shown.print()
    same = text.percent(parity["same_top1"])
    rest = f"  of {parity['n']:,} {checked_on(parity)} get the same class as from model.onnx"
    print_indented(shown, Text.assemble((same, "bold"), rest))
    print_indented(shown, _figures(done))
    if "speed" in parity:
        print_indented(shown, clean(_gains(parity)))
    path = clean(done.path)
    shown.print()
    print_indented(shown, f"{path}/   {done.card['main']} · {CARD} · {PARITY}", "Saved     ")
    following = "\n          ".join(_next(done.card["target"], path))
    shown.print(Text(f"Next      {following}"), soft_wrap=True)  # in one piece, to be copied


def _next(target: str, path: str) -> tuple[str, ...]:
    """What somebody tries first with an export, in lines."""
    from tellapart.cli.terminal import quoted

    if target == "web":
        return (
            f"python -m http.server 8000 --bind 127.0.0.1 --directory {quoted(path)}",
            "and open http://localhost:8000/ in a browser",
        )
    return (f"ta.load({path!r}).predict('some.jpg')",)


def _figures(done: Export) -> str:
    from tellapart.core import text

    parity = done.parity
    most = parity["tolerance"]["max_difference"]
    told = f"Largest difference in probability {parity['max_difference']:.2g}"
    told += "" if most is None else f" (at most {most:g})"
    ours, theirs = parity["accuracy_onnx"], parity["accuracy"]
    if ours == theirs:
        return f"{told}; accuracy {text.percent(ours)}, the same."
    return f"{told}; accuracy {text.percent(theirs)}, of model.onnx {text.percent(ours)}."


def _gains(parity: Mapping[str, Any]) -> str:
    from tellapart.core import text

    speed, sizes = parity["speed"], parity["bytes"]
    return (
        f"{speed['gain']:.1f} times as fast here ({speed['target']:,.0f} pictures a second, "
        f"model.onnx {speed['onnx']:,.0f}; {speed['processor']}, {speed['cores']} cores); "
        f"{text.size(sizes['target'])} instead of "
        f"{text.size(sizes['onnx'])}."
    )
