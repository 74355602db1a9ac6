"""Go once through a folder's pictures at 224 with Keras's image_dataset_from_directory."""

import json
import sys
import time

import keras
import tensorflow as tf

start = time.perf_counter()
dataset = keras.utils.image_dataset_from_directory(
    sys.argv[1], image_size=(224, 224), interpolation="bicubic", batch_size=32
)
pictures = sum(len(labels) for _, labels in dataset)
seconds = time.perf_counter() - start

versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
print(json.dumps({"seconds": seconds, "pictures": pictures, "versions": versions}))
