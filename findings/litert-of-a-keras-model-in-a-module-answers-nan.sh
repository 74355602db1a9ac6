#!/usr/bin/env bash
# A Keras 3 model held by a tf.Module converts to a LiteRT file without an error, and every answer of the
# file is NaN: the variables stay variables that the file never sets. Its SavedModel is right, and so is
# the LiteRT file when the module lists the variables' TensorFlow values.
# Version: tensorflow-cpu==2.21.0, keras==3.15.1, ai-edge-litert==2.3.0, numpy==2.4.6; Python 3.11,
# Linux x86-64. Seen 2026-11-27.
# Guess from memory: weights become constants, as always in this converter, and the file answers as Keras.
# Seen: Keras and the SavedModel answer 0.477, 0.279, 0.244; the LiteRT file of the plain module nan, nan,
# nan; of the module that lists its variables' values 0.477, 0.279, 0.244.
# Matters: a phone or board gets a file that loads and answers; argmax of NaN is class 0, for every picture.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'tensorflow-cpu==2.21.0' 'keras==3.15.1' \
  'ai-edge-litert==2.3.0' 'numpy==2.4.6'
export KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 KERAS_HOME="$T/keras"
"$T/venv/bin/python" - "$T" <<'PY'
import sys

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.layers.Input((32, 32, 3)),
    keras.layers.Conv2D(8, 3, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(3, activation="softmax"),
])
picture = np.random.default_rng(0).random((1, 32, 32, 3), dtype=np.float32)
expected = model.predict(picture, verbose=0)[0]


class Plain(tf.Module):
    def __init__(self):
        super().__init__()
        self.model = model

    @tf.function(input_signature=[tf.TensorSpec([1, 32, 32, 3], tf.float32)])
    def answer(self, x):
        return self.model(x, training=False)


class WithValues(Plain):
    def __init__(self):
        super().__init__()
        self.values = [weight.value for weight in self.model.weights]


answers = {}
for module in (Plain(), WithValues()):
    name = type(module).__name__
    saved = f"{sys.argv[1]}/{name}"
    tf.saved_model.save(module, saved, signatures=module.answer)
    signature = tf.saved_model.load(saved).signatures["serving_default"]
    from_saved = np.asarray(list(signature(tf.constant(picture)).values())[0])[0]
    interpreter = Interpreter(
        model_content=tf.lite.TFLiteConverter.from_saved_model(saved).convert(), num_threads=1
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    answers[name] = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    print(f"{name}: Keras {expected.round(3)}, SavedModel {from_saved.round(3)}, LiteRT {answers[name].round(3)}")
    assert np.allclose(from_saved, expected, atol=1e-4)

assert np.isnan(answers["Plain"]).all()
assert np.allclose(answers["WithValues"], expected, atol=1e-4)
PY
