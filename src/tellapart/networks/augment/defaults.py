"""The augmentation of each network unless the user chooses another, with the reasons."""

from __future__ import annotations

from tellapart.networks.augment.policy import PRESETS, Policy

SMALL = 64
"""Gray pictures up to this side in pixels are treated as digits, letters or icons."""

_PIXELS, _DENSE_PIXELS = 2.0, 0.56
"""The most that small gray pictures are shifted. Shifts are rounded to whole pixels: with 0.56, one
time in nine in each direction, so that one picture in five is shifted."""


def default(kind: str, *, gray: bool, size: int) -> Policy:
    """The default policy of a network.

    - ``linear`` weighs each pixel separately: a shifted picture is another picture to it, and it
      has too few weights to learn both. None.
    - Small gray pictures (digits, letters, clothes) are centered, and a mirrored one may mean
      something else. ``cnn`` and ``resnet`` get shifts of up to two whole pixels: rotation and
      zoom would blur the pictures, and the held-out ones are not blurred
      (docs/decisions/0067 has the trials). For ``dnn``, a shifted picture is another picture, so
      only a few are shifted, by one pixel: on MNIST that gains 0.3 points (98.7 instead of 98.4 %
      of a slice of 10,000), and more of it costs clothes a point or two.
    - ``dnn`` on larger pictures has no notion of neighboring pixels either: what it gains from
      shifted pictures is not worth the time. None.
    - ``cnn`` and ``finetune`` on photographs: ``light``. A thing seen from the left or right,
      nearer or in other light is still that thing.
    - ``resnet`` on photographs: more than ``light``, with random erasing and cutmix. It trains from
      random weights for many epochs and would memorize a few thousand pictures.

    Args:
        kind: ``linear``, ``dnn``, ``cnn``, ``resnet`` or ``finetune``.
        gray: Whether the network takes one channel.
        size: Side of its input in pixels.

    Example:
        >>> default("dnn", gray=True, size=28).text
        'shift=0.02'
    """
    small = gray and size <= SMALL
    if kind == "linear" or (kind == "dnn" and not small):
        return PRESETS["none"]
    if small:
        if kind == "dnn":
            return Policy(shift=round(_DENSE_PIXELS / size, 4))
        return Policy(shift=min(round(_PIXELS / size, 2), 0.1))
    if kind == "resnet":
        return PRESETS["light"].model_copy(update=_RESNET)
    return PRESETS["light"]


_RESNET = {"zoom": 0.35, "brightness": 0.3, "contrast": 0.3, "erase": 0.25, "cutmix": 0.5}
"""Added to ``light`` for photographs; docs/decisions/0067 has the trials."""
