"""The errors that tellapart raises on purpose.

::

    TellapartError            something the user can fix: what, where, what to do
    ├── DataError             the pictures, as a whole, cannot be used
    │   ├── SourceError       the folder, archive or manifest cannot be read
    │   ├── LabelError        classes are missing, strange, or too few
    │   └── CorrectionsError  the corrections file does not fit the data
    ├── PictureError          one picture cannot be decoded (a row, never a stop)
    ├── SettingsError         a setting has no meaning: unknown key, wrong value
    ├── CacheError            the cache folder cannot be used (full disk, no rights)
    ├── DownloadError         a data set cannot be downloaded, or is not what it should be
    ├── WeightsError          pretrained weights are missing or not what they should be
    ├── ModelError            a model file is not one of ours, or damaged
    └── RunError              a run folder is missing, damaged, or from a newer version

Libraries raise these; only the command line prints them and exits.
"""

from __future__ import annotations

from typing import Any


class TellapartError(Exception):
    """An error that the user can fix.

    Args:
        message: What is wrong and where, as one or two plain sentences.
        remedy: What to do about it, as one sentence; empty if the message says it.
        code: A stable name for programs, such as ``"empty_folder"``; the class's own
            ``code`` unless given.

    Example:
        >>> error = SourceError("No folder 'pets'.", remedy="Check the spelling.")
        >>> error.code, str(error)
        ('source', "No folder 'pets'. Check the spelling.")
    """

    code = "error"

    def __init__(self, message: str, *, remedy: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """The error as the ``error`` member of a JSON document."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


class DataError(TellapartError):
    """The pictures, as a whole, cannot be used."""

    code = "data"


class SourceError(DataError):
    """The folder, archive or manifest cannot be read."""

    code = "source"


class LabelError(DataError):
    """Classes are missing, strange, or too few."""

    code = "labels"


class CorrectionsError(DataError):
    """The corrections file does not fit the data."""

    code = "corrections"


class PictureError(TellapartError):
    """One picture cannot be decoded.

    The codes are a closed list, used by findings and by ``predict``: ``empty``,
    ``not_a_picture``, ``unsupported``, ``cut_off``, ``undecodable``, ``too_large``,
    ``unreadable`` (the bytes could not be read at all).
    """

    code = "undecodable"


class SettingsError(TellapartError):
    """A setting has no meaning: an unknown key or a value that is not allowed."""

    code = "settings"


class CacheError(TellapartError):
    """The cache folder cannot be used."""

    code = "cache"


class DownloadError(TellapartError):
    """A data set cannot be downloaded, or what came is not what it should be."""

    code = "download"


class WeightsError(TellapartError):
    """Pretrained weights are missing or not what they should be."""

    code = "weights"


class ModelError(TellapartError):
    """A model file is not one of ours, or damaged."""

    code = "model"


class RunError(TellapartError):
    """A run folder is missing, damaged, or from a newer version."""

    code = "run"
