"""`wherry setup` and `wherry export` against servers that know policies, which no test distribution
does: answers as the documentation of Elasticsearch, Serverless and OpenSearch shows them."""

import json
import os
import re
import shlex
import stat
import subprocess

import cluster
import pytest
from cluster import Cluster, lines
from fault_server import FaultServer
from tools import ROOT
from wherry import BAD_CONFIG, BINARY, FAILED, NOT_ALL, OK, base_config

PRODUCTS = ("elasticsearch", "opensearch", "serverless")
META = {"managed_by": "wherry", "version": 1}


def config(url, **more):
    return base_config(url, ["/x"], dataset="nginx", **{"metrics__enabled": True, **more})


@pytest.fixture
def made(agent):
    """made(product, options of Cluster, **options of wherry): (cluster, agent)"""
    servers = []

    def make(product, options=None, **more):
        one = Cluster(product, **(options or {}))
        server = FaultServer(version=one.version).start()
        server.control = one.answer
        one.server = server
        servers.append(server)
        return one, agent(config(server.url, **more))
    yield make
    for server in servers:
        server.stop()
        assert not server.problems


def export(one, product, *groups):
    """{path: body} as printed."""
    found = {}
    for group in groups or ("policies", "templates", "roles"):
        code, out, err = one.command("export", group, product)
        assert code == OK, err
        found.update(json.loads(out))
    return found


def without_hash(body):
    return json.loads(re.sub(r'(hash"?:? "?)[0-9a-f]{16}', r"\1HASH", json.dumps(body)))


# ---- what is made


@pytest.mark.parametrize("product", PRODUCTS)
def test_all_is_made_once(made, product):
    """The first run makes what export prints, and nothing else; the second run changes nothing."""
    server, one = made(product)
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert server.assets == export(one, product)
    assert set(lines(out).values()) == {"created"}
    assert len(re.findall(": created$", out, re.M)) == len(server.assets)
    calls = len(server.calls)
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert len(server.calls) == calls
    assert set(lines(out).values()) == {"unchanged"}


@pytest.mark.parametrize("product", PRODUCTS)
def test_bodies_are_those_of_the_files(made, product):
    """tests/data/assets holds every body as it was compared with the documentation by hand."""
    server, one = made(product, **{
        "setup.number_of_shards": 2, "inputs": [{"paths": ["/x"], "dataset": "nginx"}]})
    assert one.command("setup")[0] == OK
    folder = os.path.join(ROOT, "tests", "data", "assets", product)
    compared = 0
    for path, body in server.assets.items():
        kind = {"_ilm": "policy", "_ism": "policy", "_component_template": "component",
                "_index_template": "template"}.get(path.split("/")[-2], None)
        kind = kind or ("policy" if "polic" in path else "role")
        name = path.rsplit("/", 1)[1]
        if "mappings" in name or kind == "role":
            continue
        with open(os.path.join(folder, kind, name + ".json")) as f:
            assert without_hash(body) == json.load(f), path
        compared += 1
    assert compared == {"elasticsearch": 4, "opensearch": 5, "serverless": 2}[product]


def mapped(body):
    """{dotted name: definition} of a component template."""
    found = {}

    def walk(properties, prefix):
        for name, field in properties.items():
            if "properties" in field:
                walk(field["properties"], prefix + name + ".")
            else:
                found[prefix + name] = field
    walk(body["template"]["mappings"]["properties"], "")
    return found


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_field_has_its_type(agent, product):
    """Each field of docs/metrics.md is in the template with the type that the page tells; aliases
    lead to fields that are there; nothing is a text with a keyword beside it, whose name would have
    to be guessed."""
    templates = export(agent(config("http://127.0.0.1:9")), product, "templates")
    with open(os.path.join(ROOT, "docs", "metrics.md")) as f:
        told = dict(re.findall(r"^\| `([^`]+)` \| (\w+) \|", f.read(), re.M))
    if product == "opensearch":
        told = {k: "keyword" if t == "constant_keyword" else t for k, t in told.items()}
    fields = mapped(templates["/_component_template/wherry-mappings-metrics"])
    assert len(told) > 200
    assert {k: f["type"] for k, f in fields.items() if f["type"] != "alias"} == told
    for kind in ("logs", "metrics"):
        fields = mapped(templates["/_component_template/wherry-mappings-" + kind])
        assert fields["@timestamp"] == {"type": "date"}
        for name, field in fields.items():
            assert "fields" not in field, name
            if field["type"] == "alias":
                assert fields[field["path"]]["type"] != "alias", name
            if field["type"] == "scaled_float":
                assert field["scaling_factor"] in (100, 1000), name


