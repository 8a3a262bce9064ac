"""A scriptable stand-in for Elasticsearch, for answers that a real server does not give on demand.

    with FaultServer() as server:
        server.script(reply(503), close_without_answer(apply=True))   # the next two bulks
        ...
        server.docs        {(index, id): document}, as they would be stored
        server.requests    what came: method, path, headers, actions, documents
        server.problems    everything that a strict server would object to

Without a script it behaves well: stores documents by id, answers 201, or 409 for an id it holds. A
step is called with the Exchange; it reads the body if it wants to, answers, and returns whether
the connection stays open. Steps that `apply` store the documents although the client does not learn
of it. One thread per connection; all are ended by stop().
"""

import collections
import gzip
import json
import re
import socket
import struct
import threading
import time
import urllib.parse
import zlib

from waiting import wait_for

CONTENT_TYPES = ("application/x-ndjson", "application/json")
ERROR_TYPES = {
    400: ("document_parsing_exception", "[1:42] failed to parse field [n] of type [long]"),
    403: ("cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];"),
    404: ("index_not_found_exception", "no such index [x]"),
    409: ("version_conflict_engine_exception",
          "[1]: version conflict, document already exists (current version [1])"),
    429: ("es_rejected_execution_exception", "rejected execution of coordinating operation"),
    500: ("fail_processor_exception", "boom"),
    503: ("unavailable_shards_exception", "[x][0] primary shard is not active"),
}


class Closed(Exception):
    """The connection has ended."""


class Action:
    def __init__(self, op, index, id_, document, line):
        self.op, self.index, self.id, self.document, self.line = op, index, id_, document, line

    def __repr__(self):
        return "Action(%s %s/%s)" % (self.op, self.index, self.id)


