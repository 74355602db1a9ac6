from __future__ import annotations

import pytest

from tellapart.networks.loop.throughput import Throughput


def test_making_batches_takes_cores_from_training() -> None:
    assert Throughput(train=0.1, load=0.02, validate=3).epoch_seconds(100) == pytest.approx(14)
    assert Throughput(train=0.1, load=0.5, validate=0).epoch_seconds(100) == pytest.approx(50)
