"""NPZ files, NumPy's archive of arrays, read without NumPy's loader and without pickle.

An ``.npz`` is a zip of ``.npy`` files. The zip goes through ``ZipStore`` with all its guards; of
each ``.npy``, NumPy's own reader, which evaluates only literals, reads the header, which is
checked before the values are used. Arrays of Python objects, which need pickle, are refused.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tellapart.core.errors import PictureError, SourceError
from tellapart.data.sources.base import Member
from tellapart.data.sources.idx import MAX_ARRAY_BYTES, ArrayName, damaged_array, too_much
from tellapart.data.sources.names import ending, part_of, quote
from tellapart.data.sources.zips import ZipStore

_WHAT: dict[str, Literal["images", "labels"]] = {
    **dict.fromkeys(("x", "image", "images", "img", "imgs", "picture", "pictures"), "images"),
    **dict.fromkeys(("y", "label", "labels", "target", "targets"), "labels"),
}
_HEADER = 16 * 1024  # a header that NumPy writes has 128 bytes


def npz_name(name: str) -> ArrayName | None:
    """The meaning of an array's name, or None if it has none.

    Example:
        >>> npz_name("x_train")
        ArrayName(part='train', what='images', set='')
    """
    words = [word for word in re.split(r"[-_. ]+", name.lower()) if word]
    kinds = [_WHAT[word] for word in words if word in _WHAT]
    parts = [part for word in words if (part := part_of(word))]
    if len(kinds) != 1 or len(parts) > 1 or len(kinds) + len(parts) != len(words):
        return None
    return ArrayName(parts[0] if parts else None, kinds[0])


class NpzFile:
    """The arrays of one ``.npz``.

    Args:
        path: The file.

    Raises:
        SourceError: It is not a sound zip.
    """

    def __init__(self, path: str) -> None:
        self._store = ZipStore(path)
        self.location = self._store.location
        try:
            members = self._store.listing().members
        except SourceError:
            self.close()
            raise
        self._members: dict[str, Member] = {
            member.name[: -len(".npy")]: member
            for member in members
            if ending(member.name) == "npy"
        }

    @property
    def names(self) -> Iterable[str]:
        """The names of the arrays, as given to ``numpy.savez``."""
        return self._members.keys()

    def read(self, name: str) -> NDArray[Any]:
        """One array, read-only.

        Raises:
            SourceError: ``damaged_array``, ``array_type`` or ``array_too_large``.
        """
        shown = f"{self.location}!/{name}"
        member = self._members[name]
        if member.size > MAX_ARRAY_BYTES + _HEADER:
            raise too_much(shown, (member.size,), member.size)
        try:
            if member.fault:
                raise PictureError(member.fault)
            data = self._store.read(member)
        except (PictureError, MemoryError) as error:
            raise damaged_array(shown, str(error).rstrip(".") or "no memory for it") from error
        return _parse(data, shown)

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _parse(data: bytes, shown: str) -> NDArray[Any]:
    stream = io.BytesIO(data[:_HEADER])
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, columns_first, kind = read(stream)
        count = math.prod(shape)
    except Exception as error:  # NumPy raises errors of many kinds for broken headers
        raise damaged_array(shown, "it does not begin as an .npy array") from error
    if kind.hasobject or kind.fields:
        raise SourceError(
            f"{quote(shown)} holds Python objects, which could run a program when read.",
            remedy="Save pictures as one uint8 array and labels as integers or text.",
            code="array_type",
        )
    if len(data) - stream.tell() != count * kind.itemsize or min(shape, default=1) < 0:
        claim = " x ".join(f"{length:,}" for length in shape)
        raise damaged_array(shown, f"its header claims {claim} values, but there are others")
    if kind.itemsize == 0:
        return np.zeros(shape, kind)
    values = np.frombuffer(data, kind, count, stream.tell())
    return values.reshape(shape, order="F" if columns_first else "C")
