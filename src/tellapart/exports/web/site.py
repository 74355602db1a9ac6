"""The files of the page: ours, the model, and what runs it.

Everything is static and relative, so the folder works under any address. Class names reach the page
as data (``model.json``) or through the templates of the reports, which escape everything.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from tellapart.core import text
from tellapart.exports.web.vendoring import NAMES, PINS, vendor
from tellapart.reports.render import environment

MODEL, CARD, WORKER = "model.onnx", "model.json", "service-worker.js"
_PAGE = Path(__file__).with_name("page")
_PACKAGE = "tellapart.exports.web"


def write_site(folder: Path, model: Path, card: Mapping[str, Any], *, has_map: bool) -> None:
    """Write the page.

    Args:
        folder: Where to; empty.
        model: The run's ``model.onnx``.
        card: Content of ``tellapart.json`` so far.
        has_map: Whether the model gives a ``logit_map``, so that the page has heat maps.

    Raises:
        ModelError: If a carried file is not the pinned one.
    """
    shutil.copytree(_PAGE, folder, ignore=shutil.ignore_patterns("*.j2"), dirs_exist_ok=True)
    shutil.copyfile(model, folder / MODEL)
    house = files("tellapart.reports").joinpath("templates", "report.css")
    (folder / "house.css").write_bytes(house.read_bytes())
    (folder / "vendor").mkdir()
    for name in NAMES:
        (folder / "vendor" / name).write_bytes(vendor(name))
    _write_json(folder / CARD, _model_json(card, has_map=has_map))
    _write_json(folder / "manifest.webmanifest", _manifest(card))
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shown = {"classes": card["classes"], "total": total, "ort": PINS["version"]}
    _render(folder / "index.html", card=card, **shown)
    _render(folder / WORKER, **_kept(folder))


def _model_json(card: Mapping[str, Any], *, has_map: bool) -> dict[str, Any]:
    """What the scripts need to know about the model."""
    return {
        "schema": 1,
        "name": text.clean(card["run"]["name"]),
        "classes": card["classes"],
        # As people read them, with hidden characters written out.
        "labels": [text.clean(name) for name in card["classes"]],
        "size": card["size"],
        "fit": card["fit"],
        "has_map": has_map and len(card["classes"]) > 1,
        "sha256": card["run"]["model_sha256"],
        "accuracy": card["accuracy"],
        "tellapart": card["tellapart"],
    }


def _manifest(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser needs to install the page like an app."""
    name = text.shorten(card["run"]["name"], 45)
    return {
        "name": name,
        "short_name": text.shorten(name, 12),
        "start_url": "./",
        "display": "standalone",
        "background_color": "#faf9f6",
        "theme_color": "#0b7261",
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }


def _kept(folder: Path) -> dict[str, Any]:
    """What the service worker keeps, and a version that changes with the files."""
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    whole = hashlib.sha256()
    for name in names:
        whole.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return {
        "version": whole.hexdigest()[:16],
        "files": ["./" if name == "index.html" else name for name in names],
    }


def _render(target: Path, **values: Any) -> None:
    template = environment(_PACKAGE, "page").get_template(f"{target.name}.j2")
    target.write_text(template.render(**values), encoding="utf-8")


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    # ASCII only: names that are no valid Unicode stay what they are.
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
