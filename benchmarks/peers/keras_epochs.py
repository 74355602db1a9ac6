"""Three epochs of the classic CNN on a folder of class folders, through ImageDataGenerator."""

import json
import sys
import time

import keras
import tensorflow as tf
from keras import layers

# Keras 3 keeps it under this name only, as legacy.
ImageDataGenerator = tf.keras.preprocessing.image.ImageDataGenerator


class Stopwatch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


pictures = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
    sys.argv[1], target_size=(150, 150), batch_size=20, class_mode="binary"
)
model = keras.Sequential(
    [
        keras.Input((150, 150, 3)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.RMSprop(1e-3), "binary_crossentropy", metrics=["accuracy"])
watch = Stopwatch()
model.fit(pictures, epochs=3, verbose=0, callbacks=[watch])

versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
said = {"epochs": watch.seconds, "pictures": pictures.samples, "parameters": model.count_params()}
print(json.dumps({**said, "versions": versions}))
