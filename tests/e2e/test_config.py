"""The configuration and the command line: mistakes are told all at once, with their places."""

import json
import re

import pytest
from tools import ROOT, loggen
from wherry import BAD_CONFIG, OK, base_config

FIVE_MISTAKES = """\
path.data: ./data
metadata: [dataset, hots]
inputs:
  - paths: ["/var/log/*.log"]
    dataset: generic
    max_bytes: ten
    start_at: middle
metrics.enabled: perhaps
output.elasticsearch:
  hosts: ["http://127.0.0.1:9200"]
  usernam: x
"""
# line: (columns that name the mistake (of the value or of its key), what must be said)
EXPECTED = {
    2: ({1, 11, 21}, "hots"),
    6: ({5, 16}, "max_bytes|ten"),
    7: ({5, 15}, "middle"),
    8: ({1, 18}, "perhaps|enabled"),
    11: ({3}, "usernam.*username"),
}


def errors_of(text, path):
    """{line: (column, text)} of the errors that name the file."""
    found = {}
    for line in text.splitlines():
        match = re.search(re.escape(path) + r":(\d+):(\d+): (.*)", line)
        if match:
            assert int(match.group(1)) not in found, "two errors for a line: " + line
            found[int(match.group(1))] = (int(match.group(2)), match.group(3))
    return found


@pytest.mark.parametrize("words", [("test", "config"), ("run",), ("run", "--once")])
def test_five_mistakes_five_errors(agent, words):
    one = agent(FIVE_MISTAKES)
    code, out, err = one.command(*words)
    assert code == BAD_CONFIG
    found = errors_of(out + err, one.config)
    assert sorted(found) == sorted(EXPECTED), out + err
    for line, (columns, says) in EXPECTED.items():
        column, text = found[line]
        assert column in columns, "line %d: column %d: %s" % (line, column, text)
        assert re.search(says, text), text


def test_good_configuration(agent):
    code, out, err = agent(base_config("http://127.0.0.1:9", ["/var/log/*.log"])).command(
        "test", "config")
    assert code == OK, out + err


def test_sample_configuration_is_good(agent):
    with open(ROOT + "/etc/wherry.yml", encoding="utf-8") as f:
        code, out, err = agent(f.read()).command("test", "config")
    assert code == OK, out + err


@pytest.mark.parametrize("text, says", [
    ("inputs: [", r":\d+:\d+: "),
    ("path.data: ./data\npath.data: ./other\n", "path.data"),
    ("inputs:\n  - paths: ['/x']\n    dataset: Bad-Name\n", "Bad-Name|dataset"),
    ("x: &a 1\ny: *a\n", r":\d+:\d+: "),
    ("\tinputs: 1\n", r":1:\d+: "),
])
def test_bad_files(agent, text, says):
    code, out, err = agent(text).command("test", "config")
    assert code == BAD_CONFIG
    assert re.search(says, out + err), out + err


def test_missing_file_is_told(agent, tmp_path):
    one = agent({})
    one.config = str(tmp_path / "nowhere.yml")
    code, out, err = one.command("run")
    assert code == BAD_CONFIG
    assert "nowhere.yml" in out + err and "No such file" in out + err


def test_override_environment_and_inputs_d(agent, server, tmp_path):
    """-E over file over ELASTICSEARCH_* over default; inputs.d after the main file."""
    for name in ("a", "b"):
        (tmp_path / (name + ".log")).write_text("line of %s\n" % name)
    config = base_config(server.url, [tmp_path / "a.log"], "${DATASET:fromdefault}")
    del config["output.elasticsearch"]["hosts"]
    config["namespace"] = "fromfile"
    inputs = tmp_path / "inputs.d"
    inputs.mkdir()
    (inputs / "b.yml").write_text("- paths: ['%s']\n  dataset: second\n" % (tmp_path / "b.log"))
    one = agent(config, args=["-E", "namespace=fromoption"], env={
        "ELASTICSEARCH_HOSTS": server.url, "DATASET": "fromenv"})
    one.run_once()
    assert sorted((index, d["message"]) for (index, _), d in server.docs.items()) == [
        ("logs-fromenv-fromoption", "line of a"), ("logs-second-fromoption", "line of b")]


def test_version_and_help(agent):
    one = agent({})
    with open(ROOT + "/include/base/version.h") as f:
        version = re.search(r'WHERRY_VERSION "(.*)"', f.read()).group(1)
    run = one._spawn(["version"])
    run.ledger_due = False
    assert run.process.wait(30) == OK and version in run.stdout
    run = one._spawn(["help"])
    run.ledger_due = False
    assert run.process.wait(30) == OK
    for word in ("run", "test", "config", "output", "version", "--once"):
        assert word in run.stdout, word
    for words in (["nonsense"], ["run", "--nonsense"]):
        run = one._spawn(words)
        run.ledger_due = False
        one.allowed.add(BAD_CONFIG)
        assert run.process.wait(30) == BAD_CONFIG
        assert "nonsense" in run.stderr


def test_first_input_that_matches_has_the_file(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 5)
    config = base_config(server.url, [tmp_path / "*.log"], "first")
    config["inputs"].append({"paths": [str(tmp_path / "a.*")], "dataset": "second"})
    agent(json.dumps(config)).run_once()
    assert {index for index, _ in server.docs} == {"logs-first-default"}
    assert len(server.docs) == 5
