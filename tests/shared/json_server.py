"""JsonServer: a server on this machine whose subclasses decide the answers."""

import json
import sys
import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints nothing when a client has gone, because the output of a later test may be compared."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class JsonServer(ABC):
    """Serves from `listen` to `stop`."""

    def listen(self) -> None:
        """Starts the server on a free port."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            do_POST = do_DELETE = do_GET

            def log_message(self, *_: Any) -> None: ...

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @abstractmethod
    def _answer(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        """Answers a request with this content."""


def send(request: BaseHTTPRequestHandler, status: int, answer: Any) -> None:
    """Sends text, or anything else as JSON."""
    body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
    request.send_response(status)
    request.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
