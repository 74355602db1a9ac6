"""The model file, ``model.onnx``: the whole classifier, from uint8 pixels to probabilities.

The input is ``image``, uint8 ``[N, S, S, 3]`` RGB. The outputs are ``probabilities``, float32
``[N, K]``, and, if the logits are linear over the last feature map, ``logit_map``, float32
``[N, h, w, K]``; its mean over ``h`` and ``w`` is the logits. The file's metadata has the classes,
the size and everything else that is needed to use it.

:mod:`.writing` writes the file, :mod:`.model` opens and runs it, :mod:`.layers` looks into it.

Example:
    >>> model = Model.load("runs/pets-1/model.onnx")  # doctest: +SKIP
    >>> model.run(pixels).argmax(1)  # doctest: +SKIP
"""

from __future__ import annotations

from tellapart.model.model import Model
from tellapart.model.writing import build_network, build_probe

__all__ = ["Model", "build_network", "build_probe"]
