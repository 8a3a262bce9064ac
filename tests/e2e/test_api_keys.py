"""API keys of a real node: with the rights to ship, without them, revoked and expired while in use."""

import re

import pytest
from tools import loggen
from waiting import holds_for, wait_for
from wherry import FAILED, FAST_RETRY, OK, base_config

pytestmark = pytest.mark.elastic

LINES = 100
SHIPPER = {"shipper": {"cluster": ["monitor"], "indices": [
    {"names": ["logs-*"], "privileges": ["create_doc", "auto_configure"]}]}}
ELSEWHERE = {"elsewhere": {"indices": [
    {"names": ["other-*"], "privileges": ["create_doc", "auto_configure"]}]}}
NOTHING = {"nothing": {"cluster": [], "indices": []}}


def config(node, tmp_path, dataset):
    return base_config(node.url, [tmp_path / "*.log"], dataset, output__api_key_file="key",
                       shutdown_timeout="100ms",
                       **{"output__ssl.certificate_authorities": [node.ca]}, **FAST_RETRY)


def stream(dataset):
    return "logs-%s-default" % dataset


@pytest.fixture
def key_file(secure_node, tmp_path):
    """Puts a key into the file that the agent reads; a new one if none is given."""
    def put(rights=None, key=None, form="{id}:{api_key}", **more):
        key = key or secure_node.elastic.create_api_key(rights, **more)
        (tmp_path / "key").write_text(form.format(**key) + "\n")
        return key
    return put


@pytest.mark.parametrize("form", ["{id}:{api_key}", "{encoded}"], ids=["two_parts", "encoded"])
def test_key_with_the_rights(agent, secure_node, key_file, dataset, tmp_path, form):
    """create_doc and auto_configure are all that it takes, beside `monitor` to see the version."""
    loggen(tmp_path / "a.log", LINES)
    key_file(SHIPPER, form=form)
    one = agent(config(secure_node, tmp_path, dataset))
    code, out, err = one.command("test", "output")
    assert code == OK and "may write to " + stream(dataset) in out, out + err
    one.run_once()
    secure_node.elastic.wait_count(stream(dataset), LINES)


@pytest.mark.parametrize("rights", [ELSEWHERE, NOTHING], ids=["elsewhere", "nothing"])
def test_key_without_the_rights(agent, secure_node, key_file, dataset, tmp_path, rights):
    """Each item is answered 403, or the whole request: the stream waits, health says failed, nothing
    is dead-lettered; with another key in the file all is shipped, without a restart."""
    loggen(tmp_path / "a.log", LINES)
    key_file(rights)
    one = agent(config(secure_node, tmp_path, dataset))
    code, out, err = one.command("test", "output")
    missing = re.search(r"privileges are missing: (.*)$", out, re.M).group(1)
    assert code == FAILED and sorted(missing.split(", ")) == [
        "auto_configure on " + stream(dataset), "create_doc on " + stream(dataset)], out + err
    one.start()
    line = one.wait_log(r"health: output failed")
    assert stream(dataset) in line, line
    holds_for(lambda: one.running and not one.log_lines("dead letter"), 0.5)
    key_file(SHIPPER)
    secure_node.elastic.wait_count(stream(dataset), LINES)
    one.wait_log(r"accepts documents again")
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == LINES


@pytest.mark.parametrize("way", ["revoked", "expired"])
def test_key_that_ends(agent, secure_node, key_file, dataset, tmp_path, way):
    """In the middle of a kept connection: 401, nothing is lost, and a new key in the file is taken
    without a restart."""
    elastic = secure_node.elastic
    loggen(tmp_path / "a.log", LINES)
    key = key_file(SHIPPER, **({"expiration": "3s"} if way == "expired" else {}))
    one = agent(config(secure_node, tmp_path, dataset)).start()
    elastic.wait_count(stream(dataset), LINES)
    if way == "revoked":
        elastic.call("DELETE", "/_security/api_key", {"ids": [key["id"]]})
    else:
        wait_for(lambda: not elastic.key_works(key), what="the key has expired", interval=0.2)
    loggen(tmp_path / "a.log", LINES, start_seq=LINES + 1)
    line = one.wait_log(r"health: output failed.*401")
    assert key["api_key"] not in one.stderr and key["encoded"] not in line
    assert elastic.count(stream(dataset)) == LINES
    key_file(SHIPPER)
    elastic.wait_count(stream(dataset), 2 * LINES)
    one.wait_log(r"health: output ok|works again")
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == 2 * LINES
    assert len({s["message"] for _, s, _ in elastic.all(stream(dataset))}) == 2 * LINES
