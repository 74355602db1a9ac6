"""The two pages, as a reader, a screen reader and an attacker see them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellapart.reports import ClassCount, Example, render_check, render_run
from tellapart.reports.render import NO_BREAK, keep_units

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'); DROP </style><style>*{display:none}",
    "{{ 7*7 }}{% raw %}",
    "new\nline",
    "rtl\u202egnp.exe",
    "n" * 300,
    "🦊🐈\u200d⬛",
    "caf\udce9",
    "nul\x00 and escape\x1b[31m",
)

CASES: dict[str, dict[str, Any]] = {
    "two classes": {},
    "ten classes": {"classes": [str(k) for k in range(10)], "each": 36, "wrong": 0.03},
    "thirty classes": {"classes": [f"class {k}" for k in range(30)], "each": 10, "wrong": 0.1},
    "a hundred classes": {"classes": [f"class {k}" for k in range(100)], "each": 9, "wrong": 0.2},
    "folds": {"each": 40, "wrong": 0.2, "method": "folds"},
    "given parts": {"method": "given"},
    "no mistakes": {"wrong": 0.0, "found": ()},
    "hostile names": {"classes": HOSTILE, "each": 12, "wrong": 0.4},
}


@pytest.mark.parametrize("case", CASES)
def test_run_page_is_whole_inert_and_accessible(samples: Any, read_page: Any, case: str) -> None:
    html = render_run(samples.run_view(**CASES[case]))
    page = read_page(html)
    page.assert_inert()
    page.assert_accessible()
    assert len(html.encode("utf-8")) < 2_000_000


def test_check_page_is_whole_inert_and_accessible(samples: Any, read_page: Any) -> None:
    for view in (
        samples.check_view(),
        samples.check_view(found=()),
        samples.check_view(HOSTILE),
        replace(samples.check_view(found=()), pictures=0, counts=(), formats={}, bytes=None,
                distributions=(), passed_over={}, policy=(), created="", seconds=None),
    ):  # fmt: skip
        page = read_page(render_check(view))
        page.assert_inert()
        page.assert_accessible()


def test_page_forbids_everything_but_inline_style_and_data_pictures(
    samples: Any, read_page: Any
) -> None:
    page = read_page(render_run(samples.run_view()))
    policy = next(
        tag.attributes["content"]
        for tag in page.named("meta")
        if tag.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules == {
        "default-src": ["'none'"],
        "img-src": ["data:"],
        "style-src": ["'unsafe-inline'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def test_hostile_names_show_as_text(samples: Any, read_page: Any) -> None:
    view = samples.run_view(HOSTILE, each=12, wrong=0.4)
    view = replace(
        view,
        run={**view.run, "name": HOSTILE[0], "command": f"tellapart train '{HOSTILE[0]}'"},
        left_out=[(name, f"because {name}") for name in HOSTILE],
    )
    page = read_page(render_run(view))
    page.assert_inert()
    for name in HOSTILE[:4]:
        assert name in page.text
    assert "new\\nline" in page.text
    assert "rtl\\u202egnp.exe" in page.text and "\u202e" not in page.source
    assert "n" * 300 in page.text
    assert "🦊🐈\u200d⬛" in page.text
    assert "caf\\xe9" in page.text
    assert "nul\\x00 and escape\\x1b[31m" in page.text


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.text(st.characters(), min_size=1, max_size=40))
def test_any_name_gives_a_sound_page(samples: Any, read_page: Any, name: str) -> None:
    view = samples.run_view((name, "other"), each=6, wrong=0.5, shown=samples.pictures(2))
    html = render_run(replace(view, left_out=[(name, name)]))
    html.encode("utf-8")
    read_page(html).assert_inert()


def test_headline_says_number_interval_count_and_guessing(samples: Any, read_page: Any) -> None:
    view = samples.run_view()
    held_out = {
        **view.metrics["held_out"],
        "n": 598, "accuracy": 590 / 598, "accuracy_ci95": [0.9738, 0.9932],
        "majority_accuracy": 0.5017,
    }  # fmt: skip
    page = read_page(render_run(replace(view, metrics={**view.metrics, "held_out": held_out})))
    said = page.text.replace("\u00a0", " ")
    assert "98.7% of 598 held-out pictures right" in said
    assert "95 % interval 97.4 to 99.3 % ." in said or "95 % interval 97.4 to 99.3 %." in said
    assert "Always guessing the most common class gets 50.2 %" in said
    assert "set aside before training (about 20 % of each class, seed 0)" in said


def test_verdict_is_not_said_twice(samples: Any, read_page: Any) -> None:
    said = read_page(render_run(samples.run_view())).text
    assert "Verdict Healthy Training 99.5 %" in said
    assert "Ship it: tellapart serve." in said


def test_as_given_stands_beside_the_headline(samples: Any, read_page: Any) -> None:
    view = samples.run_view(method="given")
    metrics = {**view.metrics, "held_out_as_given": {"n": 612, "accuracy": 0.9885}}
    said = read_page(render_run(replace(view, metrics=metrics))).text.replace("\u00a0", " ")
    assert "On all held-out pictures of the data: 98.9 % of 612" in said.replace(" .", ".")
    assert "14 held-out pictures have a copy in training and do not count above" in said


def test_no_mistakes_shows_the_least_sure(samples: Any, read_page: Any) -> None:
    page = read_page(render_run(samples.run_view(wrong=0.0)))
    assert "No mistakes All 598 held-out pictures were classified correctly." in page.text
    assert "least sure of" in page.text
    assert "Its most confident mistakes" not in page.text


def test_mistakes_show_picture_heat_and_both_classes(samples: Any, read_page: Any) -> None:
    view = samples.run_view(found=())
    page = read_page(render_run(view))
    wrong = [item for item in view.gallery if item.wrong]
    assert len(page.named("img")) == 2 * len(wrong)
    assert sum("Heat map" in tag.attributes["alt"] for tag in page.named("img")) == len(wrong)
    for item in wrong:
        assert item.path in page.text


def test_a_few_classes_are_numbers_and_many_are_a_map(samples: Any, read_page: Any) -> None:
    few = read_page(render_run(samples.run_view([str(k) for k in range(10)], each=36)))
    many = read_page(render_run(samples.run_view([str(k) for k in range(100)], each=9, wrong=0.3)))
    assert any("matrix" in tag.attributes.get("class", "") for tag in few.named("table"))
    assert not any("matrix" in tag.attributes.get("class", "") for tag in many.named("table"))
    assert any(
        "Confusion matrix of 100" in tag.attributes.get("aria-label", "")
        for tag in many.named("svg")
    )
    assert "Most confused" in many.text
    assert "The ten classes with the lowest recall" in many.text


def test_averages_over_repeated_folds_keep_a_decimal(samples: Any, read_page: Any) -> None:
    view = samples.run_view(each=40, wrong=0.2, method="folds")
    held_out = {**view.metrics["held_out"], "confusion": [[37.4, 2.6], [8, 32]]}
    said = read_page(render_run(replace(view, metrics={**view.metrics, "held_out": held_out}))).text
    assert "37.4" in said and "2.6" in said
    assert "10.6 mistakes in 80 pictures, on average over the rounds" in said
    assert "of 80 pictures right, each tested by a model that had not seen it" in said
    assert "heat maps are of the saved model, which has since been trained on these" in said
    right = replace(view, gallery=[item for item in view.gallery if not item.wrong])
    said = read_page(render_run(right)).text
    assert "Averaged over the rounds, every picture was classified correctly" in said
    assert "no longer available" not in said


def test_long_lists_are_capped_with_a_count(samples: Any, read_page: Any) -> None:
    view = samples.run_view(found=())
    view = replace(view, left_out=[(f"a/{k}.jpg", "a copy") for k in range(1234)])
    said = read_page(render_run(view)).text
    assert "1,234 pictures. Your files are untouched" in said
    assert "and 1,034 more" in said and "split.parquet" in said
    view = replace(view, left_out=[(f"a/{k}.jpg", f"a copy of {k}") for k in range(40)])
    assert "28 other reasons" in read_page(render_run(view)).text


def test_pictures_stay_within_the_budget(samples: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    found = [
        samples.Found(f"code_{k}", "note", 9, "A sentence.", "", tuple(map(str, range(9))))
        for k in range(40)
    ]
    view = replace(
        samples.run_view(found=found),
        examples={one.code: [Example(path, noise) for path in one.paths] for one in found},
    )
    html = render_run(view)
    assert len(html.encode("utf-8")) < 2_000_000
    assert "More paths, without their pictures" in html


def test_a_picture_that_is_no_picture_is_refused(samples: Any) -> None:
    view = samples.run_view()
    for uri in ("https://example.org/x.jpg", "javascript:alert(1)", 'data:image/png;base64,"x'):
        with pytest.raises(ValueError, match="data:image"):
            render_run(replace(view, examples={"contradicting_labels": [("a.jpg", uri)]}))


def test_check_says_what_to_do_next(samples: Any, read_page: Any) -> None:
    said = read_page(render_check(samples.check_view())).text
    assert "tellapart check 'my data/pets.zip' --corrections corrections.csv" in said
    assert "train/cats/cat.14.jpg,exclude," in said
    assert "1Error2Warnings2Notes" in said
    assert "No problems found" in read_page(render_check(samples.check_view(found=()))).text


def test_the_example_of_corrections_relabels_no_broken_file(samples: Any, read_page: Any) -> None:
    view = samples.check_view()
    found = (
        samples.Found("not_a_picture", "error", 2, "No pictures.", "", ("cats/a", "cats/b")),
        samples.Found("blurred", "warning", 1, "1 is blurred.", "", ("cats/c.jpg",)),
    )
    counts = [ClassCount("dogs", 20), ClassCount("cats", 30)]
    said = read_page(render_check(replace(view, findings=found, counts=counts))).text
    assert "cats/a,exclude, cats/c.jpg,relabel,dogs" in said


def test_the_example_of_corrections_takes_the_label_of_a_copy(samples: Any, read_page: Any) -> None:
    view = samples.check_view()
    paths = ("cats/a.jpg", "dogs/a.jpg", "cats/b.jpg", "dogs/b.jpg")
    found = (samples.Found("contradicting_labels", "error", 4, "Two labels.", "", paths),)
    counts = [ClassCount(name, 20) for name in ("cats", "dogs", "horses")]
    said = read_page(render_check(replace(view, findings=found, counts=counts))).text
    assert "cats/a.jpg,exclude, dogs/a.jpg,relabel,cats" in said


def test_check_without_parts_shows_no_parts(samples: Any, read_page: Any) -> None:
    view = replace(samples.check_view(), counts=[ClassCount("cats", 30), ClassCount("dogs", 20)])
    assert "Held out" not in read_page(render_check(view)).text
    assert (
        "Held out"
        in read_page(
            render_check(replace(view, parts=True, counts=[ClassCount("cats", 30, 10)]))
        ).text
    )


def test_same_view_same_page(samples: Any) -> None:
    assert render_run(samples.run_view()) == render_run(samples.run_view())


def test_older_runs_without_the_newer_members_render(samples: Any, read_page: Any) -> None:
    view = samples.run_view()
    held_out = {k: v for k, v in view.metrics["held_out"].items() if k != "reliability"}
    bare = replace(
        view,
        run={"name": "old-run"},
        metrics={
            "classes": view.metrics["classes"],
            "held_out": held_out,
            "verdict": {"code": "healthy", "sentence": "Fine."},
        },
        timings={}, counts=(), findings=(), examples={}, left_out=(), gallery=(),
        model_sha256="", model_bytes=None, version="",
    )  # fmt: skip
    page = read_page(render_run(bare))
    page.assert_inert()


def test_links_of_the_sections_lead_somewhere_without_a_reliability_chart(
    samples: Any, read_page: Any
) -> None:
    view = samples.run_view()
    held_out = {**view.metrics["held_out"], "reliability": []}
    page = read_page(render_run(replace(view, metrics={**view.metrics, "held_out": held_out})))
    page.assert_accessible()


def _luminance(color: str) -> float:
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_ink_and_ground_keep_wcag_aa_in_both_schemes(samples: Any) -> None:
    css = render_run(samples.run_view(found=())).split("<style>")[1].split("</style>")[0]
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part))
                   for part in css.split("prefers-color-scheme: dark", 1))  # fmt: skip
    for scheme in (light, dark):
        for ink in ("ink", "soft", "accent", "error", "warning", "note"):
            for ground in ("ground", "card", "faint"):
                high, low = sorted(
                    (_luminance(scheme[ink]), _luminance(scheme[ground])), reverse=True
                )
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


@pytest.mark.parametrize("unit", ["%", "s", "min", "h", "ms", "B", "kB", "MB", "GB", "points"])
def test_a_number_and_its_unit_stay_on_one_line(unit: str) -> None:
    assert keep_units(f"<p>12 {unit}, or so</p>") == f"<p>12{NO_BREAK}{unit}, or so</p>"


@pytest.mark.parametrize(
    "html",
    [
        "<p>12 pictures, 3 sheep, 4 minutes</p>",
        "<bdi>run 3 s.jpg</bdi>",
        "<pre><code>sleep 3 s</code></pre>",
        "<style>a { margin: 0 3 %; }</style>",
        '<path d="M3 4 h 5 s 1"/>',
    ],
)
def test_words_names_commands_and_markup_keep_their_spaces(html: str) -> None:
    assert keep_units(html) == html
