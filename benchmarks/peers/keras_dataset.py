"""The classic CNN through a cached dataset: DATA with train/ and validation/, EPOCHS, SEED."""

import json
import sys
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

data, epochs, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
keras.utils.set_random_seed(seed)

train = keras.utils.image_dataset_from_directory(
    data / "train", image_size=(150, 150), batch_size=32, verbose=False
)
validation = keras.utils.image_dataset_from_directory(
    data / "validation", image_size=(150, 150), batch_size=32, shuffle=False, verbose=False
)
classes = len(train.class_names)
train = train.cache().prefetch(tf.data.AUTOTUNE)
model = keras.Sequential(
    [
        keras.Input((150, 150, 3)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(classes, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train, epochs=epochs, verbose=0).history
accuracy = model.evaluate(validation, verbose=0)[1]

said = {
    "accuracy": accuracy,
    "train_accuracy": history["accuracy"][-1],
    "n": len(validation.file_paths),
    "parameters": model.count_params(),
}
versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
print(json.dumps({**said, "versions": versions}))
