"""The pages of the projects, made from the results of real runs: ``docs/projects/``.

``python -m tellapart.lessons.pages FOLDER`` writes a page for each project and the ladder as
``index.md``, from ``FOLDER/results/NAME.json``. A project that has not been run has a page that
says so. ``python -m tellapart.lessons.pages FOLDER keep OUT...`` takes the results of runs first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tellapart.datasets.registry import named
from tellapart.lessons import notebooks, pictures
from tellapart.lessons.base import Project
from tellapart.lessons.glossary import GLOSSARY, anchor, used
from tellapart.lessons.ladder import PROJECTS
from tellapart.lessons.running import FILE

RESULTS, IMAGES = "results", "images"
_SHOWN = (
    "tellapart",
    "python",
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "jax",
    "torch",
    "onnxruntime",
)
_MADE = "<!-- Made by `make projects` from results/; do not edit. -->"


def page(project: Project, result: Mapping[str, Any] | None) -> str:
    """A project's page, in Markdown.

    Args:
        project: Which.
        result: The content of its ``project.json``, or None where it was not run.
    """
    return "\n".join(_page(project, result)) + "\n"


def index(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The ladder: every project with its idea, all figures, and the glossary."""
    lines = [
        _MADE,
        "",
        "# The classic lessons",
        "",
        "Eleven small projects, each with one idea, in the order in which they build on each "
        "other. Each is one command that runs for real and sets what it gets beside what is "
        "commonly published for it.",
        "",
        "```console",
        "$ tellapart project list",
        "$ tellapart project run house-prices",
        "```",
        "",
        "## The ideas",
        "",
    ]
    for place, project in enumerate(PROJECTS, 1):
        lines.append(f"{place}. **[{project.title}]({project.name}.md)** {project.idea}")
    lines += ["", "## The figures", ""]
    lines += ["| lesson | figure | published | to reach | got |", "| --- | --- | --- | --- | --- |"]
    for project in PROJECTS:
        link = f"[{project.name}]({project.name}.md)"
        for target in project.targets:
            row = _row(results.get(project.name), target.what)
            bound = target.to_reach.text()
            got = "not run yet" if row is None else row["got"] or "not measured"
            got += "" if row is None or bound == "shown" else _mark(row)
            cells = (link, target.what, target.published or "–", bound, got)
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## What they say together", "", *_summary(results)]
    lines += ["", "## Words", "", "| word | meaning |", "| --- | --- |"]
    lines += [
        f'| <span id="{anchor(word)}">{word}</span> | {meaning} |'
        for word, meaning in GLOSSARY.items()
    ]
    return "\n".join(lines) + "\n"


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """The stored results by project."""
    files = sorted((folder / RESULTS).glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def keep(folder: Path, out: Path) -> None:
    """Store the result of a run that has ended, without the places on its machine."""
    if not (out / FILE).is_file():
        return
    result = json.loads((out / FILE).read_text(encoding="utf-8"))
    result["pictures"] = pictures.keep(out, folder / IMAGES, result["name"], result)
    result["runs"] = sorted(result["runs"])
    target = folder / RESULTS / f"{result['name']}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write(folder: Path) -> None:
    """Write all pages."""
    results = read_results(folder)
    for project in PROJECTS:
        text = page(project, results.get(project.name))
        (folder / f"{project.name}.md").write_text(text, encoding="utf-8")
    (folder / "index.md").write_text(index(results), encoding="utf-8")


def _page(project: Project, result: Mapping[str, Any] | None) -> Iterator[str]:
    yield from (_MADE, "", f"# {project.title}", "", project.idea, "")
    yield f"**The task, as it is commonly taught.** {project.task}"
    yield ""
    if project.data:
        sets = " or ".join(f"`{name}`" for name in project.data)
        yield f"**Pictures.** {sets}: see [Data sets](../datasets.md)."
        yield ""
    yield from ("```console", f"$ tellapart project run {project.name}", "```", "")
    yield from ("## What it gets", "")
    if project.trainings:
        yield from (f"- `{one.name}`: {one.says}" for one in project.trainings)
        yield ""
    yield from _figures(project, result)
    if result is not None:
        yield from _looks(result)
    yield from _code(project)
    if project.errors:
        yield from ("## Common errors", "")
        for symptom, remedy in project.errors:
            yield from (f"**{symptom}** {remedy}", "")
    if project.next:
        yield from ("## What to try next", "")
        yield from (f"- {_next(one)}" for one in project.next)
        yield ""
    words = used(" ".join((project.idea, project.task, project.explained)))
    if words:
        links = " · ".join(f"[{word}](index.md#{anchor(word)})" for word in words)
        yield f"Words: {links}."


def _next(one: str) -> str:
    return f"`{one}`" if one.startswith("tellapart ") and ":" not in one else one


def _code(project: Project) -> Iterator[str]:
    yield from ("## The code", "", "In Python:", "", "```python")
    yield notebooks.code(project).rstrip()
    yield from ("```", "")
    if commands := notebooks.commands(project):
        yield from ("As commands:", "", "```console")
        yield from (f"$ {command}" for command in commands)
        yield from ("```", "")
    if project.keras:
        yield from ("In plain Keras:", "", "```python", project.keras.rstrip(), "```", "")
    yield from ("As a notebook to open:", "", "```console")
    yield f"$ tellapart project run {project.name} --notebook {project.name}.ipynb"
    yield from ("```", "")


def _figures(project: Project, result: Mapping[str, Any] | None) -> Iterator[str]:
    yield "| figure | commonly published | to reach | got | |"
    yield "| --- | --- | --- | --- | --- |"
    for target in project.targets:
        row = _row(result, target.what)
        got = "not run yet" if row is None else (row["got"] or "not measured")
        bound = target.to_reach.text()
        mark = "" if row is None or bound == "shown" else _mark(row)
        yield f"| {target.what} | {target.published or '–'} | {bound} | {got} |{mark} |"
    yield ""
    yield f"Published figures: {project.source}."
    yield ""
    if result is None:
        return
    yield from (f"> {note}\n" for note in result["notes"])
    if project.explained:
        yield from (project.explained, "")
    versions = ", ".join(
        f"{name} {result['versions'][name]}" for name in _SHOWN if name in result["versions"]
    )
    yield (
        f"Run on {result['date']}, seed {result['seed']}, {result['cores']} cores, {versions}; "
        f"data: {result['dataset'] or 'none'}."
    )
    yield ""
    yield from ("<details markdown><summary>All numbers</summary>", "")
    yield from ("| number | value |", "| --- | --- |")
    for name, value in result["numbers"].items():
        yield f"| {name} | {value if isinstance(value, str) else f'{value:.6g}'} |"
    yield ""
    if any(name.endswith(".seconds") for name in result["numbers"]):
        yield (
            "Seconds depend on what else the machine did, and on what was cached from an earlier "
            "training."
        )
        yield ""
    yield from ("</details>", "")


def _looks(result: Mapping[str, Any]) -> Iterator[str]:
    """The pictures, with their captions, and whose they are."""
    if result["pictures"]:
        yield from ("## What it looks like", "")
    for one in result["pictures"]:
        alt = one["says"].replace("`", "")
        yield from (f"![{alt}]({IMAGES}/{one['file']})", "", f"*{one['says']}*", "")
    if any(one["of_data"] for one in result["pictures"]):
        data = named(result["dataset"])
        source = f"{data.title}: {data.origin}, {data.licence}."
        yield from (f"The pictures shown are of {source} [Citation](../datasets.md).", "")
    elif result["dataset"] is not None:
        yield (
            "Mistakes, feature maps and varied pictures are not on this page, since they show "
            "pictures that are not ours to pass on. Your own run draws them, into "
            f"`projects/{result['name']}-1/pictures/`."
        )
        yield ""


def _summary(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """How many figures were reached, and which were not."""
    rows = [
        (name, row)
        for name, result in results.items()
        for row in result["targets"]
        if row["to_reach"] != "shown"
    ]
    reached = sum(row["reached"] for _, row in rows)
    yield (
        f"{len(results)} of {len(PROJECTS)} lessons have been run; {reached} of {len(rows)} "
        "figures were reached."
    )
    missed = [(name, row) for name, row in rows if not row["reached"]]
    if missed:
        yield ""
    for name, row in missed:
        got = "not measured" if row["got"] is None else f"**missed**: {row['got']}"
        yield f"- [{name}]({name}.md), {row['what']}: {got}, where it was to be {row['to_reach']}."


def _row(result: Mapping[str, Any] | None, what: str) -> Mapping[str, Any] | None:
    rows: Sequence[Mapping[str, Any]] = [] if result is None else result["targets"]
    return next((row for row in rows if row["what"] == what), None)


def _mark(row: Mapping[str, Any]) -> str:
    if row["got"] is None:
        return ""
    return " reached" if row["reached"] else " **missed**"


def main(arguments: Sequence[str]) -> None:
    """Take results, and write the pages."""
    folder = Path(arguments[0])
    for out in arguments[2:] if arguments[1:2] == ["keep"] else ():
        keep(folder, Path(out))
    write(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
