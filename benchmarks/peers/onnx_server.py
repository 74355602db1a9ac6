"""A plain FastAPI route: Pillow decodes and resizes, ONNX Runtime runs MODEL; on PORT."""

import io
import json
import sys
from importlib.metadata import version

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image

session = onnxruntime.InferenceSession(sys.argv[2])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
size = session.get_inputs()[0].shape[1]
app = FastAPI()


@app.post("/predict")
def predict(file: UploadFile):
    image = Image.open(io.BytesIO(file.file.read())).convert("RGB")
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    [probabilities] = session.run(["probabilities"], {"image": pixels[None]})
    best = int(probabilities[0].argmax())
    return {"label": classes[best], "probability": float(probabilities[0][best])}


@app.get("/versions")
def versions():
    return {name: version(name) for name in ("fastapi", "onnxruntime", "pillow", "uvicorn")}


uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
