"""Exports from strangers, and what is left of a damaged one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import tellapart as ta
from tellapart.core.errors import ModelError, SettingsError
from tellapart.exports import export_run
from tellapart.exports.litert import LiteRTModel
from tellapart.exports.saved_model import TensorFlowModel

Change = Callable[[dict[str, Any]], Any]

NOTHING = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}


@pytest.fixture(scope="module")
def shipped(probe: ta.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(probe, to="onnx", out=tmp_path_factory.mktemp("shipped") / "probe").path


@pytest.fixture
def export(shipped: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(shipped, tmp_path / "export")


def change(export: Path, how: Change) -> None:
    card = json.loads((export / "tellapart.json").read_text(encoding="utf-8"))
    how(card)
    (export / "tellapart.json").write_text(json.dumps(card), encoding="utf-8")


def test_an_export_that_was_copied_works(export: Path) -> None:
    assert ta.load(str(export)).classes == ("0", "1", "4", "7")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"tellapart.json"', "[" * 100_000, '{"schema": 1}', "\0\xff"],
)
def test_a_damaged_card(export: Path, text: str) -> None:
    (export / "tellapart.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match="cannot be used"):
        ta.load(export)


def test_a_card_of_great_size(export: Path) -> None:
    with (export / "tellapart.json").open("ab") as file:
        file.truncate(64 * 1024**2)
    with pytest.raises(ModelError, match="too large"):
        ta.load(export)


@pytest.mark.parametrize(
    "how",
    [
        lambda card: card.update(size=64),
        lambda card: card.update(size=0),
        lambda card: card.update(size="32"),
        lambda card: card.update(size=10**9),
        lambda card: card.update(size=True),
        lambda card: card.update(fit="stretch"),
        lambda card: card.update(fit="crop"),
        lambda card: card.update(classes=["7", "4", "1", "0"]),
        lambda card: card.update(classes=["0", "1", "4"]),
        lambda card: card.update(classes=["0", "0", "4", "7"]),
        lambda card: card.update(classes="0147"),
        lambda card: card.update(classes=[]),
        lambda card: card.update(schema=0),
        lambda card: card.update(schema="1"),
        lambda card: card.update(name="other"),
        lambda card: card.update(target="pickle"),
        lambda card: card.update(target=["onnx"]),
        lambda card: card.update(target="onnx" * 10_000),
        lambda card: card.update(fit=["squash"]),
        lambda card: card.update(files={}),
        lambda card: card.update(files=["model.onnx"]),
        lambda card: card.update(files={"model.onnx": {"sha256": 7}}),
        lambda card: card["files"]["model.onnx"].update(sha256="0" * 64),
        lambda card: card["files"]["model.onnx"].update(bytes=7),
        lambda card: card["files"]["model.onnx"].update(bytes=10**15),
        lambda card: card["files"]["model.onnx"].update(bytes="many"),
        lambda card: card["files"]["model.onnx"].pop("bytes"),
        lambda card: card["files"].update({"more.bin": NOTHING}),
        lambda card: card["files"].update({"../run.json": NOTHING}),
        lambda card: card["files"].update({"/etc/passwd": NOTHING}),
        lambda card: card["files"].update({"a" * 5_000: NOTHING}),
        lambda card: card["files"].update({"\ud800": NOTHING}),
        lambda card: card["files"].update({f"{i}": NOTHING for i in range(2_000)}),
    ],
)
def test_a_card_that_has_no_meaning_or_another(export: Path, how: Change) -> None:
    change(export, how)
    with pytest.raises(ModelError, match="cannot be used") as caught:
        ta.load(export)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("name", "there"),
    [("model.onnx", "/dev/zero"), ("saved_model", "/dev"), ("more", "nowhere"), ("pipe", "")],
)
def test_what_is_no_plain_file_is_not_even_opened(export: Path, name: str, there: str) -> None:
    """An archive may hold links: to what never ends, or lies elsewhere."""
    place = export / name
    with suppress(FileNotFoundError):
        place.unlink()
    if there:
        place.symlink_to(there)
    else:
        os.mkfifo(place)
    with pytest.raises(ModelError, match="no plain file"):
        ta.load(export)


def test_a_file_of_great_size_is_not_read(export: Path) -> None:
    with (export / "model.onnx").open("r+b") as file:
        file.truncate(2**40)  # it takes no room
    with pytest.raises(ModelError, match="not the file that was checked"):
        ta.load(export)
    change(export, lambda card: card["files"]["model.onnx"].update(bytes=2**40))
    with pytest.raises(ModelError, match="more than 4 GiB"):
        ta.load(export)


def test_a_newer_schema(export: Path) -> None:
    change(export, lambda card: card.update(schema=99))
    with pytest.raises(ModelError, match="newer tellapart") as caught:
        ta.load(export)
    assert caught.value.code == "newer_schema"


def test_a_file_that_is_gone_or_changed(export: Path) -> None:
    with (export / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="not the file that was checked"):
        ta.load(export)
    (export / "model.onnx").unlink()
    with pytest.raises(ModelError, match="missing"):
        ta.load(export)


def seal(export: Path, name: str) -> None:
    """Let the card name what lies there now, as a stranger would."""
    data = (export / name).read_bytes()
    known = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    change(export, lambda card: card.update(files={name: known}))


@pytest.mark.parametrize("content", [b"", b"\0" * 4_000, b"TFL3" * 1_000, b"\x1c\0\0\0TFL3"])
def test_a_litert_file_that_is_none(export: Path, content: bytes) -> None:
    (export / "model.tflite").write_bytes(content)
    seal(export, "model.tflite")
    change(export, lambda card: card.update(target="litert"))
    with pytest.raises(ModelError, match="LiteRT file"):
        ta.load(export)


def saved_model(folder: Path, make: Callable[[Any, Any], Any]) -> Path:
    """A SavedModel whose signature is what ``make(tf, image)`` gives."""
    tf = pytest.importorskip("tensorflow")
    image = tf.TensorSpec([None, 32, 32, 3], tf.uint8, name="image")
    module = tf.Module()
    module.answer = tf.function(
        lambda image: {"probabilities": make(tf, image)}, input_signature=[image]
    )
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.answer})
    return folder


CLASSES = ("0", "1", "4", "7")


def mean_of_pixels(tf: Any, image: Any) -> Any:
    means = tf.reduce_mean(tf.cast(image, tf.float32), axis=[1, 2, 3])
    return tf.nn.softmax(tf.stack([means] * 4, axis=1))


def test_a_saved_model_of_plain_layers_is_loaded(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "plain", mean_of_pixels)
    assert TensorFlowModel(folder, CLASSES, 32, "squash").classes == CLASSES
    with pytest.raises(ModelError, match="shapes"):
        TensorFlowModel(folder, CLASSES, 64, "squash")
    with pytest.raises(ModelError, match="shapes"):
        TensorFlowModel(folder, CLASSES[:2], 32, "squash")


def test_a_saved_model_that_reads_or_writes_files_is_not_loaded(tmp_path: Path) -> None:
    target = tmp_path / "written"

    def writes(tf: Any, image: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(str(target), "gotcha")]):
            return mean_of_pixels(tf, image)

    def reads_within(tf: Any, image: Any) -> Any:
        inner = tf.function(lambda: tf.strings.length(tf.io.read_file("/etc/hostname")))
        return mean_of_pixels(tf, image) + tf.cast(inner(), tf.float32)

    for number, make in enumerate((writes, reads_within)):
        folder = saved_model(tmp_path / f"hostile-{number}", make)
        with pytest.raises(ModelError, match=r"it holds the operation '(WriteFile|ReadFile)'"):
            TensorFlowModel(folder, CLASSES, 32, "squash")
    assert not target.exists()


def test_a_saved_model_of_great_constants_is_not_loaded(tmp_path: Path) -> None:
    """One number may stand for many: a few bytes would fill the memory."""
    pytest.importorskip("tensorflow")
    from tensorflow.core.protobuf import saved_model_pb2

    folder = saved_model(tmp_path / "small", mean_of_pixels)
    program = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(program.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "Const":
                shape = node.attr["value"].tensor.tensor_shape
                shape.ClearField("dim")
                for side in (100_000, 100_000):
                    shape.dim.add(size=side)
    program.write_bytes(saved.SerializeToString())
    with pytest.raises(ModelError, match="too large"):
        TensorFlowModel(folder, CLASSES, 32, "squash")


def test_a_saved_model_that_is_damaged(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "plain", mean_of_pixels)
    program = folder / "saved_model.pb"
    whole = program.read_bytes()
    for content in (b"", b"\xff" * 100, whole[: len(whole) // 2]):
        program.write_bytes(content)
        with pytest.raises(ModelError, match="SavedModel"):
            TensorFlowModel(folder, CLASSES, 32, "squash")
    program.unlink()
    with pytest.raises(ModelError, match="No such file"):
        TensorFlowModel(folder, CLASSES, 32, "squash")


# ------------------------------------------------------------------ what is not installed


@pytest.mark.parametrize(
    ("target", "missing", "install"),
    [
        ("litert", "ai_edge_litert", "tellapart[keras,litert]"),
        ("litert", "tensorflow", "tellapart[keras,litert]"),
        ("saved-model", "keras", "tellapart[keras]"),
        ("saved-model", "tensorflow", "tellapart[keras]"),
    ],
)
def test_a_missing_extra_is_said_before_anything_is_read(
    probe: ta.Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    missing: str,
    install: str,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(SettingsError) as caught:
        export_run(probe, to=target, data="nowhere", out=tmp_path / "shipped")
    assert caught.value.code == "extra_missing"
    assert install in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_opening_needs_the_runtime_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = __import__("sys").modules
    monkeypatch.setitem(modules, "ai_edge_litert", None)
    with pytest.raises(SettingsError, match=r"tellapart\[litert\]"):
        LiteRTModel(tmp_path / "model.tflite", CLASSES, 32, "squash")
    monkeypatch.setitem(modules, "tensorflow", None)
    with pytest.raises(SettingsError, match=r"tellapart\[keras\]"):
        TensorFlowModel(tmp_path, CLASSES, 32, "squash")
