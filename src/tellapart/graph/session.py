"""Sessions of ONNX Runtime, with the same options everywhere."""

from __future__ import annotations

from typing import Any


def open_session(data: bytes, *, threads: int = 1, spin: bool = False) -> Any:
    """An ``onnxruntime.InferenceSession`` on the processor.

    Its ``run`` may be called from several threads at once.

    Args:
        data: The ONNX file; ONNX Runtime's own format is refused.
        threads: Threads within one call of ``run``. With 1, the caller's thread does the work: two
            callers on two cores are as fast as one caller with two threads, and decoding fills
            the gaps.
        spin: Whether the threads of a call wait for each other by spinning, which is faster if the
            cores are free. Between calls they sleep.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised as exceptions anyway
    # Spinning threads would take the cores from decoding the next pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def only_asked_for() -> Any:
    """Options for a ``run`` that computes only what the requested outputs need."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    return options
