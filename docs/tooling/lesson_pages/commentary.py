"""What the pages say about the published figures and the stored results, by lesson."""

from __future__ import annotations

COURSES = "what introductory courses and their notebooks print for it"
"""The source of most published figures."""

SOURCES = {
    "house-prices": "the first exercise of many introductory courses on TensorFlow",
    "more-data": "not drawn by the courses",
}

COMMENTARY = {
    "fashion-dnn": (
        "The accuracy that stops it is that of pictures it has just learned from. On pictures "
        "it has never seen it is lower, and that is the number that counts. The recipe goes on "
        "for 20 epochs with a learning rate that rises and then falls to nothing, leaves out a "
        "fifth of the inputs of each dense layer at random, and moves one picture in five by a "
        "pixel."
    ),
    "digits-dnn": (
        "What makes the difference is not more layers. The first training ends as soon as it "
        "knows 99 % of its own pictures. The recipe makes knowing them by heart harder: a fifth "
        "of the inputs of each dense layer is left out at random, one picture in five is moved "
        "by a pixel, and the learning rate falls to nothing at the end, so that the weights "
        "come to rest."
    ),
    "fashion-cnn": (
        "Shirts are the hard class: at 28 pixels, even people take them for pullovers, coats "
        "and T-shirts. Seven of ten mistakes of the first network here were among these four, "
        "and nine of ten with dresses."
    ),
    "cpu-gpu": (
        "The ratio is of an epoch, and it is as much the engine's as the card's. On that "
        "machine an epoch of `cnn` took JAX 10.4 s on the processor, where it is slow at "
        "convolutions, and 0.11 s on the card. It took PyTorch, which Keras calls operation by "
        "operation, 7.8 s and 0.77 s: 10 times as fast. TensorFlow took 4.1 s on two cores of "
        "another machine. A step of `dnn` is so short that both engines gain 1.5 times."
    ),
    "horses-humans": (
        "A network from scratch knows these 1,000 computer-made pictures and nothing else. What "
        "it gets wrong are horses, most of them rearing or seen from the front: tall and "
        "narrow, as people are. Pretrained features come from a million photographs, of horses "
        "too."
    ),
    "cats-dogs-3k": (
        "The classic network knows nearly all 2,000 of its photographs, and has three of ten "
        "others wrong: it remembers, instead of seeing. The residual network is given each "
        "photograph otherwise in every epoch (mirrored, moved, turned, partly covered, mixed "
        "with another), so that remembering does not help. The probe does not learn to see at "
        "all: it takes features of a network that has seen a million photographs, and only "
        "draws the line between cats and dogs."
    ),
    "cats-dogs-25k": (
        "The classic network now sees ten times as many photographs, each of them varied in "
        "every epoch, and what it knows of them is hardly more than what it knows of others: "
        "the gap is nearly gone. The probe looks at pictures of 288 pixels and not of 224: on "
        "the folds inside the training part that gave 98.9 % instead of 98.7 %, and 256 pixels "
        "as much as that within chance. Small things are larger then; it costs a third of the "
        "time more. (At 224 pixels, an earlier run had 98.46 % of the held-out ones right.)"
    ),
    "more-data": (
        "From scratch, every doubling of the pictures still helps. With pretrained features, "
        "the first few hundred pictures give nearly all there is: the features know what "
        "pictures look like, and only the line between the classes is left to find. Where two "
        "neighboring bars overlap, the step between them may be chance."
    ),
    "happy-sad": (
        "With fewer than 200 pictures, none can be spared to be held out for good: the headline "
        "is from folds, each measured by a network that has not seen it. Look at the interval: "
        "that is what 80 drawings can prove."
    ),
}
