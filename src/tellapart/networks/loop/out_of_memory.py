"""When the device runs out of memory: train again with half the batch."""

from __future__ import annotations

from collections.abc import Callable

from tellapart.core.errors import TellapartError
from tellapart.networks.loop import backend

_ERRORS = {"ResourceExhaustedError", "OutOfMemoryError"}  # TensorFlow's and PyTorch's
_MESSAGES = ("resource_exhausted", "out of memory", "oom when allocating")


def halve_batch_until_it_fits(train: Callable[[int], None], batch: int) -> None:
    """Train with a batch of this size, or with half of it as often as memory runs out.

    Raises:
        TellapartError: With code ``out_of_memory`` if not even one picture fits.
    """
    while True:
        try:
            return train(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler, whose traceback keeps the arrays that did not fit.
        if batch == 1:
            raise TellapartError(
                "The device does not have enough memory to train on one picture at a time.",
                remedy="Choose a smaller --size or a smaller network.",
                code="out_of_memory",
            )
        backend.keras().utils.clear_session(free_memory=True)
        batch //= 2


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any engine means that the device has no memory left."""
    if isinstance(error, MemoryError) or _ERRORS & {kind.__name__ for kind in type(error).__mro__}:
        return True
    text = str(error).lower()
    return any(message in text for message in _MESSAGES)
