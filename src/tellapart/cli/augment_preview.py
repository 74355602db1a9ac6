"""``tellapart augment-preview``: what training would see of a few pictures."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.shared_options import Data, Json, Quiet, takes

if TYPE_CHECKING:
    from tellapart.data.catalog import Catalog
    from tellapart.networks.augment.preview import Preview

_MARK = "tellapart augment-preview"  # in every PNG written here: only such a one is replaced


@takes("tellapart.networks.augment.preview:PreviewSettings")
def command(
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The PNG to write [NAME-augmented.png here].", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Draw a contact sheet of what training would see of a few pictures.

    Each row starts with an original; next to it are the versions that the first epochs would see.
    Nothing is trained.

    Examples:
      tellapart augment-preview pets/

      tellapart augment-preview pets/ --model resnet --n 12

      tellapart augment-preview pets/ --augment flip,shift=0.1,rotation=15 --out turned.png
    """
    from tellapart.cli.terminal import print_json, progress_of
    from tellapart.core.config import settings
    from tellapart.networks.augment.policy import Policy
    from tellapart.networks.augment.preview import PreviewSettings, preview
    from tellapart.pipelines.check import open_data

    wanted = settings(PreviewSettings, options)
    if wanted.augment is not None:
        Policy.parse(wanted.augment)  # before anything is read
    catalog = open_data(data, wanted)
    target = out or Path(f"{_stem(catalog.source.name)}-augmented.png")
    _check_target(target, catalog)
    found = preview(catalog, wanted, progress=progress_of(quiet=quiet))
    target.write_bytes(_png(found))
    if as_json:
        print_json({**found.as_json(), "png": str(target)})
    else:
        _print(found, target, data)


def _check_target(target: Path, catalog: Catalog) -> None:
    """Refuse to write among the data, or over anything but an earlier sheet.

    Raises:
        SettingsError: With what to choose instead.
    """
    from tellapart.core.errors import SettingsError
    from tellapart.pipelines.check import is_inside

    remedy = "Choose another --out."
    if target.suffix.lower() != ".png":
        raise SettingsError(f"--out {target} is no .png file.", remedy=remedy, code="out")
    if is_inside(target, catalog):
        raise SettingsError(
            f"--out {target} lies inside the data folder.",
            remedy="Choose a file outside it: nothing is written among your pictures.",
            code="out",
        )
    if target.exists() and not _is_ours(target):
        raise SettingsError(
            f"--out {target} exists, and is not an earlier sheet.",
            remedy="Choose another file: no picture of yours is overwritten.",
            code="out",
        )


def _is_ours(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return _MARK.encode() in opened.read(1024)


def _png(found: Preview) -> bytes:
    import io

    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    mark = PngInfo()
    mark.add_text("Software", _MARK)
    file = io.BytesIO()
    Image.fromarray(found.pixels).save(file, "PNG", pnginfo=mark)
    return file.getvalue()


def _stem(name: str) -> str:
    """The data's name without its ending: ``pets`` for ``pets/`` and ``pets.tar.gz``."""
    stem = name.removesuffix(".gz").strip(".")
    return (stem.rpartition(".")[0] or stem).replace("/", "") or "data"


def _print(found: Preview, target: Path, data: str) -> None:
    from tellapart.cli.terminal import clean, console, print_indented
    from tellapart.core.text import counted

    shown = console()
    classes = " · ".join(f"{clean(name)} {n:,}" for name, n in Counter(found.labels).items())
    color = "gray" if found.gray else "color"
    side = f"{found.size}x{found.size}"
    told = f"{len(found.paths)} of {counted(found.total, 'picture')} ({classes}), {side}, {color}"
    print_indented(shown, told, first="Pictures  ")
    asked = found.settings.augment
    whose = f"the default of '{found.settings.model}'" if asked is None else "as asked for"
    typer.echo(f"Augment   {found.policy.text if asked is None else clean(asked)}  ({whose})")
    print_indented(shown, found.sentence, first="          ")
    if found.unreadable:
        missing = counted(len(found.unreadable), "picture")
        print_indented(shown, f"{missing} could not be decoded.", first="Passed    ")
    print_indented(shown, f"{clean(target)}: originals at the left.", first="Wrote     ")
    again = "" if asked is None else f" --augment {shlex.quote(asked)}"
    line = f"tellapart train {shlex.quote(data)} --model {found.settings.model}{again}"
    typer.echo(f"Next      {clean(line)}")
