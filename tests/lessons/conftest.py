from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.datasets.digits import write_digits
from tellapart.datasets.registry import named
from tellapart.datasets.verification import Found


@pytest.fixture
def digits(tmp_path: Path) -> Found:
    """240 pictures of three digits, found as the data set of a lesson."""
    folder = write_digits(tmp_path / "digits")
    for one in folder.iterdir():
        for picture in sorted(one.iterdir())[80 if one.name in "038" else 0 :]:
            picture.unlink()
        if one.name not in "038":
            one.rmdir()
    return Found(folder, named("digits"), ())