class Request:
    def __init__(self, method, target, headers, connection):
        url = urllib.parse.urlsplit(target)
        self.method = method
        self.target = target
        self.path = urllib.parse.unquote(url.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.headers = headers
        self.connection = connection
        self.time = time.monotonic()
        self.wire = b""  # the body as sent
        self.body = b""  # decoded
        self.actions = []
        self.problems = []
        self.answered = None  # status, when an answer was sent whole

    @property
    def is_bulk(self):
        return self.method in ("POST", "PUT") and self.path.endswith("/_bulk")

    @property
    def ids(self):
        return [a.id for a in self.actions]

    @property
    def messages(self):
        return [a.document.get("message") for a in self.actions if a.document]

    def __repr__(self):
        return "Request(%s %s, %d items, answered %s)" % (
            self.method, self.target, len(self.actions), self.answered)


def _no_duplicate_keys(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("duplicate key in %r" % keys)
    return dict(pairs)


def strict_json(line):
    """One JSON object from bytes, as strictly as Elasticsearch reads it."""
    value = json.loads(line.decode("utf-8", "strict"), object_pairs_hook=_no_duplicate_keys)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def parse_bulk(request, ids_optional=False):
    """Body to actions; what is wrong goes to request.problems."""
    url_index = request.path[1 : -len("/_bulk")] if request.path != "/_bulk" else None
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind not in CONTENT_TYPES:
        request.problems.append("content type %r" % kind)
    if not request.body.endswith(b"\n"):
        request.problems.append("no newline at the end")
    lines = request.body.split(b"\n")[:-1]
    position = 0
    while position < len(lines):
        try:
            action = strict_json(lines[position])
            (op, meta), = action.items()
            if op != "create":
                raise ValueError("op %s" % op)
            if not set(meta) <= {"_index", "_id", "require_data_stream", "pipeline"}:
                raise ValueError("unknown parameter in %r" % meta)
            index = meta.get("_index", url_index)
            if not index:
                raise ValueError("no index")
            if not (ids_optional and "_id" not in meta) and (
                    not meta.get("_id") or len(meta["_id"].encode()) > 512):
                raise ValueError("id %r" % meta.get("_id"))
        except ValueError as e:
            request.problems.append("action line %d: %s: %r" % (position, e, lines[position][:200]))
            return
        if position + 1 >= len(lines):
            request.problems.append("action without a document")
            return
        line = lines[position + 1]
        try:
            document = strict_json(line)
        except ValueError as e:
            request.problems.append("document line %d: %s: %r" % (position + 1, e, line[:200]))
            document = None
        request.actions.append(Action(op, index, meta.get("_id"), document, line))
        position += 2


class Exchange:
    """One request on one connection: what a step works with."""

    def __init__(self, server, connection, request):
        self.server = server
        self.connection = connection
        self.request = request
        self._read = False
        headers = request.headers
        self._length = int(headers.get("content-length", 0))
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"

    def read_body(self):
        """Reads, decodes and parses the body; once."""
        if self._read:
            return
        self._read = True
        request = self.request
        if request.headers.get("expect", "").lower() == "100-continue":
            self.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.wire = (self.connection.read_chunked() if self._chunked
                        else self.connection.read(self._length))
        request.body = request.wire
        if request.headers.get("content-encoding") == "gzip":
            try:
                request.body = gzip.decompress(request.wire)
            except (OSError, EOFError, zlib.error) as e:
                request.problems.append("not gzip: %s" % e)
        if request.is_bulk and request.wire:
            parse_bulk(request, self.server.ids_optional)
        self.server.note(request)

    def read_part(self, count):
        """Reads at most that many bytes of the body, which is not parsed then."""
        self._read = True
        self.connection.read(min(count, self._length))
        self.server.note(self.request)

    def apply(self, decide=None):
        """Stores the documents; returns the items of the answer. decide(n, action) may name another
        outcome: a status, or (status, type, reason)."""
        self.read_body()
        return [self.server.take(action, decide(n, action) if decide else None)
                for n, action in enumerate(self.request.actions)]

    def raw(self, status, body=b"", headers=None, length=None):
        """The bytes of an answer."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body, separators=(",", ":")).encode()
        elif isinstance(body, str):
            body = body.encode()
        every = {"X-elastic-product": "Elasticsearch", "content-type": "application/json",
                 "content-length": str(len(body) if length is None else length)}
        every.update(headers or {})
        lines = ["HTTP/1.1 %d Answer" % status]
        lines += ["%s: %s" % (k, v) for k, v in every.items() if v is not None]
        if self.request.method == "HEAD":
            body = b""
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def answer(self, status, body=b"", headers=None):
        """Sends a whole answer; True: the connection stays."""
        self.connection.send(self.raw(status, body, headers))
        self.request.answered = status
        return self.request.headers.get("connection", "").lower() != "close"

    def bulk_body(self, items):
        """The body of a 200, reduced when the request asked for it."""
        errors = any(next(iter(i.values()))["status"] >= 300 for i in items)
        if "filter_path" in self.request.query:
            items = [{op: {k: v for k, v in item.items() if k in ("status", "error")}}
                     for i in items for op, item in i.items()]
            return {"errors": errors, "items": items}
        return {"errors": errors, "took": 1, "items": items}


class Connection:
    """A socket with a buffer."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.buffer = b""

    def fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except OSError as e:
            raise Closed(str(e)) from e
        if not data:
            raise Closed("end of input")
        self.buffer += data

    def read_line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def read(self, count):
        pieces = [self.buffer[:count]]
        self.buffer = self.buffer[count:]
        left = count - len(pieces[0])
        while left > 0:
            self.fill()
            pieces.append(self.buffer[:left])
            self.buffer = self.buffer[left:]
            left -= len(pieces[-1])
        return b"".join(pieces)

    def read_chunked(self):
        body = b""
        while True:
            size = int(self.read_line().split(b";")[0], 16)
            body += self.read(size)
            self.read_line()
            if size == 0:
                return body

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Closed(str(e)) from e

    def close(self):
        for ending in (lambda: self.sock.shutdown(socket.SHUT_RDWR), self.sock.close):
            try:
                ending()
            except OSError:
                pass  # the other side was first


class FaultServer:
    def __init__(self, version="8.19.21", tls=None, port=0, credentials=None, host="127.0.0.1"):
        """tls: an ssl.SSLContext; credentials: the Authorization header asked for, else 401."""
        self.version = version
        self.tls = tls
        self.host = host
        self.port = port
        self.credentials = credentials
        self.docs = {}
        self.requests = []
        self.problems = []
        self.duplicates = 0  # 409s answered or swallowed
        self.ids_optional = False  # documents may come without an id
        self.connections = 0
        self.privileges = True  # answer to _has_privileges
        self.templates = True  # whether data-stream templates are there; None: not shown
        self.control = None  # answers what is no bulk request: (status, body[, headers]) or None
        self.stopping = threading.Event()
        self._default = None
        self._script = collections.deque()
        self._lock = threading.RLock()
        self._open = set()
        self._threads = []
        self._listener = None

    # ---- life

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listens; also after pause()."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self.stopping = threading.Event()
        thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def pause(self):
        """Refuses connections and closes the open ones, like a server that went away."""
        self.stopping.set()
        if self._listener is not None:
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
            self._listener = None
        with self._lock:
            for connection in list(self._open):
                connection.close()
        for thread in self._threads:
            thread.join(10)
        assert not any(t.is_alive() for t in self._threads), "a connection's thread hangs"
        self._threads = []

    stop = pause

    @property
    def url(self):
        return "%s://%s:%d" % ("https" if self.tls else "http", self.host, self.port)

    # ---- what tests say and ask

    def script(self, *steps):
        """Steps for the next bulk requests, in the order in which they come."""
        with self._lock:
            self._script.extend(steps)

    def always(self, step):
        """What happens when the script is worked off; None: well-behaved."""
        with self._lock:
            self._default = step

    @property
    def scripted_left(self):
        return len(self._script)

    @property
    def bulks(self):
        with self._lock:
            return [r for r in self.requests if r.is_bulk]

    def documents(self, index=None):
        with self._lock:
            return [d for (i, _), d in self.docs.items() if index in (None, i)]

    def messages(self, index=None):
        return [d.get("message") for d in self.documents(index)]

    def wait_docs(self, count, deadline=30):
        """Waits until exactly that many documents are stored; more is an error."""
        wait_for(lambda: len(self.docs) >= count, deadline,
                 lambda: "%d of %d documents; last requests %r" % (
                     len(self.docs), count, self.requests[-5:]))
        assert len(self.docs) == count

    def wait_bulks(self, count, deadline=30):
        wait_for(lambda: len(self.bulks) >= count, deadline,
                 lambda: "%d of %d bulk requests" % (len(self.bulks), count))

    # ---- inside

    def note(self, request):
        with self._lock:
            self.requests.append(request)
            self.problems += ["%s: %s" % (request.target, p) for p in request.problems]

    def take(self, action, outcome):
        """Stores one document unless another outcome is given; returns its item."""
        if isinstance(outcome, int):
            outcome = (outcome,) + ERROR_TYPES.get(outcome, ("exception", "asked for"))
        with self._lock:
            id_ = action.id if action.id is not None else "made-%d" % len(self.docs)
            key = (action.index, id_)
            if outcome is None and action.document is None:
                outcome = (400,) + ERROR_TYPES[400]
            if outcome is None and key in self.docs:
                self.duplicates += 1
                outcome = (409,) + ERROR_TYPES[409]
            item = {"_index": action.index, "_id": id_}
            if outcome is None or outcome[0] in (200, 201):
                self.docs[key] = action.document
                item.update(_version=1, result="created", _seq_no=len(self.docs) - 1,
                            _primary_term=1, status=201)
            else:
                status, kind, reason = outcome
                item["status"] = status
                item["error"] = {"type": kind, "reason": reason}
            return {action.op: item}

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                connection = Connection(sock, self.connections)
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        try:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connection.sock = self.tls.wrap_socket(connection.sock, server_side=True)
            while self._one(connection):
                pass
        except (Closed, OSError, ValueError):
            pass  # the client went away, or did not speak HTTP
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)

    def _one(self, connection):
        method, target, _ = connection.read_line().decode("latin-1").split(" ")
        headers = {}
        while line := connection.read_line():
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.strip().lower()] = value.strip()
        exchange = Exchange(self, connection, Request(method, target, headers, connection.number))
        if self.credentials and headers.get("authorization") != self.credentials:
            exchange.read_body()
            return exchange.answer(401, UNAUTHORIZED, {
                "X-elastic-product": None, "WWW-Authenticate": 'Basic realm="security"'})
        if not exchange.request.is_bulk:
            exchange.read_body()
            answer = self.control(exchange.request) if self.control else None
            return exchange.answer(*(answer or self._control(exchange.request)))
        if "content-length" not in headers and "transfer-encoding" not in headers:
            self.problems.append("neither length nor chunked")
        with self._lock:
            step = self._script.popleft() if self._script else self._default
        return (step or well_behaved())(exchange)

    def _control(self, request):
        path = request.path
        if path == "/":
            return 200, {"name": "fault", "cluster_name": "fault", "cluster_uuid": "ZmF1bHQ",
                         "version": {"number": self.version, "build_flavor": "default"},
                         "tagline": "You Know, for Search"}
        if path.startswith("/_nodes"):
            return 200, {"nodes": {"ZmF1bHQ": {"name": "fault", "version": self.version}}}
        if path == "/_cluster/health":
            return 200, {"cluster_name": "fault", "status": "green", "timed_out": False}
        if path == "/_security/user/_has_privileges":
            return 200, {"username": "fault", "has_all_requested": self.privileges,
                         "cluster": {}, "index": {}}
        if path == "/_security/_authenticate":
            return 200, {"username": "fault", "roles": [], "enabled": True}
        if path.startswith("/_index_template/_simulate_index/"):
            return 200, {"template": {"settings": {}, "mappings": {}, "aliases": {}},
                         "overlapping": []}
        if path.startswith("/_index_template") and self.templates is None:
            return 403, {"error": {"type": "security_exception", "reason": "no permissions"},
                         "status": 403}
        if path.startswith("/_index_template") and request.method in ("GET", "HEAD"):
            found = [{"name": kind, "index_template": {
                "index_patterns": [kind + "-*-*"], "composed_of": [], "priority": 100,
                "data_stream": {}}} for kind in ("logs", "metrics")] if self.templates else []
            return 200, {"index_templates": found}
        if path.startswith("/_resolve/index/"):
            return 200, {"indices": [], "aliases": [], "data_streams": []}
        if request.method == "PUT":
            return 200, {"acknowledged": True}
        return 404, {"error": {"type": "resource_not_found_exception", "reason": "no such path"},
                     "status": 404}


