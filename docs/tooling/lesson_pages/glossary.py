"""The words of the lessons, each in one sentence, and links to them."""

from __future__ import annotations

import re

GLOSSARY = {
    "accuracy": "The share of pictures whose class the model gets right.",
    "augmentation": "Varying training pictures (mirrored, moved, turned) in every epoch.",
    "batch": "The pictures that are processed together before the weights change.",
    "convolution": "A small sum over a patch of the picture, with the same weights everywhere.",
    "dense layer": "Units that each take a weighted sum of all inputs.",
    "dropout": "Leaving out some inputs at random, so that a network relies on no single one.",
    "epoch": "One pass over all training pictures.",
    "feature map": "A convolution's output for a picture: a map of where it finds its pattern.",
    "gap": "Training accuracy minus held-out accuracy; large if pictures were learned by heart.",
    "gradient descent": "Changing each weight a little, in the direction that makes the loss fall.",
    "held-out pictures": "Put aside before training, and used only to measure the model.",
    "interval": "The range of the accuracy on many more such pictures, 95 times out of 100.",
    "learning rate": "The size of a step of gradient descent.",
    "loss": "How wrong the answers are, as one number; training makes it small.",
    "max pooling": "Keeping the largest of each two by two numbers: half the width and height.",
    "overfitting": "Learning the training pictures by heart, instead of what they have in common.",
    "pretrained features": "What a network trained on a million photos computes for a picture.",
    "probe": "A linear head on pretrained features.",
    "residual network": "Convolutions that each add to their input, so that many can be stacked.",
}

_FORMS = {
    "batch": r"batch(es)?",
    "convolution": r"convolution(s|al)?",
    "dense layer": r"dense (layers?|network|units?)",
    "epoch": r"epochs?",
    "feature map": r"feature maps?",
    "held-out pictures": r"held[- ]out|validation part|test accuracy",
    "interval": r"intervals?",
    "overfitting": r"overfit(ting|s)?",
    "augmentation": r"augment(ation)?|varied",
    "residual network": r"residual network|resnet",
}


def anchor(word: str) -> str:
    """The id of a word on the index page."""
    return "word-" + word.replace(" ", "-")


def used(text: str) -> list[str]:
    """The words of the glossary that a text uses, in the glossary's order.

    Example:
        >>> used("Two epochs of gradient descent.")
        ['epoch', 'gradient descent']
    """
    return [
        word
        for word in GLOSSARY
        if re.search(rf"\b({_FORMS.get(word, re.escape(word))})\b", text, re.IGNORECASE)
    ]
