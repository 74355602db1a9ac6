from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serving import BLUE, RED, file_of, form_of, picture_of

import tellapart as ta
from tellapart.serve.engine.jobs import Full
from tellapart.serve.engine.loaded import LoadedRun

Make = Callable[..., Any]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_form_and_json_give_what_predict_gives(make_client: Make, run_folder: Path) -> None:
    client, _ = make_client()
    expected = [one.as_json() for one in ta.load(run_folder).predict([RED, BLUE])]
    files = [("picture", ("red.jpg", RED)), ("pictures", ("blue.jpg", BLUE))]
    pictures = [{"data": b64(RED), "path": "red.jpg"}, {"data": b64(BLUE), "path": "blue.jpg"}]
    for answer in (
        client.post("/v1/predict", files=files),
        client.post("/v1/predict", json={"pictures": pictures}),
    ):
        assert answer.status_code == 200
        content = answer.json()
        assert content["schema"] == 1
        assert content["model"]["name"] == "tellapart"
        for row, should, path in zip(
            content["rows"], expected, ("red.jpg", "blue.jpg"), strict=True
        ):
            assert row["path"] == path
            assert (row["label"], row["error"], row["code"]) == (should["label"], None, None)
            assert row["probabilities"] == pytest.approx(should["probabilities"], abs=1e-4)
            assert next(iter(row["probabilities"])) == row["label"]


def test_real_photographs_are_answered_as_predict_answers_them(
    make_client: Make, small_photos: Path, tmp_path: Path
) -> None:
    run = ta.train(small_photos, size=64, out=tmp_path / "pets")
    client, _ = make_client(LoadedRun.load(run.path, threads=2))
    paths = sorted(small_photos.rglob("*.jpg"))[::3]
    expected = [ta.load(run.path).predict(path) for path in paths]
    for path, should in zip(paths, expected, strict=True):
        [row] = client.post("/v1/predict", files={"picture": path.read_bytes()}).json()["rows"]
        assert row["label"] == should.label
        assert row["probabilities"] == pytest.approx(should.probabilities, abs=1e-4)


def test_top_names_so_many_classes(make_client: Make) -> None:
    client, _ = make_client()
    for top, count in ((1, 1), (2, 2), (99, 2)):
        answer = client.post(f"/v1/predict?top={top}", files={"picture": RED}).json()
        assert len(answer["rows"][0]["probabilities"]) == count
    for top in ("0", "-1", "x", "1e9", ""):
        answer = client.post(f"/v1/predict?top={top}", files={"picture": RED})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "parameter")


def test_each_broken_picture_gets_its_own_error(make_client: Make) -> None:
    client, _ = make_client()
    broken = {"cut_off": RED[:300], "empty": b"", "not_a_picture": b"%PDF-1.7 no picture"}
    sent = [RED, *broken.values(), BLUE]
    body, kind = form_of(*sent)
    rows = client.post("/v1/predict", content=body, headers={"Content-Type": kind}).json()["rows"]
    assert [row["code"] for row in rows] == [None, *broken, None]
    assert [row["label"] for row in rows] == ["red", None, None, None, "blue"]
    assert all((row["error"] is None) == (row["code"] is None) for row in rows)
    answer = client.post("/v1/predict", json={"pictures": [{"data": "no base64!"}]})
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["code"] == "not_a_picture"


def test_base64_is_read_as_encoders_write_it(make_client: Make) -> None:
    client, _ = make_client()
    written = [
        base64.encodebytes(RED).decode(),
        b64(RED) + "\r\n",
        f"data:image/jpeg;base64,{b64(RED)}",
        f"DATA:image/jpeg;base64,{b64(RED)}",
    ]
    body = {"pictures": [{"data": data} for data in written]}
    rows = client.post("/v1/predict", json=body).json()["rows"]
    assert [row["label"] for row in rows] == ["red"] * 4
    commas = {"data": b64(RED), "path": "," * 255}
    body = {"pictures": [commas] * 32}
    rows = client.post("/v1/predict", json=body).json()["rows"]
    assert [row["label"] for row in rows] == ["red"] * 32


