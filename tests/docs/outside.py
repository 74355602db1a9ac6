"""A small world for the docs' blocks of Python: little data and short trainings.

The blocks run as they are written; everything around them is replaced. The folders they name have
a few pictures, data sets are small and always found, trainings are short and run in this process,
and a client of a server gets one that has been started for it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks_here import in_this_process
from PIL import Image, ImageOps
from sklearn.datasets import load_digits

import tellapart as ta
from tellapart import api, datasets
from tellapart.datasets.registry import named
from tellapart.datasets.verification import Found
from tellapart.networks.devices import devices

sys.path.append(str(Path(__file__).parents[1] / "serve"))

from serving import Server

PETS = 110  # of each class: enough that a part is held out, and not every fold
EPOCHS, PICTURES, SIDE = 1, 32, 64

LIKE = {
    "mnist": "mnist",
    "fashion-mnist": "mnist",
    "cats-dogs-25k": "PetImages",
    "cats-dogs-3k": "cats-dogs-3k",
    "horses-or-humans": "horses-or-humans",
    "happy-or-sad": "happy-or-sad",
}
"""The folder that is used in place of each data set."""


def build(folder: Path) -> None:
    """Write the folders and files that the pages name, in the layout of the real data sets."""
    digits = load_digits()
    images = (digits.images * (255 / 16)).astype(np.uint8)  # [1797, 8, 8]
    small = np.stack([np.asarray(Image.fromarray(image).resize((28, 28))) for image in images])
    labels = digits.target.astype(np.uint8)
    np.savez(
        folder / "digits.npz",
        x_train=small[:240],
        y_train=labels[:240],
        x_test=small[240:300],
        y_test=labels[240:300],
    )
    (folder / "mnist").mkdir()
    for part, rows in (("train", slice(0, 240)), ("t10k", slice(240, 300))):
        _idx(folder / "mnist" / f"{part}-images-idx3-ubyte.gz", small[rows])
        _idx(folder / "mnist" / f"{part}-labels-idx1-ubyte.gz", labels[rows])

    photos = {name: [_photo(image) for image in images[labels == name]] for name in (3, 5)}
    both = list(photos.values())
    _class_folders(folder / "pets", ("cats", "dogs"), both, PETS)
    both[0][-1].save(folder / "new.jpg")
    for name, classes in (
        ("cats-dogs-3k", ("cats", "dogs")),
        ("horses-or-humans", ("horses", "humans")),
    ):
        for part, start, count in (("train", 0, 16), ("validation", 16, 8)):
            _class_folders(folder / name / part, classes, [one[start:] for one in both], count)
    _class_folders(folder / "happy-or-sad", ("happy", "sad"), both, 20)
    _class_folders(folder / "PetImages", ("Cat", "Dog"), both, PETS)
    (folder / "PetImages" / "Cat" / "666.jpg").write_bytes(b"")  # as in the official archive
    ta.train(folder / "pets", out=folder / "runs" / "pets-1")


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[None]:
    """Run the body in ``folder``, with small data sets and short trainings."""
    import keras
    import tritonclient.http as triton

    train, compare, fit = api.train, devices.compare, keras.Model.fit
    short = [dataclasses.replace(lesson, size=28) for lesson in devices.LESSONS]

    def short_train(data: str | Path, **options: Any) -> ta.Run:
        kind = options.get("model", "probe")
        if kind == "auto":
            options["budget"] = "20s"
        elif kind != "probe":
            options["epochs"] = min(options.get("epochs", EPOCHS), EPOCHS)
        if kind == "finetune" or "size" in options:
            options["size"] = SIDE
        return train(data, **options)

    def short_fit(self: Any, x: Any, y: Any = None, *, epochs: int = 1, **more: Any) -> Any:
        if y is None:
            x = x.take(1)  # one batch of a data set
        else:
            x, y = x[:PICTURES], y[:PICTURES]
        return fit(self, x, y, epochs=min(epochs, EPOCHS), **more)

    def load_data() -> Any:
        with np.load(folder / "digits.npz") as digits:
            x, y, x_test, y_test = (
                digits[name] for name in ("x_train", "y_train", "x_test", "y_test")
            )
        return (x, y), (x_test, y_test)

    connect = triton.InferenceServerClient
    with (
        in_this_process(),
        pytest.MonkeyPatch.context() as patch,
        contextlib.ExitStack() as servers,
    ):

        def client(address: str) -> Any:
            """A client of a new server, on a free port; the address is ignored."""
            server = Server(folder / "runs" / "pets-1")
            servers.callback(server.kill)
            return connect(server.address)

        patch.setattr(triton, "InferenceServerClient", client)
        patch.chdir(folder)
        patch.setattr(ta, "train", short_train)
        patch.setattr(api, "train", short_train)
        patch.setattr(datasets, "find", lambda name: Found(folder / LIKE[name], named(name), ()))
        patch.setattr(devices, "compare", lambda **_: compare(pictures=PICTURES, lessons=short))
        patch.setattr(keras.Model, "fit", short_fit)
        for name in ("mnist", "fashion_mnist"):
            patch.setattr(getattr(keras.datasets, name), "load_data", load_data)
        yield


def _photo(image: np.ndarray) -> Image.Image:
    """A handwritten digit as a colored picture of 60 x 60."""
    return ImageOps.colorize(Image.fromarray(image).resize((60, 60)), "darkgreen", "wheat")


def _class_folders(
    folder: Path, classes: tuple[str, str], pictures: list[list[Image.Image]], count: int
) -> None:
    for label, chosen in zip(classes, pictures, strict=True):
        (folder / label).mkdir(parents=True)
        for number, picture in enumerate(chosen[:count], start=1):
            picture.save(folder / label / f"{number:03}.jpg", quality=95)


def _idx(path: Path, values: np.ndarray) -> None:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))


def copied(world: Path, folder: Path) -> Path:
    """A copy of the world for one page, because blocks write next to what they read."""
    shutil.copytree(world, folder)
    return folder
