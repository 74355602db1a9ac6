"""What users see, word by word: the files in ``tests/golden`` are compared with what comes now.

======================  =================================================================
``help.txt``            ``--help`` of every command
``COMMAND.txt``         what a command prints (both streams) where its output is no terminal
``errors.txt``          what commands print for a user's mistakes, plain and with ``--json``
``json-shapes.txt``     keys and types of every ``--json`` document, and the numbers of schemas
``metrics-DATA.json``   ``metrics.json`` of the probe with seed 0
======================  =================================================================

Wording is tested here and nowhere else. To accept what comes now, renew the files, and read the
difference before you commit it::

    TELLAPART_DATA=... python -m pytest tests/test_golden.py --renew-golden

Without TELLAPART_DATA, ``metrics-cats-dogs-3k.json`` is neither compared nor renewed. A file that
agrees with what comes now is not written again.

What differs from machine to machine has a placeholder: ``<time>``, ``<size>``, ``<moment>``,
``<version>``, ``<hash>``, ``<work>`` and the like. Numbers with a point may differ slightly, since
the last bits of float32 differ from processor to processor; see :func:`assert_same_text` and
:func:`assert_same_metrics`. There is no 8-bit export here: its answers differ visibly from
processor to processor.
"""

from __future__ import annotations

import difflib
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_line import Answer, tellapart

GOLDEN = Path(__file__).parent / "golden"
EXAMPLE = "digits/0/digit-0000.png"

MakePicture = Callable[..., Path]
Compare = Callable[..., None]


# ------------------------------------------------------------------ running commands


def transcript(*commands: str) -> str:
    """Commands with what they print, one after the other."""
    parts = []
    for command in commands:
        answer = tellapart(*command.split())
        ended = f"(exit code {answer.code})\n" if answer.code else ""
        parts.append(f"$ tellapart {command}\n{masked(answer.text)}{ended}")
    return "\n".join(parts)


_MASKS = (
    (r" +(\d+ min )?\d[\d,.]* s( +[\d,]+/s)?$", "  <time>"),  # the end of a stage's line
    (r"^\w+ +[\d,]+ of [\d,]+ \w+\n", ""),  # every ten seconds while a stage runs
    (r"\b\d[\d,.]* (bytes|KB|MB|GB)\b", "<size>"),
    (r"\b20\d\d-\d\d-\d\d[T ][\d:.]+(Z|[+-]\d\d:\d\d)?", "<moment>"),
    (r"\b[0-9a-f]{12,64}\b", "<hash>"),
    (r"\b(ONNX Runtime|pillow|simplejpeg) ?\d+(\.\d+)+", r"\1 <version>"),
)


def masked(text: str) -> str:
    """Text without what differs from machine to machine."""
    text = text.replace(str(Path.cwd()), "<work>")
    for pattern, instead in _MASKS:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


# ------------------------------------------------------------------ comparing


_NUMBER = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])")


def assert_same_text(text: str, golden: str, name: str, *, tolerance: float) -> None:
    """Texts are the same, but for what is in numbers with a point.

    Those may differ by ``tolerance``. 0.15 is right for measured percentages, which have one
    decimal: a probability that differs by a millionth is rounded up here and down there.
    """
    numbers, expected = _NUMBER.findall(text), _NUMBER.findall(golden)
    same = _NUMBER.sub("#", text) == _NUMBER.sub("#", golden) and all(
        abs(float(a) - float(b)) <= tolerance for a, b in zip(numbers, expected, strict=True)
    )
    if not same:
        lines = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), f"golden/{name}", "now", lineterm="", n=2
        )
        pytest.fail("\n".join([*lines, "Renew with --renew-golden."]), pytrace=False)


