"""Views → the plain values that each section of a page lays out.

One function a section; nothing here knows HTML beyond finished charts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core import text
from tellapart.reports import charts, confusion
from tellapart.reports.thumbnails import Budget
from tellapart.reports.views import (
    CheckView,
    ClassCount,
    Distribution,
    Example,
    FindingLike,
    GalleryItem,
    Picture,
    RunView,
)

GALLERY = 24  # mistakes shown
GALLERY_SIDE = 208  # pixels
EXAMPLES = 12  # pictures under one finding
EXAMPLE_SIDE = 128  # pixels
PATHS = 40  # paths listed under one finding
LEFT_OUT = 200  # rows of the table of what was left out
REASONS = 12  # rows of the table of reasons
ROWS = 200  # classes listed in full

_LABELS = ("contradicting_labels",)  # errors of pictures that can be read
LEVELS = ("error", "warning", "note")


def measured(view: RunView) -> str:
    """How the headline number came about, in one or two sentences."""
    held_out, seed = view.metrics["held_out"], view.run.get("seed", 0)
    pictures = text.counted(int(held_out["n"]), "picture")
    if held_out["method"] == "folds":
        return (
            f"There are too few pictures to set some aside, so each of the {pictures} was tested "
            "by models that had not seen it or a copy of it (repeated grouped "
            f"folds, seed {seed}). The saved model was trained on all of them."
        )
    if mapping(view.run, "data").get("parts") or held_out["method"] == "given":
        return (
            f"Measured with the saved model on the {pictures} that the data itself holds "
            "out. They played no part in training or tuning; those with a copy in the "
            "training part are not counted."
        )
    share = mapping(view.run, "settings").get("held_out")
    drawn = f"about {text.percent(share, 0)} of each class, " if isinstance(share, float) else ""
    return (
        f"Measured with the saved model on {pictures} set aside before training ({drawn}"
        f"seed {seed}). They played no part in training or tuning, and copies of a picture are "
        "always kept on the same side."
    )


def without(title: str, sentence: str) -> str:
    """The sentence without the title that it begins with, since the title stands above it."""
    start = f"{title}: "
    if not sentence.lower().startswith(start.lower()):
        return sentence
    rest = sentence[len(start) :]
    return rest[:1].upper() + rest[1:]


def as_given(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """``held_out_as_given``, wherever it stands, with how many pictures do not count."""
    given = metrics.get("held_out_as_given")
    if not given:
        return None
    return {**given, "leaked": int(given["n"]) - int(metrics["held_out"]["n"])}


def findings(
    findings: Sequence[FindingLike],
    examples: Mapping[str, Sequence[Example | tuple[str, Picture]]],
    budget: Budget,
) -> list[dict[str, Any]]:
    """Rows of the findings table, each with its pictures and the paths of the others."""
    rows = []
    for finding in findings:
        shown = []
        for one in list(examples.get(finding.code, ()))[:EXAMPLES]:
            example = Example(*one)
            uri = budget.take(example.picture, EXAMPLE_SIDE)
            if uri:
                shown.append({"path": example.path, "uri": uri, "caption": example.caption})
        seen = {one["path"] for one in shown}
        others = [path for path in finding.paths if path not in seen]
        rows.append(
            {
                "level": finding.level if finding.level in LEVELS else "note",
                "code": finding.code,
                "count": finding.count,
                "sentence": finding.sentence,
                "remedy": finding.remedy,
                "examples": shown,
                "paths": others[:PATHS],
                "more": max(len(others) - PATHS, 0),
            }
        )
    return rows


def corrections(view: CheckView) -> str:
    """A corrections file for the first pictures that have a finding, as an example.

    What is relabelled is a picture, not a file that cannot be read, and gets another label.
    """
    excluded = next((path for one in view.findings for path in one.paths), "cats/1.jpg")
    whole = [one for one in view.findings if one.level != "error" or one.code in _LABELS]
    doubted = next((one.paths for one in whole if set(one.paths) - {excluded}), ("cats/2.jpg",))
    paths = [path for path in doubted if path != excluded]
    relabelled = paths[0]
    others = [row.name for row in view.counts if f"/{row.name}/" not in f"/{relabelled}"]
    beside = [name for name in others if any(f"/{name}/" in f"/{path}" for path in paths)]
    label = (beside or others or ["dogs"])[-1]
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["path", "action", "label"])
    rows.writerow([text.clean(excluded), "exclude", ""])
    rows.writerow([text.clean(relabelled), "relabel", text.clean(label)])
    return file.getvalue().rstrip("\n")


def levels(findings: Iterable[FindingLike]) -> list[tuple[str, int]]:
    """Level → how many findings, the gravest first; levels without any are not there."""
    found = [finding.level for finding in findings]
    return [(level, found.count(level)) for level in LEVELS if level in found]


def gallery(items: Sequence[GalleryItem], budget: Budget) -> list[dict[str, Any]]:
    """Cards of the gallery, as far as the budget goes."""
    shown = []
    for item in items[:GALLERY]:
        uri = budget.take(item.picture, GALLERY_SIDE)
        heat = ""
        if item.heat is not None and not isinstance(item.picture, str):
            heat = budget.take(item.picture, GALLERY_SIDE, item.heat)
        if uri:
            shown.append({"item": item, "uri": uri, "heat": heat})
    return shown


def matrix(matrix: NDArray[np.float64], classes: Sequence[str]) -> dict[str, Any]:
    """The matrix as a table of cells, or as a map where there are too many classes for one."""
    count = len(classes)
    if count <= confusion.COMPACT:
        return {
            "kind": "large"
            if count <= confusion.LARGE
            else "roomy"
            if count <= confusion.NUMBERED
            else "compact",
            "rows": list(zip(classes, confusion.cells(matrix), strict=True)),
        }
    blocks, width = confusion.in_blocks(matrix)
    label = (
        f"Confusion matrix of {count} classes, true from top to bottom, predicted from left to "
        "right. The table of the most confused classes names the most frequent mistakes."
    )
    return {
        "kind": "map",
        "width": width,
        "svg": charts.matrix_map(confusion.row_shares(blocks), label=label),
    }


def per_class(
    per_class: Any, matrix: NDArray[np.float64], classes: Sequence[str]
) -> dict[str, Any]:
    """Rows of the per-class table; for many classes the weakest ones apart.

    ``per_class`` may be a mapping by class or a list in the order of the classes.
    """
    rows = []
    for index, name in enumerate(classes):
        values = per_class[name] if isinstance(per_class, Mapping) else per_class[index]
        rows.append(
            {
                "name": name,
                "n": int(values["n"]),
                "precision": values.get("precision"),
                "recall": values.get("recall"),
                "found": float(matrix[index, index]),
                "said": float(matrix[:, index].sum()),
            }
        )
    many = len(rows) > 20
    weakest = sorted((row for row in rows if row["n"]), key=lambda row: row["recall"] or 0.0)
    return {"rows": rows, "weakest": weakest[:10] if many else []}


def counts(counts: Sequence[ClassCount]) -> dict[str, Any]:
    """Bars of the class balance; for many classes the largest and smallest apart."""
    most = max((one.total for one in counts), default=0) or 1
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "total": one.total,
            "parts": [
                (kind, getattr(one, kind), 100 * getattr(one, kind) / most)
                for kind in ("train", "validation", "held_out", "left_out")
            ],
        }
        for one in counts
    ]
    used = [
        kind
        for kind in ("train", "validation", "held_out", "left_out")
        if any(getattr(one, kind) for one in counts)
    ]
    ordered = sorted(rows, key=lambda row: row["total"], reverse=True)
    many = len(rows) > 20
    return {
        "rows": rows[:ROWS],
        "more": max(len(rows) - ROWS, 0),
        "kinds": used,
        "ends": ordered[:6] + ordered[-6:] if many else [],
        "smallest": min((one.total for one in counts), default=0),
        "largest": max((one.total for one in counts), default=0),
    }


def reasons(left_out: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
    """Reason → how many, most frequent first; rare ones together where there are many."""
    found: dict[str, int] = {}
    for _, reason in left_out:
        found[reason] = found.get(reason, 0) + 1
    ordered = sorted(found.items(), key=lambda one: -one[1])
    rest = ordered[REASONS:]
    if rest:
        others = (f"{len(rest):,} other reasons", sum(count for _, count in rest))
        ordered = [*ordered[:REASONS], others]
    return ordered


def stages(timings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the timings table, in the order they were written, without the total."""
    spent = {k: v for k, v in mapping(timings, "seconds").items() if k != "total"}
    rates = mapping(timings, "images_per_second")
    most = max(spent.values(), default=0.0) or 1.0
    return [
        {
            "stage": stage.replace("_", " ").capitalize(),
            "seconds": value,
            "rate": rates.get(stage),
            "bar": 100 * value / most,
        }
        for stage, value in spent.items()
    ]


