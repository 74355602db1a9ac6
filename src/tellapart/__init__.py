"""From a folder of labeled pictures to a classifier you can trust.

Example:
    >>> import tellapart as ta
    >>> ta.check("pets/").findings  # doctest: +SKIP
    >>> run = ta.train("pets/")  # doctest: +SKIP
    >>> run.metrics["held_out"]["accuracy"]  # doctest: +SKIP
    >>> ta.load(run.path).predict("new.jpg")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from tellapart.core.version import __version__

if TYPE_CHECKING:
    from tellapart.api import Check, Classifier, check, compare, evaluate, load, resume, scan, train
    from tellapart.core.errors import TellapartError
    from tellapart.inference.prediction import Prediction
    from tellapart.runs import Run
    from tellapart.scanning.scanner import Scan

# Before ONNX Runtime is loaded: else it keeps an id of the machine in the user's cache, and sends
# what it did with models to its maker (docs/decisions/0082).
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Where each public name lives; imported on first use, so that `import tellapart` stays quick.
_HOMES = {
    "Check": "tellapart.api",
    "Classifier": "tellapart.api",
    "Prediction": "tellapart.inference.prediction",
    "Run": "tellapart.runs",
    "Scan": "tellapart.scanning.scanner",
    "TellapartError": "tellapart.core.errors",
    "check": "tellapart.api",
    "compare": "tellapart.api",
    "evaluate": "tellapart.api",
    "load": "tellapart.api",
    "resume": "tellapart.api",
    "scan": "tellapart.api",
    "train": "tellapart.api",
}

__all__ = [
    "Check",
    "Classifier",
    "Prediction",
    "Run",
    "Scan",
    "TellapartError",
    "__version__",
    "check",
    "compare",
    "evaluate",
    "load",
    "resume",
    "scan",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tellapart' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
