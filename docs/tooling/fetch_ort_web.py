"""Downloads ONNX Runtime Web for the page of the web export, and pins its files.

    python docs/tooling/fetch_ort_web.py [VERSION]

``make ort-web ORT=VERSION`` runs it. It uses ``npm pack``, with whatever registry npm is set up
for. Without a version it downloads the pinned one again and compares. Users never need it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import onnxruntime

from tellapart.exports.web.vendoring import PINS

PACKAGE = PINS["package"]
FOLDER = Path(__file__).parents[2] / "src" / "tellapart" / "exports" / "web" / "vendor"
TAKEN = {  # of npm's package: our name, since servers know the type of .js and not of .mjs
    "ort-wasm-simd-threaded.wasm": "package/dist/ort-wasm-simd-threaded.wasm",
    "ort.wasm.bundle.min.js": "package/dist/ort.wasm.bundle.min.mjs",
}
NOTICES = {  # npm's package has none; the Python package of the same source has
    "LICENSE.txt": "LICENSE",
    "ThirdPartyNotices.txt": "ThirdPartyNotices.txt",
}
MOST = 64 * 1024 * 1024  # bytes of one file


def fetch(version: str) -> dict[str, bytes]:
    """The files of a version, from npm's registry and the installed ``onnxruntime``.

    Raises:
        SystemExit: If npm fails, or the package lacks one of them.
    """
    installed = Path(onnxruntime.__file__).parent
    found = {name: (installed / there).read_bytes() for name, there in NOTICES.items()}
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
            for name, there in TAKEN.items():
                member = archive.extractfile(there)  # nothing is unpacked onto the disk
                data = b"" if member is None else member.read(MOST)
                if not 0 < len(data) < MOST:
                    raise SystemExit(f"{PACKAGE} {version} holds no {there} of a sound size.")
                found[name] = data
    return found


def pins_of(version: str, found: dict[str, bytes]) -> dict[str, Any]:
    """The content of ``vendor.json``."""
    return {
        "package": PACKAGE,
        "version": version,
        "license": "MIT",
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
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
    pins = pins_of(version, found)
    if version == PINS["version"]:
        other = [name for name in TAKEN if pins["files"][name] != PINS["files"][name]]
        if other:
            raise SystemExit(f"{PACKAGE} {version} from npm is not what is pinned: {other}")
        print(f"{PACKAGE} {version}: as pinned.")
        return
    for name, data in found.items():
        (FOLDER / name).write_bytes(data)
    written = json.dumps(pins, indent=1) + "\n"
    (FOLDER / "vendor.json").write_text(written, encoding="utf-8")
    print(f"{PACKAGE} {version} is pinned; export a run and look at its parity before it is kept.")


if __name__ == "__main__":
    main(sys.argv[1:])
