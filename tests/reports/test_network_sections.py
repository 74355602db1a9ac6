"""The sections of a network and of the candidates, as a reader and an attacker see them."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tellapart.reports import RunView, maps, render_run
from tellapart.reports.network_views import (
    AugmentedRow,
    Candidate,
    EpochRow,
    FeatureMap,
    Layer,
    LearningView,
    Stage,
)
from tellapart.reports.thumbnails import Budget

CASES = (
    "cnn", "resnet", "finetune", "exploded", "gray", "one epoch", "long", "very long", "nothing",
)  # fmt: skip
HOSTILE = ('"><script>alert(1)</script>', "{{ 7*7 }}", "rtl\u202egnp", "n" * 300, "caf\udce9")


def with_network(samples: Any, learning: LearningView | None, **changed: Any) -> RunView:
    view: RunView = samples.run_view(wrong=0.27, found=())
    metrics = {**view.metrics, "train": {"n": 1604, "accuracy": 0.998}}
    changed = {"metrics": metrics, "learning": learning, **changed}
    return replace(view, **changed)


def test_the_samples_are_the_cases(network_samples: Any) -> None:
    assert tuple(network_samples.CASES) == CASES


@pytest.mark.parametrize("case", CASES)
def test_page_of_a_network_is_whole_inert_and_accessible(
    samples: Any, network_samples: Any, read_page: Any, case: str
) -> None:
    learning = network_samples.CASES[case]()
    view = with_network(samples, learning, candidates=network_samples.CANDIDATES)
    page = read_page(render_run(view))
    page.assert_inert()
    page.assert_accessible()
    assert len(page.source.encode("utf-8")) < 2_000_000
    assert "How it learned" in page.text and "Candidates" in page.text
    assert "nan" not in page.text.replace("finance", "").split()


def test_a_run_without_a_network_is_as_it_was(samples: Any, read_page: Any) -> None:
    html = render_run(samples.run_view())
    ids = {tag.attributes.get("id") for tag in read_page(html).named("section")}
    assert not ids & {"learning", "shown", "sees", "candidates"}
    for word in ("of-validation", ".tiles", "How it learned", "Candidates"):
        assert word not in html


def test_the_gap_is_said_and_judged(samples: Any, network_samples: Any, read_page: Any) -> None:
    view = with_network(samples, network_samples.cnn())
    held_out = {**view.metrics["held_out"], "accuracy": 0.724, "n": 598}
    verdict = {"code": "overfitting", "sentence": "Overfitting: as it is."}
    metrics = {**view.metrics, "held_out": held_out, "verdict": verdict}
    said = read_page(render_run(replace(view, metrics=metrics))).text.replace("\u00a0", " ")
    assert (
        "right about 99.8 % of 1,604 training pictures and 72.4 % of 598 held-out pictures: a "
        "gap of 27.4 points. The verdict above: overfitting." in said
    )
    metrics["train"] = {"n": 1604, "accuracy": 0.7}
    assert "there is no gap" in read_page(render_run(replace(view, metrics=metrics))).text
    metrics["held_out"] = {**held_out, "method": "folds"}
    assert (
        "598 pictures judged unseen" in read_page(render_run(replace(view, metrics=metrics))).text
    )


def test_only_what_is_known_is_shown(samples: Any, read_page: Any) -> None:
    page = read_page(render_run(with_network(samples, LearningView(network="cnn"))))
    assert "No epoch was finished." in page.text
    for words in ("What it was shown", "What it sees", "Learning rate", "Every setting"):
        assert words not in page.text


def test_the_table_of_epochs_has_every_number_or_says_where_they_are(
    samples: Any, network_samples: Any, read_page: Any
) -> None:
    said = read_page(render_run(with_network(samples, network_samples.finetune()))).text
    assert "Loss and accuracy of every epoch" in said and "from stage 6 up" in said
    assert "Stages: 1 head only, from epoch 1; 2 from stage 6 up, from epoch 5;" in said
    view = with_network(samples, network_samples.CASES["long"]())
    said = read_page(render_run(view)).text
    assert "61 of 300 epochs; history.parquet has them all" in said and "211 best" in said
    said = read_page(render_run(with_network(samples, network_samples.exploded()))).text
    assert "no number" in said and "4 kept" in said


def test_names_and_sentences_from_outside_show_as_text(samples: Any, read_page: Any) -> None:
    picture = np.full((9, 9, 3), 200, np.uint8)
    for name in HOSTILE:
        learning = LearningView(
            network=name,
            history=[EpochRow(1, 1.0, 0.5), EpochRow(2, 1.0, 0.6)],
            sentences=[name], recipe=[(name, name)], layers=[(name, name, name, 3)],
            stages=[(1, name), Stage(2, name)], target=0.9, target_on=name,
            augment_sentence=name, augment_rows=[(picture, [picture])],
            feature_picture=picture, feature_path=name,
            feature_maps=[(name, np.ones((4, 4, 3), np.float32))],
        )  # fmt: skip
        tried = [Candidate(name, 0.5, (0.4, 0.6), 10, 1.0, True, name)]
        page = read_page(render_run(with_network(samples, learning, candidates=tried)))
        page.assert_inert()
        page.assert_accessible()
        page.source.encode("utf-8")
        assert "\u202e" not in page.source
        if name in HOSTILE[:2]:
            assert name in page.text


def test_long_lists_are_capped_with_a_count(samples: Any, read_page: Any) -> None:
    learning = LearningView(
        network="finetune", history=[EpochRow(1, 1.0, 0.5)],
        layers=[Layer(f"layer_{k}", "dense", "3", 1) for k in range(1000)],
        sentences=[f"Sentence {k}." for k in range(100)],
        recipe=[(f"term {k}", "value") for k in range(1000)],
    )  # fmt: skip
    tried = [Candidate(f"model {k}", 0.5) for k in range(100)]
    html = render_run(with_network(samples, learning, candidates=tried))
    said = read_page(html).text
    assert "and 850 more layers." in said and "and 76 more." in said
    assert "Sentence 23." in said and "Sentence 24." not in said
    assert "term 59" in said and "term 60" not in said


def test_pictures_of_a_network_stay_within_the_budget(samples: Any) -> None:
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    learning = LearningView(
        network="cnn", history=[EpochRow(1, 1.0, 0.5)],
        augment_rows=[AugmentedRow(noise, [noise] * 20)] * 20,
        filters=draw.integers(0, 256, (500, 90, 90, 3), dtype=np.uint8),
        feature_picture=noise,
        feature_maps=[FeatureMap("conv", draw.random((200, 200, 40), np.float32))] * 30,
    )  # fmt: skip
    assert len(render_run(with_network(samples, learning)).encode("utf-8")) < 2_000_000


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


def test_maps_are_the_strongest_first_and_the_silent_are_counted() -> None:
    values = np.zeros((7, 7, 20), dtype=np.float32)
    for channel in range(17):
        values[2, 3, channel] = channel
    shown = maps.feature_maps("conv", values, Budget(10**6))
    assert [tile.number for tile in shown.tiles] == [17 - k for k in range(16)]
    assert (shown.of, shown.silent, shown.crisp) == (20, 4, True)
    levels = np.asarray(opened(shown.tiles[0].uri))
    assert levels.shape == (7, 7) and levels[2, 3] == 255 and levels.sum() == 255


def test_large_maps_are_shrunk_and_odd_numbers_are_black() -> None:
    values = np.random.default_rng(0).random((300, 150, 2), np.float32)
    values[0, 0] = [np.nan, np.inf]
    shown = maps.feature_maps("conv", values, Budget(10**6))
    assert not shown.crisp and max(opened(shown.tiles[0].uri).size) == maps.SIDE
    assert maps.levels(np.array([[-1.0, 0.0, 1.0]], np.float32)).tolist() == [[0, 128, 255]]
    assert maps.levels(np.zeros((2, 2), np.float32)).max() == 0
    with pytest.raises(ValueError, match="Feature maps"):
        maps.feature_maps("conv", np.zeros((3, 3), np.float32), Budget(10))


def test_filters_are_kept_pixel_by_pixel(samples: Any, network_samples: Any) -> None:
    for side, channels in ((3, 3), (3, 1), (1, 3), (7, 3)):
        given = network_samples.filters(5, side, channels)
        tiles = maps.filters(given, Budget(10**6))
        shown = np.asarray(opened(tiles[4].uri).convert("RGB"))
        assert (shown == given[4]).all() and shown.shape == (side, side, 3)
    with pytest.raises(ValueError, match="Filters"):
        maps.filters(np.zeros((2, 3, 3, 3)), Budget(10))  # type: ignore[arg-type]


def test_filters_of_one_pixel_and_of_grey_networks_are_explained(
    samples: Any, network_samples: Any, read_page: Any
) -> None:
    for side, channels, words in (
        (1, 3, "one color from another"), (1, 1, "light from dark"),
        (3, 1, "light next to dark"), (3, 3, "one color next to another"),
    ):  # fmt: skip
        given = network_samples.filters(4, side, channels)
        learning = LearningView(network="cnn", filters=given)
        assert words in read_page(render_run(with_network(samples, learning))).text


def test_candidates_say_what_was_kept_and_why_others_were_not_tried(
    samples: Any, network_samples: Any, read_page: Any
) -> None:
    tried = network_samples.CANDIDATES
    page = read_page(render_run(with_network(samples, None, candidates=tried)))
    said = page.text.replace("\u00a0", " ")
    assert "probe kept" in said and said.count(" kept") == said.count("probe kept") + 1
    assert "98.6 %" in said and "97.9 to 99.1 % of 1,600" in said
    assert "not tried: one epoch takes 2 min 40 s" in said
    strips = [tag for tag in page.named("svg") if "95 % interval" in
              tag.attributes.get("aria-label", "").replace("\u00a0", " ")]  # fmt: skip
    assert len(strips) >= 3
    assert "How it learned" not in page.text


def test_same_view_same_page(samples: Any, network_samples: Any) -> None:
    one, two = (render_run(with_network(samples, network_samples.resnet())) for _ in range(2))
    assert one == two
