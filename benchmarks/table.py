"""The page ``RESULTS.md`` out of the kept results, missed lines included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import Line, Result, Target

PAGE = Path(__file__).parent / "RESULTS.md"

_HEAD = """\
# Results

`python -m benchmarks table` writes this page from the files in `results/`, which contain every
repeat. Do not edit it. [docs/benchmarks.md](../docs/benchmarks.md) says how to measure again.
"""


def render(results: Sequence[Result], missing: Sequence[str] = ()) -> str:
    """The page as Markdown.

    Args:
        results: The measured rows, in order.
        missing: Names of rows that have no result.
    """
    table = [
        "| what | tellapart | peer | ratio | to reach | |",
        "| --- | --- | --- | --- | --- | --- |",
        *(line_of(line) for result in results for line in result.lines),
        *(f"| {name} | not measured | | | | **not measured** |" for name in missing),
    ]
    lines = [line for result in results for line in result.lines]
    parts = [_HEAD, _tally(lines, missing), "\n".join(table)]
    parts += ["## Where", _where(results), "## How", *(_how(result) for result in results)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def line_of(line: Line) -> str:
    """One line of the table."""
    mine = f"{number(line.value)} {line.unit}"
    peer = ""
    if line.peer is not None and line.peer_name is not None:
        peer = f"{number(line.peer)} {line.unit} ({line.peer_name})"
    beside = [] if line.ratio is None else [f"{line.ratio:.2f} {line.ratio_unit}"]
    if line.difference is not None:
        beside.append(f"{line.difference:+.2f} {line.difference_unit}")
    verdict = {True: "reached", False: "**missed**", None: "no target"}[line.reached]
    cells = (line.what, mine, peer, ", ".join(beside), _to_reach(line.target, line), verdict)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def number(value: float) -> str:
    """A number with as many digits as its size deserves."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def _to_reach(target: Target | None, line: Line) -> str:
    if target is None:
        return ""
    units = {"ratio": line.ratio_unit, "difference": line.difference_unit, "value": line.unit}
    return f"{target.sense} {target.limit:,g} {units[target.of]}"


def _tally(lines: Sequence[Line], missing: Sequence[str]) -> str:
    judged = [line.reached for line in lines if line.reached is not None]
    text = f"{sum(judged)} of {len(judged)} targets reached, {judged.count(False)} missed"
    return text + (f", {len(missing)} rows not measured." if missing else ".")


def _where(results: Sequence[Result]) -> str:
    """The machines; named once where all rows ran on the same."""
    by_machine: dict[str, list[str]] = {}
    for result in results:
        by_machine.setdefault(machine(result.machine, result.versions), []).append(result.row)
    if len(by_machine) == 1:
        return next(iter(by_machine)) + "."
    return "\n".join(f"- {', '.join(rows)}: {text}." for text, rows in by_machine.items())


def machine(description: Mapping[str, Any], versions: Mapping[str, Mapping[str, str]]) -> str:
    """A machine in words."""
    ours = versions.get("ours", {})
    core = "core" if description["cores"] == 1 else "cores"
    return (
        f"{description['cores']} {core} of {description['cpu']}, "
        f"{description['memory_gb']:g} GB of memory, {description['system']}, "
        f"Python {ours.get('python', '?')}"
    )


def _how(result: Result) -> str:
    repeats = max((len(side) for side in result.raw.values()), default=0)
    times = "one repeat" if repeats == 1 else f"median of {repeats}, in turn with the peer"
    if repeats > 1 and all(line.peer is None for line in result.lines):
        times = f"median of {repeats}"
    peers = result.versions.get("peers", {})
    named = "; " + ", ".join(f"{name} {peers[name]}" for name in sorted(peers)) if peers else ""
    spread = "; ".join(_spread(line) for line in result.lines if len(line.values) > 1)
    seen = f" Lowest to highest: {spread}." if spread else ""
    busy = result.machine["load_before"]
    return (
        f"**{result.row}** ({times}; {result.date[:10]}; code {result.code}{named}; load before "
        f"{busy:g}). {result.how}{seen}"
    )


def _spread(line: Line) -> str:
    def ends(values: Sequence[float]) -> str:
        return f"{number(min(values))} to {number(max(values))}"

    text = f"{line.what} {ends(line.values)} {line.unit}"
    return text + (f", peer {ends(line.peer_values)}" if line.peer_values else "")
