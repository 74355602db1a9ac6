"""The application, built from a table of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from tellapart.cli import (
    augment_preview,
    bench,
    cache,
    check,
    compare,
    data,
    demo,
    evaluate,
    explain,
    export,
    manifest,
    predict,
    project,
    report,
    serve,
    train,
)
from tellapart.cli.guard import guarded
from tellapart.cli.plain import Command, Group
from tellapart.core.version import __version__

COMMANDS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("check", check.command),
    ("train", train.command),
    ("evaluate", evaluate.command),
    ("predict", predict.command),
    ("explain", explain.command),
    ("report", report.command),
    ("compare", compare.command),
    ("serve", serve.command),
    ("augment-preview", augment_preview.command),
    ("export", export.command),
    ("manifest", manifest.command),
    ("demo", demo.command),
)


HELP = "From a folder of labeled pictures to a classifier you can trust."


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="tellapart",
        cls=Group,
        epilog="Start with:  tellapart check pets/    then:  tellapart train pets/",
        no_args_is_help=True,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=HELP)(_root)
    for name, function in COMMANDS:
        app.command(name, cls=Command)(guarded(function))
    app.add_typer(project.build(), name="project")
    app.add_typer(data.build(), name="data")
    app.add_typer(cache.build(), name="cache")
    app.add_typer(bench.build(), name="bench")
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tellapart {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the command line itself."""
