"""A network as a table of layers, and as an ONNX file.

:mod:`.layers` has the table, :mod:`.onnx_writer` writes the file, :mod:`.safety` checks a file
before it is opened, :mod:`.session` opens it, and :mod:`.reading` reads layers and weights from it.
"""

from __future__ import annotations

from tellapart.graph.layers import INPUT, Graph, Layer
from tellapart.graph.onnx_writer import Weights, to_onnx
from tellapart.graph.safety import check_safe
from tellapart.graph.session import only_asked_for, open_session

__all__ = [
    "INPUT",
    "Graph",
    "Layer",
    "Weights",
    "check_safe",
    "only_asked_for",
    "open_session",
    "to_onnx",
]
