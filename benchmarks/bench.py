"""What a row measures with: pictures, processes, and repeats that survive an interruption."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import pictures, processes
from benchmarks.processes import Finished

WORK = Path(__file__).parent / ".work"
SMALL = 24
"""Pictures of each class and part when something is only tried."""

Said = dict[str, Any]


class Bench:
    """One row's measuring.

    Args:
        row: The row's name.
        repeats: How often each side is measured.
        small: Only try it, on a few pictures.
        code: Hash of the measured sources.
        any_code: Go on with repeats of other sources too. Otherwise they are measured again.
        work: Where pictures, caches and unfinished repeats lie.

    Attributes:
        raw: What each repeat said, by side.
        versions: Of the packages of the peers that ran.
        codes: Hashes of all sources that repeats were measured with, the oldest first.
    """

    def __init__(
        self,
        row: str,
        *,
        repeats: int,
        small: bool = False,
        code: str = "",
        any_code: bool = False,
        work: Path = WORK,
    ) -> None:
        self.row = row
        self.repeats = repeats
        self.small = small
        self.raw: dict[str, list[Said]] = {}
        self.versions: dict[str, str] = {}
        self.codes: list[str] = []
        self._code = code
        self._any_code = any_code
        self._work = work
        work.mkdir(parents=True, exist_ok=True)
        self._unfinished = work / "unfinished" / f"{row}.json"
        if not small:
            self._take_up()

    # ------------------------------------------------------------------ repeats

    def in_turn(
        self, sides: Mapping[str, Callable[[], Said]], *, repeats: int | None = None
    ) -> dict[str, list[Said]]:
        """Measure every side once, then every side again: A B A B A B.

        Args:
            sides: What measures each side, by its name in the raw numbers.
            repeats: How often, instead of the bench's own number.

        Returns:
            What each repeat said, by side.
        """
        times = self.repeats if repeats is None else repeats
        for turn in range(times):
            for name, measure in sides.items():
                known = self.raw.setdefault(name, [])
                if len(known) <= turn:
                    said = _rounded(measure())
                    self.versions.update(said.pop("versions", {}))
                    known.append(said)
                    if self._code not in self.codes:
                        self.codes.append(self._code)
                    self._keep()
                    self.say(f"{turn + 1}/{times} {name}: {_brief(said)}")
        return {name: self.raw[name][:times] for name in sides}

    def by_seed(self, sides: Mapping[str, Callable[[int], Said]]) -> dict[str, list[Said]]:
        """Like :meth:`in_turn`, each turn with a seed of its own: 0, 1, 2 and so on."""

        def seeded(name: str, measure: Callable[[int], Said]) -> Callable[[], Said]:
            return lambda: measure(len(self.raw[name]))

        return self.in_turn({name: seeded(name, side) for name, side in sides.items()})

    def finished(self) -> None:
        """Forget the unfinished repeats: the row's result is kept now."""
        self._unfinished.unlink(missing_ok=True)

    def say(self, text: str) -> None:
        """Tell how far it is, on standard error."""
        print(f"{self.row}  {text}", file=sys.stderr, flush=True)

    def _take_up(self) -> None:
        try:
            kept = json.loads(self._unfinished.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if kept["raw"] and (self._any_code or set(kept["codes"]) == {self._code}):
            self.raw, self.versions, self.codes = kept["raw"], kept["versions"], kept["codes"]
            self.say("going on with the repeats of an interrupted run")

    def _keep(self) -> None:
        if self.small:
            return
        self._unfinished.parent.mkdir(parents=True, exist_ok=True)
        kept = {"codes": self.codes, "raw": self.raw, "versions": self.versions}
        unfinished = self._unfinished.with_suffix(".partial")
        unfinished.write_text(json.dumps(kept), encoding="utf-8")
        unfinished.replace(self._unfinished)

    # ------------------------------------------------------------------ pictures

    def archive(self, name: str) -> Path:
        """A data set as its archive; a small part of it where the row is only tried."""
        whole = pictures.data_set(name)
        if not self.small:
            return whole
        return pictures.sample(whole, self._work / "small" / name, SMALL)

    def folder(self, name: str) -> Path:
        """The same as a folder with a sub-folder a class."""
        parent = self._work / ("small-folders" if self.small else "folders")
        return pictures.extract(self.archive(name), parent / Path(name).stem)

    def copies(self, name: str, count: int) -> Path:
        """A folder of ``count`` changed copies of a data set."""
        parent = self._work / ("small-folders" if self.small else "folders")
        target = parent / f"{Path(name).stem}-copies-{count}"
        if not target.exists():
            self.say(f"making {count:,} copies")
        return pictures.multiply(self.archive(name), target, count)

    def in_parts(self, name: str) -> Path:
        """A data set without parts as a folder with ``train/`` and ``validation/``."""
        parent = self._work / ("small-folders" if self.small else "folders")
        target = parent / f"{Path(name).stem}-parts"
        return pictures.deal(self.archive(name), target, share=0.2)

    def arrays(self, name: str) -> Path:
        """A folder of the four IDX files of ``mnist`` or ``fashion-mnist``."""
        whole = pictures.arrays(name)
        if not self.small:
            return whole
        return pictures.few_arrays(whole, self._work / "small" / name, 20 * SMALL)

    def count(self, path: Path) -> int:
        """How many pictures an archive or a folder holds."""
        if path.is_dir():
            return pictures.count_pictures(path)
        with zipfile.ZipFile(path) as archive:
            return len(pictures.members(archive))

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Path]:
        """An empty folder that is gone afterwards: for a cold cache, and for runs."""
        folder = Path(tempfile.mkdtemp(prefix="fresh-", dir=self._work))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def warm_cache(self) -> Path:
        """A cache that stays from run to run."""
        return self._work / "cache"

    # ------------------------------------------------------------------ processes

    def tellapart(self, *arguments: str | Path, cache: Path, watch: bool = False) -> Finished:
        """Run the command ``tellapart``, the start of its process included."""
        command = [*processes.tellapart_command(), *arguments]
        env = processes.our_environment(cache)
        return processes.run(command, env=env, cwd=self._work, watch_memory=watch)

    def train(
        self,
        data: Path,
        folder: Path,
        *options: str,
        cache: Path,
        watch: bool = False,
    ) -> Said:
        """Run ``tellapart train DATA --json`` with the run in ``folder``.

        Returns:
            ``seconds`` of the whole process; ``timings``, ``held_out``, ``train_accuracy`` and
            ``verdict`` as it gave them, ``as_given`` where copies make a difference; of a
            network ``epochs`` (seconds of each) and ``shown_accuracy`` (the last epoch's running
            training accuracy); ``memory_mb`` from outside with ``watch``.
        """
        command = ("train", data, *options, "--out", folder / "run", "--json")
        done = self.tellapart(*command, cache=cache, watch=watch)
        document = done.json()
        metrics = document["metrics"]
        names = ("method", "n", "accuracy", "accuracy_ci95")
        said: Said = {
            "seconds": round(done.seconds, 3),
            "timings": document["timings"],
            "held_out": {name: metrics["held_out"][name] for name in names},
            "train_accuracy": metrics["train"]["accuracy"],
            "verdict": metrics["verdict"]["code"],
        }
        if given := metrics.get("held_out_as_given"):
            said["as_given"] = {name: given[name] for name in names if name in given}
        history = folder / "run" / "history.parquet"
        if history.is_file():
            frame = pl.read_parquet(history)
            said["epochs"] = frame["seconds"].to_list()
            said["shown_accuracy"] = float(frame["accuracy"][-1])
        return {**said, "memory_mb": done.memory_mb} if watch else said

    def ours(self, script: str, *arguments: str | Path, cache: Path) -> Said:
        """Run a script of ``ours/`` and return what it said."""
        command = [sys.executable, processes.OURS / f"{script}.py", *arguments]
        env = processes.our_environment(cache)
        return dict(processes.run(command, env=env, cwd=self._work).json())

    def serving(
        self, command: Sequence[str | Path], env: Mapping[str, str], port: int
    ) -> AbstractContextManager[Callable[[], float]]:
        """A server for as long as a block; gives what tells its memory in MB."""
        return processes.serving(command, env=env, cwd=self._work, port=port)

    def peer(self, script: str, *arguments: str | Path) -> Said:
        """Run a script of ``peers/`` with the peers' Python and return what it said.

        ``process_seconds`` beside it are those of the whole process.
        """
        command = [processes.peers_python(), processes.PEERS / f"{script}.py", *arguments]
        done = processes.run(command, env=processes.peers_environment(), cwd=self._work)
        return {**done.json(), "process_seconds": done.seconds}


def _rounded(value: Any) -> Any:
    """The same with numbers to a tenth of a millisecond: nothing here is known better."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value


def _brief(said: Said) -> str:
    plain = (int, float)
    return ", ".join(
        f"{name} {value:,}" for name, value in said.items() if isinstance(value, plain)
    )
