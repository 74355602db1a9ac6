"""``tellapart explain``: heat maps, sheets, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import tellapart
from tellapart.cli.app import build
from tellapart.graph import Graph, Layer, to_onnx
from tellapart.graph.layers import Conv, Dense, Flatten, MaxPool, Scale, Softmax, weight_shapes
from tellapart.inference.classifier import Classifier
from tellapart.model import Model

MakePicture = Callable[..., Path]


def network(*layers: Layer) -> Model:
    end = (Flatten("flat"), Dense("logits", units=2), Softmax("probabilities"))
    graph = Graph((20, 20), (Scale("scaled"), *layers, *end), ("probabilities",))
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.2, shape).astype(np.float32)
        for name, shape in weight_shapes(graph).items()
    }
    texts = {"schema": "1", "name": "tellapart", "classes": '["cats", "dogs"]'}
    return Model.load(to_onnx(graph, weights, metadata={**texts, "size": "20", "fit": "squash"}))


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs, ``cnn`` and ``linear``, without their training."""
    known = {
        "cnn": network(Conv("conv", filters=4, kernel=3, activation="relu"), MaxPool("pool")),
        "linear": network(),
    }

    def load(run: str) -> Any:
        return Classifier(SimpleNamespace(model=known[run]))  # type: ignore[arg-type]

    monkeypatch.setattr(tellapart, "load", load, raising=False)


@pytest.fixture
def photo(in_tmp: Path, make_picture: MakePicture) -> Path:
    return make_picture(in_tmp / "new.png")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["explain", *map(str, arguments)])


def answered(*arguments: object) -> Any:
    done = invoke(*arguments, "--json", "--quiet")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(*arguments: object) -> dict[str, str]:
    done = invoke(*arguments, "--json")
    assert done.exit_code == 1, done.output
    error: dict[str, str] = json.loads(done.stdout)["error"]
    return error


def test_a_heat_map_says_how_it_was_found(photo: Path) -> None:
    document = answered("cnn", photo)
    assert (document["method"], document["png"]) == ("hirescam", "new-explained.png")
    assert len(document["heat"]) == 10
    assert Path("new-explained.png").read_bytes().startswith(b"\x89PNG")
    assert answered("cnn", photo, "--method", "gradcam")["method"] == "gradcam"
    assert answered("linear", photo)["method"] == "occlusion"
    assert "(occlusion)" in invoke("linear", photo).stdout


def test_maps_filters_and_kernels_are_drawn(photo: Path) -> None:
    maps = answered("cnn", photo, "--maps")
    assert maps["layers"] == [
        {"name": "conv", "height": 20, "width": 20, "channels": 4},
        {"name": "pool", "height": 10, "width": 10, "channels": 4},
    ]
    assert [one["name"] for one in answered("cnn", photo, "--filters")["layers"]] == ["conv"]
    kernels = answered("cnn", photo, "--kernels", "--out", "lesson.png")["kernels"]
    assert kernels[0] == {
        "name": "identity",
        "numbers": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        "divisor": 1,
    }
    for name in ("new-maps.png", "new-filters.png", "lesson.png"):
        assert Path(name).read_bytes().startswith(b"\x89PNG")
    assert "maps of 2 layers" in invoke("cnn", photo, "--maps").stdout
    assert "4 kernels of conv" in invoke("cnn", photo, "--filters").stdout


def test_the_lesson_on_kernels_needs_no_run(photo: Path) -> None:
    assert answered(photo, "--kernels")["png"] == "new-kernels.png"
    assert "7 kernels" in invoke(photo, "--kernels").stdout


def test_what_only_convolutions_have_is_refused_to_others(photo: Path) -> None:
    for asked in (["--maps"], ["--filters"], ["--method", "gradcam"], ["--method", "hirescam"]):
        error = refused("linear", photo, *asked)
        assert error["code"] == "no_convolutions"
        assert "occlusion" in error["remedy"]
    assert [path.name for path in Path().iterdir()] == ["new.png"]


def test_an_unknown_method(photo: Path) -> None:
    error = refused("cnn", photo, "--method", "gradcamm")
    assert (error["code"], error["remedy"]) == ("unknown_method", "Did you mean 'gradcam'?")


@pytest.mark.parametrize("view", [[], ["--maps"], ["--filters"], ["--kernels"]])
def test_no_picture_is_overwritten(photo: Path, view: list[str]) -> None:
    before = photo.read_bytes()
    assert refused("cnn", photo, *view, "--out", photo)["code"] == "out_is_picture"
    Path("link.png").hardlink_to(photo)
    assert refused("cnn", photo, *view, "--out", "link.png")["code"] == "out_is_picture"
    assert photo.read_bytes() == before


def test_an_archive_is_not_overwritten_by_what_explains_its_picture(photo: Path) -> None:
    import zipfile

    with zipfile.ZipFile("pets.zip", "w") as archive:
        archive.write(photo, "new.png")
    before = Path("pets.zip").read_bytes()
    assert refused("cnn", "pets.zip!/new.png", "--out", "pets.zip")["code"] == "out_is_picture"
    assert Path("pets.zip").read_bytes() == before


def test_wrong_usage(photo: Path) -> None:
    assert invoke("cnn").exit_code == 2
    assert "PICTURE" in invoke("cnn").output
    assert invoke("cnn", photo, "--maps", "--filters").exit_code == 2
    assert invoke("cnn", photo, "--maps", "--class", "dogs").exit_code == 2


def test_a_picture_that_is_none(photo: Path) -> None:
    photo.write_bytes(b"no picture")
    for view in ([], ["--maps"], ["--kernels"]):
        assert refused("cnn", photo, *view)["code"] == "not_a_picture"
