"""``tellapart evaluate``: how good a run's model is on other labeled pictures."""

from __future__ import annotations

from typing import Any

from tellapart.cli.shared_options import Data, Json, Quiet, RunFolder, takes


@takes("tellapart.core.config:DataSettings")
def command(
    run: RunFolder,
    data: Data,
    as_json: Json = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Measure a model on other labeled pictures; classes are matched by name.

    Exact copies of pictures that the model was trained on are not counted.

    Examples:
      tellapart evaluate runs/pets-1 newer-pets/
    """
    import tellapart as ta
    from tellapart.cli.terminal import (
        clean,
        console,
        print_headline,
        print_indented,
        print_json,
        progress_of,
    )
    from tellapart.core.text import counted
    from tellapart.diagnosis import weakest

    measured = ta.evaluate(run, data, progress=progress_of(quiet=quiet), **options)
    if as_json:
        print_json(measured)
        return
    shown = console()
    result = measured["evaluation"]
    print_headline(shown, result, counted(result["n"], "picture"))
    if weak := weakest(result):
        print_indented(shown, clean(weak))
    if measured["missing_classes"]:
        missing = ", ".join(clean(name) for name in measured["missing_classes"][:10])
        shown.print(f"  No pictures of: {missing}. The number says nothing about them.")
    for reason, count in measured["not_counted"].items():
        shown.print(f"  {count:,} not counted: {reason}")
