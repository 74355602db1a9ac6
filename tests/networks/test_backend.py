from __future__ import annotations

import os
import subprocess
import sys

from tellapart.networks.loop import backend

keras = backend.keras()


def engine(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    start = "import sys\nfrom tellapart.core.errors import SettingsError\n"
    end = (
        "from tellapart.networks.loop import backend\n"
        "try:\n    print(backend.engine())\n"
        "except SettingsError as error:\n    print(error.code, error)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", start + code + end],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_engine_says_what_it_is() -> None:
    found = backend.engine()
    assert found["keras"] == keras.__version__
    assert found["engine"] == keras.backend.backend()
    assert found["engine_version"][0].isdecimal()


def test_a_missing_extra_says_what_to_install() -> None:
    done = engine("sys.modules['keras'] = None\n", KERAS_BACKEND="tensorflow")
    assert done.stdout.startswith("extra_missing")
    assert "pip install 'tellapart[keras]'." in done.stdout
    done = engine("sys.modules['torch'] = None\n", KERAS_BACKEND="torch")
    assert done.stdout.startswith("extra_missing")
    assert "unset KERAS_BACKEND" in done.stdout


def test_an_unknown_engine_is_a_clear_error() -> None:
    done = engine("", KERAS_BACKEND="abacus")
    assert done.stdout.startswith("unknown_engine")
    assert "'abacus'" in done.stdout


def test_describing_a_network_imports_no_engine() -> None:
    code = (
        "import sys\n"
        "from tellapart.networks.loop import backend, keras_model\n"
        "from tellapart.networks.spec import architectures\n"
        "architectures.default('resnet', size=64, gray=False, classes=2).layers()\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'onnx'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
