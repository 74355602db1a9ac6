"""``tellapart train``: from data to a measured, explained classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.shared_options import Json, Quiet, Rescan, takes
from tellapart.core.errors import SettingsError

if TYPE_CHECKING:
    from tellapart.runs import Run


@takes("tellapart.core.config:TrainSettings")
def command(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="A folder with one sub-folder per class, a .zip or .tar of one, a CSV, JSON Lines "
            "or Parquet manifest, or IDX or NPZ arrays. Omit with --resume.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="The run folder [runs/NAME-1].", show_default=False),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Continue an interrupted training of a network; takes no other option.",
            show_default=False,
        ),
    ] = None,
    rescan: Rescan = False,
    as_json: Json = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Train a classifier and measure it on pictures it has never seen.

    Writes a run folder with model.onnx, report.html and metrics.json.

    Examples:
      tellapart train pets/

      tellapart train pets.zip --group-from parent --out runs/pets

      tellapart train photos/ --label-from name --corrections corrections.csv

      tellapart train pets/ --model cnn --target 0.99

      tellapart train pets/ --model auto --budget 5m

      tellapart train --resume runs/pets-2
    """
    import tellapart as ta
    from tellapart.cli.terminal import print_json, progress_of

    progress = progress_of(quiet=quiet)
    if resume is not None:
        _check_alone(data, {**options, "out": out, "rescan": rescan})
        run = ta.resume(resume, progress=progress)
    elif data is None:
        raise typer.BadParameter("give a folder of pictures, or --resume.", param_hint="'DATA'")
    else:
        run = ta.train(data, out=out, rescan=rescan, progress=progress, **options)
    if as_json:
        print_json(run.as_json())
    else:
        print_result(run)


def _check_alone(data: str | None, options: dict[str, Any]) -> None:
    """A training is resumed with the data and the settings that it began with."""
    from tellapart.core.config import TrainSettings, option

    usual = {name: field.default for name, field in TrainSettings.model_fields.items()}
    given = [] if data is None else [f"the data '{data}'"]
    given += [
        option(name)
        for name, value in options.items()
        if value not in (None, False, usual.get(name))
    ]
    if given:
        raise SettingsError(
            f"--resume continues with the data and the settings that the training began with, but "
            f"you also gave {', '.join(given)}.",
            remedy="Omit that, or start a new training.",
            code="other_settings",
        )


def print_result(run: Run) -> None:
    """The headline, the verdict, where everything lies, and what to do next."""
    from tellapart.cli.terminal import (
        clean,
        console,
        print_headline,
        print_indented,
        program,
        quoted,
    )
    from tellapart.core.text import counted
    from tellapart.diagnosis import plain, weakest

    shown = console()
    held = run.metrics["held_out"]
    verdict = run.metrics["verdict"]
    if held["method"] == "split":
        print_headline(shown, held, counted(held["n"], "held-out picture"))
    else:
        print_headline(shown, held, counted(held["n"], "picture"), ", cross-validated")
    if weak := weakest(held):
        print_indented(shown, clean(weak))
    print_indented(shown, clean(verdict["sentence"]))
    for step in run.next_steps:
        print_indented(shown, clean(plain(step)), first="  · ")
    path, name = clean(run.path), program()
    shown.print()
    if stopped := _stopped(run):
        print_indented(shown, clean(stopped), first="Training  ")
    shown.print(f"Saved     {path}/   model.onnx · report.html · metrics.json", soft_wrap=True)
    folder = quoted(path)
    shown.print(f"Next      {name} predict {folder} some.jpg", soft_wrap=True)
    shown.print(f"          {name} explain {folder} some.jpg", soft_wrap=True)
    shown.print(f"Report    {clean((run.path / 'report.html').resolve())}", soft_wrap=True)


def _stopped(run: Run) -> str:
    """Why a network's training ended, where that is worth a word."""
    outcome = run.settings.get("network", {}).get("outcome", {})
    return "" if outcome.get("stopped") in (None, "epochs") else str(outcome.get("sentence", ""))
