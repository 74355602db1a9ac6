"""A network as data, and its ONNX form.

Who does what: :mod:`.layers` is the table, :mod:`.onnx_writer` writes it as a file,
:mod:`.containment` refuses files that are more than that, :mod:`.session` opens one,
:mod:`.cut` takes the end of one.
"""

from __future__ import annotations

from tellapart.graph.containment import check_contained
from tellapart.graph.cut import cut_after
from tellapart.graph.layers import (
    INPUT,
    Activation,
    Add,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Graph,
    Layer,
    Luma,
    MaxPool,
    Scale,
    Softmax,
    is_gray,
    leading_to,
    same_padding,
    shapes,
    weight_shapes,
    wired,
)
from tellapart.graph.onnx_writer import Weights, to_onnx
from tellapart.graph.session import only_asked_for, open_session

__all__ = [
    "INPUT",
    "Activation",
    "Add",
    "Conv",
    "Dense",
    "Flatten",
    "GlobalAveragePool",
    "Graph",
    "Layer",
    "Luma",
    "MaxPool",
    "Scale",
    "Softmax",
    "Weights",
    "check_contained",
    "cut_after",
    "is_gray",
    "leading_to",
    "only_asked_for",
    "open_session",
    "same_padding",
    "shapes",
    "to_onnx",
    "weight_shapes",
    "wired",
]
