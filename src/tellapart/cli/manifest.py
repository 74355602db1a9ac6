"""``tellapart manifest``: what was understood of the data, as a table to edit and give back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tellapart.cli.shared_options import Data, Json, takes


@takes("tellapart.core.config:DataSettings")
def command(
    data: Data,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The CSV to write.")] = Path(
        "labels.csv"
    ),
    as_json: Json = False,
    **options: Any,
) -> None:
    """Write the labels, parts and groups as they were understood into a CSV.

    No picture is read, and nothing of yours is changed. Edit the table, and give it to the other
    commands instead of the folder.

    Examples:
      tellapart manifest pets/ --out labels.csv

      tellapart manifest photos/ --label-from name --exclude old
    """
    from tellapart.cli.terminal import clean, console, print_indented, print_json, program, quoted
    from tellapart.core.config import DataSettings, settings
    from tellapart.core.text import counted
    from tellapart.pipelines.check import open_data, write_manifest

    catalog = open_data(data, settings(DataSettings, options))
    write_manifest(catalog, out)
    if as_json:
        print_json({"schema": 1, "manifest": str(out), "pictures": len(catalog)})
        return
    shown = console()
    for doubt in catalog.doubts:
        print_indented(shown, clean(doubt.sentence), first="Read      ")
    pictures, classes = counted(len(catalog), "picture"), len(catalog.classes)
    shown.print(
        f"Wrote     {clean(out)}: {pictures} in {counted(classes, 'class', 'classes')}",
        soft_wrap=True,
    )
    place = quoted(os.path.relpath(catalog.source.folder or "."))
    shown.print(
        f"Next      {program()} train {quoted(out)} --pictures {place}",
        soft_wrap=True,
        markup=False,
    )
