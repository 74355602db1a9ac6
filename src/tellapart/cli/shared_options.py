"""Options that several commands share, and options that are the fields of a settings class.

A command that takes a settings class gets its fields as ``**options``; type, bounds, default and
help are declared there alone (:class:`tellapart.core.config.Option`). They are added when the
command is run or asked for its help, so that no other command imports the settings.
"""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

F = TypeVar("F", bound=Callable[..., Any])

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder with one sub-folder per class, a .zip or .tar of one, or a CSV, JSON Lines "
        "or Parquet manifest.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run folder written by 'train', such as runs/pets-1.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Rescan = Annotated[
    bool, typer.Option("--rescan", help="Read every file again instead of trusting its date.")
]


def takes(place: str) -> Callable[[F], F]:
    """Give a command the fields of a settings class as options.

    Args:
        place: Module and class, such as ``tellapart.core.config:TrainSettings``.
    """

    def mark(command: F) -> F:
        command.takes = place  # type: ignore[attr-defined]
        command.__signature__ = inspect.Signature(own_parameters(command))  # type: ignore[attr-defined]
        return command

    return mark


def own_parameters(command: Callable[..., Any]) -> list[inspect.Parameter]:
    """What a command takes besides ``**options``."""
    found = inspect.signature(command, eval_str=True).parameters.values()
    return [one for one in found if one.kind is not inspect.Parameter.VAR_KEYWORD]


def whole(command: Any) -> Any:
    """A command of Typer with the options of its settings class."""
    place = getattr(command.callback, "takes", None)
    if place is None:
        return command
    target = command.callback.__wrapped__
    own = own_parameters(target)
    parameters = [
        *filter(_is_argument, own),
        *_fields(place),
        *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own if not _is_argument(one)),
    ]

    def run(**given: Any) -> None:
        target(**given)

    run.__doc__ = target.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(command.name, cls=type(command), context_settings=command.context_settings)(run)
    return typer.main.get_command(app)


def _fields(place: str) -> list[inspect.Parameter]:
    from tellapart.core.config import Settings, option, options_of

    module, _, name = place.partition(":")
    kind: type[Settings] = getattr(importlib.import_module(module), name)
    made = []
    for field, known in options_of(kind).items():
        default = kind.model_fields[field].default
        flag = option(field, kind)
        value = _value(kind.model_fields[field].annotation)
        if value is bool and default is None:
            flag = f"{flag}/--no-{flag.removeprefix('--')}"
        several = typing.get_origin(value) is list
        shown = typer.Option(
            flag,
            metavar=None if value is bool else known.metavar,
            help=known.help,
            show_default=default is not None and value is not bool and not several,
            rich_help_panel=NETWORKS if known.models else None,
        )
        annotation = value if default is not None and not several else value | None
        made.append(
            inspect.Parameter(
                field,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if several else default,
                annotation=Annotated[annotation, shown],
            )
        )
    return made


NETWORKS = "Options for networks"


def _value(annotation: Any) -> Any:
    """How the command line reads a field: numbers, flags and repeated texts; text for others."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [one for one in typing.get_args(annotation) if one is not type(None)]
        return _value(kinds[0]) if len(kinds) == 1 else str
    if annotation in (bool, int, float):
        return annotation
    if annotation == tuple[str, ...]:
        return list[str]
    return str


def _is_argument(parameter: inspect.Parameter) -> bool:
    metadata = getattr(parameter.annotation, "__metadata__", ())
    return any(isinstance(one, typer.models.ArgumentInfo) for one in metadata)
