"""What `wherry setup` meets on servers that cannot be had for tests: Elasticsearch with ILM and
security, a Serverless project, OpenSearch with ISM and its security plugin. Answers are shaped as
their documentation shows them; what a product does not know it refuses.

    cluster = Cluster("opensearch")
    server.control = cluster.answer     # server: a FaultServer
    cluster.assets                      {path: body}, as they were put
    cluster.calls                       [(method, path with query, body)] that would change something
    cluster.refuse["/_ilm/"] = answer   for every path that begins so
"""

import fnmatch
import json
import re

SERVERLESS_SETTINGS = ("index.number_of_shards", "index.number_of_replicas", "index.codec",
                       "index.lifecycle.name")
TEMPLATE_KEYS = {"index_patterns", "data_stream", "priority", "composed_of", "template", "_meta"}
ACKNOWLEDGED = {"acknowledged": True}
FORBIDDEN = ("security_exception",
             "action [cluster:admin/x] is unauthorized for user [someone] with effective roles "
             "[nothing], this action is granted by the cluster privileges [manage,all]")


def error(status, kind, reason):
    return status, {"error": {"root_cause": [{"type": kind, "reason": reason}], "type": kind,
                              "reason": reason}, "status": status}


def forbidden():
    return error(403, *FORBIDDEN)


def no_handler(request):
    return 400, {"error": "no handler found for uri [%s] and method [%s]" % (
        request.target, request.method)}


