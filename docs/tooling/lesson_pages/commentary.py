"""What the pages say about the published figures and the stored results, by lesson."""

from __future__ import annotations

COURSES = "what introductory courses and their notebooks print"
"""The source of most published figures."""

SOURCES = {
    "house-prices": "the first exercise of many introductory courses on TensorFlow",
    "more-data": "not drawn by the courses",
}

COMMENTARY = {
    "fashion-dnn": (
        "The accuracy that stops it is measured on pictures it has just learned from. On "
        "pictures it has never seen the accuracy is lower, and that is the number that counts. "
        "The recipe trains for 20 epochs with a learning rate that rises and then falls to "
        "zero, drops a fifth of the inputs of each dense layer at random, and moves one picture "
        "in five by a pixel."
    ),
    "digits-dnn": (
        "More layers do not make the difference. The first training ends as soon as it gets 99 "
        "% of its own pictures right. The recipe makes it harder to learn them by heart: it "
        "drops a fifth of the inputs of each dense layer at random, moves one picture in five "
        "by a pixel, and lets the learning rate fall to zero, so that the weights settle."
    ),
    "fashion-cnn": (
        "Shirts are the hard class: at 28 pixels, even people confuse them with pullovers, "
        "coats and T-shirts. Seven of ten mistakes of the first network were among these four "
        "classes, and nine of ten among these and dresses."
    ),
    "cpu-gpu": (
        "The ratio is for an epoch, and it depends on the engine as much as on the card. On "
        "that machine JAX took 10.4 s for an epoch of `cnn` on the processor, where it is slow "
        "at convolutions, and 0.11 s on the card. PyTorch, which Keras calls operation by "
        "operation, took 7.8 s and 0.77 s: 10 times as fast. TensorFlow took 4.1 s on two cores "
        "of another machine. A step of `dnn` is so short that both engines gain only a factor "
        "of 1.5."
    ),
    "horses-humans": (
        "A network from scratch has seen these 1,000 computer-generated pictures and nothing "
        "else. Its mistakes are horses, most of them rearing or seen from the front: tall and "
        "narrow, like people. Pretrained features come from a million photographs, horses among "
        "them."
    ),
    "cats-dogs-3k": (
        "The classic network gets nearly all of its 2,000 photographs right, and three of ten "
        "others wrong: it has memorized them. The residual network gets each photograph in a "
        "different form in every epoch (mirrored, moved, turned, partly covered, mixed with "
        "another), so memorizing does not help. The probe does not learn to see at all: it "
        "takes features of a network trained on a million photographs, and only finds the "
        "boundary between cats and dogs."
    ),
    "cats-dogs-25k": (
        "The classic network now sees ten times as many photographs, with augmentation, and "
        "does hardly better on them than on others: the gap is nearly gone. The probe uses "
        "pictures of 288 pixels instead of 224, where small things are larger. On the folds "
        "inside the training part that gave 98.9 % instead of 98.7 %, and 256 pixels gave the "
        "same as 288 within chance; it takes a third more time. (At 224 pixels, an earlier run "
        "got 98.46 % of the held-out pictures right.)"
    ),
    "more-data": (
        "From scratch, every doubling of the pictures still helps. With pretrained features, "
        "the first few hundred pictures give nearly the full accuracy: the features already "
        "describe pictures well, and only the boundary between the classes is left to find. "
        "Where two neighboring bars overlap, the step between them may be chance."
    ),
    "happy-sad": (
        "Fewer than 200 pictures are too few to hold some out. The accuracy at the top is "
        "therefore from folds: each is measured by a network that has not seen it. Look at the "
        "interval: it shows what 80 drawings can prove."
    ),
}
