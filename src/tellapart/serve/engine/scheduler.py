"""Decode and run pictures on a few threads, in small batches, from a bounded queue.

Each of as many threads as there are cores does one thing after the other: a batch that is full,
or whose oldest picture has waited long enough, goes through the model; else the next picture is
decoded; and a batch that nothing could fill any more goes at once. So the processor is never asked
for more than it has, a lonely picture never waits, and a decoded picture waits for others at most
the stated time before it is the next thing a thread turns to.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tellapart.core.errors import ModelError, PictureError, SettingsError, TellapartError
from tellapart.explanations import explain
from tellapart.images.decoder import decode, header_size
from tellapart.images.resizing import RGB, resize
from tellapart.serve.engine.jobs import Answer, Full, Order, Work
from tellapart.serve.engine.loaded import LoadedRun

_LONGEST_WAIT = 60.0  # seconds between two looks of an idle thread


class Engine:
    """The threads, the queue, and the run that answers.

    Args:
        served: The run.
        threads: How many threads work.
        batch: Most pictures a call of the model.
        max_latency: Seconds that a decoded picture may wait for others.
        queue: Most pictures waiting or at work.
        max_pixels: Larger pictures are refused before they are decoded.
        watch: Told of each stage: its name and seconds (``decode``, ``model``, ``explain``,
            ``wait``), or ``batch`` and the number of pictures.
    """

    def __init__(
        self,
        served: LoadedRun,
        *,
        threads: int,
        batch: int,
        max_latency: float,
        queue: int,
        max_pixels: int,
        watch: Callable[[str, float], None] = lambda stage, value: None,
    ) -> None:
        self.served = served
        self.queue = queue
        self._batch = batch
        self._max_latency = max_latency
        self._max_pixels = max_pixels
        self._watch = watch
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._raw: deque[Work] = deque()
        self._ready: deque[Work] = deque()
        self._inside = 0
        self._decoding = 0
        self._busy = 0
        self._closing = False
        self._cost = {"decode": 0.005, "model": 0.015}  # seconds a picture, as seen lately
        self._threads = [
            threading.Thread(target=self._live, name=f"engine-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def inside(self) -> int:
        """Pictures that are waiting or at work."""
        return self._inside

    @property
    def is_closing(self) -> bool:
        """Whether no more orders are taken."""
        return self._closing

    async def run(
        self, works: Sequence[Work], *, timeout: float, served: LoadedRun | None = None
    ) -> Sequence[Answer]:
        """The answers to some pictures, in their order.

        Args:
            works: The pictures; empty is allowed.
            timeout: Seconds after which nobody waits for them any more.
            served: The run that answers; the current one unless given.

        Raises:
            Full: If they have no room now.
            TimeoutError: If they took too long; what has not begun is dropped.
            ModelError: If the model failed.
        """
        if not works:
            return []
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()
        order = Order(
            works,
            served or self.served,
            lambda: loop.call_soon_threadsafe(finished.set),
        )
        self.submit(order)
        try:
            async with asyncio.timeout(timeout):
                await finished.wait()
        finally:
            order.dropped = True  # of no effect on what is answered already
        answers = [work.answer for work in works]
        for answer in answers:
            if isinstance(answer, ModelError) or answer is None:
                raise answer or ModelError("The model gave no answer.")
        return answers  # type: ignore[return-value]

    def submit(self, order: Order) -> None:
        """Queue an order's pictures, all of them or none.

        Raises:
            Full: If they have no room now, or the engine is closing.
        """
        with self._news:
            if self._closing or self._inside + order.left > self.queue:
                raise Full(self._retry_after())
            self._inside += order.left
            self._raw.extend(order.works)
            self._news.notify(len(order.works))

    def swap(self, served: LoadedRun) -> None:
        """Let another run answer from now on; what is in the queue is answered by its own."""
        self.served = served

    def close(self, timeout: float) -> bool:
        """Finish what is in the queue and end the threads.

        Returns:
            Whether all ended in ``timeout`` seconds.
        """
        with self._news:
            self._closing = True
            self._news.notify_all()
        until = time.perf_counter() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.perf_counter()))
        return not any(thread.is_alive() for thread in self._threads)

    # ------------------------------------------------------------------ the threads

    def _live(self) -> None:
        while True:
            with self._news:
                task = self._next()
                while task is None:
                    if self._closing and not self._inside:
                        self._news.notify_all()
                        return
                    self._news.wait(self._patience())
                    task = self._next()
                self._busy += 1
            do, works, alone = task
            try:
                do(works, alone)
            except Exception as error:
                failed = ModelError(f"The model failed: {type(error).__name__}.")
                self._finish(works, error if isinstance(error, TellapartError) else failed)
            finally:
                with self._news:
                    self._busy -= 1

    def _next(self) -> tuple[Callable[[list[Work], bool], None], list[Work], bool] | None:
        """What a thread does now; the lock is held."""
        self._drop()
        alone = self._busy == 0 and len(self._raw) + len(self._ready) <= 1
        if self._ready:
            full = len(self._ready) >= self._batch
            late = time.perf_counter() - self._ready[0].ready >= self._max_latency
            if full or late or (not self._raw and not self._decoding):
                return self._run, self._take(), alone
        if self._raw:
            work = self._raw.popleft()
            if work.kind == "explain":
                return self._explain, [work], alone
            self._decoding += 1
            return self._decode, [work], alone
        return None

    def _take(self) -> list[Work]:
        """The oldest pictures that are decoded for one and the same run."""
        works = [self._ready.popleft()]
        while (
            self._ready
            and len(works) < self._batch
            and _served(self._ready[0]) is _served(works[0])
        ):
            works.append(self._ready.popleft())
        return works

    def _drop(self) -> None:
        """Forget pictures at the heads of the queues that nobody waits for any more."""
        for waiting in (self._ready, self._raw):
            while waiting and waiting[0].order is not None and waiting[0].order.dropped:
                waiting.popleft()
                self._inside -= 1

    def _patience(self) -> float:
        if not self._ready:
            return _LONGEST_WAIT
        waited = time.perf_counter() - self._ready[0].ready
        return max(0.0005, self._max_latency - waited)

    def _retry_after(self) -> int:
        """Seconds until what is inside should be done."""
        seconds = self._inside * sum(self._cost.values()) / len(self._threads)
        return max(1, min(60, math.ceil(seconds)))

    def _measured(self, stage: str, seconds: float, pictures: int = 1) -> None:
        if stage in self._cost:
            self._cost[stage] += 0.1 * (seconds / pictures - self._cost[stage])
        self._watch(stage, seconds)

    def _decode(self, works: list[Work], alone: bool) -> None:
        [work] = works
        start = time.perf_counter()
        try:
            model = _served(work).model
            square: RGB | PictureError | SettingsError = self._square(work.picture, model)
        except PictureError as error:
            square = error
        finally:
            work.picture = b""
            with self._news:
                self._decoding -= 1
        if isinstance(square, TellapartError):
            self._measured("decode", time.perf_counter() - start)
            self._finish(works, square)
            with self._news:  # others may have waited for this one
                self._news.notify()
            return
        work.square = square
        work.ready = time.perf_counter()
        self._measured("decode", work.ready - start)
        with self._news:
            self._ready.append(work)
            self._news.notify()

    def _square(self, picture: bytes | RGB, model: Any) -> RGB:
        if isinstance(picture, bytes):
            picture = decode(picture, most=self._max_pixels).pixels
        return resize(picture, model.size, model.fit)

    def _run(self, works: list[Work], alone: bool) -> None:
        start = time.perf_counter()
        served = _served(works[0])
        squares = [work.square for work in works if work.square is not None]
        model = served.wide if alone else served.model
        probabilities = model.run(np.stack(squares))
        took = time.perf_counter() - start
        for work, row in zip(works, probabilities, strict=True):
            work.answer = row
            self._watch("wait", start - work.ready)
        self._measured("model", took, len(works))
        self._watch("batch", len(works))
        self._finish(works)

    def _explain(self, works: list[Work], alone: bool) -> None:
        [work] = works
        start = time.perf_counter()
        served = _served(work)
        try:
            picture = work.picture
            assert isinstance(picture, bytes) and served.heat is not None
            check_pixels(picture, self._max_pixels)
            work.answer = explain(served.wide, picture, work.target, served.heat)
        except (PictureError, SettingsError) as error:
            work.answer = error
        self._watch("explain", time.perf_counter() - start)
        self._finish(works)

    def _finish(self, works: Sequence[Work], error: TellapartError | None = None) -> None:
        """Count works as answered, and tell those who wait for the last of them."""
        ended: list[Order] = []
        with self._news:
            for work in works:
                if error is not None:
                    work.answer = error
                work.square, work.picture = None, b""
                self._inside -= 1
                order = work.order
                assert order is not None
                order.left -= 1
                if order.left == 0:
                    ended.append(order)
            if self._closing and not self._inside:
                self._news.notify_all()
        for order in ended:
            if order.done is not None and not order.dropped:
                with contextlib.suppress(RuntimeError):  # the event loop is gone
                    order.done()


def check_pixels(data: bytes, most: int) -> None:
    """Refuse a picture whose header claims more pixels than are allowed.

    Raises:
        PictureError: With the code ``too_large``, or as :func:`tellapart.images.decoder.decode`.
    """
    width, height = header_size(data) if data else (0, 0)
    if width * height > most:
        raise PictureError(
            f"A picture of {width:,} x {height:,} has more than {most / 1e6:g} million pixels.",
            code="too_large",
        )


def _served(work: Work) -> LoadedRun:
    assert work.order is not None
    return work.order.served
