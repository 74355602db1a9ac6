"""The parts of a data set (training, validation, test) by the names of their folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from tellapart.data.sources.names import Part

Meaning = Literal["train", "validation", "test", "evaluation", "unlabeled"]

_WORDS: dict[str, Meaning] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout", "heldout"), "test"),
    **dict.fromkeys(("eval", "evaluation", "evaluate"), "evaluation"),
    **dict.fromkeys(
        ("pred", "predict", "prediction", "predictions", "unlabelled", "unlabeled", "submission"),
        "unlabeled",
    ),
}
# fmt: off
_FILLERS = frozenset({
    "set", "sets", "data", "dataset", "split", "splits", "part", "folder", "directory", "dir",
    "image", "images", "img", "imgs", "pic", "pics", "picture", "pictures", "photo", "photos",
    "files", "samples",
})
# fmt: on
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HELD_OUT = re.compile(r"h[eo]ld[ _.-]?out")


class PartName(NamedTuple):
    """What the name of a folder says of a part.

    Attributes:
        meaning: Which part; ``evaluation`` is the test part, or the validation part beside one.
        rest: The other words in the name, sorted.
    """

    meaning: Meaning
    rest: tuple[str, ...]


def part_name(folder: str) -> PartName | None:
    """The part that a name contains as a word, in any case, with words before and after.

    Example:
        >>> part_name("training_set"), part_name("pets-Test1")
        (PartName(meaning='train', rest=()), PartName(meaning='test', rest=('pets',)))
        >>> part_name("trainers"), part_name("cats")
        (None, None)
    """
    text = _HELD_OUT.sub("heldout", _HUMP.sub(" ", folder).lower())
    meanings: set[Meaning] = set()
    rest: list[str] = []
    for word in re.findall(r"[^\W\d_]+", text):
        meaning = _meaning(word)
        if meaning is not None:
            meanings.add(meaning)
        elif word not in _FILLERS:
            rest.append(word)
    return PartName(meanings.pop(), tuple(sorted(rest))) if len(meanings) == 1 else None


def _words(folder: str) -> tuple[str, ...]:
    words = re.findall(r"[^\W\d_]+", folder.lower())
    return tuple(sorted(word for word in words if word not in _FILLERS))


def is_generic(folder: str) -> bool:
    """Whether a name says no more than that there are pictures, as ``images`` does."""
    return not _words(folder)


def _meaning(word: str) -> Meaning | None:
    """The meaning of ``train``, and of ``trainset`` and ``imagestrain``."""
    if word in _WORDS:
        return _WORDS[word]
    for known, meaning in _WORDS.items():
        if len(known) > 3 and (
            (word.startswith(known) and word[len(known) :] in _FILLERS)
            or (word.endswith(known) and word[: -len(known)] in _FILLERS)
        ):
            return meaning
    return None


def parts_among(folders: Iterable[str]) -> dict[str, Part | None] | None:
    """The part of each folder, if all are parts of one data set.

    Returns:
        By folder the part, None for one of unlabeled pictures; or None if a folder is no part, or
        their names differ in more than the part.

    Example:
        >>> parts_among(["training_set", "test_set"]), parts_among(["rps", "rps-test"])
        ({'training_set': 'train', 'test_set': 'test'}, {'rps': 'train', 'rps-test': 'test'})
        >>> parts_among(["train", "buses"]) is parts_among(["pets_train", "cars_test"]) is None
        True
    """
    found = {name: part_name(name) for name in folders}
    named = {name: part for name, part in found.items() if part is not None}
    rests = {part.rest for part in named.values()}
    if len(rests) != 1:
        return None
    for name in found.keys() - named.keys():  # rps beside rps-test-set
        if not rests & {_words(name)} - {()} or "train" in {
            part.meaning for part in named.values()
        }:
            return None
        named[name] = PartName("train", ())
    named = {name: named[name] for name in found}
    has_test = any(part.meaning == "test" for part in named.values())
    return {name: _part(part.meaning, has_test) for name, part in named.items()}


def _part(meaning: Meaning, has_test: bool) -> Part | None:
    if meaning == "unlabeled":
        return None
    if meaning == "evaluation":
        return "validation" if has_test else "test"
    return meaning
