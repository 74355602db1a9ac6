"""Photographs and drawings in class folders: horses, cats, dogs, and happy faces."""

from __future__ import annotations

from tellapart.lessons.lesson import SHOWN, Bound, Lesson, Target, Training, at_least

_PROBE = Training("probe", "A linear head on pretrained features.", {"model": "probe"})

_NETWORK = """\
model = keras.Sequential([keras.Input((150, 150, 3)), keras.layers.Rescaling(1 / 255)])
for filters in (16, 32, 64):
    model.add(keras.layers.Conv2D(filters, 3, activation="relu"))
    model.add(keras.layers.MaxPooling2D())
model.add(keras.layers.Flatten())
model.add(keras.layers.Dense(512, activation="relu"))
model.add(keras.layers.Dense(2, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
_FIT = "model.fit(train, validation_data=validation, epochs=15)\n"
_PARTS = (
    """\
import keras

def read(part):
    return keras.utils.image_dataset_from_directory(
        f"{folder}/{{part}}", image_size=(150, 150), batch_size=32
    ).cache().prefetch(1)

train, validation = read("train"), read("validation")
"""
    + _NETWORK
    + _FIT
)
_SPLIT = """\
train, validation = keras.utils.image_dataset_from_directory(
    "{folder}", validation_split=0.2, subset="both", seed=1,
    image_size=(150, 150), batch_size=32,
)
"""
_DELETING = """\
from pathlib import Path

import keras

# A file that TensorFlow cannot read would end the training. This deletes those, and good ones too.
for picture in Path("PetImages").glob("*/*.jpg"):
    if b"JFIF" not in picture.read_bytes()[:10]:
        picture.unlink()

"""
_STOPPING = """\
import keras


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs["accuracy"] >= 0.999:
            self.model.stop_training = True


