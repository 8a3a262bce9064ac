"""A real Elasticsearch that dies while it is being written to, again and again."""

import pytest
from elastic import by_generation
from seqline import Checker
from tools import Loggen
from waiting import wait_for
from wherry import OK, base_config

ROUNDS = 10
RATE = 2000
WRITERS = ("w1", "w2")


@pytest.mark.restarts
def test_server_killed_and_restarted_ten_times_under_load(agent, node, dataset, tmp_path):
    """kill -9 of the server under load: nothing that it acknowledged is missing, nothing is there
    twice, and what was written meanwhile arrives."""
    stream = "logs-%s-default" % dataset
    one = agent(base_config(node.url, [tmp_path / "w*.log*"], dataset=dataset,
                            output__backoff__init="100ms", output__backoff__max="1s",
                            output__compression="gzip")).start()
    written = dict.fromkeys(WRITERS, 0)
    served = 0
    for round_ in range(ROUNDS):
        writers = {name: Loggen(tmp_path / (name + ".log"), RATE * 8, writer=name, rate=RATE,
                                burst=10, start_seq=written[name] + 1) for name in WRITERS}
        wait_for(lambda: node.elastic.count(stream) > served, 60,
                 "documents of round %d" % round_, interval=0.1)
        node.kill()
        node.start()
        for name, writer in writers.items():
            writer.wait()
            written[name] += RATE * 8
        served = node.elastic.count(stream)
        print("round %d: %d written, %d found after the restart" % (
            round_ + 1, sum(written.values()), served))
    node.elastic.wait_count(stream, sum(written.values()), deadline=120)
    checker = Checker()
    documents = list(node.elastic.all(stream))
    for _, source, _ in documents:
        checker.add(source["message"])
    checker.assert_exactly(written)
    found = by_generation((id_, source) for id_, source, _ in documents)
    assert len(found) == len(WRITERS)
    for lines in found.values():
        text = "".join(message + "\n" for _, message in lines)
        assert text == (tmp_path / (text.split(" ", 1)[0] + ".log")).read_text()
    assert one.stop() == OK
    ledger = one.ledger
    assert ledger["abandoned"]["lines"] == 0 and ledger["dead_lettered"]["lines"] == 0
    print("%d lines, %d kills, lost 0, repeated 0, %d answered 409" % (
        sum(written.values()), ROUNDS, ledger["documents"]["duplicate"]))
