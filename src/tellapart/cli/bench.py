"""``tellapart bench``: measure this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tellapart.cli.guard import guarded
from tellapart.cli.plain import Command, group
from tellapart.cli.shared_options import Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tellapart.networks.devices.devices import Comparison
    from tellapart.networks.devices.timing import Timing

_WIDTHS = (9, 8, 10, 12, 10, 12, 13)


def build() -> typer.Typer:
    """The group of ``bench`` commands."""
    commands = group("Measure what this machine can do.")
    # With a callback, a group of one command is a group.
    commands.callback()(_root)
    commands.command("devices", cls=Command)(guarded(devices))
    return commands


def _root() -> None:
    """Measure what this machine can do."""


def devices(
    pictures: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=60_000,
            help="Pictures per epoch of each network [dnn 60,000, cnn 2,000].",
            show_default=False,
        ),
    ] = None,
    batch: Annotated[int, typer.Option(metavar="N", min=1, help="Pictures per step.")] = 32,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time one step and one epoch of two networks on every device: CPU against GPU.

    The networks and picture sizes are those of the classic lessons; the pictures are made up.
    All devices start from the same weights, and their losses must agree.

    Examples:
      tellapart bench devices

      tellapart bench devices --pictures 320
    """
    from tellapart.cli.terminal import clean, console, print_json, progress_of
    from tellapart.networks.devices.devices import compare

    compared = compare(pictures=pictures, batch=batch, progress=progress_of(quiet=quiet))
    if as_json:
        print_json(compared.as_json())
        return
    shown = console()
    for line in _lines(compared):
        shown.print(clean(line), soft_wrap=True)


def _lines(compared: Comparison) -> Iterator[str]:
    engine = compared.engine
    yield f"Keras {engine['keras']} on {engine['engine']} {engine['engine_version']}"
    for device, name in compared.devices.items():
        yield f"{device} is {name}"
    yield ""
    yield _cells("network", "device", "pictures", "a step", "an epoch", "× the CPU", "losses")
    for timing in compared.timings:
        yield _row(compared, timing)
    for network, device, message in compared.failures:
        yield f"{network} on {device} failed: {message}"
    yield ""
    if not compared.accelerators:
        yield f"Keras found no GPU on {engine['engine']}: what stands here is the CPU alone."
    for timing in compared.timings:
        ratio = compared.ratio(timing)
        if timing.device in compared.accelerators and ratio is not None:
            yield f"An epoch of {timing.network} is {ratio:.1f} times as fast on {timing.device}."
    if any(compared.agrees(timing) is False for timing in compared.timings):
        yield "The losses differ more than arithmetic explains: do not trust this device's results."


def _row(compared: Comparison, timing: Timing) -> str:
    ratio = compared.ratio(timing)
    agrees = {True: "agree", False: "DIFFER", None: f"{timing.epoch_loss:.4f}"}
    return _cells(
        timing.network,
        timing.device,
        f"{timing.pictures:,}",
        f"{timing.step_ms:.1f} ms",
        f"{timing.epoch_seconds:.1f} s",
        "" if ratio is None else f"{ratio:.1f}",
        agrees[compared.agrees(timing)],
    )


def _cells(*texts: str) -> str:
    """Names to the left, numbers to the right."""
    aligned = zip(texts, _WIDTHS, (True, True, *[False] * 5), strict=True)
    return "".join(f"{t:<{w}}" if left else f"{t:>{w}}" for t, w, left in aligned).rstrip()
