"""The server answers its own page, and refuses what another page or machine can send."""

import http.client
import json
import socket
from typing import Any

import pytest

from efficientmixnet.pipeline.try_page.server import MOST_BYTES, Server


def _send(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
    port = server.server_address[1]
    usual = {"Host": f"127.0.0.1:{port}"}
    if method == "POST":
        usual |= {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/octet-stream"}
        usual |= {"Content-Length": str(len(body))}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    given = {name.replace("_", "-").title(): value for name, value in headers.items()}
    for name, value in (usual | given).items():
        if value:
            connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_an_image_is_classified_with_the_model(server, quarter_white):
    status, _, body = _send(server, "POST", "/classify", quarter_white)
    found = json.loads(body)
    assert status == 200
    assert [(one["class"], one["label"]) for one in found["labels"]] == [(1, "große Bären"), (0, "bright <b>")]
    assert [one["probability"] for one in found["labels"]] == pytest.approx([0.75, 0.25])
    assert found["image"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize("path", ["/classify", "/map?class=0"])
def test_what_is_no_image_gets_a_reason(server, path):
    status, _, body = _send(server, "POST", path, b"no image")
    assert status == 200
    assert list(json.loads(body)) == ["error"]


@pytest.mark.parametrize("query", ["?class=2", "?class=-1", "?class=1e9", "", "?class=" + "9" * 5000, "?class=\u0663"])
def test_a_map_of_an_unknown_class_is_refused(server, quarter_white, query):
    _, _, body = _send(server, "POST", f"/map{query.encode('ascii', 'xmlcharrefreplace').decode()}", quarter_white)
    assert json.loads(body) == {"error": "There is no such image or class."}


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "[::1]", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_was_bound_to_this_machine_is_refused(server, quarter_white, name, method):
    status, _, body = _send(server, method, "/" if method == "GET" else "/classify", quarter_white, host=name)
    assert status == 403
    assert b"probability" not in body
    assert b"Try the model" not in body


def test_a_forwarded_port_of_this_machine_is_taken(server, quarter_white):
    """As with ssh -L 9999:127.0.0.1:PORT."""
    assert _send(server, "GET", "/", host="localhost:9999")[0] == 200
    here = {"host": "localhost:9999", "origin": "http://localhost:9999"}
    assert _send(server, "POST", "/classify", quarter_white, **here)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:1"},
        {"content_type": "text/plain"},
        {"content_type": "multipart/form-data; boundary=a"},
        {"content_type": ""},
    ],
)
def test_an_image_from_another_page_is_refused(server, quarter_white, headers):
    assert _send(server, "POST", "/classify", quarter_white, **headers)[0] == 403


@pytest.mark.parametrize(
    ("length", "status"),
    [("", 411), ("-1", 411), ("1e3", 411), ("\u0663", 411), (str(MOST_BYTES + 1), 413), ("9" * 4000, 413)],
)
def test_the_length_of_an_image_is_checked_before_it_is_read(server, length, status):
    headers = {"content_length": length.encode().decode("latin-1")}
    assert _send(server, "POST", "/classify", b"", **headers)[0] == status


def test_a_chunked_image_is_refused(server):
    assert _send(server, "POST", "/classify", b"", transfer_encoding="chunked")[0] == 411


@pytest.mark.parametrize(("method", "path"), [("GET", "/../setup.py"), ("GET", "/classify"), ("POST", "/other")])
def test_there_are_no_other_addresses(server, method, path):
    assert _send(server, method, path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/other"])
def test_every_answer_has_the_policy(server, path):
    _, headers, _ = _send(server, "GET", path)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; script-src 'sha")
    assert "unsafe" not in policy
    assert policy.endswith("connect-src 'self'; frame-ancestors 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_other_machines_cannot_connect(server):
    """The server listens on the loopback interface only."""
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.address_family == socket.AF_INET


def test_an_unexpected_error_is_printed_and_the_server_goes_on(server, quarter_white, monkeypatch, capsys):
    def fail(file: bytes) -> None:
        raise RuntimeError("the graph\x1b broke")

    monkeypatch.setattr(server.explained, "classify", fail)
    _, _, body = _send(server, "POST", "/classify", quarter_white)
    assert json.loads(body) == {"error": "The image cannot be classified. The terminal shows the reason."}
    assert "broke" in capsys.readouterr().err
    monkeypatch.undo()
    assert _send(server, "POST", "/classify", quarter_white)[0] == 200
