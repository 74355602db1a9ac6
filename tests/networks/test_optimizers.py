"""Optimizers: Adam in one pass is Adam."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from tellapart.networks.loop import backend
from tellapart.networks.loop.optimizers import optimizer
from tellapart.networks.spec import recipes

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra keras is not installed"
)


def steps(made: Any, count: int = 30) -> dict[str, Any]:
    """Weights after some steps on gradients that are the same each time."""
    keras = backend.keras()
    rng = np.random.default_rng(0)
    variables = [
        keras.Variable(rng.standard_normal((40, 30)).astype(np.float32), name="kernel"),
        keras.Variable(rng.standard_normal(30).astype(np.float32), name="bias"),
    ]
    made.build(variables)
    for _ in range(count):
        gradients = [rng.standard_normal(tuple(one.shape)) ** 3 for one in variables]
        made.apply([keras.ops.cast(one, "float32") for one in gradients])
    return {one.name: keras.ops.convert_to_numpy(one) for one in variables}


def recipe(name: str, **more: Any) -> recipes.Recipe:
    given = {"optimizer": name, "stages": (), **more}
    return recipes.default("cnn", n=1000, size=28, gray=True, **given)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_in_one_pass_is_adam(name: str) -> None:
    keras = backend.keras()
    decay = 0.1 if name == "adamw" else 0.0
    made = optimizer(keras, recipe(name, weight_decay=decay), 0.01)
    kind = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}[name]
    if keras.backend.backend() == "tensorflow":
        assert type(made) is not kind and isinstance(made, kind)
    found = steps(made)
    plain = kind(0.01, **({"weight_decay": decay} if decay else {}))
    if decay:
        plain.exclude_from_weight_decay(var_names=["bias"])
    expected = steps(plain)
    for part, weights in expected.items():
        assert np.abs(found[part] - weights).max() < 1e-5
    assert np.abs(expected["kernel"]).max() > 0.1


def test_weight_decay_spares_biases() -> None:
    keras = backend.keras()
    kept = steps(optimizer(keras, recipe("adamw", weight_decay=0.0), 0.01))
    pulled = steps(optimizer(keras, recipe("adamw", weight_decay=0.5), 0.01))
    assert np.abs(pulled["kernel"]).mean() < 0.95 * np.abs(kept["kernel"]).mean()
    assert np.array_equal(pulled["bias"], kept["bias"])