@pytest.mark.parametrize("product", PRODUCTS)
def test_names_and_references(made, product):
    """Every component and every policy that a template names is there, no two templates have the
    same name or compete for an index, and nothing asks for a rollover alias."""
    server, one = made(product, **{"output__index": "isp-logs-%{+yyyy.MM.dd}"})
    assert one.command("setup")[0] == OK
    templates = {p: b for p, b in server.assets.items() if p.startswith("/_index_template/")}
    patterns = []
    for path, body in server.assets.items():
        assert "rollover_alias" not in json.dumps(body), path
        for component in body.get("composed_of", []):
            assert "/_component_template/" + component in server.assets
        settings = body.get("template", {}).get("settings", {})
        if "index.lifecycle.name" in settings:
            assert "/_ilm/policy/" + settings["index.lifecycle.name"] in server.assets
    for body in templates.values():
        patterns += body["index_patterns"]
    assert sorted(patterns) == ["isp-logs-*", "metrics-system.*-*"]


def test_daily_indices_never_roll_over(made):
    """Their policy has the ages alone."""
    server, one = made("elasticsearch", output__index="isp-logs-%Y.%m.%d", metrics__enabled=False)
    assert one.command("setup")[0] == OK
    assert "/_ilm/policy/wherry" not in server.assets
    phases = server.assets["/_ilm/policy/wherry-daily"]["policy"]["phases"]
    assert "rollover" not in json.dumps(phases)
    assert {name: p["min_age"] for name, p in phases.items()} == {
        "hot": "0ms", "warm": "30d", "cold": "60d", "delete": "90d"}


# ---- what changes


def test_settings_anew_leave_the_mappings(made):
    """Other settings are one PUT of settings alone: no mapping is erased by it."""
    server, one = made("elasticsearch")
    assert one.command("setup")[0] == OK
    before = dict(server.assets)
    server.calls.clear()
    one.write_config(config(server.server.url, **{"setup.number_of_replicas": 0,
                                                "setup.lifecycle.delete_after": "365d"}))
    code, out, err = one.command("setup")
    assert code == OK and "POST STREAM/_rollover" in out, out + err
    assert server.changed == ["/_ilm/policy/wherry", "/_component_template/wherry-settings"]
    assert [n for n, what in lines(out).items() if what == "changed"] == ["wherry",
                                                                          "wherry-settings"]
    for path in before:
        assert (before[path] != server.assets[path]) == (path in server.changed)


def test_policy_of_opensearch_is_changed_by_number(made):
    server, one = made("opensearch")
    assert one.command("setup")[0] == OK
    server.calls.clear()
    one.write_config(config(server.server.url, **{"setup.lifecycle.delete_after": "365d"}))
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert len(server.calls) == 2
    for method, target, body in server.calls:
        assert method == "PUT" and re.search(r"\?if_seq_no=\d+&if_primary_term=1$", target)
        assert body["policy"]["states"][2]["transitions"][0]["conditions"] == {
            "min_rollover_age": "365d"}


def test_policy_that_somebody_makes_meanwhile(made):
    """409: told, and the rest is made all the same."""
    server, one = made("opensearch")
    server.refuse["/_plugins/_ism/policies/wherry-logs-nginx"] = lambda request: cluster.error(
        *(404, "status_exception", "Policy not found") if request.method == "GET" else
        (409, "version_conflict_engine_exception", "[a]: version conflict"))
    code, out, err = one.command("setup")
    assert code == FAILED
    assert "policy wherry-logs-nginx: failed: 409 version_conflict_engine_exception: [a]" in out
    assert "/_plugins/_ism/policies/wherry-metrics-system" in server.assets
    assert "/_index_template/wherry-logs-nginx" in server.assets


