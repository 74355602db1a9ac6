"""Explanations of a model's predictions, and pictures of what its layers compute.

The *evidence* for a class is its logit less the mean of the other classes' logits; for two
classes that is their difference, whose sign is the decision. A heat map shows where in the
picture it comes from, by one of four methods:

- ``evidence``: a probe, and every network that ends in global average pooling and one dense
  layer, is linear over its last feature map. The picture's logits are the mean of the logits of
  the single places, which the file outputs as ``logit_map`` ``[h, w, K]``. So this is exact: the
  mean of the heat map is the evidence. It is the class activation map of B. Zhou et al., Learning
  deep features for discriminative localization, CVPR 2016.
- ``hirescam`` and ``gradcam``: for every network with convolutions.
- ``occlusion``: for every network.

| Module | What it does |
|---|---|
| :mod:`.explanation` | chooses the method and draws the heat map |
| :mod:`.evidence`, :mod:`.gradcam`, :mod:`.occlusion` | the methods |
| :mod:`.maps` | reads feature maps and kernels from the model file |
| :mod:`.kernels` | demonstrates convolutions, without a network |
| :mod:`.views` | sheets of maps, filters and kernels |
| :mod:`.painting`, :mod:`.sheets` | turn numbers into colors; lay pictures out |

All of it runs on ``model.onnx`` alone, without Keras.
"""

from __future__ import annotations

from tellapart.explanations.explanation import METHODS, Explanation, Method, explain, heat_of
from tellapart.explanations.maps import feature_maps, filters
from tellapart.explanations.views import filter_sheet, kernel_sheet, map_sheet

__all__ = [
    "METHODS",
    "Explanation",
    "Method",
    "explain",
    "feature_maps",
    "filter_sheet",
    "filters",
    "heat_of",
    "kernel_sheet",
    "map_sheet",
]
