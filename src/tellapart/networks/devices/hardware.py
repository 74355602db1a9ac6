"""What a training can run on: the devices that the engine sees, and what they are.

Engines are asked through Keras where it can be; only a chip's name is asked of the engine itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from tellapart.core import resources

_KINDS = ("cpu", "gpu", "tpu")


def found(keras: Any) -> tuple[str, ...]:
    """The devices of this machine, as Keras names them: ``cpu:0``, ``gpu:0`` and so on."""
    names: list[str] = []
    for kind in _KINDS:
        try:
            listed = [str(name) for name in keras.distribution.list_devices(kind)]
        # An engine without such a kind of device says so in its own way, and one that cannot
        # list any fails in yet another: then it is tried out.
        except Exception:
            listed = [name for name in (f"{kind}:0",) if _works(keras, name)]
        names += [name for name in listed if name not in names]
    return tuple(names)


def named(keras: Any, device: str) -> str:
    """What a device is, such as ``NVIDIA H100 80GB HBM3``: the name it was made under.

    Args:
        keras: The module.
        device: As :func:`found` gives it.

    Returns:
        For a CPU the processor's name as the system has it, and how many of its cores may be
        used; for others what the engine says, or the device itself where it says nothing.
    """
    kind, _, place = device.partition(":")
    if kind == "cpu":
        cores = resources.cores()
        return f"{resources.processor()}, {cores} core{'' if cores == 1 else 's'}"
    engine = str(keras.backend.backend())
    try:
        said = _ASKED[engine](importlib.import_module(engine), kind, int(place or 0))
    except Exception:  # an engine or a driver of another kind: only a name is lost
        return device
    return said or device


def _works(keras: Any, device: str) -> bool:
    try:
        with keras.device(device):
            keras.ops.convert_to_numpy(keras.ops.ones((1,)) + 1)
    except Exception:  # engines have no common error for a device that is not there
        return False
    return True


def _by_jax(jax: Any, kind: str, place: int) -> str:
    return next(str(one.device_kind) for one in jax.devices(kind) if one.id == place)


def _by_tensorflow(tf: Any, kind: str, place: int) -> str:
    device = tf.config.list_physical_devices(kind.upper())[place]
    return str(tf.config.experimental.get_device_details(device).get("device_name", ""))


def _by_torch(torch: Any, kind: str, place: int) -> str:
    return str(torch.cuda.get_device_name(place))


_ASKED: Mapping[str, Callable[[Any, str, int], str]] = {
    "jax": _by_jax,
    "tensorflow": _by_tensorflow,
    "torch": _by_torch,
}