def test_policy_that_overlaps(made):
    """400 of OpenSearch when somebody's policy has the same pattern at the same priority."""
    server, one = made("opensearch")
    server.put("/_plugins/_ism/policies/theirs", {"policy": {
        "description": "x", "default_state": "a", "states": [],
        "ism_template": [{"index_patterns": ["logs-*"], "priority": 100}]}})
    code, out, err = one.command("setup")
    assert code == FAILED
    assert "policy wherry-logs-nginx: failed: 400 illegal_argument_exception: New policy" in out
    assert "please use a different priority" in out
    assert "/_index_template/wherry-logs-nginx" in server.assets


# ---- what is not ours

FOREIGN = {
    "elasticsearch": {
        "/_ilm/policy/wherry": {"policy": {"phases": {}}},
        "/_component_template/wherry-settings": {"template": {}, "_meta": {"managed_by": "fleet"}},
        "/_index_template/wherry-logs-nginx": {"index_patterns": ["a"], "composed_of": []},
        "/_security/role/wherry-writer": {"cluster": ["all"], "metadata": {}}},
    "opensearch": {
        "/_plugins/_ism/policies/wherry-logs-nginx": {"policy": {"description": "by hand"}},
        "/_index_template/wherry-logs-nginx": {"index_patterns": ["a"], "composed_of": []},
        "/_plugins/_security/api/roles/wherry-writer": {"cluster_permissions": [],
                                                        "description": "by hand"}},
}


