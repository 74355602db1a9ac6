"""A network in numbers: kept as JSON, refused early, and the table it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from tellapart.core.errors import SettingsError
from tellapart.graph.layers import is_gray, shapes
from tellapart.networks.spec.architectures import KINDS, Kind, Spec, default


def make(kind: Kind, size: int = 64, **chosen: Any) -> Spec:
    return default(kind, **({"size": size, "gray": False, "classes": 3} | chosen))


def test_there_are_five() -> None:
    assert KINDS == ("linear", "dnn", "cnn", "resnet", "finetune")


@pytest.mark.parametrize("kind", KINDS)
def test_json_brings_it_back(kind: Kind) -> None:
    dropout = 0.0 if kind == "linear" else 0.4
    for spec in (make(kind), make(kind, size=40, gray=True, dropout=dropout)):
        assert Spec.model_validate_json(spec.model_dump_json()) == spec


def test_what_is_left_out_depends_on_kind_and_size() -> None:
    assert make("dnn").units == (512, 512)
    assert (make("cnn", 150).filters, make("cnn", 150).units) == ((16, 32, 64), (512,))
    assert make("cnn", 28).filters == (32, 64)
    assert (make("resnet", 150).filters, make("resnet", 150).blocks) == (
        (32, 64, 128, 256),
        (0, 1, 1),
    )
    assert (make("resnet", 40).filters, make("resnet", 40).blocks) == ((32, 64, 128), (1, 1))
    assert make("linear").dropout == 0
    assert Spec(kind="dnn", size=28, gray=True, classes=10) == make(
        "dnn", 28, gray=True, classes=10
    )


def test_stages_follow_the_widths_asked_for() -> None:
    assert make("resnet", 64, filters=(8, 16)).blocks == (0,)
    assert make("resnet", 64, filters=(8, 16, 32, 64, 128)).blocks == (0, 1, 1, 1)
    assert make("resnet", 28, filters=(8, 16, 32, 64)).blocks == (1, 1, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gray", [False, True])
def test_the_table_ends_in_probabilities(kind: Kind, gray: bool) -> None:
    graph = make(kind, 64, gray=gray).graph()
    known = shapes(graph)
    assert known["logits"] == known["probabilities"] == (3,)
    assert is_gray(graph) is gray
    with_map = kind in ("resnet", "finetune")
    assert graph.outputs == (("probabilities", "logit_map") if with_map else ("probabilities",))
    if with_map:
        assert known["logit_map"] == (*known["feature_map"][:2], 3)
        assert known["feature_map"][2:] == known[graph.layers[-4].name]


def test_the_classic_network_has_the_classic_shapes() -> None:
    known = shapes(make("cnn", 150).graph())
    maps = [known[f"{kind}{number}"] for number in (1, 2, 3) for kind in ("conv", "pool")]
    assert maps == [
        (148, 148, 16),
        (74, 74, 16),
        (72, 72, 32),
        (36, 36, 32),
        (34, 34, 64),
        (17, 17, 64),
    ]
    assert known["flat"] == (18496,)
    assert known["dense1"] == (512,)


def test_the_residual_network_halves_the_map_at_every_stage() -> None:
    known = shapes(make("resnet", 28).graph())
    names = ("stem", "stage1/down", "stage1/block1/sum", "stage2/down", "feature_map")
    assert [known[name] for name in names] == [
        (28, 28, 32),
        (14, 14, 64),
        (14, 14, 64),
        (7, 7, 128),
        (7, 7, 128),
    ]
    larger = shapes(make("resnet", 128).graph())
    assert (larger["stem"], larger["feature_map"]) == ((64, 64, 32), (8, 8, 256))
    plain = shapes(make("resnet", 128, filters=(8, 16), blocks=(0,)).graph())
    assert plain["feature_map"] == (32, 32, 16)


@pytest.mark.parametrize(
    ("kind", "chosen", "least"),
    [
        ("cnn", {"filters": (4,)}, 4),
        ("cnn", {"filters": (4, 4)}, 10),
        ("cnn", {"filters": (4, 4, 4)}, 22),
        ("resnet", {"filters": (4, 4, 4)}, 4),
        ("resnet", {"filters": (4, 4, 4, 4, 4, 4, 4)}, 128),
        ("finetune", {}, 32),
    ],
)
def test_pictures_too_small_are_refused_with_the_least_size(
    kind: Kind, chosen: dict[str, Any], least: int
) -> None:
    spec = make(kind, least, **chosen)
    assert all(min(shape) >= 1 for shape in shapes(spec.graph()).values())
    with pytest.raises(SettingsError, match=rf"\b{least}\b") as caught:
        make(kind, least - 1, **chosen)
    assert caught.value.code == "too_small"


@pytest.mark.parametrize(
    ("kind", "chosen", "match"),
    [
        ("dnn", {"filters": (8,)}, "--filters"),
        ("linear", {"units": (8,)}, "--units"),
        ("cnn", {"blocks": (1,)}, "--blocks"),
        ("cnn", {"filters": ()}, "--filters"),
        ("resnet", {"filters": (8,)}, "--filters"),
        ("resnet", {"filters": (8, 8), "blocks": (1, 1)}, "--blocks"),
        ("dnn", {"units": (0,)}, "--units"),
        ("dnn", {"dropout": 1.0}, "--dropout"),
        ("linear", {"dropout": 0.1}, "--dropout"),
        ("dnn", {"classes": 1}, "--classes"),
        ("dnn", {"size": 0}, "--size"),
        ("forest", {}, "--kind"),
    ],
)
def test_what_has_no_meaning_is_refused(kind: Any, chosen: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        make(kind, **chosen)


def test_dropout_never_touches_the_pixels() -> None:
    def dropped(spec: Spec) -> dict[str, float]:
        rates = {layer.name: getattr(layer, "dropout", 0.0) for layer in spec.graph().layers}
        return {name: rate for name, rate in rates.items() if rate}

    assert dropped(make("linear")) == {}
    assert dropped(make("dnn", dropout=0.5)) == {"dense2": 0.5, "logits": 0.5}
    assert dropped(make("cnn", dropout=0.5)) == {"dense1": 0.5, "logits": 0.5}
    assert dropped(make("finetune", dropout=0.5)) == {"logits": 0.5}


def test_the_layers_are_told_with_shapes_and_parameters() -> None:
    rows = {row.name: row for row in make("cnn", 150).layers()}
    assert list(rows)[:3] == ["scaled", "conv1", "pool1"]
    assert list(rows)[-1] == "logits"
    assert rows["conv1"] == ("conv1", "convolution 3 × 3, relu", "148 × 148 × 16", 448)
    assert rows["pool1"] == ("pool1", "maximum of 2 × 2", "74 × 74 × 16", 0)
    assert rows["logits"].parameters == 513 * 3
    assert make("linear", 28, gray=True, classes=10).parameters() == 7850
    deep = {row.name: row.kind for row in make("resnet", gray=True).layers()}
    assert deep["luma"] == "color to gray"
    assert deep["stage1/down"] == "convolution 3 × 3, step 2, normalized, relu"
    assert deep["feature_map"] == "sum, relu"
