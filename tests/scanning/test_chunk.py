from __future__ import annotations

import io
import pickle
from functools import partial

import numpy as np
from PIL import Image

from tellapart.images.decoder import decode
from tellapart.images.resizing import resize
from tellapart.scanning.chunk import Request, read_chunk
from tellapart.scanning.consumers import PixelConsumer


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_chunk_can_be_sent_to_another_process_and_back() -> None:
    consumer = PixelConsumer(32)
    requests = [Request(png(seed), True, frozenset([consumer.key])) for seed in range(3)]
    work = pickle.loads(pickle.dumps(partial(read_chunk, requests, [consumer])))
    readings = pickle.loads(pickle.dumps(work()))
    for request, reading in zip(requests, readings, strict=True):
        expected = resize(decode(request.data).pixels, 32)
        np.testing.assert_array_equal(reading.answers[consumer.key], expected)
        assert (reading.record["width"], reading.record["height"]) == (70, 90)
        assert reading.thumb.shape == (64, 64)


def test_only_what_is_asked_for_is_answered() -> None:
    small, large = PixelConsumer(16), PixelConsumer(48)
    requests = [
        Request(png(0), True, frozenset()),
        Request(png(1), False, frozenset([large.key])),
        Request(b"no picture", True, frozenset([small.key])),
    ]
    facts, pixels, broken = read_chunk(requests, [small, large])
    assert facts.record is not None
    assert facts.answers == {}
    assert (pixels.record, pixels.thumb) == (None, None)
    assert list(pixels.answers) == [large.key]
    assert broken.record is not None
    assert broken.record["error"] == "not_a_picture"
    assert broken.answers == {}
