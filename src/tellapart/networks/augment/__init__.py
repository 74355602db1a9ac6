"""Training pictures varied: what may happen, what is drawn, and how it is applied.

Who does what: :class:`Policy` says what may happen; :func:`draw` draws, for each picture of
each epoch, what does; :func:`apply` does it to the pixels; :func:`mix` mixes pictures inside a
batch; :func:`default` chooses the policy of a network; :func:`sheet` draws what comes out.

Example:
    >>> policy = Policy.parse("flip,shift=0.1")
    >>> pixels = np.zeros((2, 28, 28, 1), np.uint8)
    >>> draws = draw(policy, seed=0, epoch=0, indices=np.arange(2))
    >>> apply(pixels, draws).shape
    (2, 28, 28, 1)
"""

from tellapart.networks.augment.applying import apply
from tellapart.networks.augment.defaults import default
from tellapart.networks.augment.drawing import Draws, draw
from tellapart.networks.augment.mixing import mix
from tellapart.networks.augment.policy import PRESETS, Policy
from tellapart.networks.augment.sheets import sheet, variants

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
