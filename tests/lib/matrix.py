"""The servers of the matrix (make e2e-matrix), how a test speaks to each of them, and the table of
what each did."""

import os
import ssl
import urllib.parse
import uuid

from elastic import Elastic, Node
from wherry import FAST_RETRY, base_config

PORT = 9240
# Small enough that a test reaches them, large enough for what the others send: 429 for whole
# requests, and 429 for items.
SETTINGS = {"indexing_pressure.memory.limit": "8mb", "thread_pool.write.size": 1,
            "thread_pool.write.queue_size": 3}
ROLE = "wherry-writer"  # made by `wherry setup`
# Elasticsearch 9 works off a request in parts that are stored before the next is read.
IN_PARTS = {"indexing_pressure.memory.split_bulk.watermark." + name: value for name, value in (
    ("low", "20kb"), ("low.bulk_size", "20kb"), ("high", "100kb"), ("high.bulk_size", "10kb"))}
NO_STREAMS = "this build of the server has no data streams: plain indices"


class Kind:
    """One server of the matrix."""

    def __init__(self, kind, version, security=False, streams=True, in_parts=False):
        self.kind = kind
        self.version = version
        self.security = security
        self.streams = streams
        self.in_parts = in_parts
        self.settings = {**SETTINGS, **(IN_PARTS if in_parts else {})}

    @property
    def opensearch(self):
        return self.kind == "opensearch"

    @property
    def bad_document(self):
        """The type of the error for a document that the mapping refuses."""
        old = self.opensearch or self.version.startswith("7.")
        return "mapper_parsing_exception" if old else "document_parsing_exception"


SERVERS = {
    "es-7.17": Kind("elasticsearch", "7.17.29", streams=False),
    "es-8.19": Kind("elasticsearch", "8.19.21"),
    "es-8.19-tls": Kind("elasticsearch", "8.19.21", security=True),
    "es-9.5": Kind("elasticsearch", "9.5.3", in_parts=True),
    "os-2.19": Kind("opensearch", "2.19.6"),
    "os-2.19-tls": Kind("opensearch", "2.19.4", security=True),
    "os-3.6": Kind("opensearch", "3.6.0"),
}


def chosen():
    """The names of the servers to run: WHERRY_MATRIX, or all."""
    names = os.environ.get("WHERRY_MATRIX", "").split() or list(SERVERS)
    unknown = sorted(set(names) - set(SERVERS))
    if unknown:
        raise ValueError("WHERRY_MATRIX: no server %s; there are: %s" % (
            " ".join(unknown), " ".join(SERVERS)))
    return names


