"""``tellapart predict``: what a run's model says of pictures."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tellapart.cli.shared_options import Json, Quiet, RunFolder

if TYPE_CHECKING:
    from tellapart.exports import Exported
    from tellapart.inference.prediction import Prediction
    from tellapart.runs import Run

_NAMED = 5  # pictures that cannot be read, in the last line


def command(
    run: RunFolder,
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="PICTURE...", help="Files, folders or archives.", show_default=False
        ),
    ],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    sort_into: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Copy each picture into a sub-folder named after its class; nothing is moved.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Classify pictures. A picture that cannot be read gets a row with its error.

    Examples:
      tellapart predict runs/pets-1 new.jpg

      tellapart predict runs/pets-1 holiday/ more.zip --csv > answers.csv

      tellapart predict runs/pets-1 holiday/ --sort-into sorted/
    """
    from tellapart.cli.terminal import clean, print_json, progress_of
    from tellapart.core import text
    from tellapart.data.catalog import open_pictures
    from tellapart.inference.class_folders import sort_into as copy_into
    from tellapart.inference.prediction import predict

    if as_csv and as_json:
        raise typer.BadParameter("give either --csv or --json, not both")
    opened = _opened(run)
    catalog = open_pictures(pictures)
    rows = list(predict(opened.model, catalog, progress=progress_of(quiet=quiet)))
    copies = copy_into(sort_into, catalog, rows, named=pictures) if sort_into is not None else []
    if as_json:
        print_json({"schema": 1, "rows": [row.as_json() for row in rows]})
    elif as_csv:
        _print_csv(rows, opened.model.classes)
    else:
        _print_table(rows)
        if sort_into is not None:
            typer.echo(f"Copied {text.counted(len(copies), 'picture')} into {clean(sort_into)}/")
    if not quiet:
        _print_counts(rows)
    if rows and all(row.error is not None for row in rows):
        raise typer.Exit(1)


def _opened(folder: str) -> Run | Exported:
    """A run or an export; the code of exporting is read for an export alone."""
    if (Path(folder) / "tellapart.json").is_file():
        from tellapart.exports import open_export

        return open_export(folder)
    from tellapart.runs import open_run

    return open_run(folder)


def _print_csv(rows: Sequence[Prediction], classes: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["path", "label", "probability", *classes, "error"])
    for row in rows:
        shares = row.probabilities or {}
        writer.writerow(
            [
                row.path,
                row.label or "",
                "" if row.probability is None else f"{row.probability:.6f}",
                *(f"{shares[name]:.6f}" if name in shares else "" for name in classes),
                row.error or "",
            ]
        )


def _print_table(rows: Sequence[Prediction]) -> None:
    from tellapart.cli.terminal import clean
    from tellapart.core import text

    width = min(max((len(row.path) for row in rows), default=0), 60)
    for row in rows:
        path = f"{clean(row.path):<{width}}"
        if row.error is not None:
            typer.echo(f"{path}  {typer.style(clean(row.error), fg='red')}")
            continue
        share = f"{text.certainty(row.probability):>11}"
        typer.echo(f"{path}  {share}  {typer.style(clean(row.label), bold=True)}")


def _print_counts(rows: Sequence[Prediction]) -> None:
    """``55 classified (cats 41 · dogs 14), 1 not readable: bad.jpg`` on standard error."""
    from tellapart.cli.terminal import clean
    from tellapart.core import text

    labels = Counter(row.label for row in rows if row.label is not None)
    failed = [clean(row.path) for row in rows if row.error is not None]
    told = f"{text.count(labels.total())} classified"
    if labels:
        by_class = (f"{clean(label)} {text.count(n)}" for label, n in labels.most_common())
        told += f" ({' · '.join(by_class)})"
    if failed:
        told += f", {text.count(len(failed))} not readable: {', '.join(failed[:_NAMED])}"
    if len(failed) > _NAMED:
        told += f" and {text.count(len(failed) - _NAMED)} more"
    typer.echo(told, err=True)
