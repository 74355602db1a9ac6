"""``tellapart check``: what is wrong with the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.shared_options import Data, Json, Quiet, Rescan, takes

if TYPE_CHECKING:
    from tellapart.pipelines.check import Check

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


@takes("tellapart.core.config:DataSettings")
def command(
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write check.html, findings.parquet and corrections.csv into this folder.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if there is an error-level finding.")
    ] = False,
    rescan: Rescan = False,
    as_json: Json = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Say what is wrong with a folder of pictures, and what to do about it.

    Your files are never changed. Pictures to exclude or relabel go into a corrections file, which
    --out writes for you to edit.

    Examples:
      tellapart check pets/

      tellapart check pets/ --out check-pets

      tellapart check pets/ --strict --json
    """
    import tellapart as ta
    from tellapart.cli.terminal import clean, print_json, progress_of

    found = ta.check(data, rescan=rescan, progress=progress_of(quiet=quiet), **options)
    written = found.write(out) if out is not None else ()
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)
        if written:
            names = " · ".join(path.name for path in written)
            typer.echo(f"Wrote     {clean(out)}/   {names}")
        for i, line in enumerate(_next(found, out, options["corrections"])):
            typer.echo(f"{'Next' if i == 0 else '':<10}{clean(line)}")
    if strict and any(finding.level == "error" for finding in found.findings):
        raise typer.Exit(1)


def _next(found: Check, out: Path | None, corrections: str | None) -> list[str]:
    """The commands to go on with: a file to correct in, where something was found; training."""
    from tellapart.cli.terminal import program, quoted
    from tellapart.pipelines.check import CORRECTIONS

    name, data = program(), quoted(found.data)
    told = []
    if out is None and found.findings:
        told.append(f"{name} check {data} --out checked")
        told.append("  a page with the pictures, and a corrections.csv to edit")
    if all(finding.code != "one_class" for finding in found.findings):
        given = corrections or (out / CORRECTIONS if out is not None and found.findings else None)
        told.append(
            f"{name} train {data}"
            + (f" --corrections {quoted(given)}" if given is not None else "")
        )
    return told


def _print(found: Check) -> None:
    from rich.console import Group, RenderableType
    from rich.table import Table

    from tellapart.cli.terminal import clean, console, print_indented
    from tellapart.core.text import counted

    shown = console()
    summary = found.summary
    classes = " · ".join(f"{clean(name)} {n:,}" for name, n in list(summary["classes"].items())[:8])
    if len(summary["classes"]) > 8:
        classes += f" · and {counted(len(summary['classes']) - 8, 'more class', 'more classes')}"
    formats = " · ".join(f"{name} {n:,}" for name, n in summary["formats"].items())
    shown.print()
    shown.print(clean(summary["name"]), style="bold")
    shown.print(f"  {counted(summary['pictures'], 'picture')}, {summary['usable']:,} usable")
    print_indented(shown, classes, first="  Classes  ")
    print_indented(shown, formats, first="  Formats  ")
    shown.print()
    if not found.findings:
        shown.print("Nothing to report: no finding of any level.", style="bold")
    table = Table.grid(padding=(0, 2, 1, 0))
    table.add_column(width=7)
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for finding in found.findings:
        from rich.text import Text

        told: list[RenderableType] = [Text(clean(finding.sentence))]
        if finding.remedy:
            remedy = Table.grid()
            remedy.add_row("→ ", Text(clean(finding.remedy), style="italic"))
            told.append(remedy)
        told += [Text(f"  {clean(path)}", style="dim") for path in finding.paths[:3]]
        if len(finding.paths) > 3:
            told.append(Text(f"  and {len(finding.paths) - 3:,} more", style="dim"))
        level = Text(finding.level, style=_STYLES[finding.level])
        table.add_row(level, f"{finding.count:,}", Group(*told))
    if found.findings:
        shown.print(table)
    shown.print()
    shown.print("How pictures are read", style="bold")
    for sentence in summary["policy"]:
        print_indented(shown, sentence, first="  · ")
    shown.print()
