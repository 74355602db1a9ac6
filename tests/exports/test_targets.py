"""Each target from a run to its own runtime, for a probe and for a network."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import tellapart as ta
from tellapart.core.errors import ModelError, SettingsError
from tellapart.exports import Export, export_run
from tellapart.model import Model

SAME = ("onnx", "litert", "saved-model")
# The network in 8-bit integers has weights of 7 bits and gives the same answers everywhere. The
# probe needs 8 bits, and passes its check on some processors only.
CASES = [
    *(("probe", target) for target in SAME),
    *(("network", target) for target in (*SAME, "onnx-int8")),
]

NEEDED = {
    "litert": ("keras", "tensorflow", "ai_edge_litert"),
    "saved-model": ("keras", "tensorflow"),
}

Exported = Callable[[ta.Run, str], Export]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Exports of a run, each made once; skips what this platform has no packages for."""
    folder = tmp_path_factory.mktemp("exports")
    made: dict[tuple[str, str], Export] = {}

    def export(run: ta.Run, target: str) -> Export:
        missing = [name for name in NEEDED.get(target, ()) if find_spec(name) is None]
        if missing:
            pytest.skip(f"{missing[0]} is not installed")
        if (run.name, target) not in made:
            with pytest.MonkeyPatch.context() as patch:
                # Whatever trains networks here, these targets are TensorFlow's.
                patch.setenv("KERAS_BACKEND", "jax")
                out = folder / f"{run.name}-{target}"
                made[run.name, target] = export_run(
                    run, to=target, out=out, accept_processor_differences=target == "onnx-int8"
                )
        return made[run.name, target]

    return export


@pytest.fixture
def run(request: pytest.FixtureRequest, model: str) -> Any:
    """The run that the parameter ``model`` names."""
    return request.getfixturevalue(model)


both_models = pytest.mark.parametrize("model", ["probe", "network"])
every_case = pytest.mark.parametrize(("model", "target"), CASES)


def some_pixels(size: int, n: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@both_models
@pytest.mark.parametrize("target", SAME)
def test_the_same_numbers_in_another_runtime(run: ta.Run, target: str, exported: Exported) -> None:
    done = exported(run, target)
    assert done.parity["same_top1"] == 1.0
    assert done.parity["max_difference"] <= 1e-4
    assert done.parity["accuracy"] == done.parity["accuracy_onnx"]
    engine = {"onnx": "ONNX Runtime", "litert": "LiteRT", "saved-model": "TensorFlow"}[target]
    assert done.parity["runtime"].startswith(engine)


@every_case
def test_load_answers_as_the_run_does(
    run: ta.Run, target: str, exported: Exported, few_digits: Path
) -> None:
    ours, theirs = ta.load(run), ta.load(exported(run, target).path)
    assert theirs.classes == ours.classes
    pictures = sorted(few_digits.rglob("*.png"))[::29]
    pairs = list(zip(ours.predict(pictures), theirs.predict(pictures), strict=True))
    if target == "onnx-int8":
        assert sum(mine.label == other.label for mine, other in pairs) >= len(pairs) - 2
    else:
        for mine, other in pairs:
            assert other.probabilities == pytest.approx(mine.probabilities, abs=1e-4)
    assert theirs.predict(b"no picture").error
    assert target in theirs._repr_html_()
    assert theirs.run.name == f"{run.name}-{target}"


@every_case
def test_any_number_of_pictures(run: ta.Run, target: str, exported: Exported) -> None:
    model = ta.load(exported(run, target).path).model
    pixels = some_pixels(model.size, 70)
    many = model.run(pixels)
    assert many.shape == (70, 4)
    assert many.dtype == np.float32
    np.testing.assert_allclose(many.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.run(pixels[:3]), many[:3], atol=1e-5)
    if target in SAME:
        np.testing.assert_allclose(many, run.model.run(pixels), atol=1e-4)


def test_only_the_model_itself_draws_evidence(
    probe: ta.Run, network: ta.Run, exported: Exported, few_digits: Path
) -> None:
    picture = min(few_digits.rglob("*.png"))
    assert ta.load(exported(probe, "onnx").path).explain(picture).method == "evidence"
    assert ta.load(exported(network, "onnx-int8").path).explain(picture).method == "occlusion"


# ------------------------------------------------------------------ as others open them


@both_models
def test_a_litert_file_as_others_open_it(run: ta.Run, exported: Exported) -> None:
    from ai_edge_litert.interpreter import Interpreter

    file = exported(run, "litert").path / "model.tflite"
    interpreter = Interpreter(str(file))
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["image"], "outputs": ["probabilities"]}
    }
    [taken] = interpreter.get_input_details()
    assert taken["dtype"] is np.uint8
    assert list(taken["shape_signature"]) == [-1, run.model.size, run.model.size, 3]
    pixels = some_pixels(run.model.size, 5)
    answer = interpreter.get_signature_runner("serving_default")(image=pixels)
    np.testing.assert_allclose(answer["probabilities"], run.model.run(pixels), atol=1e-4)


@both_models
def test_a_saved_model_as_others_open_it(run: ta.Run, exported: Exported) -> None:
    tf = pytest.importorskip("tensorflow")
    done = exported(run, "saved-model")
    signature = tf.saved_model.load(str(done.path / "saved_model")).signatures["serving_default"]
    taken = signature.structured_input_signature[1]
    size = run.model.size
    assert {name: (one.dtype, list(one.shape)) for name, one in taken.items()} == {
        "image": (tf.uint8, [None, size, size, 3])
    }
    pixels = some_pixels(size, 5)
    answer = signature(image=tf.constant(pixels))
    assert set(answer) == {"probabilities"}
    np.testing.assert_allclose(answer["probabilities"], run.model.run(pixels), atol=1e-4)
    assert done.card["converter"]["tensorflow"] == tf.__version__


