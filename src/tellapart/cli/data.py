"""``tellapart data``: the data sets of the classic lessons."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.guard import guarded
from tellapart.cli.plain import Command, group
from tellapart.cli.shared_options import Json, Quiet

if TYPE_CHECKING:
    from pathlib import Path

    from tellapart.datasets.dataset import DataSet
    from tellapart.datasets.verification import Found

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A data set, as 'data list' names it.", show_default=False),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PATH",
        help="Take it from this file or folder, and look nowhere else.",
        show_default=False,
    ),
]


def build() -> typer.Typer:
    """The group of ``data`` commands."""
    commands = group("List, find and download the data sets of the classic lessons.")
    commands.command("list", cls=Command)(guarded(list_all))
    commands.command("get", cls=Command)(guarded(get))
    commands.command("where", cls=Command)(guarded(where))
    return commands


def list_all(as_json: Json = False) -> None:
    """List the data sets: what they are, how large, and where your copies are on this machine.

    Examples:
      tellapart data list

      tellapart data list --json
    """
    from tellapart.cli.terminal import clean, print_json
    from tellapart.datasets.registry import DATA_SETS
    from tellapart.datasets.search import search

    rows = [(dataset, search(dataset)) for dataset in DATA_SETS]
    if as_json:
        print_json(
            {
                "schema": 1,
                "datasets": [
                    {
                        **_record(dataset),
                        "where": _shown(found.path) if found else None,
                        "passed_over": list(refused),
                    }
                    for dataset, (found, refused) in rows
                ],
            }
        )
        return
    for dataset, (found, refused) in rows:
        size = f"{dataset.size / 1e6:,.1f} MB" if dataset.size else ""
        typer.echo(f"{dataset.name:<23} {dataset.pictures:>7,} pictures {size:>9}".rstrip())
        typer.echo(f"  {dataset.title}")
        typer.echo(f"  {clean(found.path) if found else _how(dataset)}")
        for why in refused:
            typer.echo(f"  Passed over: {clean(why)}")


def get(name: Name, given: From = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Find a data set on this machine, or download it, and print where it is.

    An interrupted download continues where it stopped. Downloaded files are compared with the known
    size and SHA-256 before it is used. TELLAPART_DATA names a folder of copies that you keep,
    TELLAPART_DATASETS another folder for downloads.

    Examples:
      tellapart data get mnist

      tellapart data get horses-or-humans --from ~/Downloads

      tellapart train "$(tellapart data get fashion-mnist)" --model dnn
    """
    from tellapart.cli.terminal import progress_of
    from tellapart.datasets import get as get_data

    _print(get_data(name, given=given, progress=progress_of(quiet=quiet)), as_json, quiet)


def where(name: Name, given: From = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Check a data set on this machine and print where it is; download nothing.

    Exits with 1 if there is none.

    Examples:
      tellapart data where mnist

      tellapart data where cats-dogs-3k --from ~/Downloads/cats-dogs-3k.zip
    """
    from tellapart.datasets import find

    _print(find(name, given=given), as_json, quiet)


def _print(found: Found, as_json: bool, quiet: bool) -> None:
    """The path alone on standard output, so that other commands can take it."""
    from tellapart.cli.terminal import clean, print_json

    if as_json:
        print_json(
            {
                "schema": 1,
                **_record(found.dataset),
                "where": _shown(found.path),
                "told": list(found.notes),
                "sha256": dict(found.sha256s),
            }
        )
        return
    if not quiet:
        for sentence in found.notes:
            sys.stderr.write(clean(sentence) + "\n")
    typer.echo(clean(found.path))


def _record(dataset: DataSet) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "title": dataset.title,
        "origin": dataset.origin,
        "home": dataset.home,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "size": dataset.size,
        "classes": list(dataset.classes),
        "counts": dict(dataset.counts),
        "label_from": dataset.label_from,
        "downloadable": dataset.downloadable,
        "notes": list(dataset.notes),
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "sha256s": list(file.sha256s),
                "urls": list(file.urls),
            }
            for file in dataset.files
        ],
    }


def _shown(path: Path) -> str:
    from tellapart.data.sources.names import printable

    return printable(str(path))


def _how(dataset: DataSet) -> str:
    """How to get one that is not there."""
    if dataset.downloadable or dataset.form == "embedded":
        return f"not here; get it with: tellapart data get {dataset.name}"
    return "not here, and without an official download"
