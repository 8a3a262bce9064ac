"""Things that stand between the agent and the server: an HTTP proxy, a SOCKS proxy, and a gateway
that adds a path."""

import itertools
import select
import socket
import socketserver
import struct
import threading
import urllib.parse


def _read_head(sock):
    """The head of a request and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return None, b""
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return head.decode("latin-1").split("\r\n"), rest


def _pump(one, other):
    """Both ways, until one side ends."""
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65536)
            while data and getattr(ready, "pending", int)():  # TLS has more than select tells
                data += ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)


class Middle:
    """Listens on the loopback; serve(sock) runs in a thread for each connection."""

    def __init__(self, tls=None, upstream_tls=None):
        """tls: an ssl.SSLContext, for a proxy that is spoken to in TLS; upstream_tls: one for
        speaking to the server."""
        self.tls = tls
        self.upstream_tls = upstream_tls
        self.seen = []  # what was asked for
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    if outer.tls is None:
                        outer.serve(self.request)
                        return
                    with outer.tls.wrap_socket(self.request, server_side=True) as sock:
                        outer.serve(sock)
                except OSError:
                    pass  # a side went away
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def connect(self, address):
        """A connection to the server."""
        sock = socket.create_connection(address)
        return sock if self.upstream_tls is None else self.upstream_tls.wrap_socket(sock)

    def forward(self, sock, address, lines, rest):
        """Passes one request on, without what is meant for a proxy, and its answer back."""
        kept = [line for line in lines if not line.lower().startswith("proxy-")]
        with self.connect(address) as upstream:
            upstream.sendall("\r\n".join(kept + ["Connection: close", "", ""]).encode("latin-1")
                             + rest)
            _pump(sock, upstream)


class HttpProxy(Middle):
    """Absolute URLs and CONNECT; every name leads to 127.0.0.1."""

    def __init__(self, credentials=None, tls=None):
        super().__init__(tls)
        self.credentials = credentials

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    def serve(self, sock):
        lines, rest = _read_head(sock)
        if lines is None:
            return
        method, target, version = lines[0].split(" ")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        self.seen.append((method, target, headers))
        if self.credentials and headers.get("proxy-authorization") != self.credentials:
            sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n"
                         b"Proxy-Authenticate: Basic realm=x\r\n\r\n")
            return
        if method == "CONNECT":
            with socket.create_connection(("127.0.0.1", int(target.rsplit(":", 1)[1]))) as upstream:
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pump(sock, upstream)
            return
        url = urllib.parse.urlsplit(target)
        path = url.path + ("?" + url.query if url.query else "")
        self.forward(sock, ("127.0.0.1", url.port), ["%s %s %s" % (method, path, version),
                                                     *lines[1:]], rest)


class SocksProxy(Middle):
    """SOCKS5 without credentials; names are looked up here, and lead to 127.0.0.1."""

    @property
    def url(self):
        return "socks5://127.0.0.1:%d" % self.port

    def serve(self, sock):
        _, count = sock.recv(2)
        sock.recv(count)
        sock.sendall(b"\x05\x00")
        _, _, _, kind = sock.recv(4)
        name = sock.recv(4) if kind == 1 else sock.recv(sock.recv(1)[0])
        port, = struct.unpack("!H", sock.recv(2))
        self.seen.append((kind, name))
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            sock.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + struct.pack("!H", port))
            _pump(sock, upstream)


class Gateway(Middle):
    """Takes a prefix off the path and passes the rest on; 404 without it."""

    def __init__(self, prefix, port):
        super().__init__()
        self.prefix, self.upstream = prefix, port

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def serve(self, sock):
        lines, rest = _read_head(sock)
        if lines is None:
            return
        method, target, version = lines[0].split(" ")
        self.seen.append((method, target))
        if not target.startswith(self.prefix + "/"):
            sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        self.forward(sock, ("127.0.0.1", self.upstream), [
            "%s %s %s" % (method, target[len(self.prefix):], version), *lines[1:]], rest)


class Mangler(Middle):
    """Passes requests on to a local port, one on each connection. Bodies of _bulk requests go through
    `change` unless that is None. With `cuts` connections end at changing places: before the request,
    within its body, before the answer and within it."""

    def __init__(self, port, change=None, cuts=False, upstream_tls=None):
        super().__init__(upstream_tls=upstream_tls)
        self.upstream, self.change, self.cuts = port, change, cuts
        self.mangled = 0
        self._turn = itertools.count()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def serve(self, sock):
        lines, body = _read_head(sock)
        if lines is None:
            return
        length = max(int(line.split(":")[1]) if line.lower().startswith("content-length:") else 0
                     for line in lines)
        bulk = "/_bulk" in lines[0]
        turn = next(self._turn) % 7 if bulk and self.cuts else 6
        self.mangled += turn < 4
        if turn == 0:
            return
        while len(body) < length:
            body += sock.recv(65536)
            if turn == 1 and len(body) > length // 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
        if bulk and self.change is not None:
            self.mangled += 1
            body = self.change(body)
        answer = self._ask(lines, body)
        if turn == 2:
            return
        sock.sendall(answer[: len(answer) // 2] if turn == 3 else answer)

    def _ask(self, lines, body):
        """The server's whole answer; empty if it gives none."""
        kept = [line for line in lines if not line.lower().startswith("content-length:")]
        if body:
            kept.append("Content-Length: %d" % len(body))
        with self.connect(("127.0.0.1", self.upstream)) as upstream:
            upstream.sendall("\r\n".join(kept + ["Connection: close", "", ""]).encode("latin-1") +
                             body)
            answer = b""
            while data := upstream.recv(65536):
                answer += data
            return answer


class Swallow(Middle):
    """Passes requests on; from the moment it is told, _bulk requests are passed on but their answers
    kept back, and then nothing is let through until it is told to."""

    def __init__(self, port, upstream_tls=None):
        super().__init__(upstream_tls=upstream_tls)
        self.upstream = port
        self.lose = threading.Event()
        self.closed = threading.Event()
        self.lost = threading.Event()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def serve(self, sock):
        lines, rest = _read_head(sock)
        if lines is None or self.closed.is_set():
            return
        bulk = "/_bulk" in lines[0]
        self.seen.append(lines[0])
        if bulk and self.lose.is_set():
            self.closed.set()
            length = next(int(line.split(":")[1]) for line in lines
                          if line.lower().startswith("content-length"))
            with self.connect(("127.0.0.1", self.upstream)) as upstream:
                while len(rest) < length:
                    rest += sock.recv(65536)
                upstream.sendall("\r\n".join(lines + ["", ""]).encode("latin-1") + rest)
                upstream.recv(65536)  # the answer, for nobody
            self.lost.set()
            return
        self.forward(sock, ("127.0.0.1", self.upstream), lines, rest)