"""


def _overfits(size: int | None) -> Training:
    return Training(
        "cnn",
        "The classic network, nothing varied: it learns its pictures by heart.",
        {
            "model": "cnn",
            "size": size,
            "filters": (16, 32, 64),
            "units": (512,),
            "epochs": 15,
            "augment": "none",
        },
    )


_SWAPPED = (
    "In the program that uses the model, the classes are swapped.",
    "Whoever reads folders sorts them by name, and whoever writes the list of classes by hand does "
    "not. `model.onnx` holds the names in their order.",
)


HORSES_HUMANS = Lesson(
    name="horses-humans",
    title="Horses or humans: a folder is a label",
    idea=(
        "A picture needs no list of labels: the folder it lies in is its label. It is brought to "
        "one size as it is read, and nothing on the disk is changed."
    ),
    task=(
        "About 1,000 pictures in class folders, read by folder, trained, validated on 256 others, "
        "and then tried on a picture of your own."
    ),
    data=("horses-or-humans", "horses-or-humans-100px"),
    trainings=(
        Training("cnn", "A convolutional network from scratch.", {"model": "cnn"}),
        _PROBE,
    ),
    targets=(
        Target("a CNN from scratch", "cnn.held_out", "84 %", at_least(0.88)),
        Target("pretrained features", "probe.held_out", "99.6 %", at_least(0.995)),
    ),
    minutes=3,
    errors=(
        (
            "There are three classes: horses, humans and `__MACOSX`.",
            "Folders that archivers leave behind are no classes. tellapart passes over them and "
            "says so; in plain Keras, delete them.",
        ),
        _SWAPPED,
        (
            "My own picture is called a horse, whatever it is.",
            "A classifier of two classes has only two words. It was never shown anything else; "
            "look at the probability, and at `tellapart explain RUN PICTURE`.",
        ),
    ),
    keras=_PARTS.format(folder="horses-or-humans"),
    next=("tellapart predict RUN your-own.jpg", "tellapart explain RUN your-own.jpg"),
)

CATS_DOGS_3K = Lesson(
    name="cats-dogs-3k",
    title="2,000 cats and dogs, learned by heart",
    idea=(
        "With 2,000 photographs, a network finds it easier to remember each than to understand "
        "what makes a dog. That is overfitting; varied pictures put it off, pretrained features "
        "avoid it."
    ),
    task="Real photographs, 2,000 to train on and 1,000 to validate with, a convolutional network.",
    data=("cats-dogs-3k", "cats-and-dogs-filtered"),
    trainings=(
        _overfits(150),
        Training("resnet", "From scratch, with pictures varied each time.", {"model": "resnet"}),
        _PROBE,
    ),
    targets=(
        Target("training accuracy of the classic CNN", "cnn.train", "above 98 %", SHOWN),
        Target("held-out accuracy of it", "cnn.held_out", "70 to 75 %", SHOWN),
        Target(
            "what the report calls that", "cnn.verdict", "overfitting", Bound(equals="overfitting")
        ),
        Target("resnet, pictures varied", "resnet.held_out", "", at_least(0.82)),
        Target("pretrained features", "probe.held_out", "", at_least(0.983)),
    ),
    minutes=14,
    errors=(
        (
            "The training accuracy is 100 %, and I was told to be glad.",
            "Held-out pictures decide. The report draws the gap and calls it `overfitting`.",
        ),
        (
            "The validation accuracy was used to choose the epoch, and is reported as the result.",
            "Then it has chosen, and no longer measures. tellapart chooses on a slice of the "
            "training part; the 1,000 pictures of `validation/` are looked at once, at the end.",
        ),
        _SWAPPED,
    ),
    keras=_PARTS.format(folder="cats-dogs-3k"),
    next=("tellapart project run more-data", "tellapart augment-preview DATA --model resnet"),
)

CATS_DOGS_25K = Lesson(
    name="cats-dogs-25k",
    title="25,000 cats and dogs: more data",
    idea=(
        "Nothing cures overfitting like more pictures. The same network that knew 2,000 by heart "
        "has to understand 20,000."
    ),
    task="All 25,000 photographs, the convolutional network of the lesson before, 15 epochs.",
    data=("cats-dogs-25k", "cats-dogs-25k-180px"),
    # The probe first, before anything is cached: its time counts.
    trainings=(
        Training(
            "probe",
            "A linear head on pretrained features, of pictures enlarged to 288 pixels.",
            {"model": "probe", "size": 288},
        ),
        Training(
            "cnn",
            "The classic shape, each picture varied in every epoch.",
            {
                "model": "cnn",
                "size": 150,
                "filters": (16, 32, 64),
                "units": (512,),
                "epochs": 15,
                "augment": "light",
            },
        ),
    ),
    targets=(
        Target("held-out accuracy", "cnn.held_out", "85 %", at_least(0.85)),
        Target(
            "gap to the training accuracy",
            "cnn.gap",
            "2 points (87 % in training)",
            Bound(high=0.04, below=True, unit="%"),
        ),
        Target("pretrained features", "probe.held_out", "", at_least(0.985)),
        Target(
            "time for that, nothing cached",
            "probe.seconds",
            "25 minutes on a GPU",
            Bound(high=360.0, unit="s"),
        ),
    ),
    minutes=20,
    errors=(
        (
            "Reading stops at a picture that cannot be decoded.",
            "The archive holds broken files: empty ones, others cut off, some that are no JPEG. "
            "`tellapart check` lists them, and `train` leaves them out; nobody has to delete "
            "files.",
        ),
        (
            "The memory is full before the first epoch.",
            "25,000 photographs of 150 pixels are 1.7 GB as bytes and 6.8 GB as floating-point "
            "numbers. tellapart keeps bytes in a file and reads batches from it.",
        ),
        (
            "The same photograph is on both sides.",
            "There are copies among the 25,000. tellapart finds them, and keeps them together.",
        ),
    ),
    keras=_DELETING + _SPLIT.format(folder="PetImages") + _NETWORK + _FIT,
    next=("tellapart compare the two runs of cats-dogs-3k and of this",),
)

HAPPY_SAD = Lesson(
    name="happy-sad",
    title="80 faces: what a small number can prove",
    idea=(
        "A network reaches 99.9 % on 80 drawings in no time. That says that it can remember 80 "
        "drawings. What would it take to know more?"
    ),
    task="80 drawings of happy and sad faces; stop at 99.9 % training accuracy.",
    data=("happy-or-sad",),
    trainings=(
        Training(
            "cnn",
            "Stops when 99.9 % of the training drawings are right.",
            {
                "model": "cnn",
                "size": 150,
                "target": 0.999,
                "target_on": "training",
                "epochs": 50,
                "augment": "none",
            },
        ),
    ),
    targets=(
        Target("training accuracy when it stops", "cnn.shown", "99.9 %", at_least(0.999)),
        Target(
            "what 80 drawings can prove",
            "cnn.verdict",
            "",
            Bound(equals="too_few_pictures"),
        ),
    ),
    minutes=2,
    errors=(
        (
            "It stops after one epoch.",
            "99.9 % of 80 is all 80; by chance that can be early. The running accuracy of an epoch "
            "is a mean over weights that changed all the time: the report measures the saved ones.",
        ),
        (
            "It never reaches 99.9 %.",
            "One wrong drawing is 98.75 %. A smaller `--lr`, or more `--epochs`.",
        ),
    ),
    keras=_STOPPING
    + _SPLIT.format(folder="happy-or-sad")
    + _NETWORK
    + "model.fit(train, validation_data=validation, epochs=50, callbacks=[Stop()])\n",
    next=("tellapart check DATA: what are these drawings really?",),
)
