"""Stored results: ``results/NAME.json`` in the pages' folder, and the pictures a page may show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tellapart.lessons.illustrations import FOLDER
from tellapart.lessons.runner import FILE

IMAGES = "images"
_RESULTS = "results"


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The stored results by lesson."""
    files = sorted((folder / _RESULTS).glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def store(folder: Path, out: Path) -> None:
    """Store the result of a finished run, without paths of its machine; others are ignored."""
    if not (out / FILE).is_file():
        return
    result = json.loads((out / FILE).read_text(encoding="utf-8"))
    result["pictures"] = copy_pictures(out, folder / IMAGES, result)
    result["runs"] = sorted(result["runs"])
    target = folder / _RESULTS / f"{result['name']}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def copy_pictures(out: Path, target: Path, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Copy the pictures that a page may show, each under the lesson's name.

    Pictures of the data set are copied only if its licence allows it.

    Returns:
        The result's records of the copies, with their new names.
    """
    copied = []
    for one in result["pictures"]:
        if one["of_data"] and not result["shareable"]:
            continue
        name = f"{result['name']}-{one['file']}"
        target.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes((out / FOLDER / one["file"]).read_bytes())
        copied.append({**one, "file": name})
    return copied
