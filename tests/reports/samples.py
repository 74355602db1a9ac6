"""Views with made-up but plausible numbers, for the tests of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.reports import CheckView, ClassCount, Distribution, Example, GalleryItem, RunView

POLICY = (
    "EXIF orientation is applied.",
    "Transparency is laid on white.",
    "CMYK and other color spaces become sRGB.",
    "More than 8 bits are scaled by the picture's own darkest and brightest value.",
)


@dataclass(frozen=True)
class Found:
    """A finding of plain values."""

    code: str
    level: str
    count: int
    sentence: str
    remedy: str
    paths: tuple[str, ...] = ()


def pictures(count: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Small pictures of noise, uint8 ``[40, 60, 3]`` each."""
    draw = np.random.default_rng(seed)
    return [draw.integers(0, 256, (40, 60, 3), dtype=np.uint8) for _ in range(count)]


def confusion(classes: int, each: int, wrong: float, seed: int = 0) -> NDArray[np.int64]:
    """A matrix with ``each`` pictures a class of which a share ``wrong`` is elsewhere."""
    draw = np.random.default_rng(seed)
    matrix = np.zeros((classes, classes), dtype=np.int64)
    for row in range(classes):
        missed = int(draw.binomial(each, wrong))
        matrix[row, row] = each - missed
        others = [column for column in range(classes) if column != row]
        for column in draw.choice(others[:4] if classes > 4 else others, missed):
            matrix[row, column] += 1
    return matrix


