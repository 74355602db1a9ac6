"""Decode the pictures of a zip or folder and resize them to 224, one after the other."""

import io
import json
import sys
import time
import zipfile
from pathlib import Path

import PIL
from PIL import Image

data = Path(sys.argv[1])
start = time.perf_counter()
if data.is_dir():
    files = [path for path in sorted(data.rglob("*")) if path.is_file()]
else:
    archive = zipfile.ZipFile(data)
    files = [io.BytesIO(archive.read(name)) for name in archive.namelist() if name[-1] != "/"]
for file in files:
    Image.open(file).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
seconds = time.perf_counter() - start

versions = {"pillow": PIL.__version__}
print(json.dumps({"seconds": seconds, "pictures": len(files), "versions": versions}))
