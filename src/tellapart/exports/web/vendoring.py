"""ONNX Runtime Web, as this package carries it: which files, and that they are the pinned ones.

``python -m tellapart.exports.web.vendoring VERSION`` (``make ort-web ORT=…``) fetches them anew
with ``npm pack``, from whatever registry npm is set up for, and pins what came; without a version
it fetches the pinned one again and compares. Users never need it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from tellapart.core.errors import ModelError

PACKAGE = "onnxruntime-web"
_TAKEN = {  # of npm's package: our name, since servers know the type of .js and not of .mjs
    "ort-wasm-simd-threaded.wasm": "package/dist/ort-wasm-simd-threaded.wasm",
    "ort.wasm.bundle.min.js": "package/dist/ort.wasm.bundle.min.mjs",
}
_NOTICES = {  # npm's package has none; the Python package of the same source has
    "LICENSE.txt": "LICENSE",
    "ThirdPartyNotices.txt": "ThirdPartyNotices.txt",
}
NAMES = (*_TAKEN, *_NOTICES)
_MOST = 64 * 1024 * 1024  # bytes of one file
_FOLDER = files("tellapart.exports.web").joinpath("vendor")

PINS: dict[str, Any] = json.loads(_FOLDER.joinpath("vendor.json").read_text(encoding="utf-8"))
"""Package, version, licence, and the size and SHA-256 of every file."""


def vendor(name: str) -> bytes:
    """A carried file.

    Raises:
        ModelError: If it is not the pinned one.
    """
    data = _FOLDER.joinpath(name).read_bytes()
    if _sha256(data) != PINS["files"][name]["sha256"]:
        raise ModelError(
            f"The installed file {name} of {PACKAGE} is not what tellapart was released with.",
            remedy="Install tellapart again.",
        )
    return data


def fetch(version: str) -> dict[str, bytes]:
    """The files of a version, from npm's registry and the installed ``onnxruntime``.

    Raises:
        SystemExit: If npm fails, or the package lacks one of them.
    """
    import onnxruntime

    beside = Path(onnxruntime.__file__).parent
    found = {name: (beside / there).read_bytes() for name, there in _NOTICES.items()}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{version}"],
            cwd=folder,
            stdout=subprocess.PIPE,
            check=False,
        )
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or len(archives) != 1:
            raise SystemExit(f"npm pack {PACKAGE}@{version} failed; see above.")
        with tarfile.open(archives[0]) as archive:
            for name, there in _TAKEN.items():
                member = archive.extractfile(there)  # nothing is unpacked onto the disk
                data = b"" if member is None else member.read(_MOST)
                if not 0 < len(data) < _MOST:
                    raise SystemExit(f"{PACKAGE} {version} holds no {there} of a sound size.")
                found[name] = data
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _pins(version: str, found: dict[str, bytes]) -> dict[str, Any]:
    return {
        "package": PACKAGE,
        "version": version,
        "license": "MIT",
        "files": {
            name: {"bytes": len(data), "sha256": _sha256(data)}
            for name, data in sorted(found.items())
        },
    }


def main(arguments: list[str]) -> None:
    """Fetch, and compare with the pins or pin anew.

    Raises:
        SystemExit: If what came is not what is pinned.
    """
    version = arguments[0] if arguments else PINS["version"]
    found = fetch(version)
    pins = _pins(version, found)
    if version == PINS["version"]:
        other = [name for name in _TAKEN if pins["files"][name] != PINS["files"][name]]
        if other:
            raise SystemExit(f"{PACKAGE} {version} from npm is not what is pinned: {other}")
        print(f"{PACKAGE} {version}: as pinned.")
        return
    folder = Path(str(_FOLDER))
    for name, data in found.items():
        (folder / name).write_bytes(data)
    written = json.dumps(pins, indent=1) + "\n"
    (folder / "vendor.json").write_text(written, encoding="utf-8")
    print(f"{PACKAGE} {version} is pinned; export a run and look at its parity before it is kept.")


if __name__ == "__main__":
    main(sys.argv[1:])