@pytest.mark.parametrize("product", FOREIGN)
def test_foreign_assets_are_left_alone(made, product):
    """Each with the command that takes it over; that command does."""
    server, one = made(product)
    for path, body in FOREIGN[product].items():
        server.put(path, body)
    code, out, err = one.command("setup")
    assert code == NOT_ALL, out + err
    for path, body in FOREIGN[product].items():
        assert server.assets[path] == body
        assert "%s: left alone, it is not wherry's; to replace it: " % path.rsplit("/", 1)[1] in out
    left = re.findall(r"to replace it: (wherry setup .*)$", out, re.M)
    assert len(left) == len(FOREIGN[product])
    server.calls.clear()
    for command in sorted(set(left)):
        words = shlex.split(command)
        done = subprocess.run([BINARY, *words[1:]], cwd=one.directory, env=one.env,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == OK and ": replaced" in done.stdout, done.stdout + done.stderr
    touched = {re.sub(r"\?.*", "", path) for path in server.changed}
    assert touched == set(FOREIGN[product])
    assert server.assets == export(one, product)
    assert one.command("setup")[0] == OK


def test_assets_of_a_newer_wherry_are_left_alone(made):
    server, one = made("elasticsearch")
    path = "/_component_template/wherry-settings"
    server.put(path, {"template": {}, "_meta": {**META, "version": 2, "hash": "0" * 16}})
    code, out, err = one.command("setup")
    assert code == NOT_ALL
    assert "wherry-settings: left alone, a newer wherry has made it; to replace it: " in out
    assert server.assets[path]["template"] == {}


def test_assets_of_an_older_wherry_are_changed(made):
    server, one = made("elasticsearch")
    path = "/_component_template/wherry-settings"
    server.put(path, {"template": {}, "_meta": {**META, "version": 0, "hash": "0" * 16}})
    code, out, err = one.command("setup")
    assert code == OK and lines(out)["wherry-settings"] == "changed", out + err
    assert server.assets[path]["_meta"]["version"] == 1


def test_force_writes_all(made):
    """What somebody has edited without touching its stamp is mended, too."""
    server, one = made("elasticsearch")
    assert one.command("setup")[0] == OK
    whole = dict(server.assets)
    path = "/_component_template/wherry-settings"
    server.put(path, {"template": {}, "_meta": whole[path]["_meta"]})
    assert one.command("setup")[0] == OK
    assert server.assets != whole
    assert one.command("setup", "--force")[0] == OK
    assert server.assets == whole


def test_names_choose(made):
    server, one = made("elasticsearch")
    code, out, err = one.command("setup", "wherry", "wherry-writer")
    assert code == OK, out + err
    assert server.changed == ["/_ilm/policy/wherry", "/_security/role/wherry-writer"]
    code, out, err = one.command("setup", "wherry", "wherry-nothing")
    assert code == FAILED and 'nothing called "wherry-nothing"' in err


# ---- what a server lacks or refuses


def test_serverless_has_no_policies(made):
    server, one = made("serverless")
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert len(re.findall(r"^lifecycle: ", out, re.M)) == 1
    assert not [p for p in server.changed if "_ilm" in p or "_ism" in p]
    for path, body in server.assets.items():
        assert "number_of_shards" not in json.dumps(body)
        if path.startswith("/_index_template/"):
            assert body["template"] == {"lifecycle": {"data_retention": "90d"}}


@pytest.mark.parametrize("product,words", [
    ("elasticsearch", "data streams tell it how long to keep documents"),
    ("opensearch", "has no index state management: old indices are kept")])
def test_without_policies(made, product, words):
    """One line says so; templates name no policy."""
    server, one = made(product, {"lifecycle": False, "security": False})
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert len(re.findall(r"^lifecycle: .*", out, re.M)) == 1 and words in out
    assert lines(out)["wherry-writer"] == "not needed, this server has no security"
    assert "index.lifecycle" not in json.dumps(server.assets)
    assert one.command("setup")[0] == OK


def test_opensearch_without_any_policy_yet(made):
    """Its own index of policies is made with the first one; until then it is said to be missing."""
    server, one = made("opensearch")
    begin = "/_plugins/_ism/policies/"

    def answer(request):
        if request.method == "GET" and not any(path.startswith(begin) for path in server.assets):
            return cluster.error(404, "index_not_found_exception",
                                 "no such index [.opendistro-ism-config]")
        return server._ism(request)
    server.refuse[begin] = answer
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert server.assets == export(one, "opensearch")


def test_lifecycle_that_nobody_wants(made):
    server, one = made("elasticsearch", **{"setup.lifecycle.enabled": False})
    code, out, err = one.command("setup")
    assert code == OK and "lifecycle" not in out, out + err
    assert "lifecycle" not in json.dumps(server.assets) and "_ilm" not in str(server.assets.keys())


def test_types_that_a_server_lacks(made):
    server, one = made("elasticsearch")
    server.lacking_types = {"scaled_float", "constant_keyword"}
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert "fields: this server has no scaled_float: float stands in" in out
    assert "fields: this server has no constant_keyword: keyword stands in" in out
    fields = mapped(server.assets["/_component_template/wherry-mappings-metrics"])
    assert fields["system.cpu.total.norm.pct"]["type"] == "float"
    assert fields["data_stream.type"]["type"] == "keyword"
    server.calls.clear()
    assert one.command("setup")[0] == OK
    assert not server.calls


def without_x_pack(server):
    """Elasticsearch 7.17 as its builds without X-Pack answer: no streams, no policies, no security,
    and what looks like the name of an index is taken for one."""
    server.streams = False

    def no_index(request):
        if request.method == "GET":
            return cluster.error(404, "index_not_found_exception", "no such index [_ilm]")
        return cluster.error(400, "invalid_index_name_exception",
                             "Invalid index name [_ilm], must not start with '_', '-', or '+'")
    server.refuse = {"/_ilm/": no_index, "/_security/": no_index}


def test_server_without_data_streams(made):
    """One line says so, and what to do; templates of indices by name are made."""
    server, one = made("elasticsearch", {"version": "7.17.29", "lifecycle": False})
    without_x_pack(server)
    code, out, err = one.command("setup")
    assert code == FAILED
    assert len(re.findall(r"^data streams: this server has none: name indices by ", out, re.M)) == 1
    assert lines(out)["wherry-logs-nginx"].startswith("failed: 400 illegal_argument_exception")
    assert lines(out)["wherry-writer"].startswith("not needed")
    one.write_config(config(server.server.url, profile="isp"))
    code, out, err = one.command("setup")
    assert code == OK and "data streams" not in out, out + err
    assert "/_index_template/wherry-isp-logs" in server.assets


@pytest.mark.parametrize("path,name", [
    ("/_ilm/policy/", "wherry"), ("/_component_template/", "wherry-settings"),
    ("/_index_template/wherry-", "wherry-logs-nginx"), ("/_security/role/", "wherry-writer")])
def test_rights_that_are_missing(made, path, name):
    """A 403 is told with the server's words; whatever else may be made is made."""
    server, one = made("elasticsearch")
    server.refuse[path] = cluster.forbidden()
    code, out, err = one.command("setup")
    assert code == FAILED
    assert lines(out)[name].startswith("failed: 403 security_exception: action [")
    assert "granted by the cluster privileges [manage,all]" in lines(out)[name]
    if path != "/_security/role/":
        assert "/_security/role/wherry-writer" in server.assets


@pytest.mark.parametrize("answer", [
    (500, {"error": {"root_cause": [{"type": "exception", "reason": "Security is not enabled but a "
                                     "security rest handler is registered"}]}, "status": 500}),
    (405, {"error": "Incorrect HTTP method", "status": 405})], ids=["500", "405"])
def test_security_that_is_off(made, answer):
    server, one = made("elasticsearch")
    server.refuse["/_security/"] = answer
    code, out, err = one.command("setup")
    assert code == OK and lines(out)["wherry-writer"].startswith("not needed"), out + err


@pytest.mark.parametrize("status", [405, 403, 404, 200])
def test_root_that_says_nothing(made, status):
    """What `GET /` answers decides nothing."""
    server, one = made("elasticsearch")
    server.refuse = {"/_nodes": cluster.forbidden()}
    root = (status, "<html>no</html>")
    answer = server.answer
    server.server.control = lambda request: root if request.path == "/" else answer(request)
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert server.assets == export(one, "elasticsearch")


def test_opensearch_that_says_nothing(made):
    """A proxy has taken its headers: that it knows ISM tells what it is."""
    server, one = made("opensearch")
    answer = server.answer

    def plain(request):
        if request.path == "/" or request.path.startswith("/_nodes"):
            return 405, "", {"X-elastic-product": None}
        found = answer(request)
        return found and (found[0], found[1], {"X-elastic-product": None})
    server.server.control = plain
    code, out, err = one.command("setup")
    assert code == OK, out + err
    assert server.assets == export(one, "opensearch")


def test_first_host_that_answers(made):
    server, one = made("elasticsearch")
    one.write_config(config("http://127.0.0.1:1", output__hosts=[
        "http://127.0.0.1:1", server.server.url]))
    code, out, err = one.command("setup")
    assert code == OK and out.startswith(server.server.url + ": elasticsearch 9.1.0\n"), out + err
    assert server.assets == export(one, "elasticsearch")


def test_advice_is_a_command_whatever_the_words(made, tmp_path):
    """Blanks and quotes in the name of the file and in -E."""
    server, one = made("elasticsearch")
    server.put("/_ilm/policy/wherry", {"policy": {"phases": {}}})
    other = tmp_path / "it's one.yml"
    os.rename(one.config, other)
    one.config = str(other)
    code, out, err = one.command("setup", "-E", "inputs[0].tags=[\"it's\", b c]")
    assert code == NOT_ALL, out + err
    advice = re.search(r"to replace it: (.*)$", out, re.M)
    done = subprocess.run([BINARY, *shlex.split(advice.group(1))[1:]], cwd=one.directory,
                          env=one.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == OK and "policy wherry: replaced" in done.stdout, done.stderr


def test_server_that_is_away(agent):
    code, out, err = agent(config("http://127.0.0.1:1")).command("setup")
    assert code == FAILED and "http://127.0.0.1:1: not reached: " in err and out == ""


def test_credentials_that_are_wrong(agent):
    with FaultServer(credentials="Basic right") as server:
        code, out, err = agent(config(server.url, output__username="u",
                                      output__password="secret")).command("setup")
    assert code == FAILED and "credentials refused (401)" in err and "secret" not in out + err


def test_answers_that_are_none(made):
    server, one = made("elasticsearch")
    server.refuse["/_component_template/wherry-settings"] = (200, "<html>login</html>")
    code, out, err = one.command("setup")
    assert code == FAILED and lines(out)["wherry-settings"].startswith("failed: 200"), out
    assert "PUT" not in [m for m, p, _ in server.calls if p.endswith("/wherry-settings")]


def test_other_outputs_need_none(agent, tmp_path):
    settings = config("x")
    del settings["output.elasticsearch"]
    settings["output.file"] = {"path": str(tmp_path)}
    code, out, err = agent(settings).command("setup")
    assert code == BAD_CONFIG and "setup is for output.elasticsearch" in err


# ---- dry run


@pytest.mark.parametrize("product", PRODUCTS)
def test_dry_run(made, product, tmp_path):
    """Prints every call that the real run makes, and changes nothing."""
    server, one = made(product)
    words = () if product == "opensearch" else ("--create-api-key", "key")
    code, out, err = one.command("setup", "--dry-run", *words)
    assert code == OK, out + err
    assert not server.calls and not server.assets
    printed = re.findall(r"^(PUT|POST|DELETE) (\S+)\n(\{.*\})$", out, re.M)
    printed = [(m, p, json.loads(b)) for m, p, b in printed if not p.endswith("_simulate")]
    assert set(lines(out).values()) == {"would be created"}
    assert not os.path.exists(tmp_path / "key")
    code, out, err = one.command("setup", *words)
    assert code == OK, out + err
    assert [(m, p, b) for m, p, b in server.calls] == printed
    code, out, err = one.command("setup", "--dry-run")
    assert code == OK and "PUT" not in out and set(lines(out).values()) == {"unchanged"}


# ---- keys


def test_api_key(made, tmp_path):
    """Written to a file of its owner's alone, never printed; there already: none is made."""
    server, one = made("elasticsearch")
    code, out, err = one.command("setup", "--create-api-key", "key")
    assert code == OK, out + err
    assert lines(out)["key"] == "created"
    assert (tmp_path / "key").read_text() == "VuaCfGcBCdbkQm-e5a0:ui2lp2axTNmsyakw9tvNnw\n"
    assert stat.S_IMODE(os.stat(tmp_path / "key").st_mode) == 0o600
    assert "ui2lp2" not in out + err and "VnVhQ2" not in out + err
    key, = server.keys
    role, = key["body"]["role_descriptors"].values()
    assert role == {"cluster": ["monitor"], "indices": [{
        "names": ["logs-nginx-*", "metrics-system.*-*"],
        "privileges": ["auto_configure", "create_doc"]}]}
    code, out, err = one.command("setup", "--create-api-key", "key")
    assert code == OK and lines(out)["key"] == "unchanged, the file is there"
    assert len(server.keys) == 1
    code, out, err = one.command("setup", "--force", "--create-api-key", "key")
    assert code == OK and len(server.keys) == 2
    assert (tmp_path / "key").read_text().startswith("VuaCfGcBCdbkQm-e5a1:")


def test_api_key_without_a_place(made, tmp_path):
    """No key is made for a directory that is not there, and none stays that could not be written."""
    server, one = made("elasticsearch")
    code, out, err = one.command("setup", "--create-api-key", "none/key")
    assert code == FAILED and "api key none/key: failed: No such file or directory" in out
    assert not [p for p in server.changed if "api_key" in p]
    (tmp_path / "key").mkdir()
    code, out, err = one.command("setup", "--force", "--create-api-key", "key")
    assert code == FAILED and "api key key: failed: Is a directory" in out, out
    assert "api key VuaCfGcBCdbkQm-e5a0: invalidated" in out
    assert server.keys == [] and "ui2lp2" not in out + err


def test_api_key_that_is_refused(made, tmp_path):
    server, one = made("elasticsearch")
    server.refuse["/_security/api_key"] = cluster.forbidden()
    code, out, err = one.command("setup", "--create-api-key", "key")
    assert code == FAILED and "api key key: failed: 403 security_exception" in out
    assert not (tmp_path / "key").exists()


def test_api_key_of_opensearch(made, tmp_path):
    server, one = made("opensearch")
    code, out, err = one.command("setup", "--create-api-key", "key")
    assert code == FAILED
    assert "this server has no API keys: give a user the role wherry-writer" in out
    assert not (tmp_path / "key").exists()


# ---- the command line


@pytest.mark.parametrize("words,text", [
    (("run", "--force"), "go with \"setup\""),
    (("setup", "--once"), "go with \"run\""),
    (("export", "templates", "solr"), "no product \"solr\""),
    (("export", "roles", "opensearch", "x"), "usage: wherry export"),
    (("export", "options", "opensearch"), "nothing called \"options\""),
])
def test_command_lines_that_are_wrong(agent, words, text):
    code, out, err = agent(config("http://127.0.0.1:9")).command(*words)
    assert code == BAD_CONFIG and text in err, err
