"""A new fact of a picture and its finding: one entry in each of two tables, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from tellapart.audit import audit
from tellapart.audit.checks import CHECKS, Check
from tellapart.core.cache import Cache
from tellapart.data.catalog import open_catalog
from tellapart.scanning.facts import FACTS, Fact, FactInput
from tellapart.scanning.scanner import scan


def saturation(given: FactInput) -> float:
    """Mean difference of the strongest and the weakest channel, 0 to 255."""
    pixels = given.picture.pixels.astype(np.int16)
    return float((pixels.max(2) - pixels.min(2)).mean())


SATURATION = Fact("saturation", pl.Float32, saturation)
GAUDY = Check(
    "gaudy",
    "note",
    pl.col("saturation") > 200,
    "{pictures} {are} gaudy.",
    "Look at {them}.",
)


def test_a_fact_and_its_finding_are_two_declarations(
    tmp_path: Path, make_picture: Callable[..., Path]
) -> None:
    red = np.zeros((80, 80, 3), np.uint8)
    red[..., 0] = 250
    for label in ("cats", "dogs"):
        for number in range(3):
            make_picture(tmp_path / "pets" / label / f"{number}.png", seed=number + len(label))
    make_picture(tmp_path / "pets" / "cats" / "red.png", red)
    catalog = open_catalog(tmp_path / "pets")
    cache = Cache(tmp_path / "cache", 10**9)
    scan(catalog, cache=cache)
    facts = (*FACTS, SATURATION)
    scanned = scan(catalog, facts=facts, cache=cache)
    assert scanned.decoded == 7, "records without the new fact are made again"
    assert scanned.frame.schema["saturation"] == pl.Float32
    assert scanned.frame.filter(pl.col("path") == "cats/red.png")["saturation"].item() == 250
    again = scan(catalog, facts=facts, cache=cache)
    assert again.decoded == 0
    assert again.frame.equals(scanned.frame)
    found = {finding.code: finding for finding in audit(again, checks=(*CHECKS, GAUDY)).findings}
    assert (found["gaudy"].count, found["gaudy"].paths) == (1, ("cats/red.png",))
    assert found["gaudy"].sentence == "1 picture is gaudy."