UNAUTHORIZED = {"error": {"type": "security_exception",
                          "reason": "unable to authenticate user [x] for REST request [/_bulk]"},
                "status": 401}

# ---- steps -----------------------------------------------------------------------------------


def well_behaved():
    """Stores and answers item by item."""
    return bulk_reply()


def bulk_reply(items=None):
    """items: a list (None = stored, a status, or (status, type, reason)) or a function
    (n, action) -> the same. A list shorter than the request leaves the rest well-behaved."""
    def decide(n, action):
        if callable(items):
            return items(n, action)
        return items[n] if items and n < len(items) else None

    def step(exchange):
        answer = exchange.apply(decide)
        return exchange.answer(200, exchange.bulk_body(answer))
    return step


def reply(status, body=b"", headers=None, apply=False):
    """A whole answer with that status."""
    def step(exchange):
        exchange.read_body()
        if apply:
            exchange.apply()
        return exchange.answer(status, body, headers)
    return step


def error_reply(status, kind, reason="asked for", headers=None):
    """An error of the whole request, as Elasticsearch words it."""
    return reply(status, {"error": {"root_cause": [{"type": kind, "reason": reason}],
                                    "type": kind, "reason": reason}, "status": status}, headers)


def html(status=200, apply=False):
    """What a proxy says."""
    return reply(status, "<html><head><title>gateway</title></head><body>%s</body></html>" %
                 ("<p>sorry</p>" * 50), {"content-type": "text/html", "X-elastic-product": None},
                 apply)


