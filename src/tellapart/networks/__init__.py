"""Networks trained from pixels with Keras: the optional extra ``keras``.

Who does what: a :class:`.Spec` is a network in numbers; a :class:`Recipe` says how it is trained,
and a :class:`Job` what on what; :func:`.process.fit` trains a job in a child process and returns a
:class:`Fitted`.

::

    spec/     architectures, layer_tables, input_size, recipes
    augment/  defaults, policy, random_draws, transforms, mixup_cutmix, preview
    loop/     trainer ─► tuning            what is "auto": precision, learning rate, epochs
                     ├─► batches           gathered and augmented
                     ├─► learner           Keras model, optimizer and learning rate
                     ├─► stop_reasons      target, patience, budget, divergence, …
                     ├─► out_of_memory     trains again with half the batch
                     └─► checkpoints
    process/  the child process
    devices/  the same training on every device

Nothing here imports Keras before a network is built, and the parent of a training never does.
"""

from __future__ import annotations

from tellapart.networks.process.fitted import Fitted
from tellapart.networks.process.job import Job
from tellapart.networks.spec.recipes import Recipe, Stage

__all__ = ["Fitted", "Job", "Recipe", "Stage"]
