"""A model hub on this machine: the few answers that fetching a model needs.

Run as a process of its own it prints its address; the client's library reads the
address from HF_ENDPOINT when it is imported, so clients are processes too.
"""

from __future__ import annotations

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c" * 40


class _Hub(BaseHTTPRequestHandler):
    """Serves one repository, ORG/NAME, from a folder; LFS hashes come from ``hashes.json``."""

    folder: Path

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        route = self.path.partition("?")[0]
        if route.startswith("/api/models/org/coca"):
            self._send(self._description(), with_body, {"Content-Type": "application/json"})
        elif route.startswith(f"/org/coca/resolve/{COMMIT}/"):
            path = self.folder / route.rpartition("/")[2]
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            tag = hashlib.sha256(data).hexdigest()
            self._send(data, with_body, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _description(self) -> bytes:
        claimed = json.loads((self.folder / "hashes.json").read_text("utf-8"))
        files = []
        for path in sorted(self.folder.iterdir()):
            sha256 = claimed.get(path.name) or hashlib.sha256(path.read_bytes()).hexdigest()
            size = path.stat().st_size
            lfs = {"sha256": sha256, "size": size, "pointerSize": 134}
            files.append({"rfilename": path.name, "size": size, "blobId": sha256, "lfs": lfs})
        return json.dumps({"id": "org/coca", "sha": COMMIT, "siblings": files}).encode()

    def _send(self, data: bytes, with_body: bool, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if with_body:
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


def serve(folder: Path) -> None:
    """Serves until standard input closes."""
    from threading import Thread

    handler = type("Hub", (_Hub,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
