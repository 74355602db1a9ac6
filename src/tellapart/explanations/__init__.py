"""Why a model says what it says of a picture, and what its layers see.

Where the evidence lies, as a heat map, in one of several ways. *Evidence*: a probe and every
network that ends in global average pooling and one dense layer is linear over its last
feature map, so the picture's logits are the mean, over all places of the map, of the logits that
each place would have alone. The file gives these as ``logit_map`` ``[h, w, K]``, so nothing is
approximated: the mean of the heat map is the logit's lead itself. That is the class activation
map of B. Zhou et al., Learning deep features for discriminative localization, CVPR 2016.
*HiResCAM* and *Grad-CAM* are for all convolutional networks, *occlusion* for all there are.

The evidence for a class is its logit less the mean of the other classes' logits; for two
classes, the difference of both, whose sign is the decision.

Who does what: :mod:`.explanation` chooses the way and draws the answer, :mod:`.gradcam` and
:mod:`.occlusion` are the other ways, :mod:`.leads` says what all of them account for;
:mod:`.maps` takes feature maps and kernels out of the file, :mod:`.kernels` is a lesson without
a network, :mod:`.views` makes sheets of both; :mod:`.painting` turns numbers into colors and
:mod:`.sheets` lays pictures out. All of it runs on ``model.onnx`` alone, without Keras.
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
