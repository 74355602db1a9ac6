from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from tellapart.networks import Recipe, Stage
from tellapart.networks.loop import backend
from tellapart.networks.loop.batches import Chunk
from tellapart.networks.loop.learner import FEW, STEPWISE, Learner
from tellapart.networks.spec import architectures

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra keras is not installed"
)

BATCH, STEPS, SIZE = 8, 5, 6
_RNG = np.random.default_rng(0)
CHUNK = Chunk(
    epoch=0,
    first=0,
    steps=STEPS,
    pixels=_RNG.integers(0, 256, (STEPS * BATCH, SIZE, SIZE, 1)).astype(np.uint8),
    targets=_RNG.integers(0, 3, STEPS * BATCH).astype(np.int32),
    weights=_RNG.uniform(0.5, 1.5, STEPS * BATCH).astype(np.float32),
)


def make(*, chunk_steps: int = STEPS, **recipe: object) -> Learner:
    spec = architectures.default("dnn", size=SIZE, gray=True, classes=3, units=(4,), dropout=0.0)
    made = Learner(
        spec,
        Recipe(epochs=1, batch=BATCH, **recipe),
        batch=BATCH,
        chunk_steps=chunk_steps,
        precision="float32",
        dense=False,
    )
    made.begin(Stage(epochs=1, learning_rate=0.01))
    made.plan(peak=0.01, steps=STEPS)
    return made


def test_few_batches_one_by_one_teach_what_a_chunk_teaches() -> None:
    heard: dict[int, list[tuple[int, float]]] = {}
    made, trained = {}, {}
    for most in (FEW, FEW + 1):
        heard[most] = []
        made[most] = make(chunk_steps=most)
        watch = heard[most].append
        trained[most] = made[most].train(CHUNK, lambda n, loss, watch=watch: watch((n, loss)))
    one, whole = trained.values()
    assert one.seen == whole.seen == STEPS * BATCH
    assert (one.loss, one.accuracy) == pytest.approx((whole.loss, whole.accuracy), rel=1e-5)
    np.testing.assert_allclose(heard[FEW], heard[FEW + 1], rtol=1e-5)
    weights = [each.weights() for each in made.values()]
    for name in weights[0]:
        np.testing.assert_allclose(weights[0][name], weights[1][name], rtol=1e-4, atol=1e-6)
    assert [each.step for each in made.values()] == [STEPS, STEPS]


@pytest.mark.parametrize("chunk_steps", [FEW, FEW + 1])
def test_it_stops_where_it_is_told_to(chunk_steps: int) -> None:
    made = make(chunk_steps=chunk_steps)
    seen: list[int] = []

    def watch(pictures: int, loss: float) -> bool:
        seen.append(pictures)
        return len(seen) == 2

    assert made.train(CHUNK, watch).seen == 2 * BATCH
    assert made.step == 2
    assert seen == [BATCH, BATCH]


def test_it_is_compiled_where_keras_makes_programs_of_steps() -> None:
    made = make(chunk_steps=FEW + 1, compiled=True, steps_per_execution=2)
    told = (made.model.jit_compile, made.model.steps_per_execution, made.notes)
    # PyTorch is the engine that Keras runs one step at a time.
    engine = backend.engine()["engine"]
    assert told == ((False, 1, (STEPWISE,)) if engine == "torch" else (True, 2, ()))
    assert made.train(CHUNK, lambda pictures, loss: False).seen == STEPS * BATCH


def test_an_engine_without_such_programs_trains_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: object) -> None:
        raise ValueError("`steps_per_execution` must be 1")

    made = make()
    with monkeypatch.context() as patch:
        patch.setattr(type(made.model), "make_train_function", refuse)
        made = make(chunk_steps=FEW + 1, compiled=True, steps_per_execution=2)
    assert made.notes == (STEPWISE,) and made.model.steps_per_execution == 1
    assert made.train(CHUNK, lambda pictures, loss: False).seen == STEPS * BATCH


def test_what_is_not_to_be_compiled_is_not() -> None:
    made = make(compiled=False)
    assert (made.model.jit_compile, made.notes) == (False, ())


def test_variables_of_another_network_are_refused() -> None:
    made = make()
    arrays = made.model_arrays()
    with pytest.raises(ValueError):
        made.restore({name: array[..., None] for name, array in arrays.items()})
    for name, array in made.model_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
