"""``tellapart serve``: a run behind HTTP, with a page for people."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli.options import RunFolder

_KEY_BYTES = 4096


def command(
    run: RunFolder,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Listen here; 0.0.0.0 for all addresses.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Listen here; 0 takes a free one.")] = 8000,
    name: Annotated[
        str, typer.Option(help="The model's name in the Open Inference Protocol.")
    ] = "tellapart",
    workers: Annotated[
        int, typer.Option(help="Processes, which share the cores; one uses them all.")
    ] = 1,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="Ask clients for the key that this environment variable holds.",
            show_default=False,
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Ask clients for the key in this file.", show_default=False
        ),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Let pages of this origin ask, such as https://example.org; as often as needed.",
            show_default=False,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Let clients call the server by this name [loopback: localhost; else all].",
            show_default=False,
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Most pictures that go through the model at once.")
    ] = 2,
    max_latency_ms: Annotated[
        float, typer.Option(help="Longest that a picture waits for others to fill a batch.")
    ] = 5.0,
    queue: Annotated[
        int, typer.Option(help="Most pictures waiting or at work; beyond, the answer is 503.")
    ] = 256,
    max_body_mb: Annotated[float, typer.Option(help="Largest body of a request, in MiB.")] = 32.0,
    max_bodies_mb: Annotated[
        float, typer.Option(help="Memory for all bodies together, in MiB.")
    ] = 256.0,
    max_megapixels: Annotated[
        float, typer.Option(help="Largest picture, in millions of pixels.")
    ] = 50.0,
    max_pictures: Annotated[int, typer.Option(help="Most pictures of one request.")] = 32,
    timeout: Annotated[
        float, typer.Option(help="Seconds from a whole request to its answer.")
    ] = 30.0,
    body_timeout: Annotated[
        float, typer.Option(help="Seconds in which a body must have arrived.")
    ] = 30.0,
    header_timeout: Annotated[
        float, typer.Option(help="Seconds in which headers must have arrived.")
    ] = 10.0,
    connections: Annotated[int, typer.Option(help="Most connections at once.")] = 2048,
    grace: Annotated[
        float, typer.Option(help="Seconds for what is in flight when it is told to stop.")
    ] = 30.0,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")
    ] = False,
) -> None:
    """Serve a run: a page to drop pictures on, and an API for programs.

    SIGTERM or Ctrl-C stops it when what is in flight is answered; SIGHUP loads the run again.

    Examples:
      tellapart serve runs/pets-1

      tellapart serve runs/pets-1 --port 8080 --name pets

      tellapart serve runs/pets-1 --host 0.0.0.0 --api-key-env PETS_KEY

      curl -F picture=@new.jpg http://127.0.0.1:8000/v1/predict
    """
    from tellapart.core.config import settings
    from tellapart.serve import ServeSettings, serve

    if api_key_env is not None and api_key_file is not None:
        raise typer.BadParameter("--api-key-env and --api-key-file cannot be had at once")
    values = {
        "host": host,
        "port": port,
        "name": name,
        "workers": workers,
        "api_key": _key(api_key_env, api_key_file),
        "cors": tuple(cors or ()),
        "allowed_hosts": tuple(allow_host or ()),
        "batch": batch,
        "max_latency_ms": max_latency_ms,
        "queue": queue,
        "max_body_mb": max_body_mb,
        "max_bodies_mb": max_bodies_mb,
        "max_megapixels": max_megapixels,
        "max_pictures": max_pictures,
        "timeout": timeout,
        "body_timeout": body_timeout,
        "header_timeout": header_timeout,
        "connections": connections,
        "grace": grace,
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