def held_out(
    matrix: NDArray[np.int64], classes: Sequence[str], method: str = "split"
) -> dict[str, Any]:
    """The ``held_out`` member of ``metrics.json`` for a matrix."""
    n = int(matrix.sum())
    right = int(matrix.trace())
    accuracy = right / n
    spread = 1.96 * (max(accuracy * (1 - accuracy), 0.002) / n) ** 0.5
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    return {
        "method": method,
        "n": n,
        "accuracy": accuracy,
        "accuracy_ci95": [max(accuracy - spread, 0.0), min(accuracy + spread, 1.0)],
        "balanced_accuracy": accuracy,
        "macro_f1": accuracy - 0.001,
        "log_loss": 0.041,
        "calibration_error": 0.0082,
        "majority_accuracy": int(rows.max()) / n,
        "per_class": {
            name: {
                "precision": float(matrix[k, k] / columns[k]) if columns[k] else None,
                "recall": float(matrix[k, k] / rows[k]) if rows[k] else None,
                "n": int(rows[k]),
            }
            for k, name in enumerate(classes)
        },
        "confusion": matrix.tolist(),
        "reliability": [
            {
                "low": confidence - 0.02,
                "high": confidence + 0.02,
                "n": max(n // 6, 1),
                "confidence": confidence,
                "accuracy": accuracy,
                "ci95": [accuracy - 0.05, min(accuracy + 0.03, 1.0)],
            }
            for confidence, accuracy in (
                (0.63, 0.66), (0.86, 0.82), (0.94, 0.93), (0.97, 0.985), (0.988, 0.99),
                (0.997, 1.0),
            )
        ],
    }  # fmt: skip


def findings(prefix: str = "train/cats/cat") -> tuple[Found, ...]:
    """An error, two warnings and two notes."""

    def paths(*numbers: int) -> tuple[str, ...]:
        return tuple(f"{prefix}.{number}.jpg" for number in numbers)

    return (
        Found(
            "contradicting_labels", "error", 2,
            "The same picture stands under two labels, so one of them is wrong. Both are left out.",
            "Decide in corrections.csv which label is right, and exclude the other.",
            paths(14, 2290),
        ),
        Found(
            "cut_off", "warning", 2,
            "Two files end before their picture does. They are left out.",
            "Copy them again from where they came from.",
            paths(835, 1120),
        ),
        Found(
            "exact_duplicates", "warning", 5,
            "Five pictures are byte-for-byte copies of another one of their class. One of each "
            "is kept.",
            "Nothing needs doing; delete them if you like.",
            paths(*range(100, 205)),
        ),
        Found(
            "near_duplicates", "note", 4,
            "Four pictures look almost like another one. They stay on one side of the split.",
            "", paths(7, 8, 9, 10),
        ),
        Found(
            "gray_among_color", "note", 11,
            "Eleven pictures are gray while the others have color.",
            "Make sure that gray does not give the class away.",
            paths(*range(40, 51)),
        ),
    )  # fmt: skip


def run_view(
    classes: Sequence[str] = ("cats", "dogs"),
    *,
    each: int = 299,
    wrong: float = 0.013,
    method: str = "split",
    shown: Sequence[NDArray[np.uint8]] | None = None,
    found: Sequence[Found] | None = None,
    verdict: tuple[str, str] = (
        "healthy",
        "Healthy: training 99.5 %, held out 98.7 %; the gap of 0.8 points is within what "
        "chance explains.",
    ),
) -> RunView:
    """A run with ``each`` held-out pictures a class."""
    matrix = confusion(len(classes), each, wrong)
    shown = pictures(12) if shown is None else shown
    found = findings() if found is None else found
    draw = np.random.default_rng(1)
    held = held_out(matrix, classes, method)
    missed = [
        (row, column)
        for row in range(len(classes))
        for column in range(len(classes))
        for _ in range(int(matrix[row, column]))
        if row != column
    ]
    pairs = missed or [(k % len(classes), k % len(classes)) for k in range(6)]
    gallery = [
        GalleryItem(
            path=f"validation/{classes[truth]}/{classes[truth]}.{2000 + 37 * k}.jpg",
            truth=classes[truth],
            predicted=classes[said],
            probability=0.999 - 0.03 * k if missed else 0.52 + 0.03 * k,
            picture=picture,
            heat=np.asarray(draw.normal(0.4, 1.0, (7, 7)), dtype=np.float32),
            truth_probability=0.001 + 0.03 * k,
        )
        for k, ((truth, said), picture) in enumerate(zip(pairs, shown, strict=False))
    ]
    return RunView(
        run={
            "schema": 1, "name": "pets-1", "created": "2026-11-22T07:56:02+00:00",
            "model": "probe", "backbone": "efficientnet-lite0", "classes": list(classes),
            "decode": {"policy": POLICY, "decoder": "simplejpeg-1.9/pillow-13/1", "size": 224,
                       "fit": "squash"},
            "data": {"name": "pets.zip", "location": "/home/somebody/pets.zip",
                     "fingerprint": "9f2c11d0a4b87e65", "pictures": 5 * each * len(classes)},
            "settings": {"held_out": 0.2}, "seed": 0, "engine": "onnxruntime 1.24",
            "versions": {"tellapart": "0.1.0", "numpy": "2.4.6", "onnxruntime": "1.24.0"},
            "command": "tellapart train pets.zip --held-out 0.2",
            "probe": {"C": 0.003, "table": [
                {"C": c, "log_loss": loss, "accuracy": 0.985}
                for c, loss in ((1e-5, .19), (1e-4, .078), (3e-4, .058), (1e-3, .049),
                                (3e-3, .046), (1e-2, .048), (1e-1, .066), (1.0, .11))]},
            "proof": {"n": 64, "max_difference": 1.2e-6},
        },
        metrics={
            "schema": 1, "classes": list(classes),
            "train": {"n": 4 * each * len(classes), "accuracy": 0.995},
            "held_out": held,
            "verdict": {"code": verdict[0], "sentence": verdict[1],
                        "next": ["Look at the mistakes below.", "Ship it: tellapart serve."]},
        },
        timings={
            "seconds": {"total": 20.6, "scan": 1.9, "audit": 0.12, "features": 17.4,
                        "learn": 0.61, "report": 0.34},
            "images_per_second": {"scan": 1580.0, "features": 172.0},
            "peak_memory_mb": 412.0,
        },
        counts=[
            ClassCount(name, train=max(4 * each - 7 * k, 3), held_out=each, left_out=k % 3)
            for k, name in enumerate(classes)
        ],
        findings=found,
        examples={
            one.code: [
                Example(path, picture, "labeled cats")
                for path, picture in zip(one.paths[:5], shown, strict=False)
            ]
            for one in found
            if one.code != "cut_off"
        },
        left_out=[(f"train/cats/cat.{k}.jpg", "a copy of another picture") for k in range(5)]
        + [("train/cats/cat.835.jpg", "the file is cut off")],
        gallery=gallery,
        confidences=1 - draw.beta(0.35, 6.0, 300) / 2,
        model_sha256="7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
        model_bytes=18_532_743,
        version="0.1.0",
    )  # fmt: skip


def check_view(
    classes: Sequence[str] = ("cats", "dogs"), found: Sequence[Found] | None = None
) -> CheckView:
    """A check of 3,000 pictures."""
    draw = np.random.default_rng(2)
    found = findings() if found is None else found
    run = run_view(classes, found=found)
    return CheckView(
        name="pets.zip",
        data="my data/pets.zip",
        pictures=3000,
        usable=2991,
        counts=[replace(one, held_out=0) for one in run.counts],
        formats={"JPEG": 2990, "PNG": 10},
        bytes=21_701_111,
        distributions=[
            Distribution("Longer side", "pixels", draw.gamma(9.0, 60.0, 3000)),
            Distribution("Shorter side", "pixels", [180.0] * 3000),
            Distribution("Brightness", "mean level", draw.normal(120, 30, 3000), 0, 255),
            Distribution("Sharpness", "variance of the Laplacian", draw.gamma(1.5, 400, 3000)),
        ],
        findings=found,
        examples=run.examples,
        passed_over={"hidden files": 4, "__MACOSX": 12},
        policy=POLICY,
        corrections="corrections.csv",
        created="2026-11-22T07:56:02+00:00",
        seconds=1.94,
        version="0.1.0",
    )
