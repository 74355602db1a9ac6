"""The policy that each network gets unless another is asked for, with the reasons."""

from __future__ import annotations

from tellapart.nets.augment.policy import PRESETS, Policy

SMALL = 64
"""Pixels: gray pictures up to this side are taken for digits, letters or icons."""


def default(kind: str, *, gray: bool, size: int) -> Policy:
    """The policy for a network where none was asked for.

    - ``linear`` weighs every pixel by itself: a moved picture is another picture to it, and it
      has too few numbers to learn both. None.
    - Small gray pictures (digits, letters, clothes) are centered, and mirrored they may be
      something else: they are moved by up to two pixels; a ``resnet``, which has the capacity,
      also sees them turned by up to 10 degrees and scaled by 0.9 to 1.1.
    - ``dnn`` on larger pictures has no notion of neighborhood either: what it gains from moved
      pictures does not pay for the time. None.
    - ``cnn`` and ``finetune`` on photographs: ``light``. A thing seen from the left or from the
      right, nearer, or in other light is still that thing.
    - ``resnet`` on photographs: ``light`` with random erasing and cutmix. Trained from nothing
      for many epochs, it would know a few thousand pictures by heart.

    Args:
        kind: ``linear``, ``dnn``, ``cnn``, ``resnet`` or ``finetune``.
        gray: Whether the network takes one channel.
        size: Side of its input, in pixels.

    Example:
        >>> default("dnn", gray=True, size=28).spec
        'shift=0.07'
    """
    small = gray and size <= SMALL
    if kind == "linear" or (kind == "dnn" and not small):
        return PRESETS["none"]
    if small:
        shift = min(round(2.0 / size, 2), 0.1)
        return (
            Policy(shift=shift, rotation=10.0, zoom=0.1)
            if kind == "resnet"
            else Policy(shift=shift)
        )
    if kind == "resnet":
        return PRESETS["light"].model_copy(update={"erase": 0.25, "cutmix": 1.0})
    return PRESETS["light"]
