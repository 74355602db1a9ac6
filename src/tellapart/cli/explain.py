"""``tellapart explain``: where in a picture the model finds its evidence, and what it sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.shared_options import Json, Quiet, RunFolder

if TYPE_CHECKING:
    from tellapart.explanations import Explanation
    from tellapart.model import Model

_VIEWS = ("maps", "filters", "kernels")


def command(
    run: RunFolder,
    picture: Annotated[
        str | None,
        typer.Argument(
            metavar="PICTURE",
            help="One picture file. With --kernels, RUN is not needed.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="Evidence for this class.", show_default=False
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="auto|evidence|hirescam|gradcam|occlusion",
            help="How the heat map is computed; 'auto' takes the most exact one possible.",
        ),
    ] = "auto",
    maps: Annotated[
        bool, typer.Option("--maps", help="Draw the output of each convolution and pooling.")
    ] = False,
    filters: Annotated[
        bool, typer.Option("--filters", help="Draw the first layer's kernels and their maps.")
    ] = False,
    kernels: Annotated[
        bool,
        typer.Option("--kernels", help="Show what a convolution is: blur, sharpen, edges, emboss."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The PNG to write [PICTURE-explained.png here, or -maps, -filters, -kernels].",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a heat map over a picture: evidence for a class, and evidence against it.

    Or draw what the network's layers compute, or what a convolution does.

    Examples:
      tellapart explain runs/pets-1 new.jpg

      tellapart explain runs/pets-1 new.jpg --class dogs --out dogs.png

      tellapart explain runs/pets-1 new.jpg --method occlusion

      tellapart explain runs/pets-1 new.jpg --maps

      tellapart explain new.jpg --kernels
    """
    import tellapart as ta
    from tellapart.cli.terminal import print_json, progress_of
    from tellapart.inference.classifier import picture_bytes

    views = [name for name, on in zip(_VIEWS, (maps, filters, kernels), strict=True) if on]
    if len(views) > 1:
        raise typer.BadParameter(f"give either --{views[0]} or --{views[1]}, not both")
    if views and (target is not None or method != "auto"):
        raise typer.BadParameter(
            f"--{views[0]} draws no heat map, so it takes no --class and no --method"
        )
    folder: str | None = run
    if picture is None:
        if not kernels:
            raise typer.BadParameter("Missing argument 'PICTURE'.")
        folder, picture = None, run
    kind = views[0] if views else "explained"
    target_file = out or Path(f"{Path(picture).stem}-{kind}.png")
    _keep(picture, target_file)
    model = ta.load(folder) if folder is not None else None
    if model is None or views:
        with _named(picture):
            content, png = _view(kind, picture_bytes(picture), model.model if model else None)
        target_file.write_bytes(png)
        if as_json:
            print_json({"schema": 1, "path": picture, **content, "png": str(target_file)})
        else:
            _tell_view(kind, content, target_file)
        return
    with _named(picture):
        explained = model.explain(
            picture, target=target, method=method, progress=progress_of(quiet=quiet)
        )
    target_file.write_bytes(explained.png)
    if as_json:
        print_json(
            {
                "schema": 1,
                "path": picture,
                "class": explained.target,
                "method": explained.method,
                "probabilities": explained.probabilities,
                "heat": [[round(float(value), 6) for value in row] for row in explained.heat],
                "png": str(target_file),
            }
        )
    else:
        _tell(explained, target_file)


@contextmanager
def _named(picture: str) -> Iterator[None]:
    """Say which picture it is that cannot be decoded."""
    from tellapart.core.errors import PictureError

    try:
        yield
    except PictureError as error:
        raise PictureError(
            f"'{picture}' cannot be explained. {error.message}",
            remedy=error.remedy or "Give a picture that opens in other programs.",
            code=error.code,
        ) from error


def _keep(picture: str, target_file: Path) -> None:
    """No picture of the user's is overwritten, nor the archive it lies in."""
    from tellapart.core.errors import SettingsError

    source = Path(picture.partition("!/")[0])
    if target_file.exists() and source.exists() and target_file.samefile(source):
        raise SettingsError(
            f"--out {target_file} is the picture itself.",
            remedy="Choose another file: no picture of yours is overwritten.",
            code="out_is_picture",
        )


def _view(kind: str, data: bytes, model: Model | None) -> tuple[dict[str, Any], bytes]:
    """What a sheet shows, for programs, and its PNG file."""
    from tellapart.explanations import filter_sheet, kernel_sheet, map_sheet
    from tellapart.explanations.kernels import KERNELS

    if model is None or kind == "kernels":
        rows = [
            {"name": one.name, "numbers": one.numbers, "divisor": one.divisor} for one in KERNELS
        ]
        return {"view": kind, "kernels": rows}, kernel_sheet(data, model)
    png = map_sheet(model, data) if kind == "maps" else filter_sheet(model, data)
    layers = [
        {"name": name, "height": height, "width": width, "channels": channels}
        for name, (height, width, channels) in model.layers()
    ]
    return {"view": kind, "layers": layers if kind == "maps" else layers[:1]}, png


def _tell(explained: Explanation, target_file: Path) -> None:
    from tellapart.cli.terminal import clean
    from tellapart.core.text import certainty

    for name, share in sorted(explained.probabilities.items(), key=lambda item: -item[1])[:5]:
        typer.echo(f"{certainty(share):>11}  {clean(name)}")
    typer.echo(
        f"Wrote {clean(target_file)}: orange is evidence for {clean(explained.target)}, "
        f"blue against it ({explained.method})."
    )


def _tell_view(kind: str, content: dict[str, Any], target_file: Path) -> None:
    from tellapart.cli.terminal import clean
    from tellapart.core.text import counted

    if kind == "kernels":
        shown = counted(len(content["kernels"]), "kernel")
    elif kind == "maps":
        shown = f"the maps of {counted(len(content['layers']), 'layer')}"
    else:
        layer = content["layers"][0]
        shown = f"the {layer['channels']} kernels of {clean(layer['name'])}"
    typer.echo(f"Wrote {clean(target_file)}: {shown}.")
