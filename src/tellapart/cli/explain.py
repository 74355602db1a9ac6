"""``tellapart explain``: where in a picture the model finds its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli.options import Json, RunFolder


def command(
    run: RunFolder,
    picture: Annotated[
        str, typer.Argument(metavar="PICTURE", help="One picture file.", show_default=False)
    ],
    target: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="Evidence for this class.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The PNG to write [PICTURE-explained.png here].",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw a heat map over a picture: what speaks for a class, and what against it.

    Examples:
      tellapart explain runs/pets-1 new.jpg

      tellapart explain runs/pets-1 new.jpg --class dogs --out dogs.png
    """
    import tellapart as ta
    from tellapart.cli.terminal import clean, print_json
    from tellapart.errors import SettingsError

    target_file = out or Path(f"{Path(picture).stem}-explained.png")
    if target_file.exists() and target_file.resolve() == Path(picture).resolve():
        raise SettingsError(
            f"--out {target_file} is the picture itself.",
            remedy="Choose another file: no picture of yours is overwritten.",
        )
    explained = ta.load(run).explain(picture, target=target)
    target_file.write_bytes(explained.png)
    if as_json:
        print_json(
            {
                "schema": 1,
                "path": picture,
                "class": explained.target,
                "probabilities": explained.probabilities,
                "heat": [[round(float(value), 6) for value in row] for row in explained.heat],
                "png": str(target_file),
            }
        )
        return
    for name, share in sorted(explained.probabilities.items(), key=lambda item: -item[1])[:5]:
        typer.echo(f"{100 * share:5.1f} %  {clean(name)}")
    typer.echo(
        f"Wrote {clean(target_file)}: warm speaks for {clean(explained.target)}, cool against it."
    )
