"""Server: serves the page on the loopback interface only to browsers on this machine.

A web page from elsewhere can make a browser send requests here. Under a name that it resolves to 127.0.0.1 (DNS
rebinding), the header Host has that name. Under its own name, the header Origin has it. Both are refused.
"""

import json
import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from efficientmixnet.modules.failures.unexpected import explain_unexpected
from efficientmixnet.pipeline.terminal import echo_error
from efficientmixnet.pipeline.try_page.explained import Explained
from efficientmixnet.pipeline.try_page.page import Page

MOST_BYTES = 50_000_000  # of an image
_ADDRESS = "127.0.0.1"
_OWN_NAMES = (_ADDRESS, "localhost")
_CONTENT_TYPE = "application/octet-stream"  # not one that a form of another page can send
_SECONDS = 30  # without data, after which a connection is closed


class Server(ThreadingHTTPServer):
    """The server of the page.

    Args:
        port: The port; 0 for a free one.
        page: The page.
        explained: Answers the page's questions.

    Raises:
        OSError: The port is in use, or must not be used.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, page: Page, explained: Explained) -> None:
        self.page, self.explained = page, explained
        super().__init__((_ADDRESS, port), _Handler)

    def server_bind(self) -> None:
        """Overrides HTTPServer, which would ask a name server for the name of this machine."""
        TCPServer.server_bind(self)

    def handle_error(self, *_: Any) -> None:
        """Overrides BaseServer, which would print a traceback, also if a tab is closed before its answer is sent."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            echo_error(f"error: {explain_unexpected(error)}")

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{_ADDRESS}:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _SECONDS
    server_version, sys_version = "efficientmixnet", ""

    def do_GET(self) -> None:
        if self._is_for_us() and self._is_one_of(("/",)):
            self._send("text/html; charset=utf-8", self.server.page.html.encode())

    def do_POST(self) -> None:
        if self._is_for_us() and self._is_from_our_page() and self._is_one_of(("/classify", "/map")):
            file = self._body()
            if file is not None:
                self._answer(file)

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing for a request."""

    def _is_for_us(self) -> bool:
        # Any port is right: ssh forwards another one to this machine.
        name = (self.headers.get("Host") or "").partition(":")[0]
        if name not in _OWN_NAMES or len(self.headers.get_all("Host", [])) != 1:
            self.send_error(HTTPStatus.FORBIDDEN, f"Open {self.server.url}")
            return False
        return True

    def _is_from_our_page(self) -> bool:
        sent = [self.headers.get_all(name) for name in ("Origin", "Content-Type")]
        if sent != [[f"http://{self.headers['Host']}"], [_CONTENT_TYPE]]:
            self.send_error(HTTPStatus.FORBIDDEN, "Only the page itself may send images")
            return False
        return True

    def _is_one_of(self, paths: tuple[str, ...]) -> bool:
        if urlsplit(self.path).path not in paths:
            self.send_error(HTTPStatus.NOT_FOUND)
            return False
        return True

    def _body(self) -> bytes | None:
        """The image, or None after an error has been sent."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > 12 or int(length) > MOST_BYTES:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.send_error(HTTPStatus.BAD_REQUEST)
        return None

    def _answer(self, file: bytes) -> None:
        address, explained = urlsplit(self.path), self.server.explained
        try:
            if address.path == "/map":
                found = explained.activation_map(file, _class_id(address.query))
            else:
                found = explained.classify(file)
        except Exception as error:  # the page goes on with the next image
            echo_error(f"error: {explain_unexpected(error)}")
            found = {"error": "The image cannot be classified. The terminal shows the reason."}
        self._send("application/json", json.dumps(found).encode())

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Overrides BaseHTTPRequestHandler: every answer, also an error, has the security headers."""
        for name, value in {
            "Content-Security-Policy": self.server.page.policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        super().end_headers()


def _class_id(query: str) -> int:
    """The number of the class, or -1."""
    number = parse_qs(query).get("class", [""])[0]
    return int(number) if re.fullmatch("[0-9]{1,9}", number) else -1
