"""Devices are found, timed and compared."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tellapart.core import resources
from tellapart.core.errors import SettingsError, TellapartError
from tellapart.networks.devices import devices, hardware, timing
from tellapart.networks.devices.devices import Comparison
from tellapart.networks.devices.timing import Lesson, Timing

NO_KERAS = importlib.util.find_spec("keras") is None
CPU = Timing("dnn", "cpu:0", 64, 32, 669_706, 5.0, 10.0, 2.4, 0.6)
ENGINE = {"keras": "3.0", "engine": "jax", "engine_version": "0.9"}
HARDWARE = {"cpu:0": "Processor 9, 2 cores", "gpu:0": "NVIDIA H200"}


def beside(**changed: Any) -> Comparison:
    gpu = replace(CPU, device="gpu:0", **changed)
    return Comparison(ENGINE, HARDWARE, (CPU, gpu))


# ------------------------------------------------------------------ ratio and agreement


def test_the_ratio_is_of_epochs() -> None:
    compared = beside(epoch_seconds=0.4)
    assert [compared.ratio(one) for one in compared.timings] == [1.0, 25.0]
    assert compared.accelerators == ("gpu:0",)


@pytest.mark.parametrize(
    ("changed", "agrees"),
    [
        ({}, True),
        ({"first_loss": 2.402}, True),  # what TensorFloat-32 may do
        ({"first_loss": 2.43}, False),
        ({"epoch_loss": 0.67}, True),
        ({"epoch_loss": 0.9}, False),
        ({"epoch_loss": float("nan")}, False),
        ({"first_loss": float("inf")}, False),
    ],
)
def test_losses_agree_within_what_arithmetic_explains(
    changed: dict[str, float], agrees: bool
) -> None:
    compared = beside(**changed)
    assert [compared.agrees(one) for one in compared.timings] == [None, agrees]


def test_without_a_cpu_there_is_nothing_to_compare_with() -> None:
    alone = replace(CPU, device="gpu:0")
    compared = Comparison(ENGINE, {"gpu:0": "NVIDIA H200"}, (alone,))
    assert compared.ratio(alone) is None
    assert compared.agrees(alone) is None


def test_the_document_has_ratio_agreement_and_tolerance() -> None:
    failed = replace(beside(epoch_seconds=0.4), failures=(("cnn", "gpu:0", "out of memory"),))
    document = failed.as_json()
    assert document["schema"] == 1 and document["engine"] == "jax"
    assert document["devices"] == ["cpu:0", "gpu:0"] and document["hardware"] == HARDWARE
    assert document["tolerance"] == {"first_loss": 1e-3, "epoch_loss": 0.05}
    assert [(row["ratio"], row["agrees"]) for row in document["rows"]] == [
        (1.0, None),
        (25.0, True),
    ]
    assert document["failures"] == [
        {"network": "cnn", "device": "gpu:0", "message": "out of memory"}
    ]


def test_a_loss_that_is_no_number_is_null_in_the_document() -> None:
    rows = beside(epoch_loss=float("nan")).as_json()["rows"]
    assert [row["epoch_loss"] for row in rows] == [0.6, None]
    assert rows[1]["agrees"] is False


# ------------------------------------------------------------------ what is found


def fake(listed: dict[str, list[str]] | None, working: Sequence[str] = ()) -> Any:
    """A Keras that lists these devices, or cannot list any; only ``working`` can be used."""

    def list_devices(kind: str) -> list[str]:
        if listed is None:
            raise AttributeError("'NoneType' object has no attribute 'list_devices'")
        if kind not in listed:
            raise RuntimeError(f"Unknown backend {kind}")
        return listed[kind]

    def device(name: str) -> Any:
        if name not in working:
            raise RuntimeError(f"no {name}")
        return contextlib.nullcontext()

    return SimpleNamespace(
        distribution=SimpleNamespace(list_devices=list_devices),
        device=device,
        ops=SimpleNamespace(ones=np.ones, convert_to_numpy=np.asarray),
    )


@pytest.mark.parametrize(
    ("keras", "expected"),
    [
        (fake({"cpu": ["cpu:0"], "gpu": [], "tpu": []}), ("cpu:0",)),
        (fake({"cpu": ["cpu:0"], "gpu": ["gpu:0", "gpu:1"]}), ("cpu:0", "gpu:0", "gpu:1")),
        (fake({"cpu": ["cpu:0"]}), ("cpu:0",)),
        (fake(None, working=["cpu:0", "gpu:0"]), ("cpu:0", "gpu:0")),
        (fake(None, working=["cpu:0"]), ("cpu:0",)),
    ],
)
def test_devices_are_listed_or_tried_out(keras: Any, expected: tuple[str, ...]) -> None:
    assert hardware.found(keras) == expected


def asked(monkeypatch: pytest.MonkeyPatch, engine: str, module: Any) -> Any:
    """A Keras on this engine, whose module is this one."""
    monkeypatch.setitem(sys.modules, engine, module)
    return SimpleNamespace(backend=SimpleNamespace(backend=lambda: engine))


def test_the_engine_is_asked_what_its_devices_are(monkeypatch: pytest.MonkeyPatch) -> None:
    second = SimpleNamespace(id=1, device_kind="Second")
    listed = {"gpu": [SimpleNamespace(id=0, device_kind="First"), second]}
    keras = asked(monkeypatch, "jax", SimpleNamespace(devices=listed.__getitem__))
    assert [hardware.named(keras, f"gpu:{place}") for place in (0, 1)] == ["First", "Second"]
    cuda = SimpleNamespace(get_device_name=lambda place: f"Card {place}")
    keras = asked(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    assert hardware.named(keras, "gpu:1") == "Card 1"
    config = SimpleNamespace(
        list_physical_devices=lambda kind: [f"/{kind}:0"],
        experimental=SimpleNamespace(get_device_details=lambda one: {"device_name": f"At {one}"}),
    )
    keras = asked(monkeypatch, "tensorflow", SimpleNamespace(config=config))
    assert hardware.named(keras, "gpu:0") == "At /GPU:0"


def test_a_device_that_nobody_names_has_the_name_keras_gives_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for engine in ("torch", "abacus"):
        keras = asked(monkeypatch, engine, SimpleNamespace())
        assert hardware.named(keras, "tpu:0") == "tpu:0"


def test_a_processor_is_named_with_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "processor", lambda: "Processor 9")
    for cores, words in ((1, "1 core"), (16, "16 cores")):
        monkeypatch.setattr(resources, "cores", lambda cores=cores: cores)
        assert hardware.named(SimpleNamespace(), "cpu:0") == f"Processor 9, {words}"


# ------------------------------------------------------------------ pictures


def test_the_pictures_are_the_same_every_time_and_can_be_learnt() -> None:
    lesson = Lesson("dnn", 12, True, 3, 100, "nothing")
    shown, labels = timing.made_up(lesson, 90)
    again, same = timing.made_up(lesson, 90)
    assert np.array_equal(shown, again) and np.array_equal(labels, same)
    assert shown.shape == (90, 12, 12, 1) and shown.dtype == np.uint8
    means = np.stack([shown[labels == number].mean(0) for number in range(3)])
    away = ((shown[:, None] - means[None]) ** 2.0).sum((2, 3, 4))
    assert (away.argmin(1) == labels).all()


def test_the_lessons_are_the_classic_networks() -> None:
    dnn, cnn = (lesson.spec() for lesson in devices.LESSONS)
    assert (dnn.units, dnn.size, dnn.gray, dnn.dropout) == ((512, 512), 28, True, 0.0)
    assert (cnn.filters, cnn.units, cnn.size, cnn.dropout) == ((16, 32, 64), (512,), 150, 0.0)


@pytest.mark.parametrize("wrong", [{"pictures": 0}, {"batch": 0}])
def test_numbers_below_one_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="1 or more"):
        devices.compare(**wrong)


# ------------------------------------------------------------------ for real


@pytest.mark.skipif(NO_KERAS, reason="the extra keras is not installed")
def test_a_lesson_is_timed_and_learns() -> None:
    from tellapart.networks.loop import backend

    keras = backend.keras()
    lesson = Lesson("dnn", 12, True, 3, 100, "nothing")
    said = timing.timed(keras, lesson, hardware.found(keras)[0], pictures=650, batch=16)
    assert (said.pictures, said.batch, said.device) == (656, 16, "cpu:0")
    assert said.step_ms > 0 and said.epoch_seconds > 0
    assert said.epoch_loss < said.first_loss
    few = timing.timed(keras, lesson, "cpu:0", pictures=5, batch=16)
    assert (few.pictures, few.batch) == (5, 5)


@pytest.mark.skipif(
    NO_KERAS or importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
def test_two_devices_of_one_machine_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    # JAX can show one processor as two devices: real placement, without a GPU.
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")  # nor one that is there
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    tiny = (Lesson("dnn", 8, True, 3, 6, "nothing"), Lesson("cnn", 30, False, 2, 6, "nothing"))
    compared = devices.compare(batch=2, lessons=tiny)
    assert compared.failures == ()
    assert (tuple(compared.devices), compared.accelerators) == (("cpu:0", "cpu:1"), ())
    assert set(compared.devices.values()) == {hardware.named(None, "cpu:0")}
    assert [one.network for one in compared.timings] == ["dnn", "dnn", "cnn", "cnn"]
    assert [compared.agrees(one) for one in compared.timings] == [None, True, None, True]
    assert {one.pictures for one in compared.timings} == {6}
    assert compared.engine["engine"] == "jax"


def test_an_engine_that_is_missing_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    with pytest.raises(SettingsError) as caught:
        devices.compare(pictures=2)
    assert caught.value.code in ("unknown_engine", "extra_missing")


def test_a_child_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(TellapartError) as caught:
        devices.compare(pictures=2)
    assert caught.value.code == "timing_failed"
