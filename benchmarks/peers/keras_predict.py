"""Keras predict with MobileNetV2 on COUNT pictures that are float arrays already."""

import json
import sys
import time

import keras
import numpy as np
import tensorflow as tf

pictures = np.random.default_rng(0).random((int(sys.argv[1]), 224, 224, 3), "float32")
model = keras.applications.MobileNetV2(weights=None)
model.predict(pictures[:32], verbose=0)

start = time.perf_counter()
model.predict(pictures, batch_size=32, verbose=0)
seconds = time.perf_counter() - start

versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
print(json.dumps({"seconds": seconds, "pictures": len(pictures), "versions": versions}))
