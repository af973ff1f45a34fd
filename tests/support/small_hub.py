"""A model hub on this machine: the answers that fetching a model needs, and its faults.

Run as a process of its own it prints its address; the client's library reads the
address from HF_ENDPOINT when it is imported, so clients are processes too.

It serves one repository from a folder, as the real one does: a description with sizes and hashes,
weights as a redirect to another path (as to a delivery network) that answers ranges.
``faults.json`` in the folder is read anew at each request (see ``Faults``), ``hashes.json`` names
other hashes than the true ones, and ``requests.log`` gets a line for each request.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c" * 40
FAULTS, HASHES, LOG = "faults.json", "hashes.json", "requests.log"
WEIGHTS = (".safetensors", ".bin")
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong: all answers, or those that hold a file.

    ``status`` of the description, ``file_status`` of files, the first ``times`` times (0: always);
    ``code`` is its X-Error-Code, ``headers`` are more of it. A file's answer breaks off after
    ``break_after`` bytes, ends early there where it ``ends_early``, and comes at ``bytes_per_s``.
    ``no_ranges``: always from the start.
    """

    status: int = 0
    file_status: int = 0
    times: int = 0
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    break_after: int = 0
    bytes_per_s: float = 0.0
    no_ranges: bool = False


class _Hub(BaseHTTPRequestHandler):
    """Serves one repository, ORG/NAME, from a folder."""

    folder: Path
    repository: str
    refused = 0

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        route = self.path.partition("?")[0]
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{self.command} {route} {self.headers.get('Range', '')}".rstrip() + "\n")
        faults = Faults(**_table(self.folder / FAULTS))
        name = route.rpartition("/")[2]
        if route.startswith(f"/api/models/{self.repository}"):
            if not self._refuses(faults.status, faults):
                self._send(self._description(), with_body, {"Content-Type": "application/json"})
        elif route.startswith((f"/{self.repository}/resolve/{COMMIT}/", "/delivery/")):
            path = self.folder / name
            if not path.is_file():
                self._fail(404, "EntryNotFound")
            elif not self._refuses(faults.file_status, faults):
                self._answer_file(path, faults, with_body=with_body)
        else:
            self._fail(404, "RepoNotFound")

    def _refuses(self, status: int, faults: Faults) -> bool:
        if not status or (faults.times and type(self).refused >= faults.times):
            return False
        type(self).refused += 1
        self._fail(status, faults.code, faults.headers)
        return True

    def _answer_file(self, path: Path, faults: Faults, *, with_body: bool) -> None:
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{self._tag(path)}"'}
        if path.suffix in WEIGHTS and not self.path.startswith("/delivery/"):
            self.send_response(302)
            linked = {"X-Linked-Size": str(path.stat().st_size), "X-Linked-ETag": headers["ETag"]}
            for name, value in {**headers, **linked, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.send_header("Location", f"/delivery/{path.name}")
            self.end_headers()
            return
        self._send(path.read_bytes(), with_body, headers, faults)

    def _description(self) -> bytes:
        files = []
        for path in sorted(self.folder.iterdir()):
            if path.name in (FAULTS, HASHES, LOG):
                continue
            size, tag = path.stat().st_size, self._tag(path)
            entry: dict[str, object] = {"rfilename": path.name, "size": size, "blobId": tag}
            if path.suffix in WEIGHTS:
                entry["lfs"] = {"sha256": tag, "size": size, "pointerSize": 134}
            files.append(entry)
        return json.dumps({"id": self.repository, "sha": COMMIT, "siblings": files}).encode()

    def _tag(self, path: Path) -> str:
        """The SHA-256 of weights, and of other files the hash that Git gives them."""
        claimed = _table(self.folder / HASHES).get(path.name)
        if claimed:
            return str(claimed)
        if path.suffix in WEIGHTS:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        data = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def _send(
        self, data: bytes, with_body: bool, headers: dict[str, str], faults: Faults | None = None
    ) -> None:
        faults = faults or Faults()
        start = 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and not faults.no_ranges:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if with_body:
            self._write(memoryview(data)[start:], faults)

    def _write(self, rest: memoryview, faults: Faults) -> None:
        sent = 0
        while rest:
            most = faults.break_after - sent if faults.break_after else _CHUNK
            if most <= 0:
                self.close_connection = True
                self.connection.close()
                return
            part, rest = rest[: min(most, _CHUNK)], rest[min(most, _CHUNK) :]
            self.wfile.write(part)
            sent += len(part)
            if faults.bytes_per_s:
                time.sleep(len(part) / faults.bytes_per_s)

    def _fail(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


def _table(path: Path) -> dict[str, object]:
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def serve(folder: Path, repository: str) -> None:
    """Serves until standard input closes."""
    from threading import Thread

    handler = type("Hub", (_Hub,), {"folder": folder, "repository": repository})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "org/coca")
