"""Keras, imported once and quietly, on its engine.

All training code gets Keras from here. The engine is TensorFlow unless the environment variable
``KERAS_BACKEND`` names another.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import sys
from typing import Any

from tellapart.core.errors import SettingsError

DEFAULT_ENGINE = "tensorflow"
ENGINES = ("tensorflow", "jax", "torch")
"""The engines of Keras that can train."""

# Without this, TensorFlow writes pages about its build and devices to standard error. One line
# about oneDNN remains: the variable that removes it would turn off more than the line.
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}

_UNUSED = ("cv2", "matplotlib", "pandas", "sklearn")
"""Packages that Keras and its engines import if they are installed, and no training needs."""


def check() -> None:
    """Refuse early if training cannot work, without importing anything.

    Raises:
        SettingsError: As :func:`keras`.
    """
    engine = os.environ.get("KERAS_BACKEND") or DEFAULT_ENGINE  # to Keras, "" is unset
    if engine not in ENGINES:
        raise _unknown(engine)
    for name in ("keras", engine):
        if importlib.util.find_spec(name) is None:
            raise _missing(engine, f"the package {name} is not installed")


def keras() -> Any:
    """The module ``keras``, on the engine that ``KERAS_BACKEND`` names.

    Environment variables that are already set are not changed.

    Raises:
        SettingsError: With code ``extra_missing`` if Keras or its engine is not installed,
            ``unknown_engine`` if there is no engine of this name.
    """
    if "keras" not in sys.modules:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
    engine = os.environ.setdefault("KERAS_BACKEND", DEFAULT_ENGINE)
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        raise _missing(engine, f"it cannot be imported: {error}") from error
    except ValueError as error:  # what Keras raises for an engine it does not know
        raise _unknown(engine) from error


def start() -> None:
    """Import Keras in half the time, in a process that does nothing but train.

    Half of the time is scikit-learn, for a wrapper of models (3 of 6.5 s on TensorFlow, 2 of 4 s
    on JAX), and half a second is garbage collection of objects that live to the end. The packages
    left out cannot be imported in this process later.

    Raises:
        SettingsError: As :func:`keras`.
    """
    for name in _UNUSED:
        # None means to Python that there is no such module.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    gc.disable()
    try:
        keras()
    finally:
        gc.freeze()
        gc.enable()


def engine() -> dict[str, str]:
    """The versions that train: ``keras``, ``engine`` (its name) and ``engine_version``.

    Raises:
        SettingsError: As :func:`keras`.
    """
    module = keras()
    name = str(module.backend.backend())
    version = getattr(sys.modules.get(name), "__version__", "unknown")
    return {"keras": str(module.__version__), "engine": name, "engine_version": str(version)}


def _missing(engine: str, why: str) -> SettingsError:
    install = "Run: pip install 'tellapart[keras]'"
    if engine != DEFAULT_ENGINE:
        install += f" {engine} (or unset KERAS_BACKEND to train on {DEFAULT_ENGINE})"
    return SettingsError(
        f"Networks are trained with Keras on {engine}, but {why}.",
        remedy=f"{install}.",
        code="extra_missing",
    )


def _unknown(engine: str) -> SettingsError:
    return SettingsError(
        f"The environment variable KERAS_BACKEND is {engine!r}, which cannot train.",
        remedy=f"Set it to {', '.join(ENGINES[:-1])} or {ENGINES[-1]}, or leave it unset.",
        code="unknown_engine",
    )