def reproduce(view: RunView) -> list[tuple[str, str]]:
    """What fixes the result, as pairs of a term and its value."""
    run = view.run
    data, decode, proof = (mapping(run, key) for key in ("data", "decode", "proof"))
    rows: list[tuple[str, Any]] = [
        ("Seed", run.get("seed")),
        ("Data fingerprint", data.get("fingerprint")),
        ("Backbone", run.get("backbone")),
        ("Picture size", _sized(decode)),
        ("Decoder", decode.get("decoder")),
        ("Engine", run.get("engine")),
        ("Versions", " · ".join(f"{k} {v}" for k, v in mapping(run, "versions").items())),
        ("model.onnx, SHA-256", view.model_sha256),
    ]
    if proof.get("n"):
        rows.append(
            (
                "Checked",
                f"the saved file gives the same probabilities as the training code on "
                f"{text.counted(int(proof['n']), 'picture')}, within "
                f"{float(proof.get('max_difference', 0.0)):.1g}",
            )
        )
    return [(term, str(value)) for term, value in rows if value not in (None, "")]


def _sized(decode: Mapping[str, Any]) -> str:
    if "size" not in decode:
        return ""
    return f"{decode['size']} × {decode['size']}, {decode.get('fit', 'squash')}"


def histogram(one: Distribution) -> dict[str, Any]:
    """A histogram, or the one value where all pictures share it."""
    numbers = charts.finite(one.values)
    same = numbers.size > 0 and bool(numbers.min() == numbers.max())
    svg = charts.histogram(
        one.values, title=one.title, unit=one.unit, low=one.low, high=one.high
    )  # fmt: skip
    return {"one": one, "svg": "" if same else svg, "same": numbers[0] if same else None,
            "n": int(numbers.size)}  # fmt: skip


def mapping(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A member that is itself a mapping; empty where it is missing."""
    value = of.get(key)
    return value if isinstance(value, Mapping) else {}