class Server:
    """A running server of the matrix. Logs go to its data streams, or by a name behind which
    plain indices are where it has none: an alias with one index to write to."""

    def __init__(self, name):
        self.name = name
        self.kind = SERVERS[name]
        self.node = Node("matrix", PORT, security=self.kind.security, settings=self.kind.settings,
                         kind=self.kind.kind, version=self.kind.version)

    @property
    def elastic(self):
        return self.node.elastic

    @property
    def url(self):
        return self.node.url

    @property
    def port(self):
        return urllib.parse.urlsplit(self.url).port

    @property
    def tls(self):
        """For what speaks to the server in place of the agent."""
        if not self.kind.security:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # in 1.3 tickets come behind the handshake: readable, but nothing to read
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def target(self, dataset):
        """Where the lines of a data set go."""
        return ("logs-%s-default" if self.kind.streams else "logs-%s") % dataset

    def login(self, admin=False):
        """Options of an agent that speaks to this server: as the user that may only write."""
        if not self.kind.security:
            return {}
        user, password = self.node.admin if admin else ("ship", "shippw")
        return {"output__username": user, "output__password": password,
                "output__ssl.certificate_authorities": [self.node.ca]}

    def config(self, tmp_path, dataset, url=None, admin=False, **more):
        """url: of what stands before the server."""
        options = {"shutdown_timeout": "10s", **FAST_RETRY, **self.login(admin)}
        if not self.kind.streams:
            options["output__index"] = "logs-%{[data_stream.dataset]}"
        return base_config(url or self.url, [tmp_path / "*.log"], dataset, **{**options, **more})

    def prepare(self, dataset, properties=None, dynamic=True):
        """Makes a data set's own template, and what it writes to where that is an alias.
        properties, dynamic: of what the input adds."""
        name = self.target(dataset)
        body = {"index_patterns": [name + "*"], "priority": 500, "template": {
            "settings": {"number_of_replicas": 0},
            "mappings": {"date_detection": False, "properties": {
                "@timestamp": {"type": "date"}, "message": {"type": "text"},
                "fields": {"dynamic": dynamic, "properties": properties or {}}}}}}
        if self.kind.streams:
            body["data_stream"] = {}
        self.elastic.call("PUT", "/_index_template/" + name, body)
        if not self.kind.streams and not self.elastic.exists("/_alias/" + name):
            self.elastic.call("PUT", "/%s-000001" % name,
                              {"aliases": {name: {"is_write_index": True}}})
        return name

    def rollover(self, dataset):
        self.elastic.call("POST", "/%s/_rollover" % self.target(dataset))

    def backing(self, dataset):
        """The names of the indices behind a target."""
        return sorted(self.elastic.call("GET", "/%s/_settings" % self.target(dataset)))

    def grant(self, user, password, patterns):
        """Makes a user that may only write to what the patterns match; replaces one of that name."""
        call = self.elastic.call
        if self.kind.opensearch:
            api = "/_plugins/_security/api/%s/" + user
            call("PUT", api % "internalusers", {"password": password})
            call("PUT", api % "roles", {
                "cluster_permissions": ["cluster_monitor", "indices:data/write/bulk",
                                        "indices:admin/index_template/get"],
                "index_permissions": [{"index_patterns": patterns, "allowed_actions": [
                    "create_index", "indices:data/write/index", "indices:data/write/bulk*",
                    "indices:admin/mapping/put"]}]})
            call("PUT", api % "rolesmapping", {"users": [user]})
            return
        call("PUT", "/_security/role/" + user, {"cluster": ["monitor"], "indices": [
            {"names": patterns, "privileges": ["create_doc", "auto_configure"]}]})
        call("PUT", "/_security/user/" + user, {"password": password, "roles": [user]})

    def shipper(self, admin, tmp_path):
        """Who ships, made of what `wherry setup` makes: an API key, or a user with the role."""
        if not self.kind.security:
            return {}
        if not self.kind.opensearch:
            path = str(tmp_path / "key")
            code, out, err = admin.command("setup", "--create-api-key", path)
            assert code == 0, out + err
            return {"api_key_file": path}
        password = "Secret-%s-9" % uuid.uuid4().hex
        api = "/_plugins/_security/api/%s/" + ROLE
        self.elastic.call("PUT", api % "internalusers", {"password": password})
        self.elastic.call("PUT", api % "rolesmapping", {"users": [ROLE]})
        return {"username": ROLE, "password": password}

    def with_login(self, options, shipper):
        """A configuration with another login."""
        output = options["output.elasticsearch"]
        output = {k: v for k, v in output.items() if not shipper or k not in ("username", "password")}
        return {**options, "output.elasticsearch": {**output, **shipper}}

    def as_shipper(self, shipper):
        if "username" in shipper:
            return Elastic(self.url, shipper["username"], shipper["password"])
        with open(shipper["api_key_file"], encoding="ascii") as f:
            return Elastic(self.url, key=f.read().strip())

    def as_user(self, user, password):
        """A client that comes as another user."""
        return Elastic(self.url, user, password)


class Table:
    """What each server did: filled from the reports of the tests, printed at the end."""

    def __init__(self):
        self.cells = {}  # (server, behaviour): ok, FAILED or the number of a reason
        self.reasons = []

    def add(self, name, behaviour, outcome, reason=""):
        """outcome: passed, failed or skipped. A test that failed in any phase has failed."""
        if self.cells.get((name, behaviour)) == "FAILED":
            return
        if outcome == "skipped" and reason not in self.reasons:
            self.reasons.append(reason)
        self.cells[name, behaviour] = {"passed": "ok", "failed": "FAILED"}.get(outcome) or (
            "- (%d)" % (self.reasons.index(reason) + 1))

    def lines(self):
        names = list(dict.fromkeys(name for name, _ in self.cells))
        behaviours = list(dict.fromkeys(behaviour for _, behaviour in self.cells))
        rows = [["", *names]] + [[b, *(self.cells.get((n, b), "") for n in names)]
                                 for b in behaviours]
        widths = [max(len(row[i]) for row in rows) for i in range(len(names) + 1)]
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for number, reason in enumerate(self.reasons, 1):
            yield "- (%d) not available: %s" % (number, reason)
