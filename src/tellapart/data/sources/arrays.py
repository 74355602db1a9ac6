"""Arrays as a source of pictures: IDX files (MNIST) in a folder or zip, and NPZ files.

Each row of an array of pictures is one picture; its label is in another array. The arrays are read
into memory as a whole. :meth:`ArrayStore.read` writes a row as a lossless picture file, so that
``images.decode`` stays the only place where bytes become pixels.

 :mod:`.idx` and :mod:`.npz` read files and know names, :mod:`.labeled_arrays` checks that
pictures and labels fit together; this module finds the arrays, pairs them, and makes a store.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import PictureError, SourceError
from tellapart.core.natural_order import natural
from tellapart.data.sources.base import LabeledMember, Listing, Member, Store, unreadable
from tellapart.data.sources.folder import FolderStore, read_file
from tellapart.data.sources.idx import MAX_ARRAY_BYTES, ArrayName, idx_name, read_idx
from tellapart.data.sources.labeled_arrays import LabeledArray, labeled_array
from tellapart.data.sources.names import (
    PICTURE_ENDINGS,
    Part,
    ending,
    few,
    may_be_picture,
    quote,
)
from tellapart.data.sources.npz import NpzFile, npz_name
from tellapart.images import netpbm

_ROW_BITS = 32  # of a member's key; the bits above hold the number of the array
T = TypeVar("T")
_WORDS = {"images": "pictures", "labels": "labels"}


class ArrayStore:
    """The pictures of one or more arrays, as a store.

    Args:
        location: Absolute path of the folder, archive or NPZ file.
        joint: The text between it and a member's name.
        arrays: The arrays, with their labels.
        passed_over: Count of files next to the arrays, by reason.
    """

    def __init__(
        self, location: str, joint: str, arrays: Sequence[LabeledArray], passed_over: Counter[str]
    ) -> None:
        self.location = location
        self.joint = joint
        self._arrays = arrays
        self._passed_over = passed_over

    def listing(self) -> Listing:
        """A member for each picture."""
        members = [placed.member for placed in self.placed()]
        return Listing(members, passed_over=Counter(self._passed_over))

    def placed(self) -> tuple[LabeledMember, ...]:
        """A member for each picture, with its label and part."""
        rows: list[LabeledMember] = []
        for number, array in enumerate(self._arrays):
            digits = max(5, len(str(len(array.pixels) - 1)))
            size = len(netpbm.packed(array.pixels[0]))  # not compressed: the same for every row
            _, _, mtime_ns, inode, *_ = array.file
            first = number << _ROW_BITS
            rows.extend(
                LabeledMember(
                    Member(f"{array.name}/{row:0{digits}}", size, mtime_ns, inode, first + row),
                    label,
                    array.part,
                )
                for row, label in enumerate(array.labels)
            )
        return tuple(rows)

    def read(self, member: Member) -> bytes:
        """The bytes of a Netpbm file with exactly the array's values.

        Raises:
            PictureError: ``unreadable``, after :meth:`close`.
        """
        if not self._arrays:
            raise unreadable(member.name, "the arrays were closed")
        pixels = self._arrays[member.key >> _ROW_BITS].pixels
        return netpbm.packed(pixels[member.key & (1 << _ROW_BITS) - 1])

    def close(self) -> None:
        """Free the memory."""
        self._arrays = ()


def arrays_in(store: Store, listing: Listing, shown: str) -> ArrayStore | None:
    """The arrays in a folder or archive, or None if it contains pictures as files.

    IDX files count if there are no picture files next to them, an NPZ file only if it is the only
    file. So data sets of picture files are never mistaken for arrays.

    Args:
        store: The folder or archive.
        listing: Its files.
        shown: How a message names it.

    Raises:
        SourceError: There are arrays, but they cannot be read or do not fit together.
    """
    members = listing.members
    if any(ending(member.name) in PICTURE_ENDINGS for member in members):
        return None
    if named := [member for member in members if idx_name(member.name)]:
        return _from_idx(store, named, listing, shown)
    packed = [member for member in members if ending(member.name) == "npz"]
    if not packed or any(may_be_picture(member.name) for member in members):
        return None
    if not isinstance(store, FolderStore):
        raise SourceError(
            f"{quote(shown)} is an archive that holds {few(m.name for m in packed)}.",
            remedy="Unpack it, and give the .npz by itself.",
            code="many_arrays",
        )
    if len(packed) > 1:
        raise SourceError(
            f"{quote(shown)} holds {len(packed):,} .npz files: "
            f"{few(sorted(member.name for member in packed))}.",
            remedy="Give one of them by itself.",
            code="many_arrays",
        )
    return open_npz(f"{store.location}/{packed[0].name}", within=(store, packed[0], listing))


# ------------------------------------------------------------------ IDX


def _from_idx(
    store: Store, members: Sequence[Member], listing: Listing, shown: str
) -> ArrayStore | None:
    passed_over: Counter[str] = Counter(listing.passed_over)
    # Sorted: of a file that is there twice, the unpacked one comes before the packed one.
    named = [(name, one) for one in sorted(members) if (name := idx_name(one.name))]
    _refuse_several_sets(named, shown)
    pairs, twice = _by_part(named)
    if twice:
        passed_over["IDX files that are there twice, packed and unpacked"] += len(twice)
    if others := len(listing.members) - len(members):
        passed_over["files beside the arrays"] += others
    for pair in pairs.values():
        if len(pair) < 2:
            ((what, member),) = pair.items()
            other = "labels" if what == "images" else "images"
            raise SourceError(
                f"{quote(shown)} has {quote(member.name)}, but no {_WORDS[other]} for it.",
                remedy=f"Put the file of the {_WORDS[other]} next to it; its name has {other!r} "
                f"where this one has {what!r}.",
                code="missing_array",
            )
    arrays = [
        labeled_array(
            f"{pair['images'].name}!",
            part,
            _idx(store, pair["images"]),
            _idx(store, pair["labels"]),
            pair["images"],
            (_shown(store, pair["images"]), _shown(store, pair["labels"])),
        )
        for part, pair in pairs.items()
    ]
    return ArrayStore(store.location, store.joint, arrays, passed_over)


def _by_part(
    named: Iterable[tuple[ArrayName, T]],
) -> tuple[dict[Part | None, dict[str, T]], list[T]]:
    """For each part its ``images`` and ``labels``; and what comes a second time."""
    found: dict[Part | None, dict[str, T]] = defaultdict(dict)
    twice = []
    for name, item in named:
        if name.what in found[name.part]:
            twice.append(item)
        else:
            found[name.part][name.what] = item
    return found, twice


def _refuse_several_sets(named: Iterable[tuple[ArrayName, Member]], shown: str) -> None:
    sets: dict[str, str] = {}
    for name, member in named:
        folder = member.name.rpartition("/")[0]
        sets.setdefault(f"{folder}/{name.set}".strip("/"), member.name)
    if len(sets) > 1:
        raise SourceError(
            f"{quote(shown)} holds IDX files of {len(sets)} data sets, one of them with "
            f"{quote(sets[min(sets)])}, another with {quote(sets[max(sets)])}.",
            remedy="Put the files of one data set into a folder of their own, and give that.",
            code="many_arrays",
        )


def _idx(store: Store, member: Member) -> NDArray[np.uint8]:
    shown = _shown(store, member)
    try:
        if member.fault or member.size > MAX_ARRAY_BYTES:
            raise PictureError(member.fault or f"it has {member.size / 2**30:,.1f} GiB")
        if isinstance(store, FolderStore):
            data = read_file(f"{store.location}/{member.name}", member.name, MAX_ARRAY_BYTES)
        else:
            data = store.read(member)
    except PictureError as error:
        raise SourceError(
            f"{quote(shown)} cannot be used: {error.message.rstrip('.')}.",
            remedy="Check its permissions and its size, or download it again.",
            code="damaged_array",
        ) from error
    return read_idx(data, shown)


def _shown(store: Store, member: Member) -> str:
    return f"{os.path.basename(store.location)}{store.joint}{member.name}"  # noqa: PTH119


# ------------------------------------------------------------------ NPZ


def open_npz(path: str, within: tuple[Store, Member, Listing] | None = None) -> ArrayStore:
    """The arrays of an NPZ file.

    Args:
        path: The file.
        within: The folder that the user named, the file as its member, and the folder's files.

    Raises:
        SourceError: It cannot be read, or its arrays do not fit together.
    """
    file = NpzFile(path)
    try:
        names = sorted(file.names)
        found, unknown = _by_part((name, array) for array in names if (name := npz_name(array)))
        unknown += [array for array in names if npz_name(array) is None]
        pairs = {part: arrays for part, arrays in found.items() if len(arrays) == 2}
        if not pairs or (None in pairs and len(pairs) > 1):
            raise _no_pairs(path, sorted(names, key=natural))
        for arrays in found.values():
            unknown += arrays.values() if len(arrays) == 1 else ()
        facts = os.stat(path)  # noqa: PTH116
        here = Member("", facts.st_size, facts.st_mtime_ns, facts.st_ino)
        location, joint, before = file.location, "!/", ""
        passed_over: Counter[str] = Counter()
        if within is not None:
            store, member, listing = within
            location, joint, before = store.location, store.joint, f"{member.name}!/"
            passed_over.update(listing.passed_over)
            if beside := len(listing.members) - 1:
                passed_over["files beside the arrays"] += beside
        if unknown:
            reason = (
                f"arrays without a partner or a known name ({few(sorted(unknown, key=natural))})"
            )
            passed_over[reason] += len(unknown)
        labeled = [
            labeled_array(
                before + pair["images"],
                part,
                file.read(pair["images"]),
                file.read(pair["labels"]),
                here,
                (f"{path}!/{pair['images']}", f"{path}!/{pair['labels']}"),
            )
            for part, pair in pairs.items()
        ]
    finally:
        file.close()
    return ArrayStore(location, joint, labeled, passed_over)


def _no_pairs(path: str, names: Sequence[str]) -> SourceError:
    holds = f"the arrays {few(names, 6)}" if names else "no arrays"
    return SourceError(
        f"{quote(path)} holds {holds}, and not pictures with their labels.",
        remedy="Name them x_train, y_train, x_test and y_test, or x and y.",
        code="missing_array",
    )
