from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tellapart.core.errors import RunError
from tellapart.networks import Stage
from tellapart.networks.loop import checkpoints
from tellapart.networks.loop.checkpoints import (
    BestEpoch,
    Checkpoint,
    CheckpointWriter,
    State,
    check_same,
)
from tellapart.networks.process.events import EpochRow

ENGINE = {"keras": "3.1", "engine": "tensorflow", "engine_version": "2.2"}


def a_state() -> State:
    return State(
        engine=ENGINE,
        fingerprint="f",
        stages=(Stage(prefix="logits", epochs=2, learning_rate=0.1),),
        epoch=1,
        step=3,
        batch=16,
        precision="float32",
        loss_sum=0.1 + 0.2,
        patience=BestEpoch(best=0.3, epoch=1, waited=1),
        history=[EpochRow(1, 0.5, 0.75, None, None, 1e-3, 2.0)],
        finder=[(0.1, 0.2)],
    )


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = {"0000": np.array([1.5, -2.0], np.float32), "0001": np.array(3, np.uint32)}
    Checkpoint(a_state(), model, {"0000": np.array(9)}, {"0000": model["0000"]}).save(tmp_path)
    read = checkpoints.load(tmp_path)
    assert read is not None
    assert read.state == a_state()
    assert read.model["0001"].dtype == np.uint32 and read.optimizer["0000"] == 9
    np.testing.assert_array_equal(read.best["0000"], model["0000"])


def test_a_state_of_an_earlier_version_is_read() -> None:
    values = a_state().model_dump(mode="json") | {"planned_epochs": 3}
    assert State.model_validate_json(json.dumps(values)) == a_state()


def test_the_best_epoch_has_the_lowest_loss() -> None:
    best = BestEpoch()
    for epoch, loss in enumerate([1.0, 0.5, 0.7, 0.6], 1):
        best = best.after(epoch, loss)
    assert (best.best, best.epoch, best.waited) == (0.5, 2, 2)


def test_there_may_be_none_yet(tmp_path: Path) -> None:
    assert checkpoints.load(tmp_path) is None


def test_a_damaged_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / checkpoints.NAME).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(RunError) as caught:
        checkpoints.load(tmp_path)
    assert caught.value.code == "damaged_checkpoint"


def test_a_writer_writes_the_state_of_the_moment_and_the_latest_last(tmp_path: Path) -> None:
    writer = CheckpointWriter(tmp_path)
    large = {"0000": np.zeros(2_000_000, np.float32)}
    state = a_state()
    for step in range(5):
        state.step = step
        writer.save(Checkpoint(state, large, {}, {}))
        state.step = 99
    writer.wait()
    read = checkpoints.load(tmp_path)
    assert read is not None and read.state.step == 4


def test_a_writer_that_could_not_write_says_so_once(tmp_path: Path) -> None:
    writer = CheckpointWriter(tmp_path / "gone")
    writer.save(Checkpoint(a_state(), {}, {}, {}))
    with pytest.raises(FileNotFoundError):
        writer.wait()
    writer.wait()
    writer.save(Checkpoint(a_state(), {}, {}, {}))
    writer.join()


def test_a_writer_hides_no_error_of_any_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(checkpoints, "save_arrays", full)
    writer = CheckpointWriter(tmp_path)
    writer.save(Checkpoint(a_state(), {}, {}, {}))
    with pytest.raises(MemoryError):
        writer.wait()


def test_other_versions_and_other_settings_are_refused() -> None:
    check_same(a_state(), engine=ENGINE, fingerprint="f")
    with pytest.raises(RunError, match=r"Keras 3\.1 .* Keras 4\.0") as caught:
        check_same(a_state(), engine={**ENGINE, "keras": "4.0"}, fingerprint="f")
    assert caught.value.code == "other_version"
    with pytest.raises(RunError) as caught:
        check_same(a_state(), engine=ENGINE, fingerprint="g")
    assert caught.value.code == "other_settings"
