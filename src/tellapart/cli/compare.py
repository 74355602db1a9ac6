"""``tellapart compare``: runs side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from tellapart.cli.shared_options import Json


def command(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Two or more run folders.", show_default=False),
    ],
    as_json: Json = False,
) -> None:
    """Show runs side by side, and whether they differ by more than chance.

    Two runs that held out the same pictures are compared by McNemar's exact test.

    Examples:
      tellapart compare runs/pets-1 runs/pets-2
    """
    import tellapart as ta
    from tellapart.cli.terminal import console, print_indented, print_json

    compared = ta.compare(runs)
    if as_json:
        print_json(compared.as_json())
    else:
        shown = console()
        shown.print(compared.as_table(), soft_wrap=True)
        shown.print()
        for pair in compared.pairs:
            print_indented(shown, pair.sentence, first="")
