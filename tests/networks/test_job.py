from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_jobs import make_job

from tellapart.core.errors import RunError
from tellapart.networks import Job


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    initial = {"dense1/bias": np.arange(12, dtype=np.float32)}
    job = make_job(tmp_path, initial=initial, augment="light", patience=3)
    job.save(tmp_path / "job")
    read = Job.load(tmp_path / "job")
    assert (read.spec, read.recipe, read.classes) == (job.spec, job.recipe, job.classes)
    assert read.fingerprint() == job.fingerprint()
    assert read.open_pixels().shape == (126, 10, 10, 1)
    assert read.initial is not None
    np.testing.assert_array_equal(read.initial["dense1/bias"], initial["dense1/bias"])


def test_another_setting_or_row_is_another_fingerprint(tmp_path: Path) -> None:
    prints = {
        make_job(tmp_path).fingerprint(),
        make_job(tmp_path, seed=1).fingerprint(),
        make_job(tmp_path, n=95, validation=31).fingerprint(),
        make_job(tmp_path, initial={"dense1/bias": np.zeros(12, np.float32)}).fingerprint(),
    }
    assert len(prints) == 4


@pytest.mark.parametrize("damage", ["missing", "cut", "json", "schema"])
def test_a_damaged_job_is_refused(tmp_path: Path, damage: str) -> None:
    make_job(tmp_path).save(tmp_path)
    match damage:
        case "missing":
            (tmp_path / "job.npz").unlink()
        case "cut":
            data = (tmp_path / "job.npz").read_bytes()
            (tmp_path / "job.npz").write_bytes(data[: len(data) // 2])
        case "json":
            (tmp_path / "job.json").write_text("[]")
        case "schema":
            values = json.loads((tmp_path / "job.json").read_text())
            (tmp_path / "job.json").write_text(json.dumps(values | {"schema": 99}))
    with pytest.raises(RunError) as caught:
        Job.load(tmp_path)
    assert caught.value.code == ("other_version" if damage == "schema" else "damaged_job")


def test_pixels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    np.save(job.pixels, np.zeros((3, 10, 10, 1), np.uint8))
    with pytest.raises(RunError) as caught:
        job.open_pixels()
    assert caught.value.code == "pixels"
