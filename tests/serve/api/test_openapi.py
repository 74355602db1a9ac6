"""The OpenAPI document, and whether the server does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import RED, Server, file_of, form_of, picture_of

Make = Callable[..., Any]


# No schema can say which strings are pictures, and this protocol has no other place for errors.
_MAY_REFUSE = "/v2/.*/infer"


@pytest.mark.parametrize(
    "which",
    [
        ("--exclude-path-regex", _MAY_REFUSE),
        ("--include-path-regex", _MAY_REFUSE, "--exclude-checks", "positive_data_acceptance"),
    ],
    ids=["all checks", "inference"],
)
def test_schemathesis_finds_nothing(server: Server, which: tuple[str, ...], tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "12"),
        *("--seed", "1", "--no-color", *which),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


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


def shape_of(value: Any) -> Any:
    """Names and kinds of a JSON value; of a list its first element, of classes their number."""
    if isinstance(value, dict) and set(value) not in ({"cats", "dogs"}, {"red", "blue"}):
        return {name: shape_of(part) for name, part in value.items()}
    if isinstance(value, list) and value:
        return [shape_of(value[0])]
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_answers_look_as_their_examples_do(make_client: Make) -> None:
    client, _ = make_client()
    compared = 0
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        [(method, route)] = methods.items()
        content = route["responses"]["200"].get("content", {}).get("application/json", {})
        if "example" not in content:
            assert path == "/metrics"  # which is no JSON
            continue
        sent = route.get("requestBody", {}).get("content", {}).get("application/json", {})
        address = path.replace("{name}", "tellapart").replace("{version}", "1")
        given = {"json": sent["example"]} if sent else {}
        answer = getattr(client, method)(address, **given)
        assert shape_of(answer.json()) == shape_of(content["example"]), path
        compared += 1
    assert compared == 14


def test_only_paths_name_a_version(make_client: Make) -> None:
    client, _ = make_client()
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for route in methods.values():
            named = {(one["name"], one["in"]) for one in route.get("parameters", ())}
            assert (("version", "path") in named) == ("{version}" in path)
            assert ("version", "query") not in named


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