def assert_same_metrics(now: Any, golden: Any, *, n: int, path: str = "") -> None:
    """Structure, strings and counts are the same; what answers decide may differ by two answers.

    Features are float32, whose last bits differ with the processor's instructions. A
    continuous number, such as the log loss, moves by far less than 0.001. A picture between two
    classes may change sides, though, and a share of ``n`` pictures moves by 1/n with each: two
    such pictures are allowed, in shares and in the confusion matrix. Bins of calibration are cut
    where pictures lie: one that passes a border moves what its bin says, so that bins are
    compared as shares of their own pictures.
    """
    if isinstance(golden, dict):
        assert isinstance(now, dict) and list(now) == list(golden), path
        inside = golden.get("n", n)
        for key in golden:
            if key == "sentence":
                assert_same_text(now[key], golden[key], path, tolerance=200 / n)
            else:
                assert_same_metrics(now[key], golden[key], n=inside, path=f"{path}.{key}")
    elif isinstance(golden, list):
        assert isinstance(now, list) and len(now) == len(golden), path
        for i, (one, other) in enumerate(zip(now, golden, strict=True)):
            assert_same_metrics(one, other, n=n, path=f"{path}[{i}]")
    elif isinstance(golden, float):
        assert isinstance(now, float), path
        continuous = path.rpartition(".")[2] in ("log_loss", "majority_accuracy")
        assert now == pytest.approx(golden, abs=1e-3 if continuous else max(1e-3, 2 / n)), path
    elif isinstance(golden, int) and ".confusion[" in path:
        assert isinstance(now, int) and abs(now - golden) <= 2, path
    else:
        assert type(now) is type(golden) and now == golden, path


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Compare:
    """Compares a text with a golden file, or renews the file."""
    renew = request.config.getoption("--renew-golden")

    def compare(name: str, text: str, tolerance: float = 0.15) -> None:
        file = GOLDEN / name
        expected = file.read_text(encoding="utf-8") if file.is_file() else ""
        try:
            if name.endswith(".json") and expected:
                metrics = json.loads(expected)
                assert_same_metrics(json.loads(text), metrics, n=metrics["held_out"]["n"])
            else:
                assert_same_text(text, expected, name, tolerance=tolerance)
        except (AssertionError, pytest.fail.Exception):
            if not renew:
                raise
            file.write_text(text, encoding="utf-8")

    return compare


# ------------------------------------------------------------------ the data and the runs


class Prepared(NamedTuple):
    """A folder to work in, with data and runs; and what ``train`` printed."""

    folder: Path
    trained: str


NETWORK = "train digits --model linear --size 16 --epochs 2 --json"


@pytest.fixture(scope="module")
def network(prepared: Prepared) -> Answer:
    """A network's training, which takes seconds and is therefore done once."""
    return tellapart(*NETWORK.split())


