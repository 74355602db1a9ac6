"""The OpenAPI document, and whether the server does what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from serving import RED, Server, file_of, form_of, picture_of

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=InMemoryExampleDatabase(),
    suppress_health_check=list(HealthCheck),
)
def test_the_server_does_what_its_document_says(case: schemathesis.Case) -> None:
    case.call_and_validate()


def test_the_examples_can_be_sent_as_they_stand(make_client: Make) -> None:
    client, _ = make_client()
    paths = client.get("/openapi.json").json()["paths"]
    sent = 0
    for path, methods in paths.items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if example := content.get("application/json", {}).get("example"):
            path = path.replace("{name}", "tellapart").replace("{version}", "1")
            answer = client.post(path, json=example)
            assert answer.status_code == 200, answer.text
            sent += 1
    assert sent == 4


def test_no_page_of_the_document_loads_scripts_from_elsewhere(make_client: Make) -> None:
    client, _ = make_client()
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_broken_pictures_over_http_are_refused_or_answered_and_never_crash(
    server: Server, form: str
) -> None:
    """The corpus of the decoder's own test (tests/test_images.py): bytes flipped, ends cut off."""
    sound = file_of(picture_of("red", 7, 48), form)

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=InMemoryExampleDatabase(),
        suppress_health_check=list(HealthCheck),
    )
    @given_broken(sound)
    def check(broken: list[bytes]) -> None:
        status, content = server.predict(*broken)
        assert status == 200
        assert len(content["rows"]) == len(broken)
        for row in content["rows"]:
            assert (row["label"] in ("red", "blue")) == (row["error"] is None)

    check()
    body, kind = form_of(RED)
    assert server.ask("POST", "/v1/predict", body, {"Content-Type": kind})[0] == 200


def given_broken(sound: bytes) -> Any:
    from hypothesis import given

    flips = st.lists(
        st.tuples(st.integers(0, len(sound) - 1), st.integers(0, 255)), min_size=1, max_size=12
    )

    def broken(places: list[tuple[int, int]], cut: int | None) -> bytes:
        made = bytearray(sound)
        for place, value in places:
            made[place] = value
        return bytes(made[:cut])

    one = st.builds(broken, flips, st.one_of(st.none(), st.integers(1, len(sound))))
    return given(broken=st.lists(one, min_size=4, max_size=4))


def test_the_document_tells_of_both_kinds_of_bodies(make_client: Make) -> None:
    client, _ = make_client()
    paths = client.get("/openapi.json").json()["paths"]
    content = paths["/v1/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    assert "400" in paths["/v1/predict"]["post"]["responses"]
    assert json.dumps(paths).count("HTTPValidationError") == 0
