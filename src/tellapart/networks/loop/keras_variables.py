"""Keras variables as arrays, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def read(keras: Any, variables: list[Any]) -> Arrays:
    """Copies of variables, named by their place.

    Their own names will not do: Keras numbers unnamed layers differently in each process.
    """
    return {
        f"{place:04d}": np.array(keras.ops.convert_to_numpy(variable))
        for place, variable in enumerate(variables)
    }


def write(variables: list[Any], arrays: Arrays) -> None:
    """Set variables to what :func:`read` returned.

    Raises:
        ValueError: If their number or a shape differs; nothing is changed then.
    """
    given = [arrays.get(f"{place:04d}") for place in range(len(variables))]
    if len(arrays) != len(variables) or any(
        array is None or tuple(array.shape) != tuple(variable.shape)
        for array, variable in zip(given, variables, strict=True)
    ):
        raise ValueError("the checkpoint is of another network")
    for array, variable in zip(given, variables, strict=True):
        variable.assign(array)


def is_finite(arrays: Arrays) -> bool:
    """Whether no number is infinite or NaN."""
    return all(
        math.isfinite(float(np.sum(array, dtype=np.float64))) or bool(np.isfinite(array).all())
        for array in arrays.values()
        if np.issubdtype(array.dtype, np.floating)
    )