def close_without_answer(apply=False):
    def step(exchange):
        exchange.read_body()
        if apply:
            exchange.apply()
        return False
    return step


def _reset(exchange):
    exchange.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.sock.close()
    return False


def reset_mid_body(after=1000):
    """RST while the client still sends."""
    def step(exchange):
        exchange.read_part(after)
        return _reset(exchange)
    return step


def reset_mid_answer():
    """The documents are stored; RST after half of the answer."""
    def step(exchange):
        answer = exchange.raw(200, exchange.bulk_body(exchange.apply()))
        exchange.connection.send(answer[: len(answer) // 2])
        return _reset(exchange)
    return step


def black_hole(apply=False):
    """Takes the request and never answers, until the client or the server ends."""
    def step(exchange):
        exchange.read_body()
        if apply:
            exchange.apply()
        while not exchange.server.stopping.is_set():
            exchange.connection.fill()
        return False
    return step


def hold(event, then=None, apply_first=False):
    """Waits for a threading.Event before it goes on with another step."""
    def step(exchange):
        exchange.read_body()
        items = exchange.apply() if apply_first else None
        while not event.wait(0.02):
            if exchange.server.stopping.is_set():
                return False
        if items is not None:
            return exchange.answer(200, exchange.bulk_body(items))
        return (then or well_behaved())(exchange)
    return step


def slow(bytes_per_second=1, pieces=8):
    """Well-behaved, but the first bytes of the answer trickle."""
    def step(exchange):
        answer = exchange.raw(200, exchange.bulk_body(exchange.apply()))
        for i in range(pieces):
            exchange.connection.send(answer[i : i + 1])
            if exchange.server.stopping.wait(1 / bytes_per_second):
                return False
        exchange.connection.send(answer[pieces:])
        exchange.request.answered = 200
        return True
    return step


def cut_json(apply=True, keep=0.5):
    """A 200 whose body ends in the middle of the JSON, with a matching length."""
    def step(exchange):
        items = exchange.apply() if apply else [{"create": {"status": 201}}]
        text = json.dumps(exchange.bulk_body(items)).encode()
        return exchange.answer(200, text[: int(len(text) * keep)])
    return step


def short_body(apply=True):
    """The connection ends in the middle of the announced body."""
    def step(exchange):
        exchange.read_body()
        items = exchange.apply() if apply else []
        text = json.dumps(exchange.bulk_body(items)).encode()
        exchange.connection.send(exchange.raw(200, text[: len(text) // 2], length=len(text)))
        return False
    return step


def wrong_count(change=-1, apply=True):
    """A 200 with an item too few or too many."""
    def step(exchange):
        items = exchange.apply() if apply else []
        items = items[:change] if change < 0 else items + items[:1] * change
        return exchange.answer(200, exchange.bulk_body(items))
    return step


def huge(size=50 << 20, apply=False):
    """A 200 with a body of that size, which is JSON but no bulk answer."""
    def step(exchange):
        exchange.read_body()
        if apply:
            exchange.apply()
        head, tail = b'{"took":1,"junk":"', b'"}'
        exchange.connection.send(exchange.raw(200, head, length=size))
        left = size - len(head) - len(tail)
        while left > 0:
            n = min(left, 1 << 20)
            exchange.connection.send(b"x" * n)
            left -= n
        exchange.connection.send(tail)
        exchange.request.answered = 200
        return True
    return step


def early(status, body=b"", headers=None):
    """Answers before the body is read, takes the rest of it and closes."""
    def step(exchange):
        exchange.answer(status, body, {"connection": "close", **(headers or {})})
        exchange.read_body()
        return False
    return step


def limit_body(max_bytes):
    """413 without a body for what is larger, decompressed."""
    def step(exchange):
        exchange.read_body()
        if len(exchange.request.body) > max_bytes:
            return exchange.answer(413, b"", {"content-type": None, "X-elastic-product": None})
        return well_behaved()(exchange)
    return step


def reject_messages(pattern, outcome=400):
    """Items whose message matches get that outcome."""
    regex = re.compile(pattern)
    return bulk_reply(
        lambda n, a: outcome if regex.search(a.document.get("message", "")) else None)
