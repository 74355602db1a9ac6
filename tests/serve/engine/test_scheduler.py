from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from serving import BLUE, RED, picture_of

from tellapart.core.errors import PictureError
from tellapart.explanations import Explanation
from tellapart.images.decoder import decode
from tellapart.images.resizing import resize
from tellapart.serve.engine.jobs import Full, Order, Work
from tellapart.serve.engine.loaded import LoadedRun
from tellapart.serve.engine.scheduler import Engine


class Slow:
    """A model that waits until it may go on, and notes the batches it was given."""

    def __init__(self, model: Any) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.batches: list[int] = []
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        self.batches.append(len(pixels))
        self.begun.set()
        assert self.go.wait(30)
        answer: np.ndarray = self._model.run(pixels)
        return answer


def engine_of(served: LoadedRun, **options: Any) -> Engine:
    chosen = {"threads": 1, "batch": 4, "max_latency": 0.005, "queue": 16, "max_pixels": 10**6}
    return Engine(served, **{**chosen, **options})


@pytest.fixture
def slow(served: LoadedRun) -> Iterator[tuple[LoadedRun, Slow]]:
    model = Slow(served.model)
    yield replace(served, model=model, wide=model), model  # type: ignore[arg-type]
    model.go.set()


def ordered(engine: Engine, *pictures: Any, served: LoadedRun | None = None) -> tuple[Order, Any]:
    done = threading.Event()
    order = Order([Work(one) for one in pictures], served or engine.served, done.set)
    engine.submit(order)
    return order, done


def test_answers_are_those_of_the_model_in_the_order_of_the_pictures(served: LoadedRun) -> None:
    engine = engine_of(served, threads=2)
    pictures = [RED, BLUE, picture_of("red", 5), RED, BLUE, BLUE, RED]
    order, done = ordered(engine, *pictures)
    assert done.wait(30)
    pixels = [decode(one).pixels if isinstance(one, bytes) else one for one in pictures]
    squares = np.stack([resize(one, served.model.size, served.model.fit) for one in pixels])
    answers = np.stack([work.answer for work in order.works])
    np.testing.assert_allclose(answers, served.model.run(squares), atol=1e-5)
    assert [served.classes[index] for index in answers.argmax(1)] == [
        *("red", "blue", "red", "red", "blue", "blue", "red")
    ]
    assert engine.close(10)


def test_a_broken_picture_spoils_no_other(served: LoadedRun) -> None:
    engine = engine_of(served)
    order, done = ordered(engine, RED, RED[:200], b"", b"no picture", BLUE)
    assert done.wait(30)
    errors = [work.answer for work in order.works[1:4]]
    assert [error.code for error in errors if isinstance(error, PictureError)] == [
        *("cut_off", "empty", "not_a_picture")
    ]
    assert isinstance(order.works[0].answer, np.ndarray)
    assert isinstance(order.works[4].answer, np.ndarray)
    assert engine.inside == 0
    assert engine.close(10)


def test_what_waits_while_the_model_is_busy_goes_through_it_together(
    slow: tuple[LoadedRun, Slow],
) -> None:
    served, model = slow
    engine = engine_of(served)
    _, first = ordered(engine, RED)
    assert model.begun.wait(30)
    _, rest = ordered(engine, *[BLUE] * 6)
    model.go.set()
    assert first.wait(30) and rest.wait(30)
    assert model.batches == [1, 4, 2]
    assert engine.close(10)


def test_beyond_the_queue_nothing_is_taken_and_an_order_is_taken_whole_or_not(
    slow: tuple[LoadedRun, Slow],
) -> None:
    served, model = slow
    engine = engine_of(served, queue=4)
    _, first = ordered(engine, RED, RED)
    with pytest.raises(Full) as full:
        ordered(engine, RED, RED, RED)
    assert 1 <= full.value.retry_after <= 60
    assert engine.inside == 2
    _, second = ordered(engine, RED, RED)
    model.go.set()
    assert first.wait(30) and second.wait(30)
    assert engine.close(10)


def test_what_nobody_waits_for_any_more_is_not_run(slow: tuple[LoadedRun, Slow]) -> None:
    served, model = slow
    engine = engine_of(served, batch=1)
    _, first = ordered(engine, RED)
    assert model.begun.wait(30)
    dropped, _ = ordered(engine, *[BLUE] * 5)
    dropped.dropped = True
    _, last = ordered(engine, BLUE)
    model.go.set()
    assert first.wait(30) and last.wait(30)
    assert model.batches == [1, 1]
    assert engine.inside == 0
    assert engine.close(10)


def test_a_swap_leaves_what_is_queued_to_the_run_it_was_sent_to(
    slow: tuple[LoadedRun, Slow], served: LoadedRun
) -> None:
    old, model = slow
    engine = engine_of(old)
    _, first = ordered(engine, RED)
    assert model.begun.wait(30)
    _, queued = ordered(engine, RED, RED)
    engine.swap(served)
    _, after = ordered(engine, RED, RED)
    model.go.set()
    assert first.wait(30) and queued.wait(30) and after.wait(30)
    assert sum(model.batches) == 3
    assert engine.close(10)


def test_closing_finishes_what_is_inside_and_takes_no_more(slow: tuple[LoadedRun, Slow]) -> None:
    served, model = slow
    engine = engine_of(served)
    order, done = ordered(engine, RED, BLUE, RED)
    assert model.begun.wait(30)
    closer = threading.Thread(target=engine.close, args=(30,))
    closer.start()
    while not engine.is_closing:
        time.sleep(0.001)
    with pytest.raises(Full):
        ordered(engine, RED)
    assert not done.is_set()
    model.go.set()
    closer.join(30)
    assert not closer.is_alive()
    assert done.is_set()
    assert all(isinstance(work.answer, np.ndarray) for work in order.works)


def test_a_model_that_fails_fails_its_pictures_and_not_the_engine(served: LoadedRun) -> None:
    class Broken:
        size, fit = served.model.size, served.model.fit

        def run(self, pixels: np.ndarray) -> np.ndarray:
            raise RuntimeError("no")

    broken = replace(served, model=Broken(), wide=Broken())  # type: ignore[arg-type]
    engine = engine_of(served)
    order, done = ordered(engine, RED, served=broken)
    assert done.wait(30)
    assert "RuntimeError" in str(order.works[0].answer)
    order, done = ordered(engine, RED)
    assert done.wait(30)
    assert isinstance(order.works[0].answer, np.ndarray)
    assert engine.inside == 0
    assert engine.close(10)


def test_too_many_pixels_are_refused_before_they_are_decoded(served: LoadedRun) -> None:
    engine = engine_of(served, max_pixels=64 * 64 - 1)
    order, done = ordered(engine, RED)
    assert done.wait(30)
    answer = order.works[0].answer
    assert isinstance(answer, PictureError) and answer.code == "too_large"
    assert engine.close(10)


def test_a_heat_map_comes_from_the_same_queue(served: LoadedRun) -> None:
    engine = engine_of(served)
    done = threading.Event()
    order = Order([Work(RED, "explain", "blue"), Work(RED, "explain")], served, done.set)
    engine.submit(order)
    assert done.wait(30)
    blue, red = (work.answer for work in order.works)
    assert isinstance(blue, Explanation) and isinstance(red, Explanation)
    assert (blue.target, blue.predicted, red.target) == ("blue", "red", "red")
    assert engine.close(10)
