"""A real Elasticsearch or OpenSearch: starting and stopping it by scripts/elasticsearch and
scripts/opensearch, and asking it."""

import base64
import collections
import fcntl
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import urllib.parse

from tools import ROOT
from waiting import wait_for

# exit status of the scripts: this machine lacks what the server needs
NOT_HERE = 4

# As the product's own templates, with what the test distribution has of field types: strings are
# keywords, `message` is text, everything else is found out from the first document.
TEMPLATE = {
    "priority": 100,
    "data_stream": {},
    "template": {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
        "mappings": {
            "date_detection": False,
            "dynamic_templates": [{"strings": {
                "match_mapping_type": "string",
                "mapping": {"type": "keyword", "ignore_above": 1024}}}],
            "properties": {"@timestamp": {"type": "date"}, "message": {"type": "text"}},
        },
    },
}


class ElasticError(Exception):
    def __init__(self, status, body):
        super().__init__("%d: %s" % (status, body[:500]))
        self.status = status
        self.body = body


class Elastic:
    """A client of one node. Every call opens its own connection, so that restarts do not matter."""

    def __init__(self, url, user=None, password=None, key=None):
        """key: an API key as two parts with a colon, or in one."""
        self.url = url.rstrip("/")
        self._parts = urllib.parse.urlsplit(self.url)
        self._headers = {"content-type": "application/json"}
        if user is not None:
            token = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
            self._headers["authorization"] = "Basic " + token
        if key is not None:
            token = base64.b64encode(key.encode()).decode() if ":" in key else key
            self._headers["authorization"] = "ApiKey " + token

    def call(self, method, path, body=None, timeout=90):
        if self._parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                self._parts.hostname, self._parts.port, timeout=timeout,
                context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection(
                self._parts.hostname, self._parts.port, timeout=timeout)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, self._headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
        finally:
            connection.close()
        if answer.status >= 300:
            raise ElasticError(answer.status, text)
        return json.loads(text) if text else None

    def exists(self, path):
        try:
            self.call("GET", path)
            return True
        except ElasticError as e:
            if e.status != 404:
                raise
            return False

    def is_up(self):
        try:
            self.call("GET", "/_cluster/health", timeout=5)
            return True
        except (OSError, http.client.HTTPException, ElasticError):
            return False

    def is_usable(self):
        try:
            return self.call("GET", "/_cluster/health", timeout=5)["status"] != "red"
        except (OSError, http.client.HTTPException, ElasticError):
            return False

    def wait_ready(self, deadline=120):
        wait_for(self.is_usable, deadline, "%s is up and not red" % self.url, interval=0.2)

    def create_templates(self):
        """Data-stream templates for logs-*-* and metrics-*-*."""
        for kind in ("logs", "metrics"):
            self.call("PUT", "/_index_template/" + kind,
                      dict(TEMPLATE, index_patterns=[kind + "-*-*"]))

    def create_api_key(self, rights, **more):
        """rights: role descriptors; returns id, api_key and both in one as `encoded`."""
        return self.call("POST", "/_security/api_key",
                         {"name": "e2e", "role_descriptors": rights, **more})

    def key_works(self, key):
        """Whether the node knows who comes with that key."""
        try:
            Elastic(self.url, key=key["encoded"]).call("GET", "/_security/_authenticate")
            return True
        except ElasticError as e:
            if e.status != 401:
                raise
            return False

    def refresh(self, stream):
        self.call("POST", "/%s/_refresh?ignore_unavailable=true&allow_no_indices=true" % stream)

    def count(self, stream):
        """How many documents can be found in the stream now; 0 when there is no such stream, or
        while none of its shards has started yet."""
        try:
            self.refresh(stream)
            return self.call(
                "GET", "/%s/_count?ignore_unavailable=true&allow_no_indices=true" % stream)["count"]
        except ElasticError as e:
            if e.status != 503:
                raise
            return 0

    def wait_count(self, stream, count, deadline=60):
        """Waits until exactly that many documents are there; more is an error."""
        wait_for(lambda: self.count(stream) >= count, deadline,
                 lambda: "%d documents in %s, has %d" % (count, stream, self.count(stream)),
                 interval=0.2)
        assert self.count(stream) == count

    def search(self, stream, query=None, size=100, **more):
        """Sources of the hits of one search."""
        self.refresh(stream)
        body = dict({"query": query or {"match_all": {}}, "size": size}, **more)
        hits = self.call("POST", "/%s/_search" % stream, body)["hits"]["hits"]
        return [h["_source"] for h in hits]

    def all(self, stream, page=5000):
        """Every document: yields (_id, _source, _index), by scrolling."""
        self.refresh(stream)
        answer = self.call("POST", "/%s/_search?scroll=2m" % stream,
                           {"size": page, "sort": ["_doc"]})
        while answer["hits"]["hits"]:
            for hit in answer["hits"]["hits"]:
                yield hit["_id"], hit["_source"], hit["_index"]
            answer = self.call("POST", "/_search/scroll",
                               {"scroll": "2m", "scroll_id": answer["_scroll_id"]})
        self.call("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]})

    def mapping(self, stream):
        """{dotted field name: type} over the stream's backing indices."""
        found = {}

        def walk(properties, prefix):
            for name, field in properties.items():
                if "properties" in field:
                    walk(field["properties"], prefix + name + ".")
                else:
                    found[prefix + name] = field["type"]
        for index in self.call("GET", "/%s/_mapping" % stream).values():
            walk(index["mappings"].get("properties", {}), "")
        return found


class NotHere(Exception):
    """The server cannot run on this machine; says why."""


def script(*words, kind="elasticsearch"):
    """Runs scripts/elasticsearch or scripts/opensearch; returns what it printed."""
    done = subprocess.run([os.path.join(ROOT, "scripts", kind), *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)
    if done.returncode == NOT_HERE:
        raise NotHere(done.stdout.strip().removeprefix(kind + ": "))
    assert done.returncode == 0, "%s: %s" % (" ".join(words), done.stdout)
    return done.stdout.strip()


class Node:
    """A node that a test may stop, start and kill, apart from the one that all tests share. Users
    of a secured one: who may do everything (ADMIN), and ship/shippw who may only write."""

    ADMIN = {"elasticsearch": ("elastic", "secretpw"), "opensearch": ("admin", "admin")}

    def __init__(self, name, port, security=False, settings=None, kind="elasticsearch",
                 version=None):
        self.port = port
        self.kind = kind
        self._name = name
        self._lock = None
        self._options = ["--name", name, "--port", str(port)] + ["--security"] * security
        if version is not None:
            self._options += ["--version", version]
        for setting in (settings or {}).items():
            self._options += ["--setting", "%s=%s" % setting]
        self.url = "%s://127.0.0.1:%d" % ("https" if security else "http", port)
        self.admin = self.ADMIN[kind] if security else (None, None)
        self.elastic = Elastic(self.url, *self.admin)

    def start(self, data="keep"):
        script("start", *self._options, "--data", data, kind=self.kind)
        self.elastic.wait_ready()
        return self

    def __enter__(self):
        """Two test runs at once take turns with the node."""
        self._lock = open(os.path.join(tempfile.gettempdir(), self._name + ".lock"), "w")
        wait_for(self._take_lock, 600, "another test run has finished with node " + self._name)
        return self

    def __exit__(self, *_):
        self.stop()
        self._lock.close()

    def _take_lock(self):
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def stop(self):
        script("stop", *self._options, kind=self.kind)

    def kill(self):
        script("kill", *self._options, kind=self.kind)

    @property
    def ca(self):
        return script("ca", *self._options, kind=self.kind)


def by_generation(documents):
    """{generation: [(offset, message)] in order} from (_id, _source) pairs."""
    found = collections.defaultdict(list)
    for id_, source in documents:
        found[id_[:12]].append((source["log"]["offset"], source["message"]))
    for lines in found.values():
        lines.sort()
    return dict(found)
