"""``tellapart demo``: the main job on real pictures that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli.shared_options import Json, Quiet


def command(
    folder: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Folder for the demo's pictures."),
    ] = Path("demo-data"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on 1,797 real handwritten digits and write a report.

    Examples:
      tellapart demo
    """
    import tellapart as ta
    from tellapart.cli.terminal import print_json, progress_of
    from tellapart.cli.train import print_result
    from tellapart.datasets.digits import write_digits

    progress = progress_of(quiet=quiet)
    with progress.stage("Writing", total=None) as stage:
        digits = write_digits(folder / "digits")
        stage.summarize(f"1,797 handwritten digits to {digits}/")
    run = ta.train(digits, progress=progress)
    if as_json:
        print_json(run.as_json())
        return
    print_result(run)
