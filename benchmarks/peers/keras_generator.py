"""The classic CNN through ImageDataGenerator: DATA with train/ and validation/, EPOCHS, SEED."""

import json
import sys
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

# Keras 3 keeps it under this name only, as legacy.
ImageDataGenerator = tf.keras.preprocessing.image.ImageDataGenerator

data, epochs, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
keras.utils.set_random_seed(seed)

pictures = ImageDataGenerator(rescale=1 / 255)
train = pictures.flow_from_directory(
    data / "train", target_size=(150, 150), batch_size=32, class_mode="sparse"
)
validation = pictures.flow_from_directory(
    data / "validation", target_size=(150, 150), batch_size=32, class_mode="sparse", shuffle=False
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
        layers.Dense(train.num_classes, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train, epochs=epochs, verbose=0).history
accuracy = model.evaluate(validation, verbose=0)[1]

said = {
    "accuracy": accuracy,
    "train_accuracy": history["accuracy"][-1],
    "n": validation.samples,
    "parameters": model.count_params(),
}
versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
print(json.dumps({**said, "versions": versions}))
