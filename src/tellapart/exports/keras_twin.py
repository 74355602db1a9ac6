"""``model.onnx`` as a Keras model, written in TensorFlow's formats.

The table of layers comes from the run and the weights come from ``model.onnx``, whatever trained
it: a probe is EfficientNet-Lite0 and its head. Parts that only training needs are left out:
normalization is already folded into the weights, and there is no dropout.

The weights are constants of the function that is written, not variables: LiteRT's converter
mistakes Keras's variables for state and leaves them empty (every answer is NaN), and a SavedModel
without variables can be checked before it is loaded (:mod:`tellapart.exports.saved_model`).

Everything but :func:`table_of` needs TensorFlow and runs in a child process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tellapart.core.errors import RunError
from tellapart.graph import INPUT, Graph, Layer
from tellapart.graph.layers import (
    LUMA_WEIGHTS,
    Conv,
    Dense,
    Softmax,
    is_gray,
    needed_for,
    weight_shapes,
)
from tellapart.model import Model
from tellapart.runs import Run
from tellapart.transfer import backbones

LOGITS, FEATURES, PROBABILITIES = "logits", "features", "probabilities"
SIGNATURE = "serving_default"


def table_of(run: Run) -> dict[str, Any]:
    """What a network is built from, as JSON: a backbone's name, or the settings of a network.

    Raises:
        RunError: If the run does not contain it.
    """
    settings, model = run.settings, run.model
    spec = settings.get("network", {}).get("spec")
    if spec is not None:
        return {"spec": spec}
    if settings.get("model") == "probe" and settings.get("backbone") in backbones.names():
        return {
            "backbone": settings["backbone"],
            "size": model.size,
            "classes": len(model.classes),
        }
    raise RunError(
        f"The run '{run.path}' does not describe its network.",
        remedy="Use --to onnx, or train again.",
    )


def graph_of(table: Mapping[str, Any]) -> Graph:
    """The layers that lead to ``probabilities``, as they are after training."""
    if "backbone" in table:
        below = backbones.get(table["backbone"]).graph(table["size"])
        layers: tuple[Layer, ...] = (
            *below.layers,
            Dense(LOGITS, units=table["classes"], inputs=(FEATURES,)),
            Softmax(PROBABILITIES),
        )
        return Graph(below.size, layers, (PROBABILITIES,))
    import json

    from tellapart.networks.spec.architectures import Spec

    graph = Spec.model_validate_json(json.dumps(table["spec"])).graph()
    return Graph(
        graph.size,
        tuple(_settled(layer) for layer, _ in needed_for(graph, PROBABILITIES)),
        (PROBABILITIES,),
    )


def _settled(layer: Layer) -> Layer:
    match layer:
        case Conv():
            return replace(layer, norm=False)
        case Dense():
            return replace(layer, dropout=0.0)
        case _:
            return layer


def write_saved_model(file: Path, table: Mapping[str, Any], out: Path) -> None:
    """Build the twin of a model file, and write it as a SavedModel.

    Its signature ``serving_default`` takes ``image``, uint8 ``[N, S, S, 3]``, and gives
    ``probabilities``, float32 ``[N, K]``, of any ``N``.

    Args:
        file: ``model.onnx``.
        table: From :func:`table_of`.
        out: The folder to write; made here.
    """
    from tellapart.networks.loop import backend, keras_model

    backend.start()
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    graph = graph_of(table)
    model = Model.load(file)
    network = keras_model.build(graph)
    keras_model.set_weights(
        network, graph, {name: model.weight(name) for name in weight_shapes(graph)}
    )
    image = tf.TensorSpec([None, *graph.size, 3], tf.uint8, name=INPUT)
    gray = is_gray(graph)

    def answer(image: Any) -> Any:
        seen = _luma(tf, image) if gray else image
        return tf.nn.softmax(network(seen, training=False))

    concrete = tf.function(answer, input_signature=[image]).get_concrete_function()
    frozen = convert_variables_to_constants_v2(concrete)
    module = tf.Module()
    module.answer = tf.function(
        lambda image: {PROBABILITIES: frozen(image)[0]}, input_signature=[image]
    )
    tf.saved_model.save(module, str(out), signatures={SIGNATURE: module.answer})


def convert_to_litert(saved_model: Path, out: Path) -> None:
    """Write a SavedModel as a LiteRT file, in float32, with the signature of the same name."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(saved_model), signature_keys=[SIGNATURE]
    )
    # LiteRT's own operations only; anything else is an error here.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    out.write_bytes(converter.convert())


def versions() -> dict[str, Any]:
    """Versions of the converter, for ``tellapart.json``."""
    import importlib.metadata

    import tensorflow as tf

    keras = importlib.metadata.version("keras")
    return {"converter": {"tensorflow": str(tf.__version__), "keras": keras}}


def _luma(tf: Any, image: Any) -> Any:
    """uint8 ``[N, H, W, 1]``, the luma of :func:`tellapart.images.luma`.

    Exact in float32: every sum of these products is a whole number of 65536ths below 2 ** 24.
    """
    weights = tf.constant([weight / 65536 for weight in LUMA_WEIGHTS], tf.float32)
    total = tf.reduce_sum(tf.cast(image, tf.float32) * weights, axis=-1, keepdims=True)
    return tf.cast(tf.floor(total + 0.5), tf.uint8)
