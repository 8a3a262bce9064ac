"""Who the agent says it is: every way of saying it, files that change, secrets that stay secret."""

import base64
import os
import shutil
import subprocess
import tempfile

import pytest
from fault_server import FaultServer
from tools import loggen
from waiting import holds_for, wait_for
from wherry import BAD_CONFIG, BINARY, FAILED, FAST_RETRY, OK, base_config

LINES = 20
SECRET = "hush-5f2c"


def config(server, tmp_path, **more):
    return base_config(server.url, [tmp_path / "*.log"], **{**FAST_RETRY, **more})


def b64(text):
    return base64.b64encode(text.encode()).decode()


WAYS = {
    "user and password": ({"username": "u", "password": SECRET}, "Basic " + b64("u:" + SECRET)),
    "password file": ({"username": "u", "password_file": "secret"}, "Basic " + b64("u:" + SECRET)),
    "user file": ({"username_file": "user", "password_file": "secret"},
                  "Basic " + b64("shipper:" + SECRET)),
    "key of two parts": ({"api_key": "id:" + SECRET}, "ApiKey " + b64("id:" + SECRET)),
    "encoded key": ({"api_key": b64("id:" + SECRET)}, "ApiKey " + b64("id:" + SECRET)),
    "key file": ({"api_key_file": "key"}, "ApiKey " + b64("id:" + SECRET)),
    "encoded key file": ({"api_key_file": "encoded"}, "ApiKey " + b64("id:" + SECRET)),
    "bearer token": ({"bearer_token": SECRET}, "Bearer " + SECRET),
    "bearer token file": ({"bearer_token_file": "secret"}, "Bearer " + SECRET),
    "service token": ({"service_token": SECRET}, "Bearer " + SECRET),
    "service token file": ({"service_token_file": "secret"}, "Bearer " + SECRET),
}


def write_files(directory):
    for name, text in (("secret", SECRET), ("user", "shipper"), ("key", "id:" + SECRET),
                       ("encoded", b64("id:" + SECRET))):
        (directory / name).write_text(text + "\n")


@pytest.mark.parametrize("way", WAYS)
def test_ways(agent, tmp_path, way):
    """Each is accepted, and its secret shows nowhere."""
    options, header = WAYS[way]
    loggen(tmp_path / "a.log", LINES)
    write_files(tmp_path)
    with FaultServer(credentials=header) as server:
        one = agent(config(server, tmp_path, **{"output__" + k: v for k, v in options.items()}))
        run = one.run_once("-v")
        assert len(server.docs) == LINES
        shown = run.stderr + run.stdout
        for command in (("test", "config"), ("test", "output")):
            code, out, err = one.command(*command)
            assert code == OK, out + err
            shown += out + err
        for secret in (SECRET, header.split()[1]):
            assert secret not in shown


