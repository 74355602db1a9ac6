"""A plain FastAPI route: Pillow decodes and resizes, Keras predicts with MobileNetV2; on PORT."""

import io
import sys
from importlib.metadata import version

import keras
import numpy as np
import tensorflow as tf
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image

model = keras.applications.MobileNetV2(weights=None, classes=2)
model.predict(np.zeros((1, 224, 224, 3), "float32"), verbose=0)
app = FastAPI()


@app.post("/predict")
def predict(file: UploadFile):
    image = Image.open(io.BytesIO(file.file.read())).convert("RGB")
    pixels = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC), "float32")
    probabilities = model.predict(pixels[None] / 127.5 - 1, verbose=0)[0]
    best = int(probabilities.argmax())
    return {"label": ["cats", "dogs"][best], "probability": float(probabilities[best])}


@app.get("/versions")
def versions():
    names = {name: version(name) for name in ("fastapi", "pillow", "uvicorn")}
    return {**names, "keras": keras.__version__, "tensorflow": tf.__version__}


uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
