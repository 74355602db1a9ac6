"""``tellapart serve``: a run behind HTTP, with a page for people."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tellapart.cli.shared_options import RunFolder, takes

_KEY_BYTES = 4096


@takes("tellapart.serve.settings:ServeSettings")
def command(
    run: RunFolder,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="Require the key in this environment variable from clients.",
            show_default=False,
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Require the key in this file from clients.", show_default=False
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")
    ] = False,
    **options: Any,
) -> None:
    """Serve a run: a page to drop pictures on, and an API for programs.

    Ctrl-C or SIGTERM stops it once all open requests are answered; SIGHUP loads the run again.

    Examples:
      tellapart serve runs/pets-1

      tellapart serve runs/pets-1 --port 8080 --name pets

      tellapart serve runs/pets-1 --host 0.0.0.0 --api-key-env PETS_KEY

      curl -F picture=@new.jpg http://127.0.0.1:8000/v1/predict
    """
    from tellapart.core.config import settings
    from tellapart.serve import ServeSettings, serve

    if api_key_env is not None and api_key_file is not None:
        raise typer.BadParameter("give either --api-key-env or --api-key-file, not both")
    values = {
        **options,
        "api_key": _key(api_key_env, api_key_file),
        "cors": tuple(options["cors"] or ()),
        "allowed_hosts": tuple(options["allowed_hosts"] or ()),
    }
    serve(run, settings(ServeSettings, values), quiet=quiet, started=_tell)


def _key(variable: str | None, file: Path | None) -> object:
    """The key, from where other users of the machine cannot read it."""
    from pydantic import SecretStr

    from tellapart.core.errors import SettingsError

    if variable is not None:
        if not os.environ.get(variable):
            raise SettingsError(
                f"--api-key-env names {variable}, which is not set.",
                remedy="Set it, to 8 characters or more.",
            )
        return SecretStr(os.environ[variable])
    if file is not None:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return SecretStr(opened.read(_KEY_BYTES).strip())
    return None


def _tell(address: str, run: str) -> None:
    from tellapart.cli.terminal import clean

    typer.echo(f"Serving  {clean(run)} at {address} (Ctrl-C stops it)", err=True)
