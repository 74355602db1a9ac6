"""Data augmentation: training pictures varied anew in every epoch.

Who does what: :class:`Policy` says what may happen to a picture; :func:`draw` draws what does
happen to each picture of an epoch; :func:`apply` does it to the pixels; :func:`mix` mixes the
pictures of a batch (mixup, cutmix); :func:`default` is the policy of a network unless the user
chooses one; :func:`sheet` draws examples.

Example:
    >>> policy = Policy.parse("flip,shift=0.1")
    >>> pixels = np.zeros((2, 28, 28, 1), np.uint8)
    >>> draws = draw(policy, seed=0, epoch=0, indices=np.arange(2))
    >>> apply(pixels, draws).shape
    (2, 28, 28, 1)
"""

from tellapart.networks.augment.contact_sheet import sheet, variants
from tellapart.networks.augment.defaults import default
from tellapart.networks.augment.mixup_cutmix import mix
from tellapart.networks.augment.policy import PRESETS, Policy
from tellapart.networks.augment.random_draws import Draws, draw
from tellapart.networks.augment.transforms import apply

__all__ = [
    "PRESETS",
    "Draws",
    "Policy",
    "apply",
    "default",
    "draw",
    "mix",
    "sheet",
    "variants",
]
