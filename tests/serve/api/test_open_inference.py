"""The Open Inference Protocol, as clients speak it that know nothing of tellapart."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from serving import BLUE, RED, Server, picture_of
from tritonclient.utils import InferenceServerException

from tellapart.images.decoder import decode
from tellapart.images.opening import MAX_SIDE
from tellapart.images.resizing import resize
from tellapart.serve.engine.loaded import LoadedRun

Make = Callable[..., Any]


@pytest.fixture
def client(server: Server) -> Any:
    opened = triton.InferenceServerClient(server.address)
    yield opened
    opened.close()


def asked(name: str, data: np.ndarray, datatype: str, *, binary: bool) -> triton.InferInput:
    made = triton.InferInput(name, list(data.shape), datatype)
    made.set_data_from_numpy(data, binary_data=binary)
    return made


def test_the_server_and_its_model_introduce_themselves(client: Any) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("tellapart") and client.is_model_ready("tellapart", "1")
    server = client.get_server_metadata()
    assert server["name"] == "tellapart"
    assert "binary_tensor_data" in server["extensions"]
    for version in ("", "1"):
        model = client.get_model_metadata("tellapart", version)
        assert model["versions"] == ["1"]
        assert [one["name"] for one in model["inputs"]] == ["image", "encoded"]
        assert model["outputs"][0] == {
            "name": "probabilities",
            "datatype": "FP32",
            "shape": [-1, 2],
        }


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_pixels_of_any_size(
    client: Any, served: LoadedRun, binary_in: bool, binary_out: bool
) -> None:
    pixels = np.stack([picture_of("red", 3, 40), picture_of("blue", 3, 40)])
    outputs = [
        triton.InferRequestedOutput(name, binary_data=binary_out)
        for name in ("probabilities", "label")
    ]
    answer = client.infer(
        "tellapart",
        [asked("image", pixels, "UINT8", binary=binary_in)],
        outputs=outputs,
        request_id="seven",
    )
    squares = np.stack([resize(one, served.model.size, served.model.fit) for one in pixels])
    np.testing.assert_allclose(
        answer.as_numpy("probabilities"), served.model.run(squares), atol=1e-4
    )
    labels = [
        one if isinstance(one, str) else one.decode() for one in answer.as_numpy("label").tolist()
    ]
    assert labels == ["red", "blue"]
    assert answer.get_response()["id"] == "seven"


def test_encoded_pictures_as_bytes(client: Any, served: LoadedRun) -> None:
    files = np.array([RED, BLUE, RED], dtype=np.object_)
    answer = client.infer(
        "tellapart", [asked("encoded", files, "BYTES", binary=True)], model_version="1"
    )
    squares = np.stack(
        [resize(decode(one).pixels, served.model.size, served.model.fit) for one in files]
    )
    np.testing.assert_allclose(
        answer.as_numpy("probabilities"), served.model.run(squares), atol=1e-4
    )


def test_the_most_probable_classes(client: Any) -> None:
    wished = triton.InferRequestedOutput("probabilities", class_count=2)
    files = np.array([RED], dtype=np.object_)
    answer = client.infer(
        "tellapart", [asked("encoded", files, "BYTES", binary=True)], outputs=[wished]
    )
    [[first, second]] = answer.as_numpy("probabilities").tolist()
    assert first.decode().endswith(":1:red")
    assert second.decode().endswith(":0:blue")


def test_what_cannot_be_answered_is_an_error_of_the_protocol(client: Any) -> None:
    files = np.array([RED, RED[:200]], dtype=np.object_)
    good = asked("encoded", np.array([RED], dtype=np.object_), "BYTES", binary=True)
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    for inputs, options, told in (
        ([asked("encoded", files, "BYTES", binary=True)], {}, "Picture 1"),
        ([good, asked("image", pixels, "UINT8", binary=True)], {}, "one input"),
        ([asked("image", pixels[..., 0], "UINT8", binary=True)], {}, r"\[N, H, W, 3\]"),
        ([asked("other", pixels, "UINT8", binary=True)], {}, "'image'"),
        ([asked("image", pixels.astype(np.float32), "FP32", binary=True)], {}, "FP32"),
        ([asked("image", np.zeros((5, 8, 8, 3), np.uint8), "UINT8", binary=True)], {}, "at most 4"),
        ([good], {"model_version": "2"}, "version"),
        ([good], {"outputs": [triton.InferRequestedOutput("logits")]}, "outputs"),
        ([good], {"request_compression_algorithm": "gzip"}, "Compressed"),
    ):
        with pytest.raises(InferenceServerException, match=told):
            client.infer("tellapart", inputs, **options)
    with pytest.raises(InferenceServerException, match="no model of that name"):
        client.infer("resnet", [good])
    assert not client.is_model_ready("resnet")
    assert client.infer("tellapart", [good]).as_numpy("label").tolist() == [b"red"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"inputs": 1}',
        b'{"inputs": [], "outputs": 3}',
        b'{"inputs": [{}], "parameters": 3}',
        b'{"inputs": [{}], "outputs": [{"name": "label", "parameters": {"classification": 1}}]}',
        b'{"inputs": [{}], "outputs": [{"name": "label", "parameters": []}]}',
        b'{"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1,0,0,3], "data": []}]}',
        b'{"inputs": [{"name": "encoded", "datatype": "BYTES", "shape": [0], "data": []}]}',
    ],
)
def test_a_body_that_is_no_request_is_told_why(make_client: Make, body: bytes) -> None:
    client, _ = make_client()
    answer = client.post("/v2/models/tellapart/infer", content=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("datatype", ["UINT8", "BYTES"])
def test_very_many_pictures_are_refused_before_any_is_an_object(
    make_client: Make, datatype: str
) -> None:
    client, _ = make_client()
    count = 300_000
    size, name, shape = (
        (3 * count, "image", [count, 1, 1, 3])
        if datatype == "UINT8"
        else (4 * count, "encoded", [count])
    )
    one = {"name": name, "datatype": datatype, "shape": shape}
    head = json.dumps({"inputs": [{**one, "parameters": {"binary_data_size": size}}]}).encode()
    tracemalloc.start()
    answer = client.post(
        "/v2/models/tellapart/infer",
        content=head + bytes(size),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 400
    assert "at most 32" in answer.json()["error"]
    assert peak < 20 * size


def test_a_picture_too_long_for_a_resize_is_refused(make_client: Make) -> None:
    client, _ = make_client()
    size = 3 * (MAX_SIDE + 1)
    for shape in ([1, 1, MAX_SIDE + 1, 3], [1, MAX_SIDE + 1, 1, 3]):
        one = {"name": "image", "datatype": "UINT8", "shape": shape}
        head = json.dumps({"inputs": [{**one, "parameters": {"binary_data_size": size}}]}).encode()
        answer = client.post(
            "/v2/models/tellapart/infer",
            content=head + bytes(size),
            headers={"Inference-Header-Content-Length": str(len(head))},
        )
        assert answer.status_code == 400
        assert "too many pixels" in answer.json()["error"]


def test_the_model_can_have_another_name(make_client: Make) -> None:
    client, _ = make_client(name="pets.v2")
    assert client.get("/v2/models/pets.v2").json()["name"] == "pets.v2"
    missing = client.get("/v2/models/tellapart")
    assert missing.status_code == 404
    assert "error" in missing.json()


def test_a_header_that_lies_about_the_json_is_refused(server: Server) -> None:
    body = json.dumps({"inputs": []}).encode()
    for length in ("-1", "1000000", "nan"):
        status, _, content = server.ask(
            "POST", "/v2/models/tellapart/infer", body, {"Inference-Header-Content-Length": length}
        )
        assert status == 400
        assert "Inference-Header" in json.loads(content)["error"]
