"""wherry deadletter: what was rejected is kept, shown, sent again, thrown away; and a full box."""

import json
import os
import re

import fault_server as fs
import pytest
from tools import loggen
from waiting import wait_for
from wherry import BAD_CONFIG, FAILED, FAST_RETRY, NOT_ALL, OK, base_config

BAD = (400, "document_parsing_exception",
       "[1:42] failed to parse field [n] of type [long]: 'secret 4711'")


def config(server, tmp_path, **more):
    return base_config(server.url, [tmp_path / "*.log"], **{**FAST_RETRY, **more})


def letters(one):
    code, out, err = one.command("deadletter", "list", "--json")
    assert code == OK, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def box(agent, server, tmp_path):
    """An agent that has run: 20 lines, of which the 5 with a seven in their text were rejected."""
    (tmp_path / "a.log").write_text("".join("line %d\n" % n for n in range(100, 150)))
    server.always(fs.reject_messages("7$", BAD))
    one = agent(config(server, tmp_path))
    one.run_once(allowed=[NOT_ALL])
    assert len(server.docs) == 45
    server.always(None)
    return one


def test_list(box, tmp_path):
    found = letters(box)
    assert [(x["offset"], x["bytes"] > 100) for x in found] == [
        (n, True) for n in (63, 153, 243, 333, 423)]
    first = found[0]
    assert first["status"] == 400 and first["type"] == "document_parsing_exception"
    assert first["target"] == "logs-generic-default"
    assert first["source"] == str(tmp_path / "a.log")
    assert first["document_id"].endswith("000000000003f")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert len({x["id"] for x in found}) == 5
    assert "reason" not in first and "document" not in first
    code, out, _ = box.command("deadletter", "list")
    assert code == OK
    lines = out.splitlines()
    assert lines[0].split() == ["ID", "TIME", "STATUS", "TYPE", "TARGET", "BYTES", "SOURCE"]
    assert [line.split()[0] for line in lines[1:]] == [x["id"] for x in found]
    assert lines[1].endswith("a.log:63")


def test_show(box):
    id_ = letters(box)[2]["id"]
    code, out, _ = box.command("deadletter", "show", id_)
    assert code == OK
    fields = dict(line.split(None, 1) for line in out.splitlines())
    assert fields["id"] == id_ and fields["reason"] == BAD[2]
    assert json.loads(fields["document"])["message"] == "line 127"
    code, out, _ = box.command("deadletter", "show", id_, "--json")
    assert code == OK
    letter = json.loads(out)
    assert letter["reason"] == BAD[2] and letter["document"]["log"]["offset"] == 243


def test_reasons_are_logged_without_content(box):
    run = box.runs[0]
    assert "document_parsing_exception" in run.stderr
    assert "secret" not in run.stderr and "line 1" not in run.stderr


def test_replay_all(box, server):
    ids = {x["document_id"] for x in letters(box)}
    before = len(server.bulks)
    code, out, _ = box.command("deadletter", "replay")
    assert code == OK
    assert out.splitlines()[-1].startswith("5 created, 0 were there, 0 rejected again")
    assert len(server.docs) == 50 and len(set(server.messages())) == 50
    sent = server.bulks[before:]
    assert len(sent) == 1 and set(sent[0].ids) == ids
    assert sent[0].path == "/logs-generic-default/_bulk"
    assert sent[0].query["require_data_stream"] == "true"
    assert letters(box) == []
    code, out, _ = box.command("deadletter", "replay")
    assert code == OK and len(server.bulks) == before + 1, "nothing is left to send"


def test_replay_is_idempotent(box, server):
    """The answer got lost: the documents are there, and the letters too. The next one is told 409."""
    before = len(letters(box))
    server.script(fs.close_without_answer(apply=True))
    server.always(fs.close_without_answer())
    code, out, err = box.command("deadletter", "replay")
    assert code == FAILED and server.url in err
    assert len(letters(box)) == before
    server.always(None)
    code, out, _ = box.command("deadletter", "replay")
    assert code == OK and "0 created, 5 were there" in out
    assert len(server.docs) == 50 and letters(box) == []