def zip_bomb(side: int) -> bytes:
    """A PNG of some kilobytes that claims side x side pixels, all of which are there."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    packer = zlib.compressobj(9)
    row = b"\0" * (side * 3 + 1)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_header(make_client: Make) -> None:
    bomb = zip_bomb(3000)
    assert len(bomb) < 50_000
    client, _ = make_client(max_megapixels=8.0)
    for path in ("/v1/predict", "/v1/explain"):
        answer = client.post(path, files={"picture": bomb})
        assert answer.status_code == 200
        content = answer.json()
        assert content.get("rows", [content])[0]["code"] == "too_large"
    claims = bytearray(zip_bomb(8))
    claims[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    claims[29:33] = struct.pack(">I", zlib.crc32(claims[12:29]))
    [row] = client.post("/v1/predict", files={"picture": bytes(claims)}).json()["rows"]
    assert row["code"] == "too_large"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "", 415, "content_type"),
        (RED, "image/jpeg", 415, "content_type"),
        (b"<a/>", "application/xml", 415, "content_type"),
        (b"", "application/json", 400, "json"),
        (b"{", "application/json", 400, "json"),
        (b"\xff\xfe", "application/json; charset=utf-8", 400, "json"),
        (b"[" * 10_000, "application/json", 400, "json"),
        (b"[]", "application/json", 422, "json"),
        (b"{}", "application/json", 422, "json"),
        (b'{"pictures": []}', "application/json", 422, "json"),
        (b'{"pictures": [{"data": 7}]}', "application/json", 422, "json"),
        (b'{"pictures": [' + b"[]," * 20_000 + b"[]]}", "application/json", 422, "too_many"),
        (b'{"pictures": [' + b"{}," * 20_000 + b"{}]}", "application/json", 422, "too_many"),
        (b"{" + b'"a":1,' * 20_000 + b'"b":1}', "application/json", 422, "too_many"),
        (b'{"pictures": [{"data": "", "file": "/etc/passwd"}]}', "application/json", 422, "json"),
        (b'{"pictures": [{"path": "/etc/passwd"}]}', "application/json", 422, "json"),
        (b"", "multipart/form-data", 400, "form"),
        (b"nothing", "multipart/form-data; boundary=x", 400, "form"),
        (form_of(RED)[0][:-30], form_of()[1], 400, "form"),
        (form_of(RED, field="other")[0], form_of()[1], 422, "no_picture"),
        (form_of()[0], form_of()[1], 422, "no_picture"),
        (form_of(*[b""] * 33)[0], form_of()[1], 422, "too_many"),
        (form_of(*[b""] * 99)[0], form_of()[1], 422, "too_many"),
    ],
)
def test_a_body_that_is_no_request_is_told_why(
    make_client: Make, body: bytes, kind: str, status: int, code: str
) -> None:
    client, context = make_client()
    answer = client.post("/v1/predict", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()) == {"schema", "error"}
    assert context.bodies.held == 0
    assert context.engine.inside == 0


def test_bodies_are_bounded_one_by_one_and_together(make_client: Make) -> None:
    client, context = make_client(max_body_mb=0.1, max_bodies_mb=0.1)
    large = client.post("/v1/predict", files={"picture": b"x" * 120_000})
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    body, kind = form_of(b"x" * 120_000)

    async def unknown_length() -> Any:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    large = client.post("/v1/predict", content=unknown_length(), headers={"Content-Type": kind})
    assert large.status_code == 413
    for claimed in ("999999999999", str(2**64 - 1)):
        told = {"Content-Type": kind, "Content-Length": claimed}
        assert client.post("/v1/predict", content=b"x", headers=told).status_code == 413
    context.bodies._held = 100_000  # others are at it
    full = client.post("/v1/predict", files={"picture": b"x" * 50_000})
    assert (full.status_code, full.headers["retry-after"]) == (503, "1")
    assert context.bodies.held == 100_000
    packed = client.post(
        "/v1/predict", files={"picture": RED}, headers={"Content-Encoding": "gzip"}
    )
    assert packed.status_code == 415


def test_a_full_queue_says_when_to_come_again(
    make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, context = make_client()

    def full(order: object) -> None:
        raise Full(7)

    monkeypatch.setattr(context.engine, "submit", full)
    for path in ("/v1/predict", "/v1/explain"):
        answer = client.post(path, files={"picture": RED})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        assert answer.json()["error"]["code"] == "busy"


def test_what_takes_too_long_is_given_up(
    make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, context = make_client(timeout=0.05)
    monkeypatch.setattr(context.engine, "submit", lambda order: None)
    answer = client.post("/v1/predict", files={"picture": RED})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    assert context.bodies.held == 0


def test_a_heat_map_is_that_of_explain(make_client: Make, run_folder: Path) -> None:
    client, _ = make_client()
    for target in (None, "blue"):
        answer = client.post(
            "/v1/explain",
            files={"picture": RED},
            params={} if target is None else {"target": target},
        ).json()
        expected = ta.load(run_folder).explain(RED, target=target)
        assert (answer["label"], answer["target"]) == ("red", expected.target)
        assert answer["method"] == expected.method
        np.testing.assert_allclose(answer["heat"], expected.heat, atol=1e-3)
        picture = Image.open(io.BytesIO(base64.b64decode(answer["png"])))
        assert picture.size == Image.open(io.BytesIO(expected.png)).size
    body = {"picture": {"data": b64(RED)}}
    assert client.post("/v1/explain", json=body).json()["label"] == "red"
    unknown = client.post("/v1/explain?target=green", files={"picture": RED})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_class")
    broken = client.post("/v1/explain", files={"picture": RED[:200]})
    assert broken.status_code == 200
    assert (broken.json()["code"], broken.json()["png"]) == ("cut_off", None)
    two = [("picture", RED), ("picture", RED)]
    assert client.post("/v1/explain", files=two).status_code == 422


def test_a_model_without_quick_heat_maps_says_so(make_client: Make, served: LoadedRun) -> None:
    client, _ = make_client(replace(served, heat=None))
    assert client.get("/v1/model").json()["heat_map"] is None
    answer = client.post("/v1/explain", files={"picture": RED})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_heat_map")


def test_the_card_says_what_was_measured_and_names_no_path(
    make_client: Make, run_folder: Path
) -> None:
    client, _ = make_client(name="colors")
    text = client.get("/v1/model").text
    card = json.loads(text)
    metrics = json.loads((run_folder / "metrics.json").read_text())
    run = json.loads((run_folder / "run.json").read_text())
    assert card["held_out"]["accuracy"] == metrics["held_out"]["accuracy"]
    assert card["held_out"]["accuracy_ci95"] == metrics["held_out"]["accuracy_ci95"]
    assert card["verdict"]["code"] == metrics["verdict"]["code"]
    assert card["classes"] == ["blue", "red"]
    assert card["trained"] == run["created"]
    assert card["data"]["fingerprint"] == run["data"]["fingerprint"]
    assert card["serves_as"] == "colors"
    assert str(run_folder.parent) not in text


def test_large_bodies_are_read_too(make_client: Make) -> None:
    client, _ = make_client()
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3), np.uint8)
    large = file_of(noise, "PNG")
    assert len(large) > 1024**2
    for options in (
        {"files": {"picture": large}},
        {"json": {"pictures": [{"data": b64(large)}]}},
    ):
        [row] = client.post("/v1/predict", **options).json()["rows"]
        assert row["error"] is None


def test_names_come_back_as_text_and_lead_nowhere(make_client: Make) -> None:
    client, _ = make_client()
    for name in ("../../etc/passwd", "/etc/passwd", "a\u202eb.jpg", "é.jpg"):
        picture = {"data": b64(picture_file()), "path": name}
        answer = client.post("/v1/predict", json={"pictures": [picture]})
        assert answer.json()["rows"][0]["path"] == name
    long = client.post("/v1/predict", files={"picture": ("x" * 4000 + ".jpg", RED)})
    assert len(long.json()["rows"][0]["path"]) == 255


def picture_file() -> bytes:
    return file_of(picture_of("blue", 3), "PNG")
