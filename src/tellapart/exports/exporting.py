"""An export from beginning to end: find the pictures, write the files, check them, save.

Example:
    >>> done = export_run(open_run("runs/pets-1"), to="onnx")  # doctest: +SKIP
    >>> done.parity["same_top1"]  # doctest: +SKIP
    1.0
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tellapart.core.errors import ModelError, SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Floats
from tellapart.exports.card import SCHEMA, card_of
from tellapart.exports.folder import check_free, default_out, placing, scratch_of, seal, size_of
from tellapart.exports.parity import SHOWN, compared
from tellapart.exports.pictures import SAMPLE, Pictures, RunData
from tellapart.exports.readme import page
from tellapart.exports.registry import target_named
from tellapart.exports.target import Answers, Target, Work, in_batches
from tellapart.pipelines.check import is_inside
from tellapart.runs import Run

Verify = Literal["sample", "all"]


@dataclass(frozen=True)
class Export:
    """An export that was checked and saved.

    Attributes:
        target: What ``--to`` called it.
        path: Its folder.
        card: Content of ``tellapart.json``.
        parity: Content of ``parity.json``.
    """

    target: str
    path: Path
    card: Mapping[str, Any]
    parity: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The document of ``export --json``."""
        return {
            "schema": SCHEMA,
            "target": self.target,
            "path": str(self.path),
            "parity": dict(self.parity),
        }


def export_run(
    run: Run,
    *,
    to: str | Target,
    out: str | Path | None = None,
    data: str | Path | None = None,
    verify: Verify | None = None,
    accept_processor_differences: bool = False,
    progress: Progress = SILENT,
) -> Export:
    """Export a run's model, checked in its own runtime on the pictures that the run held out.

    Args:
        run: The run.
        to: Name of a target, or a target.
        out: The folder to write; ``exports/RUN-TARGET`` unless given. An earlier export there is
            replaced.
        data: Where the run's data is now, if it was moved.
        verify: ``"sample"`` to check on some of the held-out pictures, ``"all"`` for all. Unless
            given, a sample for ``web`` and all for the others.
        accept_processor_differences: Required for ``onnx-int8``, whose answers can depend on the
            processor. Other targets ignore it.
        progress: Where progress is reported.

    Raises:
        SettingsError: If there is no such target, or an extra is missing. With code
            ``int8_varies`` if answers depend on the processor and this was not accepted.
        RunError: If the data is gone or has changed, or ``out`` cannot be written.
        ModelError: With code ``parity`` if the target does not agree with ``model.onnx``; nothing
            is saved then.
    """
    target = target_named(to) if isinstance(to, str) else to
    if verify not in (None, *get_args(Verify)):
        raise SettingsError(f"verify is 'sample' or 'all', not {verify!r}.")
    if target.depends_on_processor and not accept_processor_differences:
        raise _varies(target)
    target.check()
    place = Path(out) if out is not None else default_out(run, target.name)
    check_free(place)
    found = RunData(run, data, scratch_of(place))
    with contextlib.closing(found.catalog.source):
        if is_inside(place, found.catalog):
            raise SettingsError(
                f"--out {place} is inside the folder of the pictures.",
                remedy="Choose a folder outside it: nothing is written among your pictures.",
            )
        whole = verify == "all" or (verify is None and not target.slow)
        held_out, sample = found.held_out(None if whole else SAMPLE)
        with placing(place) as filled:
            work = Work(
                run=run,
                model=run.model,
                held_out=held_out,
                expected=_expected(run, held_out, progress),
                training=found.training,
                scratch=found.folder,
                progress=progress,
            )
            card = card_of(run, target.name, target.main)
            with progress.stage("Writing", unit="files") as stage:
                card |= target.write(filled, card, work)
                stage.summarize(f"{target.main} · {size_of(filled) / 1e6:,.1f} MB")
            with progress.stage("Checking", total=len(held_out)) as stage:
                answers = target.predict(filled, work, stage.advance)
                stage.summarize(f"in {answers.runtime}")
            about = {"of": found.of, "sample": sample}
            parity = _parity(target, answers, work, about)
            seal(filled, card, parity, page(target.usage, card, parity))
    return Export(target.name, place, card, parity)


def _expected(run: Run, pictures: Pictures, progress: Progress) -> Floats:
    """What ``model.onnx`` predicts for the pictures, float32 ``[n, K]``."""
    pixels = pictures.load(progress)
    with progress.stage("Running", total=len(pixels)) as stage:
        found = in_batches(run.model.run, pixels, len(run.classes), stage.advance)
        stage.summarize("model.onnx, as the run measured it")
    return found


def _parity(
    target: Target, answers: Answers, work: Work, about: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of ``parity.json``.

    Raises:
        ModelError: If the target does not agree with ``model.onnx``.
    """
    names, theirs = work.model.classes, answers.probabilities
    found = compared(work.expected, theirs, work.held_out.labels)
    differing = [
        {
            "path": work.held_out.paths[place],
            "onnx": names[int(work.expected[place].argmax())],
            "onnx_probability": round(float(work.expected[place].max()), 6),
            "target": names[int(theirs[place].argmax())],
            "target_probability": round(float(theirs[place].max()), 6),
        }
        for place in found.differing[:SHOWN]
    ]
    if breaches := found.breaches(target.tolerance):
        raise _differs(target, breaches, differing)
    return {
        "schema": SCHEMA,
        "target": target.name,
        **about,
        **found.as_json(target.tolerance),
        "runtime": answers.runtime,
        "differing": differing,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **answers.more,
    }


def _varies(target: Target) -> SettingsError:
    return SettingsError(
        f"The answers of an export to {target.name} can depend on the processor, and tellapart "
        "can check them on this computer's processor only. Measured on a processor without VNNI: "
        "with 8-bit weights, 21 of 48 digits got another class; with 7-bit weights, which are "
        "used where they are enough, none did.",
        remedy="Use another target, such as --to onnx. Or check the export yourself on every kind "
        "of processor that it will run on, and add --accept-processor-differences "
        "(in Python: accept_processor_differences=True).",
        code="int8_varies",
    )


def _differs(
    target: Target, breaches: Sequence[str], differing: Sequence[Mapping[str, Any]]
) -> ModelError:
    """The error about a target that does not agree, with the clearest case."""
    such = "".join(
        f" The clearest case: {one['path']} is {one['onnx']} in model.onnx and {one['target']} in "
        "the export."
        for one in differing[:1]
    )
    # A target that promises the same numbers has a fault; others may simply not be close enough.
    promised = target.tolerance.max_difference is not None
    remedy = (
        "Please report this with the versions that 'pip list' shows."
        if promised
        else "Use another target, such as --to onnx."
    )
    return ModelError(
        f"The export to {target.name} does not agree with model.onnx: {'; '.join(breaches)}.{such}",
        remedy=f"Nothing was saved. {remedy}",
        code="parity",
    )