def test_replay_some(box, server):
    ids = [x["id"] for x in letters(box)]
    code, _, _ = box.command("deadletter", "replay", ids[1], ids[3])
    assert code == OK
    assert [x["id"] for x in letters(box)] == [ids[0], ids[2], ids[4]]
    assert {"line 117", "line 137"} <= set(server.messages())


def test_replay_rejected_again(box, server):
    """What is refused as before stays; a document is never lost nor twice in the box."""
    server.always(fs.reject_messages("1[23]7$", BAD))
    code, out, _ = box.command("deadletter", "replay")
    assert code == NOT_ALL
    assert "3 created, 0 were there, 2 rejected again, 0 not taken now" in out
    assert "secret" not in out
    assert [x["offset"] for x in letters(box)] == [243, 333]


@pytest.mark.parametrize("outcome", [429, 403, 503])
def test_replay_not_now(box, server, outcome):
    server.always(fs.bulk_reply(lambda n, a: outcome))
    code, out, _ = box.command("deadletter", "replay")
    assert code == NOT_ALL and "5 not taken now" in out
    assert len(letters(box)) == 5


def test_replay_poison_and_too_large(box, server):
    """A 400 or 413 for the whole request: the others pass."""
    def poisoned(exchange):
        exchange.read_body()
        if any(m == "line 127" for m in exchange.request.messages):
            return fs.error_reply(400, "illegal_argument_exception", "Malformed")(exchange)
        return fs.limit_body(1000)(exchange)
    server.always(poisoned)
    code, out, _ = box.command("deadletter", "replay")
    assert code == NOT_ALL and "4 created, 0 were there, 1 rejected again" in out
    assert [x["offset"] for x in letters(box)] == [243]


def test_replay_credentials(box, server):
    server.always(fs.reply(401, "Unauthorized", {"content-type": "text/plain"}))
    code, _, err = box.command("deadletter", "replay")
    assert code == FAILED and "401" in err
    assert len(letters(box)) == 5


def test_drop(box, server):
    ids = [x["id"] for x in letters(box)]
    code, out, _ = box.command("deadletter", "drop", ids[4], ids[0])
    assert code == OK and out.startswith("2 ")
    assert [x["id"] for x in letters(box)] == ids[1:4]
    code, _, err = box.command("deadletter", "drop", ids[0], ids[1])
    assert code == FAILED and "1 of the ids" in err
    assert [x["id"] for x in letters(box)] == ids[2:4]
    code, out, _ = box.command("deadletter", "drop", "--older-than", "1h")
    assert code == OK and out.startswith("0 ") and len(letters(box)) == 2
    code, out, _ = box.command("deadletter", "drop", "--older-than", "1ms")
    assert code == OK and out.startswith("2 ") and letters(box) == []
    assert len(server.docs) == 45


def test_drop_all(box):
    code, out, _ = box.command("deadletter", "drop", "--all")
    assert code == OK and out.startswith("5 ") and letters(box) == []


@pytest.mark.parametrize("words", [
    ["burn"], ["list", "1.1"], ["show"], ["show", "1.1", "1.2"], ["show", "x"], ["drop"],
    ["drop", "--all", "1.1"], ["drop", "--older-than", "3"], ["drop", "1."], ["replay", "1"],
    ["list", "--once"]], ids=lambda w: "_".join(w))
def test_wrong_words(agent, server, words):
    one = agent(base_config(server.url, ["/x"]))
    os.makedirs(os.path.join(one.directory, "data", "deadletter"))
    code, _, err = one.command("deadletter", *words)
    assert code == BAD_CONFIG and err


def test_no_box_at_all(agent, server):
    one = agent(base_config(server.url, ["/x"]))
    for words in (["list"], ["replay"], ["drop", "--all"]):
        assert one.command("deadletter", *words)[0] == OK
    assert one.command("deadletter", "show", "1.1")[0] == FAILED
    assert not os.path.exists(os.path.join(one.directory, "data"))


