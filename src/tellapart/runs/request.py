"""``resume.json`` of an unfinished run: what its training needs to be resumed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tellapart.core.config import TrainSettings, settings
from tellapart.core.errors import RunError, SettingsError
from tellapart.core.version import __version__
from tellapart.runs.files import read_json, write_json
from tellapart.runs.folder import SCHEMA
from tellapart.runs.writing import RESUME


@dataclass(frozen=True)
class Request:
    """What a training was asked for.

    Attributes:
        data: The data as the user named it; with its working folder if it was read back.
        settings: All settings.
        fingerprint: Of the data, in a training that is resumed; None in a new one.
    """

    data: str | Path
    settings: TrainSettings
    fingerprint: str | None = None


def write_request(folder: Path, request: Request, fingerprint: str) -> None:
    """Write ``resume.json`` into an unfinished run, with the SHA-256 of its data."""
    content = {
        "schema": SCHEMA,
        "tellapart": __version__,
        "data": os.fspath(request.data),
        "folder": os.fspath(Path.cwd()),
        "settings": request.settings.model_dump(mode="json", exclude_defaults=True),
        "fingerprint": fingerprint,
    }
    write_json(folder / RESUME, content)


def read_request(folder: Path) -> Request:
    """Read ``resume.json`` of an unfinished run.

    Raises:
        RunError: If it is damaged, or from another version of tellapart.
    """
    content = read_json(folder / RESUME)
    version = content.get("tellapart")
    if version != __version__:
        raise RunError(
            f"The training was begun by tellapart {version}; this is {__version__}.",
            remedy="Resume it with that version, or train again.",
            code="other_version",
        )
    values, working_folder = content.get("settings"), str(content.get("folder"))
    try:
        if not isinstance(values, dict):
            raise SettingsError("It has no settings.")
        if values.get("corrections") is not None:
            values = values | {"corrections": Path(working_folder, values["corrections"])}
        chosen = settings(TrainSettings, values)
    except SettingsError as error:
        raise RunError(
            f"'{folder / RESUME}' is damaged: {error}", remedy="Train again.", code="damaged"
        ) from None
    data = Path(working_folder, str(content.get("data")))
    return Request(data, chosen, str(content.get("fingerprint")))
