from __future__ import annotations

import pytest

from tellapart.networks.loop.out_of_memory import is_out_of_memory


class ResourceExhaustedError(Exception):
    """TensorFlow's name."""


class OutOfMemoryError(RuntimeError):
    """PyTorch's name."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ResourceExhaustedError("x"), True),
        (OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (ValueError("shapes differ"), False),
    ],
)
def test_recognizes_the_errors_of_every_engine(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
