"""A dense network of 512-512 on IDX files: DATA, EPOCHS, SEED, TRAINING-ACCURACY to stop at."""

import gzip
import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

data, epochs, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
target = float(sys.argv[4]) if len(sys.argv) > 4 else None
keras.utils.set_random_seed(seed)


def pictures(part):
    with gzip.open(data / f"{part}-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28) / 255


def labels(part):
    with gzip.open(data / f"{part}-labels-idx1-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=8)


class Lesson(keras.callbacks.Callback):
    """Seconds of each epoch, and the classic stop at an accuracy."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)
        if target is not None and logs["accuracy"] >= target:
            self.model.stop_training = True


model = keras.Sequential(
    [
        keras.Input((28, 28)),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(512, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
lesson = Lesson()
fitted = model.fit(
    pictures("train"), labels("train"), batch_size=32, epochs=epochs, verbose=0, callbacks=[lesson]
)
accuracy = model.evaluate(pictures("t10k"), labels("t10k"), verbose=0)[1]

said = {
    "epochs": lesson.seconds,
    "accuracy": accuracy,
    "train_accuracy": fitted.history["accuracy"][-1],
    "parameters": model.count_params(),
}
versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
print(json.dumps({**said, "versions": versions}))
