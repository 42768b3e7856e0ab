"""Servers and file objects that count what is read of them, for tests of remote files."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Files by HTTP. Bodies may be broken off, and ranges may be ignored."""

    def __init__(
        self, files: dict[str, bytes], *, has_ranges: bool, breaks_after: int | None, falls_silent_after: int | None
    ) -> None:
        self.files, self.has_ranges, self.breaks_after = files, has_ranges, breaks_after
        self.falls_silent_after = falls_silent_after
        self.is_silent, self.may_go_on = threading.Event(), threading.Event()
        self.num_bytes = self.num_requests = 0
        self.url = ""

    def reset(self) -> None:
        self.num_bytes = self.num_requests = 0


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are written apart: else each answer waits for the client to acknowledge the headers.
        disable_nagle_algorithm = True

        def do_HEAD(self) -> None:
            self.answer(is_head=True)

        def do_GET(self) -> None:
            self.answer(is_head=False)

        def answer(self, *, is_head: bool) -> None:
            data = server.files.get(self.path.lstrip("/"))
            if data is None:
                self.send_error(404)
                return
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            part = data
            if wanted and server.has_ranges:
                start, end = int(wanted[1]), int(wanted[2] or len(data) - 1) + 1
                part = data[start:end]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(data)}")
            else:
                self.send_response(200)
            if server.has_ranges:
                self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if is_head:
                return
            server.num_requests += 1
            if server.breaks_after is not None and server.num_bytes + len(part) > server.breaks_after:
                self.wfile.write(part[: len(part) // 2])
                self.close_connection = True
                return
            if server.falls_silent_after is not None and server.num_bytes + len(part) > server.falls_silent_after:
                server.is_silent.set()
                server.may_go_on.wait(120)
                self.close_connection = True
                return
            server.num_bytes += len(part)
            self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serve(
    files: dict[str, bytes],
    *,
    has_ranges: bool = True,
    breaks_after: int | None = None,
    falls_silent_after: int | None = None,
) -> Iterator[Server]:
    """Serves files on this machine; connections break, or hang, once more bytes than so many are asked for."""
    server = Server(files, has_ranges=has_ranges, breaks_after=breaks_after, falls_silent_after=falls_silent_after)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


class Counting(io.RawIOBase):
    """A seekable file object of bytes in memory whose reads are counted, and may return less than was asked for."""

    def __init__(self, data: bytes, *, most: int | None = None) -> None:
        self.file, self.most = io.BytesIO(data), most
        self.num_bytes = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def read(self, size: int = -1) -> bytes:
        if self.most is not None and (size < 0 or size > self.most):
            size = self.most
        data = self.file.read(size)
        self.num_bytes += len(data)
        return data


class Pipe:
    """A file object that cannot seek, and returns what comes."""

    def __init__(self, data: bytes, *, most: int = 5000) -> None:
        self.file, self.most = io.BytesIO(data), most
        self.num_bytes = 0

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(self.most if size < 0 else min(size, self.most))
        self.num_bytes += len(data)
        return data
