"""Which way explains which network."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tellapart.core.errors import SettingsError
from tellapart.explanations import METHODS, explain, heat_of
from tellapart.model import Model


@pytest.mark.parametrize(
    ("network", "method", "shape"),
    [
        ("pooled", "evidence", (13, 13)),
        ("cnn", "hirescam", (4, 4)),
        ("gray_cnn", "hirescam", (13, 13)),
        ("dnn", "occlusion", (14, 14)),
    ],
)
def test_auto_takes_the_most_exact_way_there_is(
    network: str,
    method: str,
    shape: tuple[int, int],
    request: pytest.FixtureRequest,
    photo: bytes,
) -> None:
    model: Model = request.getfixturevalue(network)
    found = explain(model, photo)
    assert (found.method, found.heat.shape, found.heat.dtype) == (method, shape, np.float32)
    assert found.predicted == found.target == next(iter(found.probabilities))
    assert np.array_equal(found.heat, explain(model, photo, method=method).heat)
    target = model.classes.index(found.target)
    assert np.array_equal(found.heat, heat_of(model, found.pixels, target))


def test_every_way_can_be_asked_for(pooled: Model, photo: bytes) -> None:
    for method in METHODS[1:]:
        found = explain(pooled, photo, "dogs", method)
        assert (found.target, found.method) == ("dogs", method)
        # 26 pixels are enlarged, so that something can be seen.
        assert Image.open(io.BytesIO(found.png)).size == (208, 208)


def test_an_unknown_method_is_refused_with_the_near_one(cnn: Model, photo: bytes) -> None:
    with pytest.raises(SettingsError, match="Did you mean 'gradcam'") as caught:
        explain(cnn, photo, method="grad-cam")
    assert caught.value.code == "unknown_method"
    with pytest.raises(SettingsError, match="auto, evidence, hirescam, gradcam, occlusion"):
        explain(cnn, photo, method="xyz")


def test_what_a_network_does_not_allow_is_refused(cnn: Model, dnn: Model, photo: bytes) -> None:
    for method in ("gradcam", "hirescam"):
        with pytest.raises(SettingsError, match="this one has none") as caught:
            explain(dnn, photo, method=method)
        assert caught.value.code == "no_convolutions"
    for model, instead in ((cnn, "hirescam"), (dnn, "occlusion")):
        with pytest.raises(SettingsError, match=f"Use --method {instead}") as caught:
            explain(model, photo, method="evidence")
        assert caught.value.code == "no_logit_map"