# ------------------------------------------------------------------ 8-bit integers


def test_int8_is_refused_unless_differences_are_accepted(probe: ta.Run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        export_run(probe, to="onnx-int8", out=tmp_path / "shipped")
    assert caught.value.code == "int8_varies"
    assert "--accept-processor-differences" in caught.value.remedy
    assert "accept_processor_differences=True" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_int8_of_8_bits_warns_or_is_not_put_in_place(probe: ta.Run, tmp_path: Path) -> None:
    place = tmp_path / "shipped"
    try:
        done = export_run(probe, to="onnx-int8", out=place, accept_processor_differences=True)
    except ModelError as error:  # as on x86 processors without VNNI
        assert error.code == "parity"
        assert not place.exists()
    else:
        assert done.card["quantization"]["weight_bits"] == 8
        assert "VNNI" in done.card["quantization"]["note"]
        assert "VNNI" in (place / "README.txt").read_text(encoding="utf-8")


def test_int8_names_the_processor_that_it_was_checked_on(
    network: ta.Run, exported: Exported
) -> None:
    done = exported(network, "onnx-int8")
    quantization = done.card["quantization"]
    assert quantization["processor"] == done.parity["speed"]["processor"]
    assert quantization["processor"] in quantization["note"]
    readme = (done.path / "README.txt").read_text(encoding="utf-8")
    assert quantization["note"] in " ".join(readme.split())


ASK = """
import sys
import numpy, onnxruntime
model, pixels, answers = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
[found] = session.run(["probabilities"], {"image": numpy.load(pixels)})
numpy.save(answers, found)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="emulates an x86 processor on another")
@pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="qemu-x86_64 is not installed")
@pytest.mark.parametrize("target", ["onnx", "onnx-int8"])
def test_the_same_numbers_on_a_processor_without_vnni(
    network: ta.Run, target: str, exported: Exported, few_digits: Path, tmp_path: Path
) -> None:
    from tellapart.exports.pictures import RunData

    done = exported(network, target)
    pixels = RunData(network, None, tmp_path).held_out()[0].load()[:12]
    np.save(tmp_path / "pixels.npy", pixels)
    answers = tmp_path / "answers.npy"
    subprocess.run(
        [
            *("qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", ASK),
            *(done.path / "model.onnx", tmp_path / "pixels.npy", answers),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    found = np.load(answers)
    np.testing.assert_allclose(found, Model.load(done.path / "model.onnx").run(pixels), atol=1e-4)


def test_the_integers_of_int8(network: ta.Run, exported: Exported) -> None:
    done = exported(network, "onnx-int8")
    file = done.path / "model.onnx"
    sizes = done.parity["bytes"]
    assert sizes["target"] == file.stat().st_size
    assert sizes["onnx"] == (network.path / "model.onnx").stat().st_size
    model = onnx.load(str(file))
    onnx.checker.check_model(model)
    assert [one.name for one in model.graph.input] == ["image"]
    assert [one.name for one in model.graph.output] == ["probabilities"]
    kernels = [
        onnx.numpy_helper.to_array(one)
        for one in model.graph.initializer
        if one.name.endswith("kernel_quantized")
    ]
    assert kernels
    bits = done.card["quantization"]["weight_bits"]
    for kernel in kernels:
        assert kernel.dtype == np.int8
        assert np.abs(kernel.astype(int)).max() <= (64 if bits == 7 else 127)
    scales = [
        onnx.numpy_helper.to_array(one)
        for one in model.graph.initializer
        if one.name.endswith("kernel_scale")
    ]
    assert all(scale.size > 1 for scale in scales), "a scale for each channel"
    opened = Model.load(file)
    assert opened.metadata["quantized"] == "int8"
    assert opened.metadata["classes"] == network.model.metadata["classes"]


def test_int8_says_what_it_loses_and_gains(network: ta.Run, exported: Exported) -> None:
    done = exported(network, "onnx-int8")
    parity = done.parity
    held = network.metrics["held_out"]
    assert parity["accuracy_onnx"] == pytest.approx(held["accuracy"])
    assert parity["accuracy"] == pytest.approx(parity["accuracy_onnx"], abs=2 / 48)
    speed = parity["speed"]
    assert speed["gain"] == pytest.approx(speed["target"] / speed["onnx"], rel=0.02)
    assert speed["processor"]
    assert speed["calls"] > 0
    note = " ".join((done.path / "README.txt").read_text(encoding="utf-8").split())
    assert f"{speed['gain']:.1f} times as fast" in note
    assert speed["processor"] in note


def test_int8_is_calibrated_on_training_pictures_alone(probe: ta.Run, tmp_path: Path) -> None:
    from tellapart.exports.pictures import RunData

    data = RunData(probe, None, tmp_path)
    training, held = set(data.training(1_000).paths), set(data.held_out()[0].paths)
    split = probe.split
    assert training == set(split.filter(split["side"] == "train")["path"])
    assert held == set(split.filter(split["side"] == "held_out")["path"])
    few = data.training(10)
    assert len(few) == 10
    assert np.bincount(few.labels).tolist() in ([3, 3, 2, 2],)
    assert set(few.paths) < training
    assert data.training(10).paths == few.paths


@every_case
def test_what_is_written_is_listed(run: ta.Run, target: str, exported: Exported) -> None:
    done = exported(run, target)
    card = json.loads((done.path / "tellapart.json").read_text(encoding="utf-8"))
    found = {
        path.relative_to(done.path).as_posix() for path in done.path.rglob("*") if path.is_file()
    }
    assert found == {*card["files"], "tellapart.json", "parity.json", "README.txt"}
    assert (done.path / card["main"]).exists()
