"""Do two pictures show the same pixels? Answered on their thumbnails, gray uint8 ``[64, 64]``.

Who does what: :func:`same_view` compares two thumbnails as they lie, whatever their brightness
and contrast; :func:`shared_view` looks for one picture inside the other, mirrored or not, at
half its size or more. Both want the whole view to agree *and* its worst patch: two frames of
one scene agree nearly everywhere and differ where somebody moved.

The search is normalized cross-correlation (J. P. Lewis, 1995, "Fast normalized
cross-correlation"): every place on 16x16 pixels for the coarse size, then on 64x64, by Fourier
transform with running sums for the windows' energy, for the answer. The thresholds were
measured on real photographs: docs/decisions/0020-near-copies.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats

Thumbs = NDArray[np.uint8]  # [N, 64, 64]
Rows = NDArray[np.int64]  # [m]
Scores = NDArray[np.float32]  # [m]

MIN_CONTRAST = 6.0
"""Gray levels of standard deviation; blank pictures would all resemble each other."""
SAME_CORRELATION = 0.99
SAME_WORST_PATCH = 0.25
"""Mean difference of the worst 8x8 patch, in standard deviations of the picture."""
COARSE_CORRELATION = 0.85
SHARED_CORRELATION = 0.97
SHARED_WORST_PATCH = 0.45
_NEARLY = 0.90  # at about the right size; from here the exact size is searched

_AROUND = tuple((rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1))
_SIDE, _COARSE, _PATCH = 64, 16, 8
_FINER = _SIDE // _COARSE
_CHUNK = 256
# Height and width of the smaller view inside the larger one, in 1/16: both alike for a plain
# crop, one of them whole where a picture was trimmed to another shape.
_SHAPES: tuple[tuple[int, int], ...] = (
    *((side, side) for side in range(16, 7, -1)),
    *((side, 16) for side in (14, 12, 10, 8)),
    *((16, side) for side in (14, 12, 10, 8)),
)


def same_view(thumbs: Thumbs, a: Rows, b: Rows) -> Scores:
    """How alike the thumbnails of each pair are, as they lie.

    Args:
        thumbs: uint8 ``[N, 64, 64]``.
        a: Rows of the first pictures, ``[m]``.
        b: Rows of the second pictures, ``[m]``.

    Returns:
        float32 ``[m]``: the correlation, 0 to 1, where the two are near-copies; else 0.
    """
    scores = np.zeros(len(a), np.float32)
    order = np.lexsort((b, a))  # so that pairs of one picture come together
    for start in range(0, len(a), _CHUNK):
        part = order[start : start + _CHUNK]
        rows, places = np.unique(np.stack([a[part], b[part]]), return_inverse=True)
        pictures, levels = _standardized(thumbs[rows])
        one, two = places.reshape(2, -1)
        first, second = pictures[one], pictures[two]
        correlation = np.einsum("nij,nij->n", first, second) / _SIDE**2
        first -= second
        np.abs(first, out=first)
        bands = first.reshape(-1, 8, _PATCH, _SIDE).sum(2)
        patches = bands.reshape(-1, 8, 8, _PATCH).sum(3) / _PATCH**2
        good = (
            (correlation >= SAME_CORRELATION)
            & (patches.max((1, 2)) <= SAME_WORST_PATCH)
            & (np.minimum(levels[one], levels[two]) >= MIN_CONTRAST)
        )
        scores[part] = np.where(good, np.minimum(correlation, 1.0), 0.0)
    return scores


def shared_view(thumbs: Thumbs, a: Rows, b: Rows) -> Scores:
    """Whether one picture of each pair is the other: a part of it, mirrored, or both.

    Args:
        thumbs: uint8 ``[N, 64, 64]``.
        a: Rows of the first pictures, ``[m]``.
        b: Rows of the second pictures, ``[m]``.

    Returns:
        float32 ``[m]``: the correlation of the shared view, 0 to 1, where it was
        confirmed; else 0.
    """
    scores = np.zeros(len(a), np.float32)
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        places = _coarse_places(thumbs[a[part]], thumbs[b[part]])
        for offset in np.flatnonzero(places.correlation >= COARSE_CORRELATION):
            pair = start + int(offset)
            small, large = thumbs[a[pair]], thumbs[b[pair]]
            if places.swapped[offset]:
                small, large = large, small
            if places.mirrored[offset]:
                large = large[:, ::-1]
            scores[pair] = _confirm(small, large, _SHAPES[places.shape[offset]])
    return scores


class _Places(NamedTuple):
    """The best coarse place of each pair, all ``[m]``."""

    correlation: Floats
    shape: NDArray[np.int64]
    swapped: NDArray[np.bool_]
    mirrored: NDArray[np.bool_]


def _coarse_places(first: Thumbs, second: Thumbs) -> _Places:
    """The best of all shapes, both ways round, mirrored or not, on 16x16 pixels."""
    best = np.zeros(len(first), np.float32)
    shape = np.zeros(len(first), np.int64)
    swapped = np.zeros(len(first), np.bool_)
    mirrored = np.zeros(len(first), np.bool_)
    coarse = _coarse(first), _coarse(second)
    for swap in (False, True):
        small, large = coarse[::-1] if swap else coarse
        for index, (height, width) in enumerate(_SHAPES):
            if swap and (height, width) == (_COARSE, _COARSE):
                continue  # whole against whole is the same both ways round
            plain, flipped = _best_places(_shrunk(small, height, width), large)
            for mirror, found in ((False, plain), (True, flipped)):
                better = found > best
                best[better], shape[better] = found[better], index
                swapped[better], mirrored[better] = swap, mirror
    return _Places(best, shape, swapped, mirrored)


def _best_places(templates: Floats, large: Floats) -> tuple[Floats, Floats]:
    """The best correlation of each template in its picture, as it is and mirrored, ``[m]``."""
    m, height, width = templates.shape
    windows = np.lib.stride_tricks.sliding_window_view(large, (height, width), axis=(1, 2))
    flat = windows.reshape(m, -1, height * width)  # float32 [m, places, pixels], a copy
    centered = templates - templates.mean((1, 2), keepdims=True)
    both = np.stack([centered, centered[:, :, ::-1]], axis=-1).reshape(m, -1, 2)
    norms = np.sqrt(np.square(centered).sum((1, 2)))[:, None]
    energy = np.einsum("mpk,mpk->mp", flat, flat) - np.square(flat.sum(2)) / flat.shape[2]
    lengths = np.sqrt(np.maximum(energy, 0.0))
    floor = np.float32(MIN_CONTRAST * np.sqrt(height * width))
    scale = np.maximum(lengths, floor) * np.maximum(norms, floor)
    found = (flat @ both) / scale[..., None]
    found[(lengths < floor) | (norms < floor)] = 0.0
    best: Floats = found.max(1)
    return best[:, 0], best[:, 1]


def _confirm(small: NDArray[np.uint8], large: NDArray[np.uint8], shape: tuple[int, int]) -> float:
    """The exact size and place on 64x64 pixels, then every patch of the shared view."""
    field = _Field(large[None].astype(np.float32))
    picture = small[None].astype(np.float32)
    height, width = (_FINER * side for side in shape)
    sizes = [(_limited(height + step), _limited(width + step)) for step in (-3, -1, 1, 3)]
    best = max((_placed(field, picture, size) for size in sizes), key=lambda view: view.score)
    if best.score < _NEARLY:
        return 0.0
    seen = {(best.height, best.width): best}
    for _ in range(2):
        for rows, columns in _AROUND:
            size = (_limited(best.height + rows), _limited(best.width + columns))
            if size not in seen:
                seen[size] = _moved(large, picture, size, best)
        best = max(seen.values(), key=lambda view: view.score)
    if best.score < SHARED_CORRELATION:
        return 0.0
    view = _shrunk(picture, best.height, best.width)
    window = large[best.top : best.top + best.height, best.left : best.left + best.width]
    alike = _worst_patch(view[0], window) <= SHARED_WORST_PATCH
    return min(best.score, 1.0) if alike else 0.0


class _View(NamedTuple):
    """Where a smaller picture lies in a larger one, in pixels of 64."""

    score: float
    height: int
    width: int
    top: int
    left: int


def _placed(field: _Field, picture: Floats, size: tuple[int, int]) -> _View:
    """The best place for a picture ``[1, 64, 64]`` brought to a size."""
    found = field.search(_shrunk(picture, *size))[0]
    top, left = divmod(int(found.argmax()), found.shape[1])
    return _View(float(found[top, left]), *size, top, left)


def _moved(large: NDArray[np.uint8], picture: Floats, size: tuple[int, int], near: _View) -> _View:
    """The best place for a picture brought to a size, within 2 pixels of a known place."""
    (height, width), reach = size, 2
    top, left = max(0, near.top - reach), max(0, near.left - reach)
    part = large[top : near.top + reach + height, left : near.left + reach + width]
    windows = np.lib.stride_tricks.sliding_window_view(part.astype(np.float32), size)
    rows, columns = windows.shape[:2]
    flat = windows.reshape(rows * columns, height * width)
    template = _shrunk(picture, height, width).ravel()
    template = template - template.mean()
    energy = np.einsum("pk,pk->p", flat, flat) - np.square(flat.sum(1)) / flat.shape[1]
    least = MIN_CONTRAST**2 * flat.shape[1]  # as in _Field: below, nothing to recognize
    energies = energy * float(template @ template)
    found = (flat @ template) / np.sqrt(np.maximum(energies, least**2))
    place = int(found.argmax())
    row, column = divmod(place, columns)
    return _View(float(found[place]), height, width, top + row, left + column)


def _limited(side: int) -> int:
    return max(_SIDE // 2 - 2, min(_SIDE, side))


def _worst_patch(first: Floats, second: NDArray[np.uint8]) -> float:
    one, _ = _standardized(first[None])
    two, _ = _standardized(second[None])
    difference = np.abs(one - two)[0]
    height, width = difference.shape
    rows = np.linspace(0, height, height // _PATCH + 1).astype(int)
    columns = np.linspace(0, width, width // _PATCH + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(difference, rows[:-1], 0), columns[:-1], 1)
    counts = np.diff(rows)[:, None] * np.diff(columns)[None, :]
    return float((sums / counts).max())


class _Field:
    """Pictures to search in, float32 ``[m, s, s]``: their transform and running sums."""

    def __init__(self, pictures: Floats) -> None:
        self.side = pictures.shape[1]
        centered = pictures - pictures.mean((1, 2), keepdims=True)
        self.transform = np.fft.rfft2(centered)
        self.sums = _running(centered)
        self.squares = _running(np.square(centered))

    def search(self, templates: Floats) -> Floats:
        """Correlation at every place where the template lies inside, ``[m, places, places]``."""
        m, height, width = templates.shape
        centered = templates - templates.mean((1, 2), keepdims=True)
        norms = np.sqrt(np.square(centered).sum((1, 2)))
        transform = np.fft.rfft2(centered, s=(self.side, self.side))
        products = np.fft.irfft2(self.transform * transform.conj(), s=(self.side, self.side))
        places = products[:, : self.side - height + 1, : self.side - width + 1]
        area = height * width
        energy = _windows(self.squares, height, width)
        energy -= np.square(_windows(self.sums, height, width)) / area
        floor = MIN_CONTRAST * np.sqrt(area)  # below, there is nothing to recognize
        length = np.sqrt(np.maximum(energy, 0.0))
        flat = (length < floor) | (norms < floor)[:, None, None]
        scale = np.maximum(length, floor) * np.maximum(norms, floor)[:, None, None]
        found: Floats = np.where(flat, 0.0, places / scale).astype(np.float32)
        return found.reshape(m, self.side - height + 1, self.side - width + 1)


def _running(pictures: Floats) -> NDArray[np.float64]:
    """Running sums over both axes with a leading zero, float64 ``[m, s + 1, s + 1]``."""
    m, height, width = pictures.shape
    sums = np.zeros((m, height + 1, width + 1))
    np.cumsum(np.cumsum(pictures, 1, dtype=np.float64), 2, out=sums[:, 1:, 1:])
    return sums


def _windows(sums: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    windows: NDArray[np.float64] = (
        sums[:, height:, width:]
        - sums[:, :-height, width:]
        - sums[:, height:, :-width]
        + sums[:, :-height, :-width]
    )
    return windows


def _standardized(pictures: NDArray[np.generic]) -> tuple[Floats, Floats]:
    """Pictures with mean 0 and deviation 1, and their deviation in gray levels ``[m]``."""
    floats: Floats = pictures.astype(np.float32)
    floats -= floats.mean((1, 2), keepdims=True)
    squares = np.einsum("nij,nij->n", floats, floats)
    level: Floats = np.sqrt(squares / (floats.shape[1] * floats.shape[2])).astype(np.float32)
    floats /= np.maximum(level, np.float32(1.0))[:, None, None]
    return floats, level


def _coarse(thumbs: Thumbs) -> Floats:
    """Thumbnails averaged to float32 ``[m, 16, 16]``, brought around 0 for exact sums."""
    blocks = thumbs.reshape(-1, _COARSE, _FINER, _COARSE, _FINER)
    averages: Floats = blocks.mean((2, 4)).astype(np.float32)
    averages -= averages.mean((1, 2), keepdims=True)
    return averages


def _shrunk(pictures: Floats, height: int, width: int) -> Floats:
    """Pictures ``[m, s, s]`` brought to ``[m, height, width]`` by averaging areas."""
    side = pictures.shape[1]
    lower = np.matmul(_areas(side, height), pictures, dtype=np.float32)
    shrunk: Floats = np.matmul(lower, _areas(side, width).T, dtype=np.float32)
    return shrunk


@lru_cache(maxsize=256)
def _areas(side: int, target: int) -> Floats:
    """How much each of ``side`` pixels gives to each of ``target`` ones, ``[target, side]``."""
    edges = np.linspace(0, side, target + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(side)[None, :]
    overlap = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0.0, None)
    shares: Floats = (overlap / overlap.sum(1, keepdims=True)).astype(np.float32)
    return shares
