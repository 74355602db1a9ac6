"""``tellapart cache``: what is kept, and throwing it away."""

from __future__ import annotations

import typer

from tellapart.cli.guard import guarded
from tellapart.cli.plain import Command, group
from tellapart.cli.shared_options import Json


def build() -> typer.Typer:
    """The group of ``cache`` commands."""
    commands = group("Show or clear the cache.")
    commands.command("info", cls=Command)(guarded(info))
    commands.command("clear", cls=Command)(guarded(clear))
    return commands


def info(as_json: Json = False) -> None:
    """Show where the cache is, how large it is, and what it holds.

    Examples:
      tellapart cache info
    """
    from tellapart.cli.terminal import print_json
    from tellapart.core.cache import Cache
    from tellapart.core.text import counted

    with Cache.open() as cache:
        found = cache.info()
    if as_json:
        print_json(
            {
                "schema": 1,
                "folder": str(found.folder),
                "bytes": found.bytes,
                "limit": found.limit,
                "kinds": {
                    kind: {"entries": entries, "bytes": size}
                    for kind, (entries, size) in found.kinds.items()
                },
            }
        )
        return
    typer.echo(f"{found.folder}\n{_size(found.bytes)} of {_size(found.limit)}")
    for kind, (entries, size) in sorted(found.kinds.items()):
        typer.echo(f"  {kind}\n    {counted(entries, 'entry', 'entries')}, {_size(size)}")


def clear(as_json: Json = False) -> None:
    """Delete everything in the cache; the next command computes it again.

    Examples:
      tellapart cache clear
    """
    from tellapart.cli.terminal import print_json
    from tellapart.core.cache import Cache

    with Cache.open() as cache:
        freed = cache.clear()
    if as_json:
        print_json({"schema": 1, "freed": freed})
    else:
        typer.echo(f"Cleared {_size(freed)}.")


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