class Cluster:
    def __init__(self, product, version=None, security=True, lifecycle=True):
        assert product in ("elasticsearch", "serverless", "opensearch")
        self.product = product
        self.version = version or {"elasticsearch": "9.1.0", "serverless": "8.11.0",
                                   "opensearch": "3.1.0"}[product]
        self.security = security
        self.lifecycle = lifecycle
        self.lacking_types = set()
        self.streams = True
        self.assets = {}
        self.keys = []
        self.calls = []
        self.refuse = {}
        self._numbers = {}  # of policies, as OpenSearch counts them
        self._next_number = 7

    # ---- what tests say

    def put(self, path, body):
        """As somebody else would."""
        self.assets[path] = body
        self._numbers[path] = self._next_number
        self._next_number += 1

    @property
    def changed(self):
        """Paths of the calls that changed something."""
        return [path for _, path, _ in self.calls]

    # ---- answers

    def answer(self, request):
        found = self._answer(request)
        if found is None:
            return None
        headers = {}
        if self.product == "opensearch":
            headers = {"X-elastic-product": None,
                       "X-OpenSearch-Version": "OpenSearch/%s (opensearch)" % self.version}
        return found[0], found[1], headers

    def _answer(self, request):
        path = request.path
        if request.method not in ("GET", "HEAD") and not path.endswith("/_simulate"):
            self.calls.append((request.method, request.target, json.loads(request.body)))
        for begin, answer in self.refuse.items():
            if path.startswith(begin):
                return answer(request) if callable(answer) else answer
        if path == "/":
            return 200, self._root()
        if path.startswith("/_ilm/policy/"):
            return self._ilm(request)
        if path.startswith("/_plugins/_ism/policies/"):
            return self._ism(request)
        if path == "/_index_template/_simulate":
            return self._simulate(json.loads(request.body))
        if path.startswith("/_component_template/"):
            return self._template(request, "component template", "component_template")
        if path.startswith("/_index_template/"):
            return self._template(request, "index template", "index_template")
        if path.startswith("/_security/") or path.startswith("/_plugins/_security/"):
            return self._security(request)
        return None

    def _root(self):
        version = {"number": self.version}
        if self.product == "opensearch":
            version["distribution"] = "opensearch"
        else:
            version["build_flavor"] = "serverless" if self.product == "serverless" else "default"
        return {"name": "n", "cluster_name": "c", "version": version}

    def _store(self, path, body):
        was_there = path in self.assets
        self.put(path, body)
        return was_there

    # ---- lifecycle

    def _ilm(self, request):
        name = request.path.rsplit("/", 1)[1]
        if self.product == "serverless":
            return error(410, "api_not_available_exception",
                         "Request for uri [%s] with method [%s] exists but is not available when "
                         "running in serverless mode" % (request.target, request.method))
        if self.product == "opensearch" or not self.lifecycle:
            return no_handler(request)
        if request.method == "PUT":
            policy = json.loads(request.body)["policy"]
            assert set(policy) <= {"phases", "_meta"}
            assert list(policy["phases"]) == [
                p for p in ("hot", "warm", "cold", "delete") if p in policy["phases"]]
            self._store(request.path, json.loads(request.body))
            return 200, ACKNOWLEDGED
        if request.path not in self.assets:
            return error(404, "resource_not_found_exception",
                         "Lifecycle policy not found: %s" % name)
        return 200, {name: {"version": 1, "modified_date": "2026-11-23T01:02:03.456Z",
                            "policy": self.assets[request.path]["policy"],
                            "in_use_by": {"indices": [], "data_streams": [],
                                          "composable_templates": []}}}

    def _ism(self, request):
        path, name = request.path, request.path.rsplit("/", 1)[1]
        if self.product != "opensearch" or not self.lifecycle:
            return no_handler(request)
        number = self._numbers.get(path)
        if request.method == "GET":
            if path not in self.assets:
                return error(404, "status_exception", "Policy not found")
            policy = dict(self.assets[path]["policy"], policy_id=name, schema_version=21,
                          last_updated_time=1577990761311, error_notification=None)
            return 200, {"_id": name, "_version": 1, "_seq_no": number, "_primary_term": 1,
                         "policy": policy}
        given = request.query.get("if_seq_no")
        if path in self.assets and (given is None or int(given) != number or
                                    request.query.get("if_primary_term") != "1"):
            return error(409, "version_conflict_engine_exception",
                         "[%s]: version conflict, document already exists (current version [1])"
                         % name)
        policy = json.loads(request.body)["policy"]
        assert set(policy) == {"description", "default_state", "states", "ism_template"}
        names = [s["name"] for s in policy["states"]]
        for state in policy["states"]:
            assert set(state) == {"name", "actions", "transitions"}
            assert all(t["state_name"] in names for t in state["transitions"])
        for template in policy["ism_template"]:
            for other, body in self.assets.items():
                if other.startswith("/_plugins/_ism/") and other != path and overlaps(
                        template, body["policy"].get("ism_template", [])):
                    return error(400, "illegal_argument_exception",
                                 "New policy %s has an ISM template with index pattern %s matching "
                                 "existing policy templates: policy [%s], please use a different "
                                 "priority than %d" % (name, template["index_patterns"],
                                                       other.rsplit("/", 1)[1],
                                                       template["priority"]))
        was_there = self._store(path, json.loads(request.body))
        return (200 if was_there else 201), {
            "_id": name, "_version": 1, "_primary_term": 1, "_seq_no": self._numbers[path],
            "policy": {"policy": policy}}

    # ---- templates

    def _no_streams(self):
        status, body = error(400, "illegal_argument_exception",
                             "composable template [x] template after composition is invalid")
        body["error"]["caused_by"] = {"type": "x_content_parse_exception",
                                      "reason": "[index_template] unknown field [data_stream]"}
        return status, body

    def _check_mappings(self, mappings):
        def walk(properties):
            for name, field in properties.items():
                if field.get("type") in self.lacking_types:
                    return error(400, "mapper_parsing_exception",
                                 "Failed to parse mapping: No handler for type [%s] declared on "
                                 "field [%s]" % (field["type"], name))
                if field.get("type") == "constant_keyword" and self.product == "opensearch":
                    return error(400, "mapper_parsing_exception",
                                 "Failed to parse mapping: Field [%s] is missing required parameter "
                                 "[value]" % name)
                inner = walk(field.get("properties", {}))
                if inner:
                    return inner
            return None
        return walk(mappings.get("properties", {}))

    def _check_template(self, template):
        settings = template.get("settings", {})
        if self.product == "serverless":
            bad = sorted(s for s in settings if s in SERVERLESS_SETTINGS)
            if bad:
                return error(400, "illegal_argument_exception",
                             "Settings [%s] are not available when running in serverless mode"
                             % ",".join(bad))
        elif "index.lifecycle.name" in settings and (
                self.product == "opensearch" or not self.lifecycle):
            return error(400, "illegal_argument_exception",
                         "unknown setting [index.lifecycle.name] please check that any required "
                         "plugins are installed")
        if "lifecycle" in template and self.product == "opensearch":
            return error(400, "x_content_parse_exception", "[1:90] [template] unknown field "
                         "[lifecycle]")
        return self._check_mappings(template.get("mappings", {}))

    def _simulate(self, body):
        refused = self._check_template(body.get("template", {}))
        if "data_stream" in body and not self.streams:
            refused = self._no_streams()
        return refused or (200, {"template": {"settings": {}, "mappings": {}, "aliases": {}},
                                 "overlapping": []})

    def _template(self, request, words, key):
        path, name = request.path, request.path.rsplit("/", 1)[1]
        if request.method == "GET":
            if path not in self.assets:
                return error(404, "resource_not_found_exception",
                             "%s matching [%s] not found" % (words, name))
            return 200, {key + "s": [{"name": name, key: self.assets[path]}]}
        body = json.loads(request.body)
        known = TEMPLATE_KEYS if key == "index_template" else {"template", "_meta"}
        if self.product != "opensearch":
            known = known | {"allow_auto_create"}
        for field in body:
            if field not in known:
                return error(400, "x_content_parse_exception",
                             "[1:90] [%s] unknown field [%s]" % (key, field))
        missing = [c for c in body.get("composed_of", [])
                   if "/_component_template/" + c not in self.assets]
        if missing:
            return error(400, "invalid_index_template_exception",
                         "index_template [%s] invalid, cause [index template [%s] specifies "
                         "component templates %s that do not exist]" % (name, name, missing))
        refused = self._check_template(body.get("template", {}))
        if "data_stream" in body and not self.streams:
            refused = self._no_streams()
        if refused:
            return refused
        self._store(path, body)
        return 200, ACKNOWLEDGED

    # ---- security

    def _security(self, request):
        path, name = request.path, request.path.rsplit("/", 1)[1]
        begin = ("/_plugins/_security/api/roles/" if self.product == "opensearch"
                 else "/_security/role/")
        if path == "/_security/user/_has_privileges":
            return None
        if not self.security:
            return no_handler(request)
        if path == "/_security/api_key" and self.product != "opensearch":
            return self._api_key(request)
        if not path.startswith(begin):
            return no_handler(request)
        if request.method == "PUT":
            was_there = self._store(path, json.loads(request.body))
            if self.product == "opensearch":
                return (200 if was_there else 201), {
                    "status": "OK" if was_there else "CREATED", "message": "'%s' done." % name}
            return 200, {"role": {"created": not was_there}}
        if path in self.assets:
            return 200, {name: self.assets[path]}
        if self.product == "opensearch":
            return 404, {"status": "NOT_FOUND", "message": "Resource '%s' not found." % name}
        return 404, {}

    def _api_key(self, request):
        body = json.loads(request.body)
        if request.method == "DELETE":
            self.keys = [k for k in self.keys if k["id"] not in body["ids"]]
            return 200, {"invalidated_api_keys": body["ids"], "previously_invalidated_api_keys": [],
                         "error_count": 0}
        key = {"id": "VuaCfGcBCdbkQm-e5a%d" % len(self.keys), "name": body["name"],
               "api_key": "ui2lp2axTNmsyakw9tvNnw"}
        self.keys.append(dict(key, body=body))
        return 200, dict(key, encoded="VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==")


def overlaps(template, others):
    """Whether another policy's template has a pattern in common, at the same priority."""
    return any(o["priority"] == template["priority"] and (
        fnmatch.fnmatchcase(mine.replace("*", "x"), other) or
        fnmatch.fnmatchcase(other.replace("*", "x"), mine))
        for o in others for mine in template["index_patterns"] for other in o["index_patterns"])


def lines(out):
    """{name: what became of it} of what setup printed."""
    return dict(re.findall(r"^(?:policy|component template|index template|role|api key) (\S+): (.*)$",
                           out, re.M))