def test_credentials_directory(agent, tmp_path):
    """systemd's LoadCredential: relative names are looked up there."""
    loggen(tmp_path / "a.log", LINES)
    (tmp_path / "creds").mkdir()
    write_files(tmp_path / "creds")
    with FaultServer(credentials="ApiKey " + b64("id:" + SECRET)) as server:
        agent(config(server, tmp_path, output__api_key_file="key"),
              env={"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}).run_once()
        assert len(server.docs) == LINES


def test_environment(agent, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(credentials="ApiKey " + b64("id:" + SECRET)) as server:
        agent(config(server, tmp_path), env={"ELASTICSEARCH_API_KEY": "id:" + SECRET}).run_once()
        agent(config(server, tmp_path, output__api_key="${KEY}"), env={"KEY": "id:" + SECRET},
              directory=tmp_path).run_once()
        assert len(server.docs) == LINES


# ---- refused, then right


def test_new_token_after_401(agent, tmp_path):
    """No restart, nothing dead-lettered, health says why."""
    token = tmp_path / "token"
    token.write_text("old-token")
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(credentials="Bearer new-token") as server:
        one = agent(config(server, tmp_path, output__bearer_token_file="token")).start()
        line = one.wait_log(r"health: output failed.*401")
        assert "token" not in line.replace("unable to authenticate", "")
        assert not server.docs
        token.write_text("new-token")
        wait_for(lambda: len(server.docs) == LINES, what="all lines")
        one.wait_log(r"health: output (ok|works)|works again")
        one.stop()
        assert one.ledger["dead_lettered"]["lines"] == 0
        assert one.ledger["acknowledged"]["lines"] == LINES


def test_token_changes_on_a_kept_connection(agent, tmp_path):
    """The file is looked at before each request: no 401 comes in between."""
    token = tmp_path / "token"
    token.write_text("one")
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(credentials="Bearer one") as server:
        agent(config(server, tmp_path, output__bearer_token_file="token")).start()
        wait_for(lambda: len(server.docs) == LINES, what="the first lines")
        server.credentials = "Bearer three"
        (tmp_path / "next").write_text("three")
        os.rename(tmp_path / "next", token)
        loggen(tmp_path / "b.log", LINES)
        wait_for(lambda: len(server.docs) == 2 * LINES, what="the other lines")
        assert all(r.answered != 401 for r in server.requests)


def test_key_that_is_revoked(agent, tmp_path):
    """In the middle of a connection: what was not taken waits for the next key."""
    key = tmp_path / "key"
    key.write_text("id:one\n")
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(credentials="ApiKey " + b64("id:one")) as server:
        one = agent(config(server, tmp_path, output__api_key_file="key")).start()
        wait_for(lambda: len(server.docs) == LINES, what="the first lines")
        server.credentials = "ApiKey " + b64("id:two")
        loggen(tmp_path / "b.log", LINES)
        one.wait_log(r"health: output failed.*401")
        assert len(server.docs) == LINES
        key.write_text("id:two\n")
        wait_for(lambda: len(server.docs) == 2 * LINES, what="the other lines")
        one.stop()
        assert one.ledger["dead_lettered"]["lines"] == 0 and server.duplicates == 0


def test_kubernetes_secret(agent, tmp_path):
    """A mounted secret is a symbolic link whose directory is exchanged."""
    for n, text in ((1, "one"), (2, "two")):
        (tmp_path / ("data%d" % n)).mkdir()
        (tmp_path / ("data%d" % n) / "token").write_text(text)
    (tmp_path / "..data").symlink_to("data1")
    (tmp_path / "token").symlink_to("..data/token")
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(credentials="Bearer two") as server:
        one = agent(config(server, tmp_path, output__bearer_token_file="token")).start()
        one.wait_log("401")
        (tmp_path / "next").symlink_to("data2")
        os.rename(tmp_path / "next", tmp_path / "..data")
        wait_for(lambda: len(server.docs) == LINES, what="all lines")


def test_file_that_is_missing(agent, tmp_path):
    """Named in one line; nothing is sent without it."""
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(credentials="Bearer one") as server:
        one = agent(config(server, tmp_path, output__bearer_token_file="token"))
        code, out, err = one.command("test", "output")
        assert code == FAILED and "credential file token cannot be read" in out + err, out + err
        one.start()
        one.wait_log("health: output failed.*credential file token cannot be read")
        holds_for(lambda: not server.requests, 0.3, "nothing is sent without the file")
        (tmp_path / "token").write_text("one")
        wait_for(lambda: len(server.docs) == LINES, what="all lines")


# ---- secrets stay secret


def test_not_on_the_command_line(agent, server, tmp_path):
    one = agent(config(server, tmp_path))
    for option in ("password=" + SECRET, "api_key=id:" + SECRET, "headers.X-Key=" + SECRET):
        code, out, err = one.command("test", "config", "-E", "output.elasticsearch." + option)
        assert code == BAD_CONFIG and "everyone can read command lines" in err
        assert SECRET not in out + err


def test_not_in_a_file_that_everyone_can_read(agent, server, tmp_path):
    one = agent(config(server, tmp_path, output__username="u", output__password=SECRET))
    os.chmod(one.config, 0o644)
    code, out, err = one.command("test", "config")
    assert code == BAD_CONFIG and "everyone can read this file" in err and SECRET not in err
    write_files(tmp_path)
    one = agent(config(server, tmp_path, output__username="u", output__password_file="secret"))
    os.chmod(one.config, 0o644)
    assert one.command("test", "config")[0] == OK


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("secret", [False, True])
def test_not_in_core_dumps(server, secret):
    """A process that may not be dumped belongs to root in /proc, whoever runs it."""
    nobody = 65534
    directory = tempfile.mkdtemp()
    try:
        shutil.copy(BINARY, directory + "/wherry")
        with open(directory + "/w.yml", "w", encoding="ascii") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("path.data: %s/data\nmetrics.enabled: false\ninputs: [{paths: %s/*.log}]\n"
                    "output.elasticsearch: {hosts: ['%s']%s}\n" % (
                        directory, directory, server.url, ", bearer_token: a" if secret else ""))
        for name in ("", "/w.yml", "/wherry"):
            os.chown(directory + name, nobody, nobody)
        process = subprocess.Popen([directory + "/wherry", "run", "-c", directory + "/w.yml"],
                                   user=nobody, group=nobody, extra_groups=[], cwd=directory,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: os.path.exists(directory + "/data/lock"), what="the start")
            assert os.stat("/proc/%d/environ" % process.pid).st_uid == (0 if secret else nobody)
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(directory)


# ---- a real node


def secured(node, tmp_path, dataset, **more):
    options = {"output__ssl.certificate_authorities": [node.ca]}
    options.update(more)
    return base_config(node.url, [tmp_path / "*.log"], dataset, **{**FAST_RETRY, **options})


@pytest.mark.elastic
@pytest.mark.slow
def test_wrong_password_then_the_right_one(agent, secure_node, dataset, tmp_path):
    (tmp_path / "password").write_text("wrong")
    loggen(tmp_path / "a.log", 100)
    one = agent(secured(secure_node, tmp_path, dataset, output__username="ship",
                        output__password_file="password")).start()
    one.wait_log(r"health: output failed.*401")
    (tmp_path / "password").write_text("shippw\n")
    secure_node.elastic.wait_count("logs-%s-default" % dataset, 100)
    one.stop()
    assert one.ledger["dead_lettered"]["lines"] == 0


@pytest.mark.elastic
@pytest.mark.slow
def test_real_node_by_fingerprint(agent, secure_node, dataset, tmp_path):
    """The node sends its CA's certificate only if it was told to; then the fingerprint is enough,
    else the reason is told."""
    text = subprocess.run(["openssl", "x509", "-in", secure_node.ca, "-noout", "-fingerprint",
                           "-sha256"], stdout=subprocess.PIPE, text=True, check=True).stdout
    one = agent(secured(secure_node, tmp_path, dataset, output__username="elastic",
                        output__password="secretpw",
                        **{"output__ssl.certificate_authorities": [],
                           "output__ssl.ca_trusted_fingerprint": text.strip().split("=")[1]}))
    code, out, err = one.command("test", "output")
    assert code == OK or "ca_trusted_fingerprint" in out + err, out + err


@pytest.mark.elastic
@pytest.mark.slow
def test_plain_http_to_a_secured_node(agent, secure_node, dataset, tmp_path):
    config_ = secured(secure_node, tmp_path, dataset)
    config_["output.elasticsearch"]["hosts"] = [secure_node.url.replace("https:", "http:")]
    code, out, err = agent(config_).command("test", "output")
    assert code == FAILED and "is it https://?" in out + err, out + err
