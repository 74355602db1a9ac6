"""Findings about classes: too few, too small, uneven, missing from a part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from tellapart.audit.findings import Finding
from tellapart.core.text import agree, counted, listed, percent
from tellapart.scanning.scanner import Scan

SMALL_CLASS = 20
IMBALANCE = 4.0
_CORRECTED = "by corrections"
_NO_LABELS = frozenset(
    ["nan", "na", "n/a", "none", "null", "nil", "?", "-", "unknown", "undefined"]
)


def class_findings(scan: Scan, left_out: Mapping[int, str]) -> Iterator[Finding]:
    """Findings on the usable pictures of each class (those not left out).

    Args:
        scan: The pictures.
        left_out: Rows that do not count.
    """
    usable = (
        scan.frame.select("label", "part", row=pl.int_range(pl.len()))
        .filter(pl.col("label").is_not_null() & ~pl.col("row").is_in(list(left_out)))
        .drop("row")
    )
    classes = scan.catalog.classes
    if not classes:
        return
    parted = usable["part"].is_not_null().any()
    training = usable.filter(pl.col("part") == "train") if parted else usable
    counts = dict.fromkeys(classes, 0) | dict(training["label"].value_counts().iter_rows())
    where = " in the training part" if parted else ""
    if len(classes) == 1:
        yield Finding(
            "one_class",
            "error",
            1,
            f"There is only one class, {listed(classes)}. A classifier needs at least two.",
            "Add a folder with pictures of something else.",
        )
    yield from _near_names(classes)
    yield from _small(counts, where)
    yield from _uneven(counts, where)
    if parted:
        yield from _missing(usable, classes)


def _near_names(classes: tuple[str, ...]) -> Iterator[Finding]:
    """Classes that one typing mistake may have parted, and labels that mean no label."""
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(_simplified(name), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            yield Finding(
                "near_names",
                "warning",
                len(names),
                f"{listed(names)} differ only in case, spaces or leading zeros, and count as "
                f"{len(names)} classes.",
                "If they are the same, rename the folders, or relabel the pictures in the "
                "corrections file.",
            )
    missing = [name for name in classes if name.casefold() in _NO_LABELS]
    if missing:
        n = len(missing)
        yield Finding(
            "label_looks_missing",
            "warning",
            n,
            f"{listed(missing)} {agree(n, 'looks', 'look')} like a missing label, and "
            f"{agree(n, 'counts', 'count')} as {agree(n, 'a class', 'classes')}.",
            "If so, exclude the pictures in the corrections file.",
        )


def _simplified(name: str) -> str:
    """A class name without what typing mistakes change."""
    text = "".join(name.casefold().replace("_", "").replace("-", "").split())
    return text.lstrip("0") or "0" if text.isdigit() else text


def _small(counts: Mapping[str, int], where: str) -> Iterator[Finding]:
    tiny = [name for name, n in counts.items() if n < 2]
    if tiny:
        n = len(tiny)
        yield Finding(
            "class_too_small",
            "error",
            n,
            f"{counted(n, 'class', 'classes')} {agree(n, 'has', 'have')} fewer than two usable "
            f"pictures{where}: {listed(tiny)}. Each class needs one to learn from "
            "and one to test on.",
            "Add pictures, or exclude or relabel those there are in the corrections file.",
        )
    small = [name for name, n in counts.items() if 2 <= n < SMALL_CLASS]
    if small:
        n = len(small)
        fewest = min(counts[name] for name in small)
        yield Finding(
            "class_small",
            "warning",
            n,
            f"{counted(n, 'class', 'classes')} {agree(n, 'has', 'have')} fewer than {SMALL_CLASS} "
            f"usable pictures{where}: {listed(small)} (the smallest has {fewest}). Results "
            "from so few pictures are uncertain.",
            f"Add pictures until each class has at least {SMALL_CLASS}; 100 is better.",
        )


def _uneven(counts: Mapping[str, int], where: str) -> Iterator[Finding]:
    full = {name: n for name, n in counts.items() if n}
    if len(full) < 2:
        return
    largest, smallest = max(full, key=full.__getitem__), min(full, key=full.__getitem__)
    most, fewest = full[largest], full[smallest]
    if most >= IMBALANCE * fewest:
        share = most / sum(full.values())
        yield Finding(
            "imbalance",
            "warning",
            len(full),
            f"The classes are uneven{where}: '{largest}' has {counted(most, 'picture')}, "
            f"'{smallest}' has {fewest:,}. Always guessing '{largest}' would be right "
            f"{percent(share, 0)} of the time, so look at the accuracy of each class.",
            f"Add pictures of '{smallest}' if you can.",
        )


def _missing(usable: pl.DataFrame, classes: tuple[str, ...]) -> Iterator[Finding]:
    present = {part: set(rows["label"]) for (part,), rows in usable.group_by("part")}
    train = present.get("train", set())
    outside = {part: labels for part, labels in present.items() if part not in (None, "train")}
    untrained = [name for name in classes if any(name in s for s in outside.values())]
    untrained = [name for name in untrained if name not in train]
    if untrained:
        n = len(untrained)
        yield Finding(
            "class_without_training",
            "error",
            n,
            f"{counted(n, 'class', 'classes')} {agree(n, 'has', 'have')} no usable pictures in "
            f"the training part: {listed(untrained)}. A model cannot recognize a class that "
            "it never saw.",
            "Add training pictures, or check the folder names: classes are matched by name.",
        )
    for part in ("validation", "test"):
        missing = [name for name in classes if name in train and name not in outside.get(part, {})]
        if part in outside and missing:
            n = len(missing)
            yield Finding(
                f"class_missing_from_{part}",
                "warning",
                n,
                f"{counted(n, 'class', 'classes')} {agree(n, 'has', 'have')} no usable pictures "
                f"in the {part} part: {listed(missing)}. The results of that part "
                f"say nothing about {agree(n, 'it', 'them')}.",
                f"Add pictures to the {part} part, or check the folder names.",
            )


def source_findings(scan: Scan) -> Iterator[Finding]:
    """What reading the data doubted, skipped, noticed, or corrected."""
    catalog = scan.catalog
    for doubt in catalog.doubts:
        yield Finding(doubt.code, doubt.level, doubt.count, doubt.sentence, doubt.remedy)
    passed = {why: n for why, n in catalog.passed_over.items() if n and _CORRECTED not in why}
    noted = {why: n for why, n in catalog.noted.items() if n and _CORRECTED not in why}
    both = (*catalog.passed_over.items(), *catalog.noted.items())
    corrected = {why: n for why, n in both if n and _CORRECTED in why}
    if passed:
        n = sum(passed.values())
        yield Finding(
            "passed_over",
            "note",
            n,
            f"Skipped while reading: {_told(passed)}.",
            "Nothing needs to be done unless a picture is missing.",
        )
    if noted:
        n = sum(noted.values())
        yield Finding("noted", "note", n, f"Noticed while reading: {_told(noted)}.")
    if corrected:
        n = sum(corrected.values())
        yield Finding(
            "corrections_applied",
            "note",
            n,
            f"The corrections file was applied: {_told(corrected)}. No file was changed.",
        )


def _told(counts: Mapping[str, int]) -> str:
    """Reasons, each followed by its count, which reads well for one and for many."""
    reasons = [(why.replace(f" {_CORRECTED}", ""), n) for why, n in counts.items()]
    return ", ".join(
        f"{why[:-1]}; {n:,})" if why.endswith(")") else f"{why} ({n:,})" for why, n in reasons
    )
