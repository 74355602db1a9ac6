"""A network as data, and its ONNX form.

Who does what: :mod:`.layers` is the table, :mod:`.onnx_writer` writes it as a file,
:mod:`.containment` refuses files that are more than that, :mod:`.session` opens one,
:mod:`.cut` takes the end of one.
"""

from __future__ import annotations

from tellapart.graph.containment import check_contained
from tellapart.graph.cut import cut_after
from tellapart.graph.layers import INPUT, Graph, Layer
from tellapart.graph.onnx_writer import Weights, to_onnx
from tellapart.graph.session import only_asked_for, open_session

__all__ = [
    "INPUT",
    "Graph",
    "Layer",
    "Weights",
    "check_contained",
    "cut_after",
    "only_asked_for",
    "open_session",
    "to_onnx",
]
