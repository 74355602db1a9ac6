"""model.onnx: one file that is the whole classifier, from uint8 pixels to probabilities.

Input ``image``, uint8 ``[N, S, S, 3]`` RGB. Outputs ``probabilities``, float32 ``[N, K]``, and,
where the logits are linear over the last feature map, ``logit_map``, float32 ``[N, h, w, K]``,
whose mean over ``h`` and ``w`` is exactly what goes into the softmax. Classes, size and all
else needed to use it stand in the file's metadata.

Who does what: :mod:`.writing` makes the file, :mod:`.model` opens and runs it.

Example:
    >>> model = Model.load("runs/pets-1/model.onnx")  # doctest: +SKIP
    >>> model.run(pixels).argmax(1)  # doctest: +SKIP
"""

from __future__ import annotations

from tellapart.model.model import Model
from tellapart.model.writing import build_network, build_probe

__all__ = ["Model", "build_network", "build_probe"]
