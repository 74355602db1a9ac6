"""Findings about copies: what is left out, contradicting labels, leaks between parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from tellapart.audit.findings import Finding, Pair
from tellapart.audit.groups import connected
from tellapart.core.text import agree, counted
from tellapart.scanning.scanner import Scan

MANY_NEAR = 0.1
"""Share of pictures that only repeat others from which near-copies are a warning."""

_UNDECODABLE: Mapping[str, str] = {
    "empty": "the file is empty",
    "not_a_picture": "not a picture",
    "unsupported": "a kind of picture that cannot be read here",
    "cut_off": "the file is cut off",
    "undecodable": "damaged: it cannot be decoded",
    "too_large": "too large to be read",
    "unreadable": "the file cannot be read",
}


@dataclass(frozen=True)
class Copies:
    """The pairs of copies in a scan, and what follows from them."""

    scan: Scan
    pairs: tuple[Pair, ...]

    @cached_property
    def left_out(self) -> dict[int, str]:
        """Row → reason, in the order of the rows.

        These are pictures that cannot be decoded; all pictures with the same content and different
        labels; and all but the first of copies with the same label in the same part.
        """
        broken = self._frame.filter(pl.col("error").is_not_null()).select("row", "error")
        reasons = {
            row: _UNDECODABLE.get(error, "cannot be decoded") for row, error in broken.iter_rows()
        }
        copies = self._sound.filter(pl.len().over("content") > 1)
        for row, path, label in self._disputed.select("row", "other", "other_label").iter_rows():
            reasons[row] = f"the same picture as '{path}', which is labeled '{label}'"
        agreeing = copies.filter(pl.col("label").n_unique().over("content") == 1)
        keys = ["content", "part"]
        extra = agreeing.with_columns(
            first=pl.col("row").first().over(keys), kept=pl.col("path").first().over(keys)
        ).filter(pl.col("row") != pl.col("first"))
        for row, path in extra.select("row", "kept").iter_rows():
            reasons[row] = f"a copy of '{path}'"
        return dict(sorted(reasons.items()))

    def findings(self) -> Iterator[Finding]:
        """Contradicting labels, leaks, copies and near-copies."""
        yield from self._contradicting()
        yield from self._leaks()
        yield from self._exact()
        yield from self._near()

    @cached_property
    def _frame(self) -> pl.DataFrame:
        """All pictures, with their ``row``."""
        columns = ("path", "content", "label", "part", "group", "error")
        return self.scan.frame.select(*columns, row=pl.int_range(pl.len()))

    @cached_property
    def _sound(self) -> pl.DataFrame:
        """Pictures that decode."""
        return self._frame.filter(pl.col("error").is_null())

    @cached_property
    def _disputed(self) -> pl.DataFrame:
        """Pictures whose content has another label elsewhere, and that picture (``other``)."""
        many = self._sound.filter(pl.col("label").n_unique().over("content") > 1)
        others = many.select("content", other="path", other_label="label", other_row="row")
        return (
            many.join(others, on="content")
            .filter(pl.col("label") != pl.col("other_label"))
            .sort("row", "other_row")
            .unique("row", keep="first", maintain_order=True)
        )

    def _contradicting(self) -> Iterator[Finding]:
        n = self._disputed.height
        if n:
            contents = self._disputed["content"].n_unique()
            all_of_them = "Both" if n == 2 else f"All {n:,}"
            yield Finding(
                "contradicting_labels",
                "error",
                n,
                f"{counted(contents, 'picture')} {agree(contents, 'has', 'have')} more than one "
                f"label, in {counted(n, 'file')} with the same content. {all_of_them} are left "
                "out, because nobody can tell which label is right.",
                "Decide which label is right, and exclude or relabel the others in a corrections "
                "file. 'tellapart check --out' writes one to fill in.",
                tuple(self._disputed.sort("content", "row")["path"]),
            )

    def _leaks(self) -> Iterator[Finding]:
        left_out = self.left_out
        exact = self._sound.filter(~pl.col("row").is_in(list(left_out)))
        exact = exact.filter(pl.col("part").n_unique().over("content") > 1)
        outside = exact.filter(pl.col("part") != "train")
        if n := outside.height:
            yield Finding(
                "leaked_copies",
                "error",
                n,
                f"{counted(n, 'picture')} outside the training part {agree(n, 'is', 'are')} also "
                "in another part, with the same content. Pictures that a model learned from cannot "
                "test it, so held-out pictures with a copy in training do not count.",
                "Remove one of the two, or exclude it in the corrections file.",
                tuple(exact.sort("content", "row")["path"]),
            )
        part = self.scan.frame["part"].to_list()
        near = [
            pair
            for pair in self._usable_near()
            if part[pair.a] is not None and part[pair.a] != part[pair.b]
        ]
        rows = {row for pair in near for row in (pair.a, pair.b) if part[row] != "train"}
        if n := len(rows):
            yield Finding(
                "leaked_near_copies",
                "warning",
                n,
                f"{counted(n, 'picture')} outside the training part "
                f"{agree(n, 'has a near-copy', 'have near-copies')} in another part: the same "
                "photograph re-encoded, resized or cropped, or the next frame of a scene. "
                "Held-out pictures with a near-copy in training do not count.",
                "Keep pictures of one scene in one part.",
                self._paths(near),
            )
        yield from self._parted_groups()

    def _parted_groups(self) -> Iterator[Finding]:
        frame = self._frame.filter(
            pl.col("group").is_not_null() & ~pl.col("row").is_in(list(self.left_out))
        ).filter(pl.col("part").n_unique().over("group") > 1)
        n = frame.filter(pl.col("part") != "train").height
        if n:
            groups = frame["group"].n_unique()
            yield Finding(
                "parted_groups",
                "warning",
                n,
                f"{counted(groups, 'group')} {agree(groups, 'has', 'have')} pictures in several "
                f"parts, {n:,} of them outside the training part. Held-out pictures of a group "
                "that is also in training do not count.",
                "Keep all pictures of a group in one part.",
                tuple(frame.sort("group", "row")["path"]),
            )

    def _exact(self) -> Iterator[Finding]:
        same = [pair for pair in self.pairs if pair.kind == "exact"]
        reasons = self.left_out
        disputed = set(self._disputed["row"])
        extra = [pair for pair in same if pair.b in reasons and not disputed & {pair.a, pair.b}]
        if n := len(extra):
            yield Finding(
                "exact_duplicates",
                "warning",
                n,
                f"{counted(n, 'file')} {agree(n, 'is a copy', 'are copies')} of another picture "
                f"of the same class, byte for byte. One of each is kept, "
                f"{agree(n, 'the other is', 'the others are')} left out.",
                "Nothing needs to be done; delete them if you do not want them.",
                self._paths(extra),
            )

    def _near(self) -> Iterator[Finding]:
        label = self.scan.frame["label"].to_list()
        near = self._usable_near()
        across = [pair for pair in near if label[pair.a] != label[pair.b]]
        if across:
            n = len({row for pair in across for row in (pair.a, pair.b)})
            yield Finding(
                "near_duplicates_across_classes",
                "warning",
                n,
                f"{counted(n, 'picture')} {agree(n, 'has a near-copy', 'have near-copies')} with "
                "another label: nearly the same picture, so one label may be wrong. They are "
                "kept, always on the same side of a split.",
                "Look at them; exclude or relabel the wrong ones in the corrections file.",
                self._paths(across),
            )
        inside = [pair for pair in near if label[pair.a] == label[pair.b]]
        if inside:
            groups = connected(len(label), ((pair.a, pair.b) for pair in inside))
            sizes = [size for size in np.bincount(groups).tolist() if size > 1]
            n = sum(sizes)
            repeated = n - len(sizes)
            usable = self.scan.frame.height - len(self.left_out)
            many = repeated >= MANY_NEAR * usable
            yield Finding(
                "near_duplicates",
                "warning" if many else "note",
                n,
                f"{counted(n, 'picture')} are near-copies of others in their class, in "
                f"{counted(len(sizes), 'group')} of up to {max(sizes):,}: re-encoded, resized or "
                "cropped, or frames of one scene. They are kept, and each group stays on one "
                "side of a split.",
                "There are fewer different pictures than it seems: add pictures of other scenes."
                if many
                else "Nothing needs to be done.",
                self._paths(inside),
            )

    def _usable_near(self) -> list[Pair]:
        near = (pair for pair in self.pairs if pair.kind == "near")
        return [pair for pair in near if not self.left_out.keys() & {pair.a, pair.b}]

    def _paths(self, pairs: Iterable[Pair]) -> tuple[str, ...]:
        """Paths of the pairs, each once, pictures next to those they are copies of."""
        paths = self.scan.frame["path"].to_list()
        return tuple(dict.fromkeys(paths[row] for pair in pairs for row in (pair.a, pair.b)))
