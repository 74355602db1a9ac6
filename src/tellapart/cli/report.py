"""``tellapart report``: write a run's report again."""

from __future__ import annotations

import typer

from tellapart.cli.shared_options import Json, RunFolder


def command(run: RunFolder, as_json: Json = False) -> None:
    """Write a run's report.html again from its files and from the pictures that still exist.

    Examples:
      tellapart report runs/pets-1
    """
    from tellapart.cli.terminal import clean, print_json
    from tellapart.reports.pages import rewrite_report

    path = rewrite_report(run)
    if as_json:
        print_json({"schema": 1, "report": str(path)})
    else:
        typer.echo(clean(path))
