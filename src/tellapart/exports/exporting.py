"""An export from beginning to end: pictures, files, the check in its own runtime, the place.

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
from typing import Any

from tellapart.core.errors import ModelError, SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Floats
from tellapart.exports import folder as folders
from tellapart.exports.parity import SHOWN, Parity, compared
from tellapart.exports.pictures import Pictures, RunData
from tellapart.exports.readme import page
from tellapart.exports.registry import target_named
from tellapart.exports.target import Answers, Target, Work, in_batches
from tellapart.pipelines.check import lies_inside
from tellapart.runs import Run


@dataclass(frozen=True)
class Export:
    """An export that was checked and put in place.

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
            "schema": folders.SCHEMA,
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
    accept_processor_differences: bool = False,
    progress: Progress = SILENT,
) -> Export:
    """Export a run's model, checked in its own runtime on the pictures that the run held out.

    Args:
        run: The run.
        to: Name of a target, or one.
        out: The folder to write; ``exports/RUN-TARGET`` unless given. An earlier export there is
            replaced.
        data: Where the run's data lies now, if it was moved.
        accept_processor_differences: Make an export whose answers depend on the processor
            (``onnx-int8``). Other targets do not need it.
        progress: Who is told how far it is.

    Raises:
        SettingsError: If there is no such target, or an extra is missing. With code
            ``int8_varies`` if answers depend on the processor and this was not accepted.
        RunError: If the data is gone or changed, or ``out`` cannot be written.
        ModelError: With code ``parity`` if the target does not answer what ``model.onnx`` does;
            nothing is put in place then.
    """
    target = target_named(to) if isinstance(to, str) else to
    if target.depends_on_processor and not accept_processor_differences:
        raise _varies(target)
    target.check()
    place = Path(out) if out is not None else folders.default_out(run, target.name)
    folders.check_free(place)
    found = RunData(run, data, folders.scratch_of(place))
    with contextlib.closing(found.catalog.source):
        if lies_inside(place, found.catalog):
            raise SettingsError(
                f"--out {place} lies inside the folder of the pictures.",
                remedy="Choose a folder outside it: nothing is written among your pictures.",
            )
        held_out = found.held_out()
        with folders.placing(place) as filled:
            work = Work(
                run=run,
                model=run.model,
                held_out=held_out,
                expected=_expected(run, held_out, progress),
                training=found.training,
                scratch=found.folder,
                progress=progress,
            )
            card = folders.card_of(run, target.name, target.main)
            card, parity = _written(target, filled, card, found.of, work)
    return Export(target.name, place, card, parity)


def _written(
    target: Target, filled: Path, card: dict[str, Any], of: str, work: Work
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Card and parity of a target that was written and agrees.

    Raises:
        ModelError: If it does not agree.
    """
    with work.progress.stage("Writing", unit="files") as stage:
        more = target.write(filled, card, work)
        card = {**card, **more}
        stage.summarize(f"{target.main} · {folders.size_of(filled) / 1e6:,.1f} MB")
    with work.progress.stage("Checking", total=len(work.held_out)) as stage:
        answers = target.predict(filled, work, stage.advance)
        stage.summarize(f"in {answers.runtime}")
    found = compared(work.expected, answers.probabilities, work.held_out.labels)
    parity = _parity_json(target, found, answers, of, work)
    if breaches := found.breaches(target.tolerance):
        raise _differs(target, breaches, parity["differing"])
    folders.seal(filled, card, parity, page(target.usage, card, parity))
    return card, parity


def _varies(target: Target) -> SettingsError:
    return SettingsError(
        f"The answers of an export to {target.name} depend on the processor: on a processor "
        "without VNNI, many pictures can get another class. tellapart can only check the export "
        "on this computer's processor.",
        remedy="Use another target, such as --to onnx. If you will check the export yourself on "
        "every kind of processor that it will run on, add --accept-processor-differences "
        "(in Python: accept_processor_differences=True).",
        code="int8_varies",
    )


def _differs(
    target: Target, breaches: Sequence[str], differing: Sequence[Mapping[str, Any]]
) -> ModelError:
    """The error about a target that does not agree, with the plainest case."""
    such = "".join(
        f" The plainest: {one['path']}, {one['onnx']} from model.onnx, is {one['target']} there."
        for one in differing[:1]
    )
    # Who asks for the same numbers has a fault where they are not; others may simply not be near.
    told = target.tolerance.max_difference is not None
    remedy = "Please report this with the versions that 'pip list' shows." if told else ""
    return ModelError(
        f"The export to {target.name} does not answer what model.onnx does: "
        f"{'; '.join(breaches)}.{such}",
        remedy=f"Nothing was put in place. {remedy or 'Use another target, such as --to onnx.'}",
        code="parity",
    )


def _expected(run: Run, pictures: Pictures, progress: Progress) -> Floats:
    """What ``model.onnx`` predicts for the pictures, float32 ``[n, K]``."""
    pixels = pictures.load(progress)
    with progress.stage("Running", total=len(pixels)) as stage:
        found = in_batches(run.model.run, pixels, len(run.classes), stage.advance)
        stage.summarize("model.onnx, as the run measured it")
    return found


def _parity_json(
    target: Target, found: Parity, answers: Answers, of: str, work: Work
) -> dict[str, Any]:
    names, expected = work.model.classes, work.expected
    theirs = answers.probabilities
    differing = [
        {
            "path": work.held_out.paths[place],
            "onnx": names[int(expected[place].argmax())],
            "onnx_probability": round(float(expected[place].max()), 6),
            "target": names[int(theirs[place].argmax())],
            "target_probability": round(float(theirs[place].max()), 6),
        }
        for place in found.differing[:SHOWN]
    ]
    return {
        "schema": folders.SCHEMA,
        "target": target.name,
        "of": of,
        **found.as_json(target.tolerance),
        "runtime": answers.runtime,
        "differing": differing,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **answers.more,
    }
