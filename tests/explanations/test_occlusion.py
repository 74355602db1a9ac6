"""What is lost when a place is hidden."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from recorder import Recorder

from tellapart.explanations import occlusion
from tellapart.explanations.evidence import evidence
from tellapart.graph.layers import Dense, Flatten, Scale, Softmax
from tellapart.model import Model


def test_each_number_is_what_one_hidden_place_costs(dnn: Model, pixels: np.ndarray) -> None:
    heat = occlusion.heat(dnn, pixels, 2, cells=5)
    assert (heat.shape, heat.dtype) == ((5, 5), np.float32)
    hidden = pixels.copy()
    hidden[occlusion.patch(26, 1, 3, 5, occlusion.COVERED)] = np.rint(pixels.mean(axis=(0, 1)))
    before, after = evidence(np.log(dnn.run(np.stack([pixels, hidden]))), 2)
    assert heat[1, 3] == pytest.approx(before - after, abs=1e-4)


def test_a_network_that_looks_at_one_corner_is_found_out(
    build: Callable[..., Model], pixels: np.ndarray
) -> None:
    model = build(
        (Scale("scaled"), Flatten("flat"), Dense("logits", units=3), Softmax("probabilities"))
    )
    kernel = model.weight("logits/kernel").reshape(26, 26, 3, 3)
    data = model._data.replace(kernel.tobytes(), _only_corner(kernel).tobytes())
    heat = occlusion.heat(Model.load(data), pixels, 0)
    far = heat[5:, 5:]
    assert np.abs(heat[:3, :3]).max() > 0.01
    assert np.abs(far).max() < 1e-4


def _only_corner(kernel: np.ndarray) -> np.ndarray:
    changed = np.zeros_like(kernel)
    changed[:4, :4] = kernel[:4, :4]
    return changed


def test_every_pixel_is_hidden_and_none_outside() -> None:
    for side in (5, 26, 28, 150, 224):
        cells = min(occlusion.CELLS, side)
        seen = np.zeros((side, side), int)
        for row, column in np.ndindex(cells, cells):
            place = occlusion.patch(side, row, column, cells, occlusion.COVERED)
            assert all(0 <= part.start < part.stop <= side for part in place)
            seen[place] += 1
        assert seen.min() >= 1


def test_it_is_heard_of_each_place(dnn: Model, pixels: np.ndarray) -> None:
    heard = Recorder()
    occlusion.heat(dnn, pixels, 0, cells=4, progress=heard)
    assert heard.done == heard.total == 16


def test_a_class_that_is_certain_gives_finite_numbers(dnn: Model) -> None:
    flat = np.full((26, 26, 3), 255, np.uint8)
    assert np.isfinite(occlusion.heat(dnn, flat, 1, cells=3)).all()
    assert np.array_equal(occlusion.heat(dnn, flat, 1, cells=3), np.zeros((3, 3)))
