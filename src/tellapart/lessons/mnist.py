"""Digits and clothes: dense and convolutional networks on MNIST and Fashion-MNIST."""

from __future__ import annotations

from tellapart.core.text import percent
from tellapart.lessons.lesson import SHOWN, Lesson, Target, Training, at_least

_PLAIN = {"schedule": "constant", "augment": "none", "validation": 0.0}
"""As the lesson trains: nothing varied, nothing set aside, one learning rate."""

_DENSE = """\
import keras

(x, y), (x_test, y_test) = keras.datasets.{data}.load_data()
x, x_test = x / 255, x_test / 255


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs["accuracy"] >= {target}:
            self.model.stop_training = True


model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=50, callbacks=[Stop()])
model.evaluate(x_test, y_test)
"""
_CONVOLUTIONS = """\
import keras

(x, y), (x_test, y_test) = keras.datasets.{data}.load_data()
x, x_test = x[..., None] / 255, x_test[..., None] / 255
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(64, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10)
model.evaluate(x_test, y_test)
"""


def _stops(target: float) -> Training:
    return Training(
        "stops",
        f"Stops by itself when {percent(target, 0)} of the training pictures are right.",
        {"model": "dnn", "target": target, "target_on": "training", "epochs": 50, **_PLAIN},
    )


_RECIPE = Training("recipe", "The same network with the recipe of tellapart.", {"model": "dnn"})
_CNN = Training(
    "cnn",
    "Twice a convolution and a maximum, then a dense layer.",
    {"model": "cnn", "filters": (32, 64), "units": (512,)},
)
_RESNET = Training("resnet", "The best network from scratch here.", {"model": "resnet"})


_CHANNEL = (
    "A convolution refuses `(28, 28)`.",
    "In Keras a gray picture needs a channel of its own: `x[..., None]`. tellapart adds it.",
)
_SLOW = (
    "An epoch takes minutes.",
    "A convolution is many sums: a laptop needs ten seconds to a minute an epoch here. Batches of "
    "4 instead of 32 make it several times that.",
)
_ARRAY_ERRORS = (
    (
        "The accuracy stays near 10 %, which is guessing.",
        "The pixels were not divided by 255, or the learning rate is far too large.",
    ),
    (
        "It never reaches the accuracy at which it should stop.",
        "What the network is told to reach is checked once an epoch: give it more `--epochs`, or a "
        "lower `--target`. `--augment none` and no dropout get there sooner, and know less.",
    ),
    (
        "There is no copy of the pictures.",
        "`tellapart data get NAME` downloads them, or says where to put a copy of your own.",
    ),
)


FASHION_DNN = Lesson(
    name="fashion-dnn",
    title="Clothes, and a network that stops by itself",
    idea=(
        "Two layers of units between the pixels and the answer are enough to tell shirts from "
        "shoes. And nobody has to watch: the training ends when it is as good as was asked for."
    ),
    task="Fashion-MNIST, a dense network of two layers, stop when the wanted accuracy is reached.",
    data=("fashion-mnist",),
    trainings=(_stops(0.9), _RECIPE),
    targets=(
        Target("training accuracy when it stops", "stops.shown", "above 90 %", at_least(0.9)),
        Target("test accuracy then", "stops.held_out", "about 86 to 89 %", SHOWN),
        Target("test accuracy with our recipe", "recipe.held_out", "89 to 90 %", at_least(0.9)),
    ),
    minutes=3,
    errors=_ARRAY_ERRORS,
    keras=_DENSE.format(data="fashion_mnist", target=0.9),
    next=(
        "tellapart project run fashion-cnn",
        "Look at the report: which clothes are taken for which?",
    ),
)

DIGITS_DNN = Lesson(
    name="digits-dnn",
    title="Digits, and what 99 % is 99 % of",
    idea=(
        "99 % of the pictures it has learned from is not 99 % of those it will meet. The network "
        "that stops at 99 % of the first is a little worse on the second."
    ),
    task="MNIST, a dense network of two layers, stop at 99 % training accuracy.",
    data=("mnist",),
    trainings=(_stops(0.99), _RECIPE),
    targets=(
        Target("training accuracy when it stops", "stops.shown", "99 %", at_least(0.99)),
        Target("test accuracy then", "stops.held_out", "98.1 %", SHOWN),
        Target("test accuracy with our recipe", "recipe.held_out", "98.1 %", at_least(0.986)),
    ),
    minutes=3,
    errors=_ARRAY_ERRORS,
    keras=_DENSE.format(data="mnist", target=0.99),
    next=("tellapart project run digits-cnn",),
)

FASHION_CNN = Lesson(
    name="fashion-cnn",
    title="Clothes, seen through convolutions",
    idea=(
        "A convolution looks at a small patch, with the same few weights everywhere. It finds an "
        "edge wherever the edge is, where a dense layer has to learn it anew for each place."
    ),
    task="Fashion-MNIST, convolution and max pooling twice, then dense layers.",
    data=("fashion-mnist",),
    trainings=(_CNN, _RESNET),
    targets=(
        Target("test accuracy with that shape", "cnn.held_out", "90.8 %", at_least(0.92)),
        Target("test accuracy of a residual network", "resnet.held_out", "", SHOWN),
    ),
    minutes=15,
    errors=(_CHANNEL, _SLOW, *_ARRAY_ERRORS),
    keras=_CONVOLUTIONS.format(data="fashion_mnist"),
    next=("Look at the feature maps in the report: what is left of a shoe after each layer?",),
)

DIGITS_CNN = Lesson(
    name="digits-cnn",
    title="Digits, seen through convolutions",
    idea="The same network as for clothes, and nine of ten mistakes of the dense one are gone.",
    task="MNIST, convolution and max pooling twice, then dense layers.",
    data=("mnist",),
    trainings=(_CNN, _RESNET),
    targets=(
        Target("test accuracy with that shape", "cnn.held_out", "99.3 %", at_least(0.993)),
        Target("test accuracy of a residual network", "resnet.held_out", "", SHOWN),
    ),
    minutes=15,
    errors=(_CHANNEL, _SLOW, *_ARRAY_ERRORS),
    keras=_CONVOLUTIONS.format(data="mnist"),
    next=("Look at the mistakes in the report: could you read those digits?",),
)