@pytest.fixture(scope="module", autouse=True)
def prepared(
    digits_folder: Path, make_picture: MakePicture, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    """The work folder, which is the current one."""
    folder = tmp_path_factory.mktemp("golden") / "work"
    for label in "012":
        (folder / "digits" / label).mkdir(parents=True)
        for picture in sorted((digits_folder / label).iterdir())[:40]:
            shutil.copy(picture, folder / "digits" / label)
    for label in "01":
        (folder / "later" / label).mkdir(parents=True)
        for picture in sorted((digits_folder / label).iterdir())[40:52]:
            shutil.copy(picture, folder / "later" / label)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        patch.setenv("TELLAPART_DATASETS", str(folder / "downloads"))
        patch.setattr(sys, "argv", ["tellapart"])
        _make_mixed(folder, make_picture)
        trained = transcript(
            "train digits", "train digits --size 96 --seed 0", "train digits --seed 1 --quiet"
        )
        yield Prepared(folder, trained)


def _make_mixed(folder: Path, make_picture: MakePicture) -> None:
    """Data with every kind of mistake: pictures twice, under two labels, broken, blank, small."""
    digits, mixed = folder / "digits", folder / "mixed"
    for label, few in (("0", 12), ("1", 8), ("2", 2)):
        (mixed / label).mkdir(parents=True)
        for picture in sorted((digits / label).iterdir())[:few]:
            shutil.copy(picture, mixed / label)
    first, *_ = sorted((digits / "0").iterdir())
    shutil.copy(first, mixed / "0" / "again.png")
    shutil.copy(first, mixed / "1" / "also-here.png")
    (mixed / "1" / "cut-off.png").write_bytes(first.read_bytes()[:200])
    (mixed / "1" / "empty.png").write_bytes(b"")
    (mixed / "1" / "text.jpg").write_text("no picture", encoding="utf-8")
    (mixed / "1" / "notes.txt").write_text("a note", encoding="utf-8")
    make_picture(mixed / "2" / "tiny.png", size=(4, 4))
    make_picture(mixed / "2" / "blank.png", _white())
    (mixed / "3").mkdir()


def _white() -> Any:
    from PIL import Image

    return Image.new("RGB", (48, 48), "white")


@pytest.fixture(autouse=True)
def _no_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find no data sets; the fixture `data_folder` has read the variable before."""
    monkeypatch.delenv("TELLAPART_DATA", raising=False)


# ------------------------------------------------------------------ what commands print


def test_help(golden: Compare) -> None:
    commands = ("--help", *(f"{name} --help" for name in _commands()))
    told = [f"$ tellapart {command}\n{tellapart(*command.split()).text}" for command in commands]
    golden("help.txt", "\n".join(told), tolerance=0)


def _commands(group: str = "") -> Iterator[str]:
    """All commands by their names, read from the help of their groups."""
    _, _, listed = tellapart(*group.split(), "--help").text.partition("\nCommands:\n")
    for name in re.findall(r"^  ([a-z][a-z-]*) ", listed, flags=re.MULTILINE):
        yield f"{group}{name}"
        yield from _commands(f"{group}{name} ")


def test_train(golden: Compare, prepared: Prepared, network: Answer) -> None:
    probes = f"{prepared.trained}\n{transcript('train mixed --size 64')}"
    # After two epochs a network is undecided: its numbers differ from processor to processor.
    progress = re.sub(r"^ +\d+ +\d\.\d{4} .*", "<epoch>", masked(network.stderr), flags=re.M)
    progress = re.sub(r"\d+\.\d+ %", "<share>", progress)
    golden("train.txt", f"{probes}\n$ tellapart {NETWORK} > result.json\n{progress}")


SUBJECTS = {
    "check": (
        "check digits",
        "check mixed --out checked",
        "check mixed --corrections checked/corrections.csv --strict --quiet",
    ),
    "predict": (
        f"predict runs/digits-1 {EXAMPLE} mixed",
        f"predict runs/digits-1 {EXAMPLE} mixed/1/cut-off.png --csv --quiet",
        f"predict runs/digits-1 {EXAMPLE} --sort-into sorted",
        "predict runs/digits-1 mixed/1/text.jpg nowhere.png",
    ),
    "evaluate": (
        "evaluate runs/digits-1 later",
        "evaluate runs/digits-1 mixed --quiet",
        "evaluate runs/digits-1 digits",
    ),
    "explain": (
        f"explain runs/digits-1 {EXAMPLE} --out heat.png",
        f"explain runs/digits-1 {EXAMPLE} --class 1 --method occlusion --out heat.png",
        f"explain runs/digits-1 {EXAMPLE} --maps --out maps.png",
        f"explain runs/digits-1 {EXAMPLE} --filters --out filters.png",
        f"explain {EXAMPLE} --kernels --out kernels.png",
    ),
    "report": ("report runs/digits-2",),
    "compare": (
        "compare runs/digits-1 runs/digits-2",
        "compare runs/digits-1 runs/digits-2 runs/digits-3",
    ),
    "augment-preview": (
        "augment-preview digits --out sheet.png",
        "augment-preview mixed --augment flip,shift=0.1,rotation=15 --n 12 --out sheet.png",
        "augment-preview digits --model resnet --augment none --out sheet.png",
    ),
    "export": ("export runs/digits-1 --to onnx",),
    "project": ("project list", "project run digits-dnn --notebook lesson.ipynb"),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_output(name: str, golden: Compare) -> None:
    golden(f"{name}.txt", transcript(*SUBJECTS[name]))


def test_cache(golden: Compare, fresh_cache: Path) -> None:
    told = transcript("cache info", "check mixed", "cache info", "cache clear", "cache info")
    golden("cache.txt", told.replace(str(fresh_cache), "<cache>"))


def test_data(golden: Compare) -> None:
    told = transcript("data list", "data get digits", "data where digits")
    # Copies may lie in folders of the system, or not.
    golden("data.txt", re.sub(r"^  (not here.*|/.*)$", "  <where it lies>", told, flags=re.M))


# ------------------------------------------------------------------ errors


ERRORS = (
    # the data
    "check nowhere",
    "check hollow",
    "train lone",
    "train pair",
    "check text.zip",
    "check unsafe.zip",
    "check columns.csv",
    "train digits --label-from name",
    "check digits --group-from (",
    "check digits --corrections nowhere.csv",
    "check digits --corrections columns.csv",
    "check digits --out digits/checked",
    # settings
    "train",
    "train digits --size 7",
    "train digits --model magic --held-out 2 --seed -1",
    "train digits --epochs 3",
    "train digits --model cnn --augment sparkle",
    "train digits --model cnn --budget soon",
    "train digits --out runs/digits-1",
    "train digits --resume runs/digits-1",
    "train --resume runs/digits-1",
    "train digits --colour",
    # runs
    "predict nowhere digits",
    "predict hollow digits",
    "predict torn digits",
    "predict newer digits",
    "predict runs/digits-1 digits --csv --json",
    "predict runs/digits-1",
    "report torn",
    "evaluate runs/digits-1 others",
    "compare runs/digits-1",
    # pictures and targets
    f"explain runs/digits-1 {EXAMPLE} --class zebra",
    f"explain runs/digits-1 {EXAMPLE} --method magic",
    f"explain runs/digits-1 {EXAMPLE} --out {EXAMPLE}",
    f"explain runs/digits-1 {EXAMPLE} --maps --kernels",
    "explain runs/digits-1 mixed/1/cut-off.png",
    "augment-preview digits --out sheet.jpg",
    "export runs/digits-1 --to paper",
    "export moved",
    # data sets and lessons
    "data where atlantis",
    "data where cats-dogs-3k --from nowhere.zip",
    "project run atlantis",
    "project run",
    "demo --folder mixed/0/again.png",
)


def test_errors(golden: Compare, prepared: Prepared) -> None:
    """Every kind of mistake: the words, their code and their exit code."""
    _make_broken(prepared.folder)
    parts = []
    for command in ERRORS:
        plain = tellapart(*command.split(), *(["--quiet"] if _has_quiet(command) else []))
        assert plain.code in (1, 2), command
        assert "Traceback" not in plain.text
        shown = f"$ tellapart {command}\n{masked(plain.text)}(exit code {plain.code})\n"
        if plain.code == 1:
            programs = tellapart(*command.split(), "--json")
            document = json.loads(programs.stdout)
            assert programs.code == 1
            assert document["schema"] == 1
            assert list(document["error"]) == ["code", "message", "remedy"]
            shown += f"--json: {masked(json.dumps(document['error'], indent=2))}"
        parts.append(shown)
    golden("errors.txt", "\n".join(parts), tolerance=0)


def _has_quiet(command: str) -> bool:
    return command.partition(" ")[0] not in ("report", "compare", "project")


def _make_broken(folder: Path) -> None:
    """What the mistakes are made with."""
    example = folder / EXAMPLE
    (folder / "hollow").mkdir()
    for name in ("lone/0", "pair/0", "pair/1", "others/x", "others/y"):
        (folder / name).mkdir(parents=True)
        shutil.copy(example, folder / name)
    (folder / "text.zip").write_text("no archive", encoding="utf-8")
    (folder / "columns.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "unsafe.zip", "w") as archive:
        archive.write(example, "../outside/0.png")
    run = folder / "runs" / "digits-1"
    for name in ("torn", "newer", "moved"):
        shutil.copytree(run, folder / name)
    (folder / "torn" / "model.onnx").write_bytes((run / "model.onnx").read_bytes()[:1000])
    (folder / "torn" / "metrics.json").write_text("{", encoding="utf-8")
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (folder / "newer" / "run.json").write_text(json.dumps({**record, "schema": 99}))
    record["data"]["location"] = "gone"
    (folder / "moved" / "run.json").write_text(json.dumps(record))


# ------------------------------------------------------------------ JSON documents


DOCUMENTS = (
    "check mixed",
    "train digits",
    "evaluate runs/digits-1 later",
    "predict runs/digits-1 mixed",
    f"explain runs/digits-1 {EXAMPLE} --out heat.png",
    f"explain runs/digits-1 {EXAMPLE} --maps --out maps.png",
    f"explain runs/digits-1 {EXAMPLE} --filters --out filters.png",
    f"explain {EXAMPLE} --kernels --out kernels.png",
    "report runs/digits-2",
    "compare runs/digits-1 runs/digits-2",
    "augment-preview mixed --out sheet.png",
    "export runs/digits-1 --to onnx --out exports/shape",
    "project list",
    "project run house-prices --out projects/houses",
    "project run digits-dnn --notebook shape.ipynb",
    "data get digits",
    "data list",
    "data where digits",
    "cache info",
)


def test_json_shapes(golden: Compare, network: Answer) -> None:
    """Keys and types of what programs read."""
    parts = [f"$ tellapart {NETWORK}\n{_shape(json.loads(network.stdout))}"]
    for command in DOCUMENTS:
        answer = tellapart(*command.split(), "--json")
        assert answer.code == 0, answer.text
        parts.append(f"$ tellapart {command} --json\n{_shape(json.loads(answer.stdout))}")
    run = Path("runs/digits-1")
    for name in ("run.json", "metrics.json", "timings.json"):
        document = json.loads((run / name).read_text(encoding="utf-8"))
        parts.append(f"{run / name}\n{_shape(document)}")
    golden("json-shapes.txt", "\n".join(parts), tolerance=0)


def _shape(document: Any) -> str:
    """One line for each place in a document: its path, and the types that are there."""
    found: dict[str, set[str]] = {}
    _collect(document, "", found)
    lines = (f"  {path}: {' | '.join(sorted(types))}\n" for path, types in found.items())
    return masked("".join(lines))


_OF_MACHINES = ("versions", "kinds", "per_device", "devices", "environment")


def _collect(value: Any, path: str, found: dict[str, set[str]]) -> None:
    last = path.rpartition(".")[2]
    if isinstance(value, dict) and value:
        ordered = dict(sorted(value.items())) if last == "probabilities" else value
        for key, inside in ordered.items():
            name = "*" if last in _OF_MACHINES else key
            _collect(inside, f"{path}.{name}" if path else name, found)
    elif isinstance(value, list) and value:
        for inside in value:
            _collect(inside, f"{path}[]", found)
    else:
        kind = {"dict": "{}", "list": "[]", "NoneType": "null"}.get(type(value).__name__)
        kind = str(value) if last == "schema" else kind or type(value).__name__
        found.setdefault(path or "(whole)", set()).add(kind)


# ------------------------------------------------------------------ numbers


def test_demo_and_metrics_of_the_digits(golden: Compare, in_tmp: Path) -> None:
    golden("demo.txt", transcript("demo"), tolerance=0.6)  # two answers of 359
    golden("metrics-digits.json", _metrics("runs/digits-1"))


def test_metrics_of_cats_and_dogs(golden: Compare, data_folder: Path, in_tmp: Path) -> None:
    answer = tellapart(
        "train", data_folder / "cats-dogs-3k.zip", "--seed", 0, "--out", "cats", "--quiet"
    )
    assert answer.code == 0, answer.text
    golden("metrics-cats-dogs-3k.json", _metrics("cats"))


def _metrics(run: str) -> str:
    return Path(run, "metrics.json").read_text(encoding="utf-8")
