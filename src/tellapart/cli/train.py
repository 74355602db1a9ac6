"""``tellapart train``: from data to a measured, explained classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tellapart.cli.options import Corrections, Data, GroupFrom, Json, LabelFrom, Quiet, Rescan

if TYPE_CHECKING:
    from tellapart.runs import Run


def command(
    data: Data,
    model: Annotated[
        str, typer.Option(help="What to train: 'probe', a linear head on pretrained features.")
    ] = "probe",
    size: Annotated[
        int, typer.Option(metavar="PIXELS", help="Side of the square pictures are brought to.")
    ] = 224,
    fit: Annotated[
        str, typer.Option(metavar="squash|crop|pad", help="How they are brought to it.")
    ] = "squash",
    held_out: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share held out, where the data has no parts."),
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="Draws every random choice.")] = 0,
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="The run folder [runs/NAME-1].", show_default=False),
    ] = None,
    corrections: Corrections = None,
    group_from: GroupFrom = None,
    label_from: LabelFrom = None,
    rescan: Rescan = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a classifier and measure it on pictures it has never seen.

    Writes a run folder with model.onnx, report.html and metrics.json.

    Examples:
      tellapart train pets/

      tellapart train pets.zip --group-from parent --out runs/pets

      tellapart train photos/ --label-from name --corrections corrections.csv
    """
    import tellapart as ta
    from tellapart.cli.terminal import print_json, progress_of

    run = ta.train(
        data,
        model=model,
        size=size,
        fit=fit,
        held_out=held_out,
        seed=seed,
        out=out,
        corrections=corrections,
        group_from=group_from,
        label_from=label_from,
        rescan=rescan,
        progress=progress_of(quiet=quiet),
    )
    if as_json:
        print_json(run.as_json())
    else:
        print_result(run)


def print_result(run: Run) -> None:
    """The headline, the verdict, where everything lies, and what to do next."""
    from tellapart.cli.terminal import clean, console, print_headline, print_indented

    shown = console()
    held = run.metrics["held_out"]
    verdict = run.metrics["verdict"]
    how = "held-out pictures" if held["method"] == "split" else "pictures, each held out in turn,"
    print_headline(shown, held, f"{held['n']:,} {how}")
    print_indented(shown, clean(verdict["sentence"]))
    for step in verdict.get("next", []):
        print_indented(shown, clean(step), first="  · ")
    path = clean(run.path)
    shown.print()
    shown.print(f"Saved     {path}/   model.onnx · report.html · metrics.json", soft_wrap=True)
    shown.print(f"Next      tellapart predict {path} some.jpg", soft_wrap=True)
    shown.print(f"          tellapart explain {path} some.jpg", soft_wrap=True)
