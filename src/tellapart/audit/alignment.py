"""Do two pictures show the same pixels? Computed on their thumbnails, gray uint8 ``[64, 64]``.

:func:`same_view` compares two thumbnails as they are, whatever their brightness and contrast;
:func:`shared_view` searches for one picture inside the other, mirrored or not, at half its
size or more. In both, the whole view must agree, and also its worst patch: two frames of one
scene agree nearly everywhere and differ where somebody moved.

The search is normalized cross-correlation (J. P. Lewis, 1995, "Fast normalized
cross-correlation"): every position on 16x16 pixels for the coarse size, then on 64x64 for the
answer. The thresholds were measured on real photographs: docs/decisions/0020-near-copies.md.
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

_STEPS = tuple((rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1))
_SIDE, _COARSE, _PATCH = 64, 16, 8
_FINER = _SIDE // _COARSE
_CHUNK = 256
# Height and width of the smaller view inside the larger one, in 1/16: both alike for a plain
# crop, one of them whole if a picture was trimmed to another shape.
_SHAPES: tuple[tuple[int, int], ...] = (
    *((side, side) for side in range(16, 7, -1)),
    *((side, 16) for side in (14, 12, 10, 8)),
    *((16, side) for side in (14, 12, 10, 8)),
)


def same_view(thumbs: Thumbs, a: Rows, b: Rows) -> Scores:
    """How similar the thumbnails of each pair are, as they are.

    Args:
        thumbs: uint8 ``[N, 64, 64]``.
        a: Rows of the first pictures, ``[m]``.
        b: Rows of the second pictures, ``[m]``.

    Returns:
        float32 ``[m]``: the correlation, 0 to 1, if the two are near-copies; else 0.
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
        float32 ``[m]``: the correlation of the shared view, 0 to 1, if it was
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
            height, width = (_FINER * side for side in _SHAPES[places.shape[offset]])
            top, left = _FINER * int(places.top[offset]), _FINER * int(places.left[offset])
            coarse = _View(float(places.correlation[offset]), height, width, top, left)
            scores[pair] = _confirm(small, large, coarse)
    return scores


class _Places(NamedTuple):
    """The best coarse position of each pair, all ``[m]``."""

    correlation: Floats
    shape: NDArray[np.int64]  # index into _SHAPES
    top: NDArray[np.int64]  # in pixels of 16, as is `left`
    left: NDArray[np.int64]
    swapped: NDArray[np.bool_]
    mirrored: NDArray[np.bool_]


def _coarse_places(first: Thumbs, second: Thumbs) -> _Places:
    """The best of all shapes, both ways round, mirrored or not, on 16x16 pixels."""
    m = len(first)
    shape, top, left = np.zeros((3, m), np.int64)
    swapped, mirrored = np.zeros((2, m), np.bool_)
    best = _Places(np.zeros(m, np.float32), shape, top, left, swapped, mirrored)
    coarse = _coarse(first), _coarse(second)
    for swap in (False, True):
        small, large = coarse[::-1] if swap else coarse
        for index, (height, width) in enumerate(_SHAPES):
            if swap and (height, width) == (_COARSE, _COARSE):
                continue  # whole against whole is the same both ways round
            correlations, positions = _best_places(_shrunk(small, height, width), large)
            for mirror in (False, True):
                found = correlations[:, int(mirror)]
                top, left = np.divmod(positions[:, int(mirror)], _COARSE - width + 1)
                if mirror:
                    left = _COARSE - width - left  # from the other side
                better = found > best.correlation
                best.correlation[better], best.shape[better] = found[better], index
                best.top[better], best.left[better] = top[better], left[better]
                best.swapped[better], best.mirrored[better] = swap, mirror
    return best


def _best_places(templates: Floats, large: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Where each template correlates best with its picture, as it is and mirrored.

    Returns:
        The correlations, and the positions in reading order, both ``[m, 2]``.
    """
    m, height, width = templates.shape
    windows = np.lib.stride_tricks.sliding_window_view(large, (height, width), axis=(1, 2))
    flat = windows.reshape(m, -1, height * width)  # float32 [m, positions, pixels], a copy
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
    return best, found.argmax(1)


def _confirm(small: NDArray[np.uint8], large: NDArray[np.uint8], coarse: _View) -> float:
    """The exact size and position on 64x64 pixels, then every patch of the shared view."""
    picture, field = small[None].astype(np.float32), large.astype(np.float32)
    views = [
        _best_view(
            field,
            picture,
            (_limited(coarse.height + step), _limited(coarse.width + step)),
            coarse,
            reach=_FINER + 2,
        )
        for step in (-3, -1, 1, 3)
    ]
    best = max(views, key=lambda view: view.score)
    if best.score < _NEARLY:
        return 0.0
    seen = {(best.height, best.width): best}
    for _ in range(2):
        for rows, columns in _STEPS:
            size = (_limited(best.height + rows), _limited(best.width + columns))
            if size not in seen:
                seen[size] = _best_view(field, picture, size, best, reach=2)
        best = max(seen.values(), key=lambda view: view.score)
    if best.score < SHARED_CORRELATION:
        return 0.0
    view = _shrunk(picture, best.height, best.width)
    window = field[best.top : best.top + best.height, best.left : best.left + best.width]
    alike = _worst_patch(view[0], window) <= SHARED_WORST_PATCH
    return min(best.score, 1.0) if alike else 0.0


class _View(NamedTuple):
    """The position of a smaller picture in a larger one, in pixels of 64."""

    score: float
    height: int
    width: int
    top: int
    left: int


def _best_view(
    large: Floats, picture: Floats, size: tuple[int, int], near: _View, *, reach: int
) -> _View:
    """The best position for a picture ``[1, 64, 64]`` at a size, within a reach of a known one."""
    height, width = size
    top = max(0, min(near.top, _SIDE - height) - reach)
    left = max(0, min(near.left, _SIDE - width) - reach)
    part = large[top : near.top + reach + height, left : near.left + reach + width]
    windows = np.lib.stride_tricks.sliding_window_view(part, size)
    rows, columns = windows.shape[:2]
    flat = windows.reshape(rows * columns, height * width)  # a copy, float32 [positions, pixels]
    template = _shrunk(picture, height, width).ravel()
    template = template - template.mean()
    energy = np.einsum("pk,pk->p", flat, flat) - np.square(flat.sum(1)) / flat.shape[1]
    energies = energy * float(template @ template)
    least = MIN_CONTRAST**2 * flat.shape[1]  # below, there is nothing to recognize
    found = (flat @ template) / np.sqrt(np.maximum(energies, least**2))
    row, column = divmod(int(found.argmax()), columns)
    return _View(float(found.max()), height, width, top + row, left + column)


def _limited(side: int) -> int:
    return max(_SIDE // 2 - 2, min(_SIDE, side))


def _worst_patch(first: Floats, second: Floats) -> float:
    one, _ = _standardized(first[None])
    two, _ = _standardized(second[None])
    difference = np.abs(one - two)[0]
    height, width = difference.shape
    rows = np.linspace(0, height, height // _PATCH + 1).astype(int)
    columns = np.linspace(0, width, width // _PATCH + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(difference, rows[:-1], 0), columns[:-1], 1)
    counts = np.diff(rows)[:, None] * np.diff(columns)[None, :]
    return float((sums / counts).max())


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
