from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.core.errors import CorrectionsError
from tellapart.data.corrections import Corrections, read_corrections

DATA = {
    "cats/1.jpg": "cats",
    "cats/2.jpg": "cats",
    "dogs/1.jpg": "dogs",
    r"dogs/new\nline.jpg": "dogs",
    "=cmd.jpg": "=x",
    "pets.zip!/dogs/9.jpg": "dogs",
}


def read(tmp_path: Path, content: str | bytes) -> Corrections:
    path = tmp_path / "corrections.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_corrections(path, labels=DATA)


def refused(tmp_path: Path, content: str) -> str:
    with pytest.raises(CorrectionsError) as caught:
        read(tmp_path, content)
    assert "corrections.csv" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"path,action,label\ncats/1.jpg,exclude,\ncats/2.jpg,relabel,dogs\ndogs/1.jpg,,cats\n",
        b"\xef\xbb\xbfPath;Action;Label\r\ncats/1.jpg;Exclude;\r\ncats/2.jpg; relabel ; dogs\r\n",
        b"note,label,path,action\nx,,cats/1.jpg,EXCLUDE\nx,dogs,cats/2.jpg,relabel\n",
        b"path,action,label\ncats/1.jpg,exclude\ncats/1.jpg,exclude\ncats/2.jpg,relabel,dogs\n",
    ],
)
def test_every_way_to_write_it(tmp_path: Path, content: bytes) -> None:
    wanted = Corrections(frozenset({"cats/1.jpg"}), {"cats/2.jpg": "dogs"})
    assert read(tmp_path, content) == wanted


def test_lines_without_an_action_are_ignored(tmp_path: Path) -> None:
    assert read(tmp_path, "path,action,label\nunknown.jpg,,whatever\n") == Corrections()
    assert read(tmp_path, "path,action,label\n") == Corrections()


def test_escaped_paths_and_members_are_found(tmp_path: Path) -> None:
    text = "path,action,label\ndogs/new\\nline.jpg,exclude,\npets.zip!/dogs/9.jpg,exclude,\n"
    assert len(read(tmp_path, text).exclude) == 2


def test_a_guard_against_formulas_is_seen_through(tmp_path: Path) -> None:
    fixes = read(tmp_path, "path,action,label\n'=cmd.jpg,exclude,\ncats/1.jpg,relabel,'=x\n")
    assert fixes == Corrections(frozenset({"=cmd.jpg"}), {"cats/1.jpg": "=x"})


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        "path,action,label\n"
        "cats/3.jpg,exclude,\n"
        "Dogs/1.JPG,exclude,\n"
        "dogs/9.jpg,exclude,\n"
        "cats/1.jpg,exlude,\n"
        "cats/1.jpg,relabel,\n"
        "cats/1.jpg,relabel,dog\n"
        "cats/1.jpg,relabel,horse\n"
        ",exclude,\n",
    )
    assert "8 faults" in message
    assert "nothing was applied" in message
    for fault in (
        "line 2: no picture 'cats/3.jpg' (near: 'cats/2.jpg')",
        "line 3: no picture 'Dogs/1.JPG' (near: 'dogs/1.jpg')",
        "line 4: no picture 'dogs/9.jpg' (near: 'pets.zip!/dogs/9.jpg')",
        "line 5: the action 'exlude' is neither exclude nor relabel (near: 'exclude')",
        "line 6: relabel needs a label",
        "line 7: no class 'dog' (near: 'dogs')",
        "line 8: no class 'horse' (classes: '=x', 'cats', 'dogs')",
        "line 9: the path is empty",
    ):
        assert fault in message


def test_lines_that_contradict_each_other(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        "path,action,label\ncats/1.jpg,exclude,\ncats/1.jpg,relabel,dogs\n"
        "cats/2.jpg,relabel,dogs\ncats/2.jpg,relabel,cats\n",
    )
    assert "line 3: 'cats/1.jpg' has another decision in line 2" in message
    assert "line 5: 'cats/2.jpg' has another decision in line 4" in message


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    lines = "".join(f"lost/{i}.jpg,exclude,\n" for i in range(500))
    message = refused(tmp_path, "path,action,label\n" + lines)
    assert "500 faults" in message
    assert "and 490 more" in message


def test_missing_columns_and_files(tmp_path: Path) -> None:
    assert "no column 'action' ('actoin' is near)" in refused(tmp_path, "path,actoin,label\n")
    with pytest.raises(CorrectionsError, match="no such file"):
        read_corrections(tmp_path / "none.csv", labels=DATA)
    with pytest.raises(CorrectionsError):
        read_corrections(tmp_path, labels=DATA)
