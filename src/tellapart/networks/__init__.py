"""Networks trained from pixels with Keras: the optional extra ``keras``.

Who does what: :class:`networks.Spec` is a network in numbers and :mod:`.twin` builds it;
:class:`Recipe` says how it is trained, a :class:`Job` what on what; :func:`process.fit` trains a
job in a child process and returns a :class:`Fitted`.

::

    process ─► worker (the child) ─► fitting ─► attempt, the loop
        ├─► starting               what is "auto" (finder, measuring)
        ├─► feeding                batches, augmented (augment)
        ├─► learner                Keras model and optimizer (twin, schedules)
        ├─► stopping               target, patience, budget, no number any more
        └─► checkpoints, fitted    files (arrays)

Nothing here imports Keras before something is built; the parent of a training never does.
"""

from __future__ import annotations

from tellapart.networks.process.fitted import Fitted
from tellapart.networks.process.job import Job
from tellapart.networks.spec.recipes import Recipe, Stage

__all__ = ["Fitted", "Job", "Recipe", "Stage"]
