"""Trainings in this process; those that are killed are in ``test_process``."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_jobs import make_job, same

from tellapart.core import text
from tellapart.core.errors import RunError, SettingsError, TellapartError
from tellapart.networks import Fitted, Job, Stage
from tellapart.networks.loop import backend, batches, budget, checkpoints, learner, trainer
from tellapart.networks.process import fitted
from tellapart.networks.process.events import EpochRow, Listener

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra keras is not installed"
)


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    backend.keras()  # takes seconds, which no budget here is meant for


def fit(job: Job, folder: Path, **more: Any) -> Fitted:
    folder.mkdir(exist_ok=True)
    trainer.fit(job, folder, **more)
    return fitted.load(folder, fingerprint=job.fingerprint())


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """What comes of the job that :func:`make_job` makes unless told otherwise."""
    folder = tmp_path_factory.mktemp("usual")
    return fit(make_job(folder), folder / "out")


class Heard(Listener):
    """Remembers what it heard, and may do something at a chunk or an epoch."""

    def __init__(self) -> None:
        self.rows: list[EpochRow] = []
        self.notes: list[str] = []
        self.pictures = 0
        self.batches: list[int] = []

    def advance(self, pictures: int) -> None:
        self.pictures += pictures

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def before_chunk(self, *, epoch: int, step: int, batch: int) -> None:
        self.batches.append(batch)

    def epoch(self, row: EpochRow) -> None:
        self.rows.append(row)


class Cut(Listener):
    """Sets an event after so many pictures, as Ctrl-C would."""

    def __init__(self, stop: threading.Event, after: int) -> None:
        self.stop, self.left = stop, after

    def advance(self, pictures: int) -> None:
        self.left -= pictures
        if self.left <= 0:
            self.stop.set()


def test_the_same_seed_gives_the_same_weights_and_another_does_not(
    tmp_path: Path, usual: Fitted
) -> None:
    assert same(usual.weights, fit(make_job(tmp_path), tmp_path / "again").weights)
    other = fit(make_job(tmp_path, seed=1), tmp_path / "other")
    assert not same(usual.weights, other.weights)
    assert usual.outcome["stopped"] == "epochs"
    assert usual.outcome["engine"] == backend.engine()["engine"]


def test_a_training_learns_says_so_and_leaves_its_files(tmp_path: Path) -> None:
    heard = Heard()
    made = fit(make_job(tmp_path, epochs=8, learning_rate=0.02), tmp_path / "out", listener=heard)
    history = made.history
    assert history["epoch"].to_list() == list(range(1, 9))
    assert history["loss"][-1] < history["loss"][0]
    assert history["validation_accuracy"][-1] > 0.6
    assert history["learning_rate"].to_list() == [0.02] * 8
    assert [row.epoch for row in heard.rows] == list(range(1, 9))
    assert heard.pictures == 8 * 96
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "history.json",
        "model.keras",
        "outcome.json",
        "weights.npz",
    }
    saved = backend.keras().saving.load_model(tmp_path / "out" / "model.keras")
    kernel = np.asarray(saved.get_layer("dense1").kernel)
    np.testing.assert_array_equal(kernel, made.weights["dense1/kernel"])


@pytest.mark.parametrize(
    ("kind", "augment", "few", "cuts"),
    [
        # In the first chunk, in the next epoch, and again.
        ("dnn", "none", learner.FEW, (16, 64, 80)),
        ("dnn", "none", 0, (80,)),  # chunks go to the engine whole
        ("cnn", "light,mixup=0.3", learner.FEW, (64, 80)),
    ],
)
def test_where_a_training_was_cut_leaves_no_trace(
    tmp_path: Path,
    kind: str,
    augment: str,
    few: int,
    cuts: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "CHUNK_BYTES", 2 * 16 * 100)  # three chunks an epoch
    monkeypatch.setattr(learner, "FEW", few)
    job = make_job(
        tmp_path,
        kind=kind,
        augment=augment,
        epochs=3,
        optimizer="sgd",
        schedule="onecycle",
        warmup=0.3,
        weight_decay=1e-3,
        patience=2,
        n=90,
    )
    whole = fit(job, tmp_path / "whole")
    folder = tmp_path / "cut"
    for after in cuts:
        stop = threading.Event()
        with pytest.raises(KeyboardInterrupt):
            fit(job, folder, listener=Cut(stop, after), stop=stop, resume=True)
    mended = fit(job, folder, resume=True)
    assert same(mended.weights, whole.weights)
    for name in set(whole.history.columns) - {"seconds", "loss"}:
        assert mended.history[name].to_list() == whole.history[name].to_list()
    np.testing.assert_allclose(mended.history["loss"], whole.history["loss"], rtol=1e-6)
    again = fit(job, folder, resume=True)
    assert same(again.weights, whole.weights)


def test_an_interruption_in_the_last_batch_of_all_comes_too_late(
    tmp_path: Path, usual: Fitted
) -> None:
    stop = threading.Event()
    made = fit(make_job(tmp_path), tmp_path / "out", listener=Cut(stop, 3 * 96), stop=stop)
    assert stop.is_set() and made.outcome["stopped"] == "epochs"
    assert same(made.weights, usual.weights)


def test_a_failure_between_checkpoints_leaves_no_trace(tmp_path: Path, usual: Fitted) -> None:
    class Fails(Listener):
        def before_chunk(self, *, epoch: int, step: int, batch: int) -> None:
            if epoch == 2:
                raise OSError("the disk is gone")

    job = make_job(tmp_path)
    with pytest.raises(OSError, match="disk"):
        fit(job, tmp_path / "cut", listener=Fails())
    assert same(fit(job, tmp_path / "cut", resume=True).weights, usual.weights)


def test_a_loss_that_explodes_stops_and_keeps_the_last_good_weights(tmp_path: Path) -> None:
    made = fit(make_job(tmp_path, learning_rate=1e6, optimizer="sgd"), tmp_path / "out")
    assert made.outcome["stopped"] == "not_finite"
    assert "1e+06" in made.outcome["sentence"]
    assert all(np.isfinite(weight).all() for weight in made.weights.values())
    assert np.abs(made.weights["dense1/kernel"]).max() < 10


def test_it_stops_at_the_training_accuracy_asked_for(tmp_path: Path) -> None:
    job = make_job(tmp_path, epochs=40, learning_rate=0.02, target=0.6)
    made = fit(job, tmp_path / "out")
    accuracy = made.history["accuracy"].to_list()
    assert made.outcome["stopped"] == "target" and made.outcome["epochs"] < 40
    assert accuracy[-1] >= 0.6 > max(accuracy[:-1], default=0)


def test_it_stops_at_the_validation_accuracy_asked_for(tmp_path: Path) -> None:
    job = make_job(
        tmp_path, epochs=40, learning_rate=0.02, target=0.8, target_on="validation", patience=20
    )
    made = fit(job, tmp_path / "out")
    accuracy = made.history["validation_accuracy"].to_list()
    assert accuracy[-1] >= 0.8 > max(accuracy[:-1], default=0)
    assert made.outcome["best_epoch"] == made.outcome["epochs"]


def test_patience_stops_and_returns_the_best_weights(tmp_path: Path) -> None:
    # Classes drawn at random: the network can only learn the training pictures by heart.
    job = make_job(tmp_path, epochs=60, learning_rate=0.05, patience=3)
    drawn = np.random.default_rng(3).integers(0, 3, len(job.labels))
    job = Job(**{**vars(job), "labels": drawn})
    made = fit(job, tmp_path / "out")
    losses = made.history["validation_loss"].to_list()
    best = int(np.argmin(losses)) + 1
    assert made.outcome["stopped"] == "patience"
    assert made.outcome["best_epoch"] == best == len(losses) - 3
    short = Job(**{**vars(job), "recipe": job.recipe.model_copy(update={"epochs": best})})
    assert same(made.weights, fit(short, tmp_path / "short").weights)


def test_a_budget_plans_the_epochs_and_the_schedule_ends_within_it(
    tmp_path: Path, usual: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "RESERVE", 0.3)
    # As much as this machine, busy as it may be, needs to start and do some epochs.
    limit = max(3.5, 4 * usual.outcome["seconds"])
    job = make_job(tmp_path, epochs=100_000, budget=limit, schedule="cosine")
    made = fit(job, tmp_path / "out")
    assert made.outcome["stopped"] == "budget"
    assert 1 <= made.outcome["epochs"] < 100_000
    assert made.outcome["seconds"] < 1.5 * limit
    assert any(text.seconds(limit) in note for note in made.outcome["notes"])


def test_a_budget_with_time_for_all_epochs_ends_as_planned(tmp_path: Path, usual: Fitted) -> None:
    made = fit(make_job(tmp_path, budget=600.0), tmp_path / "out")
    assert (made.outcome["stopped"], made.outcome["epochs"]) == ("epochs", 3)
    # What was measured is forgotten: the same weights as without a budget.
    assert same(made.weights, usual.weights)


def test_a_budget_too_short_for_one_epoch_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        fit(make_job(tmp_path, budget=0.5), tmp_path / "out")
    assert caught.value.code == "budget_too_short"


def test_a_batch_larger_than_the_data_is_all_of_it(tmp_path: Path) -> None:
    made = fit(make_job(tmp_path, n=20, batch=64, epochs=1), tmp_path / "out")
    assert made.outcome["batch"] == 20
    assert "20" in made.outcome["notes"][0] and "64" in made.outcome["notes"][0]


def test_another_version_or_other_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, stop = make_job(tmp_path), threading.Event()
    with pytest.raises(KeyboardInterrupt):
        fit(job, tmp_path / "out", listener=Cut(stop, 96), stop=stop)
    with pytest.raises(RunError) as caught:
        fit(make_job(tmp_path, learning_rate=0.5), tmp_path / "out", resume=True)
    assert caught.value.code == "other_settings"
    monkeypatch.setattr(backend, "engine", lambda: {"keras": "9.9", "engine": "tensorflow"})
    with pytest.raises(RunError, match=r"9\.9") as caught:
        fit(job, tmp_path / "out", resume=True)
    assert caught.value.code == "other_version"


def test_a_device_without_memory_gets_half_the_batch(tmp_path: Path) -> None:
    class Full(Heard):
        def before_chunk(self, *, epoch: int, step: int, batch: int) -> None:
            super().before_chunk(epoch=epoch, step=step, batch=batch)
            if epoch == 1 and batch > 4:
                raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")

    heard = Full()
    made = fit(make_job(tmp_path, schedule="cosine"), tmp_path / "out", listener=heard)
    assert heard.batches == [16, 16, 8, 4, 4]
    assert made.outcome["batch"] == 4 and made.outcome["epochs"] == 3
    assert [note for note in made.outcome["notes"] if " 4 " in note]
    assert made.history["learning_rate"][2] < made.history["learning_rate"][1]


def test_a_device_without_memory_for_one_picture_is_an_error(tmp_path: Path) -> None:
    class Full(Listener):
        def before_chunk(self, *, epoch: int, step: int, batch: int) -> None:
            raise MemoryError

    with pytest.raises(TellapartError) as caught:
        fit(make_job(tmp_path, batch=2), tmp_path / "out", listener=Full())
    assert caught.value.code == "out_of_memory"


def test_stages_freeze_what_lies_below_them(tmp_path: Path) -> None:
    stages = (
        Stage(prefix="logits", epochs=1, learning_rate=0.05),
        Stage(prefix="dense1", epochs=2, learning_rate=0.01),
    )
    job = make_job(tmp_path, stages=stages, kind="cnn")
    whole = fit(job, tmp_path / "out")
    assert whole.history["learning_rate"].to_list() == [0.05, 0.01, 0.01]
    head = fit(make_job(tmp_path, stages=stages[:1], kind="cnn"), tmp_path / "head")
    for name in ("conv1/kernel", "dense1/kernel", "logits/kernel"):
        moved = not np.array_equal(head.weights[name], whole.weights[name])
        assert moved == (name != "conv1/kernel"), name
    for pictures in (96, 150):  # at the end of the first stage, in the second
        stop, folder = threading.Event(), tmp_path / str(pictures)
        with pytest.raises(KeyboardInterrupt):
            fit(job, folder, listener=Cut(stop, pictures), stop=stop)
        found = checkpoints.load(folder)
        assert found is not None and (found.state.stage, found.state.stage_epoch) == (1, 0)
        assert same(fit(job, folder, resume=True).weights, whole.weights)


def test_it_starts_from_the_weights_it_is_given(tmp_path: Path) -> None:
    kernel = np.full((100, 12), 0.25, np.float32)
    job = make_job(
        tmp_path,
        initial={"dense1/kernel": kernel},
        stages=(Stage(prefix="logits", epochs=1, learning_rate=0.01),),
    )
    np.testing.assert_array_equal(fit(job, tmp_path / "out").weights["dense1/kernel"], kernel)


def test_a_learning_rate_is_found_and_its_search_leaves_no_trace(tmp_path: Path) -> None:
    made = fit(make_job(tmp_path, learning_rate="auto", epochs=2), tmp_path / "out")
    rate = made.outcome["learning_rate"]
    assert len(made.outcome["finder"]) > 5 and 1e-6 < rate < 0.3
    told = fit(make_job(tmp_path, learning_rate=rate, epochs=2), tmp_path / "told")
    assert same(made.weights, told.weights)


def test_the_precision_may_be_mixed_and_the_weights_stay_float32(tmp_path: Path) -> None:
    made = fit(make_job(tmp_path, precision="mixed_bfloat16", epochs=1), tmp_path / "out")
    assert made.outcome["precision"] == "mixed_bfloat16"
    assert {weight.dtype for weight in made.weights.values()} == {np.dtype(np.float32)}
    assert backend.keras().config.dtype_policy().name == "float32"


def test_classes_may_be_weighed_and_targets_smoothed(tmp_path: Path) -> None:
    job = make_job(tmp_path, class_weights=True, label_smoothing=0.1, augment="cutmix=1", epochs=1)
    assert fit(job, tmp_path / "out").outcome["stopped"] == "epochs"


@pytest.mark.parametrize("asked", [{"patience": 2}, {"target": 0.5, "target_on": "validation"}])
def test_stopping_by_validation_needs_some(tmp_path: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        fit(make_job(tmp_path, validation=0, **asked), tmp_path / "out")
    assert caught.value.code == "no_validation"


def test_without_validation_there_are_no_validation_figures(tmp_path: Path) -> None:
    made = fit(make_job(tmp_path, validation=0, epochs=1), tmp_path / "out")
    assert made.history["validation_loss"].to_list() == [None]


def test_tensorboard_writes_points_or_says_what_is_missing(tmp_path: Path) -> None:
    job = make_job(tmp_path, tensorboard=True, epochs=1)
    # Keras writes them through TensorFlow, whatever it runs on.
    if None in map(importlib.util.find_spec, ("tensorboard", "tensorflow")):
        with pytest.raises(SettingsError) as caught:
            fit(job, tmp_path / "out")
        assert caught.value.code == "tensorboard_missing"
    else:
        fit(job, tmp_path / "out")
        assert list((tmp_path / "out" / "tensorboard").rglob("events.*"))
