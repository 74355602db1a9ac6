"""``tellapart train``: from data to a measured, explained classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.options import Corrections, GroupFrom, Json, LabelFrom, Quiet, Rescan
from tellapart.core.errors import SettingsError

if TYPE_CHECKING:
    from tellapart.runs import Run


def _network(told: str, metavar: str | None = None) -> Any:
    """An option of networks: what is not given is the network's own choice."""
    return typer.Option(metavar=metavar, help=f"{told} For networks.", show_default=False)


def command(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="A folder with one sub-folder a class, a .zip or .tar of one, a CSV, JSON Lines "
            "or Parquet manifest, or IDX or NPZ arrays. Left away with --resume.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What to train: 'probe', a linear head on pretrained features; from pixels: "
            "'linear', 'dnn', 'cnn', 'resnet' or 'finetune'; or 'auto', the best of what the "
            "budget has time for.",
        ),
    ] = "probe",
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Side of the square pictures are brought to [224 for probe and finetune; the "
            "pictures' own size if they share one up to 160; else 96 for resnet, 150 for others].",
            show_default=False,
        ),
    ] = None,
    fit: Annotated[
        str, typer.Option(metavar="squash|crop|pad", help="How they are brought to it.")
    ] = "squash",
    held_out: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share held out, where the data has no parts."),
    ] = 0.2,
    seed: Annotated[int, typer.Option(metavar="N", help="Draws every random choice.")] = 0,
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="The run folder [runs/NAME-1].", show_default=False),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with an interrupted training of a network; takes no other option.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[int | None, _network("Passes over the training pictures.", "N")] = None,
    batch: Annotated[int | None, _network("Pictures a step.", "N")] = None,
    lr: Annotated[
        str | None, _network("Highest learning rate; 'auto' looks for one.", "RATE|auto")
    ] = None,
    schedule: Annotated[
        str | None, _network("How the learning rate moves.", "onecycle|cosine|constant")
    ] = None,
    target: Annotated[
        float | None, _network("Stop at this accuracy, such as 0.99.", "SHARE")
    ] = None,
    target_on: Annotated[
        str | None, _network("Whose accuracy that is [training].", "training|validation")
    ] = None,
    patience: Annotated[
        int | None,
        _network("Stop after so many epochs without a better validation loss.", "EPOCHS"),
    ] = None,
    budget: Annotated[
        str | None, _network("Time that training may take, such as 90s or 2m.", "TIME")
    ] = None,
    augment: Annotated[
        str | None,
        _network("How training pictures are varied.", "none|light|strong|flip,shift=0.1,…"),
    ] = None,
    units: Annotated[
        str | None, _network("Widths of the dense layers of dnn and cnn.", "N,N,…")
    ] = None,
    filters: Annotated[
        str | None, _network("Widths of the convolutions of cnn and resnet.", "N,N,…")
    ] = None,
    validation: Annotated[
        float | None, _network("Share of the training part to choose by [0.1].", "SHARE")
    ] = None,
    label_smoothing: Annotated[
        float | None, _network("Certainty that labels are taken to lack.", "SHARE")
    ] = None,
    class_weights: Annotated[
        bool | None,
        typer.Option(
            "--class-weights/--no-class-weights",
            help="Whether rare classes count more [where one has twice another's pictures].",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        str | None, _network("Arithmetic of the training.", "auto|float32|mixed_bfloat16")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Keep logs for TensorBoard in the run folder.")
    ] = False,
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

      tellapart train pets/ --model cnn --target 0.99

      tellapart train pets/ --model auto --budget 5m

      tellapart train --resume runs/pets-2
    """
    import tellapart as ta
    from tellapart.cli.terminal import print_json, progress_of

    options: dict[str, Any] = {
        "model": model,
        "size": size,
        "fit": fit,
        "held_out": held_out,
        "seed": seed,
        "out": out,
        "corrections": corrections,
        "group_from": group_from,
        "label_from": label_from,
        "rescan": rescan,
        "epochs": epochs,
        "batch": batch,
        "lr": _rate(lr),
        "schedule": schedule,
        "target": target,
        "target_on": target_on,
        "patience": patience,
        "budget": budget,
        "augment": augment,
        "units": units,
        "filters": filters,
        "validation": validation,
        "label_smoothing": label_smoothing,
        "class_weights": class_weights,
        "precision": precision,
        "tensorboard": tensorboard,
    }
    progress = progress_of(quiet=quiet)
    if resume is not None:
        _check_alone(data, options)
        run = ta.resume(resume, progress=progress)
    elif data is None:
        raise typer.BadParameter("give a folder of pictures, or --resume.", param_hint="'DATA'")
    else:
        run = ta.train(data, **options, progress=progress)
    if as_json:
        print_json(run.as_json())
    else:
        print_result(run)


_USUAL = {"model": "probe", "fit": "squash", "held_out": 0.2, "seed": 0}


def _check_alone(data: str | None, options: dict[str, Any]) -> None:
    """A training is resumed as it was begun: on its own data, with its own settings."""
    from tellapart.core.config import option

    given = [] if data is None else [f"the data '{data}'"]
    given += [
        option(name)
        for name, value in options.items()
        if value not in (None, False) and value != _USUAL.get(name)
    ]
    if given:
        raise SettingsError(
            f"--resume goes on with the data and the settings that the training was begun with, "
            f"but {', '.join(given)} came with it.",
            remedy="Leave that away, or begin a new training.",
            code="other_settings",
        )


def _rate(text: str | None) -> float | str | None:
    """The learning rate as a number where it is one; what is neither is told with the others."""
    try:
        return text if text is None else float(text)
    except ValueError:
        return text


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
    from tellapart.diagnosis import plain

    shown = console()
    held = run.metrics["held_out"]
    verdict = run.metrics["verdict"]
    how = "held-out pictures" if held["method"] == "split" else "pictures, each held out in turn,"
    print_headline(shown, held, f"{held['n']:,} {how}")
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
