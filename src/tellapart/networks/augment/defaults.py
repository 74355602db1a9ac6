"""The policy that each network gets unless another is asked for, with the reasons."""

from __future__ import annotations

from tellapart.networks.augment.policy import PRESETS, Policy

SMALL = 64
"""Pixels: gray pictures up to this side are taken for digits, letters or icons."""

_PIXELS, _DENSE_PIXELS = 2.0, 0.56
"""Pixels by which small gray pictures are moved at most. In the end they are moved by whole ones:
where it is 0.56, one time in nine each way, so that one picture in five is moved."""


def default(kind: str, *, gray: bool, size: int) -> Policy:
    """The policy for a network where none was asked for.

    - ``linear`` weighs every pixel by itself: a moved picture is another picture to it, and it
      has too few numbers to learn both. None.
    - Small gray pictures (digits, letters, clothes) are centered, and mirrored they may be
      something else. A ``cnn`` or ``resnet`` sees them moved by up to two pixels, always by whole
      ones: what is turned or scaled is blurred, and the pictures to be told apart are not
      (docs/decisions/0067 has the trials). A ``dnn``, to which a moved picture is another one,
      sees a few moved by one pixel: on MNIST that gives it 0.3 points (98.7 instead of 98.4 % of a
      slice of 10,000), and more of it costs clothes a point or two.
    - ``dnn`` on larger pictures has no notion of neighborhood either: what it gains from moved
      pictures does not pay for the time. None.
    - ``cnn`` and ``finetune`` on photographs: ``light``. A thing seen from the left or from the
      right, nearer, or in other light is still that thing.
    - ``resnet`` on photographs: more of ``light``, random erasing and cutmix. Trained from nothing
      for many epochs, it would know a few thousand pictures by heart.

    Args:
        kind: ``linear``, ``dnn``, ``cnn``, ``resnet`` or ``finetune``.
        gray: Whether the network takes one channel.
        size: Side of its input, in pixels.

    Example:
        >>> default("dnn", gray=True, size=28).spec
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
        return PRESETS["light"].model_copy(update=_FROM_NOTHING)
    return PRESETS["light"]


_FROM_NOTHING = {"zoom": 0.35, "brightness": 0.3, "contrast": 0.3, "erase": 0.25, "cutmix": 0.5}
"""What photographs get on top where nothing is known before; docs/decisions/0067 has the trials."""
