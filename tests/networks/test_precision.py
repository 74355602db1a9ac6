from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.networks.devices import hardware
from tellapart.networks.loop import backend, precision
from tellapart.networks.loop.throughput import Throughput


@pytest.mark.parametrize(
    ("mixed", "taken"), [(0.5, "mixed_bfloat16"), (0.97, "float32"), (2, "float32")]
)
def test_another_precision_is_taken_where_it_is_clearly_faster(mixed: float, taken: str) -> None:
    times = {"float32": 1.0, "mixed_bfloat16": mixed}
    chosen, taken_precision, speed, sentence = precision.faster(
        lambda name: name, lambda name: Throughput(times[name], 0, 0), 10
    )
    assert chosen == taken_precision == taken
    assert speed.train == times[taken]
    assert "mixed_bfloat16" in sentence and taken in sentence


@pytest.mark.parametrize(
    ("devices", "flags", "has"),
    [
        (("cpu:0",), "fpu avx2", False),
        (("cpu:0",), "fpu avx512_bf16", True),
        (("cpu:0", "gpu:0"), "fpu avx2", True),
    ],
)
def test_bfloat16_is_tried_where_the_processor_or_a_card_may_have_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    devices: tuple[str, ...],
    flags: str,
    has: bool,
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(backend, "keras", lambda: None)
    monkeypatch.setattr(hardware, "found", lambda keras: devices)
    assert precision.has_bfloat16() is has