def test_beside_a_running_agent(agent, server, tmp_path):
    """Letters are replayed and dropped while the agent goes on adding to the box."""
    server.always(fs.reject_messages("bad", BAD))
    one = agent(config(server, tmp_path)).start()
    other = agent(config(server, tmp_path), name="other")
    for n in range(1, 6):
        with open(tmp_path / "a.log", "a") as f:
            f.write("bad %d\ngood %d\nbad and last %d\n" % (n, n, n))
        wait_for(lambda: len(letters(other)) == n + 1, what="both letters")
        server.always(fs.reject_messages("last", BAD))
        code, _, err = other.command("deadletter", "replay")
        assert code == NOT_ALL, err
        server.always(fs.reject_messages("bad", BAD))
        assert len(letters(other)) == n
    assert sorted(server.messages()) == sorted(
        ["good %d" % n for n in range(1, 6)] + ["bad %d" % n for n in range(1, 6)])
    assert other.command("deadletter", "drop", "--all")[0] == OK
    assert letters(other) == []
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 10


def test_full_box_blocks_until_there_is_room(agent, server, tmp_path):
    """block: nothing is lost. Taking letters out makes room without a restart."""
    loggen(tmp_path / "a.log", 8000, size=300)
    server.always(fs.reject_messages("^w1 .{10}[0-3]", BAD))
    one = agent(config(server, tmp_path, dead_letter__max_bytes="1MiB")).start()
    other = agent(config(server, tmp_path), name="other")
    one.wait_log("dead-letter box is full")
    kept = letters(other)
    assert len(kept) < 3200 and sum(x["bytes"] for x in kept) < 1 << 20
    assert one.running
    server.always(None)

    def replayed():
        assert other.command("deadletter", "replay")[0] == OK
        return len(server.docs) == 8000
    wait_for(replayed, 60, "everything that was rejected comes by way of the box")
    assert one.log_lines("dead letters can be written again")
    assert letters(other) == []
    assert one.stop() == OK
    assert one.ledger["read"]["lines"] == 8000


def test_full_box_drops_the_oldest(agent, server, tmp_path):
    """drop_oldest: the lines keep flowing, what is dropped is counted and told."""
    loggen(tmp_path / "a.log", 8000, size=300)
    server.always(fs.reject_messages("^w1 .{10}[0-3]", BAD))
    one = agent(config(server, tmp_path, dead_letter__max_bytes="1MiB",
                       dead_letter__when_full="drop_oldest"))
    run = one.run_once(allowed=[NOT_ALL])
    assert run.ledger["dead_lettered"]["lines"] == 3200
    assert len(server.docs) == 4800
    kept = letters(one)
    assert 1000 < len(kept) < 3200
    segments = [int(x["id"].split(".")[0]) for x in kept]
    assert segments == sorted(segments) and segments[0] > 1, "the first segments went"
    told = one.runs[0].stderr
    assert re.search(r"dead-letter box is full: removed its \d+ oldest", told)
    size = sum(e.stat().st_size for e in os.scandir(tmp_path / "data" / "deadletter"))
    assert size <= 1 << 20


@pytest.mark.elastic
def test_real_mapping_conflict_and_replay(agent, elastic, dataset, tmp_path):
    """Rejected by a real Elasticsearch, replayed after the mapping was put right."""
    stream = "logs-%s-default" % dataset
    template = "deadletter-%s" % dataset
    body = {"index_patterns": [stream], "data_stream": {}, "priority": 500, "template": {
        "mappings": {"dynamic": "strict", "properties": {"@timestamp": {"type": "date"}}}}}
    elastic.call("PUT", "/_index_template/" + template, body)
    try:
        (tmp_path / "a.log").write_text("one\ntwo\nthree\n")
        one = agent(base_config(elastic.url, [tmp_path / "*.log"], dataset, **FAST_RETRY))
        run = one.run_once(allowed=[NOT_ALL])
        assert run.ledger["dead_lettered"]["lines"] == 3
        assert {x["type"] for x in letters(one)} == {"strict_dynamic_mapping_exception"}
        code, out, _ = one.command("deadletter", "replay")
        assert code == NOT_ALL and "3 rejected again" in out
        elastic.call("PUT", "/%s/_mapping" % stream, {"dynamic": True})
        code, out, _ = one.command("deadletter", "replay")
        assert code == OK and "3 created" in out
        elastic.wait_count(stream, 3)
        assert letters(one) == []
    finally:
        elastic.call("PUT", "/_index_template/" + template, dict(body, priority=1, template={}))
