"""``tellapart project``: the classic lessons, run for real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellapart.cli.guard import guarded
from tellapart.cli.plain import Command, group
from tellapart.cli.shared_options import Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tellapart.datasets.verification import Found
    from tellapart.lessons.lesson import Lesson, Result
    from tellapart.lessons.runner import Find


def build() -> typer.Typer:
    """The group of ``project`` commands."""
    commands = group("The classic lessons of image classification, run for real.")
    commands.command("list", cls=Command)(guarded(show))
    commands.command("run", cls=Command)(guarded(run))
    return commands


def show(as_json: Json = False) -> None:
    """List the lessons, in the order in which each builds on those before.

    Examples:
      tellapart project list
    """
    from tellapart.cli.terminal import console, print_json
    from tellapart.lessons.registry import LESSONS

    if as_json:
        print_json([_listed(lesson) for lesson in LESSONS])
        return
    shown = console()
    width = max(len(lesson.name) for lesson in LESSONS) + 2
    for lesson in LESSONS:
        about = f"about {lesson.minutes:g} min" if lesson.minutes >= 1 else "seconds"
        shown.print(f"{lesson.name:<{width}}{lesson.title} ({about})", soft_wrap=True)
    shown.print()
    shown.print("Next      tellapart project run house-prices", soft_wrap=True)


def run(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="The lesson; 'tellapart project list' shows all. Omit with --all.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Run all lessons, one after the other: hours.")
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Folder or archive of its pictures, instead of looking for them.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Its folder [projects/NAME-1]; with --all, the folder for all of theirs. Finished "
            "trainings in it are not repeated.",
            show_default=False,
        ),
    ] = None,
    notebook: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.ipynb",
            help="Write it as a notebook instead of running it.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Random seed.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a lesson, and compare its figures with those commonly published for it.

    Examples:
      tellapart project run house-prices

      tellapart project run digits-dnn

      tellapart project run horses-humans --from horses-or-humans-100px.zip

      tellapart project run --all --out lessons

      tellapart project run cats-dogs-3k --notebook cats-and-dogs.ipynb
    """
    from tellapart.cli.terminal import console, print_error, print_json, progress_of
    from tellapart.core.errors import TellapartError
    from tellapart.lessons import notebooks, runner

    lessons = _chosen(name, every, source=source, out=out, notebook=notebook)
    if notebook is not None:
        path = notebooks.write(lessons[0], notebook, data="" if source is None else str(source))
        if as_json:
            print_json({"schema": 1, "name": lessons[0].name, "notebook": str(path)})
        else:
            console().print(f"Wrote     {path}", soft_wrap=True, markup=False)
        return
    progress = progress_of(quiet=quiet)
    find = _finder(source)
    if not every:
        result = runner.run(lessons[0], find=find, out=out, seed=seed, progress=progress)
        if as_json:
            print_json(result.as_json())
        else:
            _print(result)
            _print_next(result)
        return
    results, failed = [], 0
    for lesson in lessons:
        try:
            place = None if out is None else out / lesson.name
            result = runner.run(lesson, find=find, out=place, seed=seed, progress=progress)
        except TellapartError as error:  # one without its pictures does not end the others
            failed += 1
            results.append({"name": lesson.name, "error": error.as_json()})
            if not as_json:
                print_error(error, as_json=False)
            continue
        results.append(result.as_json())
        if not as_json:
            _print(result)
    if as_json:
        print_json(results)
    if failed:
        raise typer.Exit(1)


def _chosen(
    name: str | None,
    every: bool,
    *,
    source: Path | None,
    out: Path | None,
    notebook: Path | None,
) -> Sequence[Lesson]:
    from tellapart.lessons import registry

    if every == (name is not None):
        raise typer.BadParameter("give a NAME, or --all.", param_hint="'NAME'")
    if notebook is not None and out is not None:
        raise typer.BadParameter("--notebook runs nothing, so there is no --out.")
    if every:
        if source is not None or notebook is not None:
            raise typer.BadParameter("--all takes no --from and no --notebook.")
        return registry.LESSONS
    return (registry.named(str(name)),)


def _finder(source: Path | None) -> Find:
    """Finds a lesson's data: where it was said to be, or the best data set that is at hand."""
    import dataclasses

    from tellapart import datasets
    from tellapart.core.errors import DataError

    def find(lesson: Lesson) -> Found:
        problem: DataError | None = None
        for name in lesson.data:
            try:
                found = datasets.find(name, given=source)
            except DataError as error:
                problem = problem or error
                continue
            if name == lesson.data[0]:
                return found
            other = f"On {name}: {lesson.data[0]} is not at hand."
            return dataclasses.replace(found, notes=(other, *found.notes))
        assert problem is not None, "a lesson that is asked for data names some"
        raise problem

    return find


def _listed(lesson: Lesson) -> dict[str, Any]:
    return {
        "name": lesson.name,
        "title": lesson.title,
        "idea": lesson.idea,
        "task": lesson.task,
        "data": list(lesson.data),
        "minutes": lesson.minutes,
        "targets": [
            {
                "what": target.what,
                "published": target.published,
                "to_reach": target.to_reach.text(),
            }
            for target in lesson.targets
        ],
    }


def _print(result: Result) -> None:
    """The figures as a table, the notes, and what was written."""
    from rich.table import Table

    from tellapart.cli.terminal import clean, console, print_indented

    shown, told = console(), result.as_json()
    shown.print()
    shown.print(clean(told["title"]), style="bold", soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for heading in ("figure", "published", "to reach", "got", ""):
        table.add_column(heading, overflow="fold")
    for target in told["targets"]:
        bound = target["to_reach"]
        judged = "" if bound == "shown" else ("reached" if target["reached"] else "missed")
        got, reached = (target["got"], judged) if target["got"] else ("not measured", "")
        table.add_row(target["what"], target["published"], bound, got, reached)
    shown.print(table)
    for note in result.notes:
        print_indented(shown, clean(note))
    for name, path in result.runs.items():
        shown.print(f"{name:<9} {clean(path)}/report.html", soft_wrap=True)
    written = "project.json · pictures/" if result.pictures else "project.json"
    shown.print(f"Wrote     {clean(str(result.folder))}/   {written}", soft_wrap=True)


def _print_next(result: Result) -> None:
    """The command of the next lesson, unless this was the last."""
    from tellapart.cli.terminal import console
    from tellapart.lessons.registry import LESSONS

    after = LESSONS[LESSONS.index(result.lesson) + 1 :]
    if after:
        console().print(f"Next      tellapart project run {after[0].name}", soft_wrap=True)
