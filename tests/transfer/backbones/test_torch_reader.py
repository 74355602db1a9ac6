"""The reader of PyTorch's files takes tensors and nothing else."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.core.errors import WeightsError
from tellapart.transfer.backbones.torch_reader import read_state

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
HEAD = MAGIC + pickle.dumps(1001, protocol=2) + pickle.dumps({"little_endian": True}, protocol=2)
SIX = np.arange(6, dtype="<f4")


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(number(value) for value in values) + b"t"


def tensor(
    size: tuple[int, ...] = (2, 3),
    stride: tuple[int, ...] = (3, 1),
    offset: int = 0,
    count: int = 6,
    storage: str = "torch\nFloatStorage",
    maker: str = "torch._utils\n_rebuild_tensor_v2",
) -> bytes:
    """The opcodes by which ``torch.save`` describes one tensor in storage '0'."""
    where = text("storage") + f"c{storage}\n".encode() + text("0") + text("cpu")
    pid = b"(" + where + number(count) + b"NtQ"
    rest = number(offset) + numbers(size) + numbers(stride) + b"\x89ccollections\nOrderedDict\n)R"
    return f"c{maker}\n(".encode() + pid + rest + b"tR"


def file(
    value: bytes | None = None,
    keys: list[str] | None = None,
    raw: bytes | None = None,
    count: int = 6,
) -> bytes:
    """A whole state file with one entry, ``w``."""
    state = b"\x80\x02ccollections\nOrderedDict\n)R" + text("w") + (value or tensor()) + b"s."
    storages = struct.pack("<q", count) + (SIX.tobytes() if raw is None else raw)
    return HEAD + state + pickle.dumps(["0"] if keys is None else keys, protocol=2) + storages


def test_a_tensor_comes_back_as_it_was() -> None:
    found = read_state(file())
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], SIX.reshape(2, 3))


def test_a_tensor_with_its_axes_in_another_order_comes_back_as_it_was() -> None:
    found = read_state(file(tensor(size=(3, 2), stride=(1, 3))))
    np.testing.assert_array_equal(found["w"], SIX.reshape(2, 3).T)


def test_a_slice_of_a_storage_and_a_single_number_come_back() -> None:
    np.testing.assert_array_equal(
        read_state(file(tensor(size=(2,), stride=(1,), offset=4)))["w"], [4, 5]
    )
    assert read_state(file(tensor(size=(), stride=(), offset=3)))["w"] == 3


def test_an_axis_of_one_may_have_any_stride() -> None:
    found = read_state(file(tensor(size=(1, 6), stride=(777, 1))))
    np.testing.assert_array_equal(found["w"], SIX[None])


def test_whole_numbers_are_read_too() -> None:
    raw = np.arange(6, dtype="<i8").tobytes()
    found = read_state(file(tensor(storage="torch\nLongStorage"), raw=raw))
    assert found["w"].dtype == np.int64


def test_what_comes_back_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        read_state(file())["w"][0] = 1


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_no_code_is_run(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "ran"
    evil = pickle.dumps({"w": Evil(target)}, protocol=protocol)
    for data in (evil, MAGIC + evil, HEAD + evil, HEAD + evil + pickle.dumps(["0"], protocol=2)):
        with pytest.raises(WeightsError):
            read_state(data)
    assert not target.exists()


@pytest.mark.parametrize(
    "name",
    [
        "os\nsystem",
        "posix\nsystem",
        "builtins\neval",
        "builtins\ngetattr",
        "torch\nload",
        "torch\nHalfStorage",
        "torch.storage\n_load_from_bytes",
        "collections\nCounter",
        "numpy\nndarray",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(WeightsError, match="no tensor"):
        read_state(file(f"c{name}\n".encode() + b"(" + text("true") + b"tR"))
    with pytest.raises(WeightsError):
        read_state(file(tensor(maker=name)))


@pytest.mark.parametrize(
    "value",
    [
        tensor(size=(2, 4)),
        tensor(size=(2, 3), offset=1),
        tensor(size=(2, 3), offset=-1),
        tensor(size=(6,), stride=(-1,), offset=5),
        tensor(size=(-6,), stride=(1,)),
        tensor(size=(6,), stride=(2,)),
        tensor(size=(6,), stride=(0,)),
        tensor(size=(2, 3), stride=(2, 1)),
        tensor(size=(2**40,), stride=(0,)),
        tensor(size=(2**31, 2**31), stride=(2**31, 1)),
        tensor(size=(2**62, 4, 3), stride=(12, 3, 1)),
        tensor(size=(2, 3), stride=(1,)),
        tensor(size=(1,) * 100, stride=(1,) * 100),
        tensor(count=2**40),
        tensor(count=-6),
        tensor(count=5),
        text("not a tensor"),
    ],
)
def test_hostile_sizes_and_strides_are_refused(value: bytes) -> None:
    with pytest.raises(WeightsError):
        read_state(file(value))


@pytest.mark.parametrize("count", [2**62, -1, 7, 5, 0])
def test_a_storage_of_the_wrong_length_is_refused(count: int) -> None:
    with pytest.raises(WeightsError):
        read_state(file(count=count))
    with pytest.raises(WeightsError):
        read_state(file(tensor(count=count), count=count))


def test_unknown_repeated_and_missing_storages_are_refused() -> None:
    for keys in (["1"], ["0", "0"], [], ["0", "1"]):
        with pytest.raises(WeightsError):
            read_state(file(keys=keys))


def test_a_memo_that_would_cost_gigabytes_is_refused() -> None:
    with pytest.raises(WeightsError, match="never counted"):
        read_state(file(text("x") + b"r" + struct.pack("<I", 2**32 - 1)))


def test_every_cut_is_refused() -> None:
    whole = file()
    for length in range(len(whole)):
        with pytest.raises(WeightsError):
            read_state(whole[:length])
    with pytest.raises(WeightsError, match="follows"):
        read_state(whole + b"\0")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_gives_a_tensor_or_a_clear_error(data: st.DataObject) -> None:
    whole = bytearray(file())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_state(bytes(whole))
    except WeightsError:
        return
    assert all(isinstance(array, np.ndarray) and array.size <= 6 for array in found.values())
