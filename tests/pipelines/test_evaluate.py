"""Which pictures of other data stand or fall together, and what names a model's answers."""

from __future__ import annotations

import polars as pl

from tellapart.pipelines.evaluate import _group_ids


def test_copies_and_groups_share_a_number() -> None:
    frame = pl.DataFrame(
        {
            "group": ["p1", None, "p1", None, None, None],
            "content": ["a", "b", "c", "b", None, None],
        },
        schema={"group": pl.String, "content": pl.String},
    )
    assert _group_ids(frame).tolist() == [0, 1, 0, 1, 4, 5]
