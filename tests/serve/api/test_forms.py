from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import form_of

from tellapart.serve.api.errors import RequestError
from tellapart.serve.api.forms import parts_of


def test_files_come_out_as_they_went_in() -> None:
    pictures = [b"\xff\xd8\r\n--b0unda\r\n", b"", bytes(range(256)) * 400]
    body, kind = form_of(*pictures)
    parts = parts_of(body, kind, most=8)
    assert [part.data for part in parts] == pictures
    assert [part.filename for part in parts] == ["0.jpg", "1.jpg", "2.jpg"]
    assert {part.name for part in parts} == {"picture"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b'filename="a.jpg"', "a.jpg"),
        (b"filename=a.jpg", "a.jpg"),
        (b'filename="a\\"b.jpg"', 'a"b.jpg'),
        (b'filename="\xe2\x82\xac.jpg"', "\u20ac.jpg"),
        (b"filename*=utf-8''%e2%82%ac.jpg", "\u20ac.jpg"),
        (b"filename*=UTF-8'en'%E2%82%AC.jpg", "\u20ac.jpg"),
    ],
)
def test_names_of_files_as_clients_write_them(written: bytes, meant: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="picture"; ' + written
    [part] = parts_of(body + b"\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x", most=1)
    assert (part.name, part.filename) == ("picture", meant)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data"),
        (b"no form at all", "multipart/form-data; boundary=x"),
        (form_of(b"whole")[0][:-8], form_of()[1]),
        (b"--x\r\n\r\ndata\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data; a=" + b"b" * 20_000 + b"\r\n\r\n\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (form_of(b"a")[0], "multipart/form-data; boundary=" + "y" * 300),
    ],
)
def test_what_is_no_whole_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(RequestError) as fault:
        parts_of(body, kind, most=8)
    assert (fault.value.status, fault.value.code) == (400, "form")


def test_a_form_of_too_many_parts_is_refused() -> None:
    body, kind = form_of(*[b""] * 9)
    with pytest.raises(RequestError) as fault:
        parts_of(body, kind, most=8)
    assert fault.value.status == 422


@given(body=st.binary(max_size=300), cut=st.integers(0, 400))
def test_broken_forms_are_refused_or_read_and_never_crash(body: bytes, cut: int) -> None:
    whole, kind = form_of(body, b"second")
    for data in (whole[:cut], whole[:cut] + body + whole[cut:], body):
        try:
            parts = parts_of(data, kind, most=8)
        except RequestError as fault:
            assert fault.status in (400, 422)
        else:
            assert all(isinstance(part.data, bytes) for part in parts)
