from __future__ import annotations

import pytest

from tellapart.networks.spec.input_size import choose


@pytest.mark.parametrize(
    ("sizes", "kind", "side"),
    [
        ({(28, 28)}, "dnn", 28),
        ({(160, 120)}, "resnet", 160),
        ({(161, 161)}, "cnn", 150),
        ({(161, 161)}, "resnet", 96),
        ({(100, 100), (100, 101)}, "cnn", 150),
        ({(7, 7)}, "cnn", 150),
        (set(), "cnn", 150),
    ],
)
def test_the_pictures_own_size_or_the_usual_one(
    sizes: set[tuple[int, int]], kind: str, side: int
) -> None:
    assert choose(sizes, kind) == side
