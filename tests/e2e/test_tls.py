"""TLS as the issuer of certificates, the clock and the operator can get it wrong; certificates that
change while the agent runs; mutual TLS; ports that speak the other protocol."""

import shutil
import socketserver
import ssl
import threading

import pytest
from certs import Authority, chain, context
from fault_server import FaultServer
from tools import loggen
from waiting import wait_for
from wherry import FAILED, FAST_RETRY, OK, base_config

LINES = 20


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("other"), "other CA")


@pytest.fixture(scope="module")
def good(ca):
    """Certificate and key of a server, the CA's certificate sent along."""
    certificate, key = ca.server()
    return chain(certificate + ".chain", certificate, ca.cert), key


def config(server, tmp_path, **ssl_options):
    options = {"output__ssl." + name: value for name, value in ssl_options.items()}
    return base_config(server.url, [tmp_path / "*.log"], shutdown_timeout="100ms", **FAST_RETRY,
                       **options)


def assert_all(server):
    assert len(server.docs) == LINES
    assert len(set(server.messages())) == LINES


# ---- trust


def test_ca_file(agent, ca, good, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*good)) as server:
        agent(config(server, tmp_path, certificate_authorities=[ca.cert])).run_once()
        assert_all(server)


def test_several_ca_files(agent, ca, other_ca, good, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*good)) as server:
        agent(config(server, tmp_path,
                     certificate_authorities=[other_ca.cert, ca.cert])).run_once()
        assert_all(server)


@pytest.mark.parametrize("form", [str, str.lower, lambda f: f.replace(":", "")],
                         ids=["colons", "lower", "plain"])
def test_fingerprint_of_the_ca(agent, ca, good, tmp_path, form):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*good)) as server:
        agent(config(server, tmp_path, ca_trusted_fingerprint=form(ca.fingerprint))).run_once()
        assert_all(server)


def test_fingerprint_of_an_intermediate_ca(agent, ca, tmp_path):
    """Its own issuer is not sent; what is pinned is enough."""
    loggen(tmp_path / "a.log", LINES)
    middle = Authority(tmp_path / "middle", "middle CA", issuer=ca)
    certificate, key = middle.server()
    served = chain(tmp_path / "served.pem", certificate, middle.cert)
    with FaultServer(tls=context(served, key)) as server:
        agent(config(server, tmp_path, ca_trusted_fingerprint=middle.fingerprint)).run_once()
        assert_all(server)


def refusals():
    """name: (what the server has, what the agent trusts, what test output says)"""
    def swapped(ca, other, tmp_path):
        return ca.server(), {"certificate_authorities": [other.cert]}

    def untrusted(ca, other, tmp_path):
        return ca.server(), {}

    def expired(ca, other, tmp_path):
        return ca.server("expired", days=-1), {"certificate_authorities": [ca.cert]}

    def wrong_host(ca, other, tmp_path):
        return ca.server("elsewhere", ["DNS:es.example.com"]), {
            "certificate_authorities": [ca.cert]}

    def fingerprint_of_another(ca, other, tmp_path):
        certificate, key = ca.server()
        return (chain(tmp_path / "c.pem", certificate, ca.cert), key), {
            "ca_trusted_fingerprint": other.fingerprint}

    def fingerprint_of_the_leaf(ca, other, tmp_path):
        """Only a CA can be pinned."""
        certificate, key = ca.server("leaf")
        leaf = Authority.__new__(Authority)
        leaf.directory, leaf.cert = str(tmp_path), certificate
        return (chain(tmp_path / "c.pem", certificate, ca.cert), key), {
            "ca_trusted_fingerprint": leaf.fingerprint}

    def pinned_but_expired(ca, other, tmp_path):
        certificate, key = ca.server("old", days=-1)
        return (chain(tmp_path / "c.pem", certificate, ca.cert), key), {
            "ca_trusted_fingerprint": ca.fingerprint}

    def pinned_but_forged(ca, other, tmp_path):
        """The pinned certificate is sent, but another CA signed."""
        certificate, key = other.server("forged")
        return (chain(tmp_path / "c.pem", certificate, ca.cert), key), {
            "ca_trusted_fingerprint": ca.fingerprint}

    def pinned_but_elsewhere(ca, other, tmp_path):
        certificate, key = ca.server("elsewhere2", ["DNS:es.example.com"])
        return (chain(tmp_path / "c.pem", certificate, ca.cert), key), {
            "ca_trusted_fingerprint": ca.fingerprint}
    return {
        swapped: "certificate",
        untrusted: "certificate",
        expired: "certificate has expired",
        wrong_host: "127.0.0.1",
        fingerprint_of_another: "ca_trusted_fingerprint",
        fingerprint_of_the_leaf: "ca_trusted_fingerprint",
        pinned_but_expired: "certificate has expired",
        pinned_but_forged: "certificate",
        pinned_but_elsewhere: "127.0.0.1",
    }


@pytest.mark.parametrize("case,reason", refusals().items(), ids=lambda c: getattr(c, "__name__", ""))
def test_refused(agent, ca, other_ca, tmp_path, case, reason):
    """Nothing is sent, the reason stands in one line; all is shipped when the server is right."""
    loggen(tmp_path / "a.log", LINES)
    (certificate, key), options = case(ca, other_ca, tmp_path)
    with FaultServer(tls=context(certificate, key)) as server:
        one = agent(config(server, tmp_path, **options))
        code, out, err = one.command("test", "output")
        assert code == FAILED
        lines = [line for line in (out + err).splitlines() if reason in line]
        assert lines and len(out.splitlines()) <= 3, out + err
        one.start()
        one.wait_log("health: output failed.*" + reason)
        assert not server.requests
        one.stop()
        assert one.ledger["dead_lettered"]["lines"] == 0
        server.docs.clear()
        one.write_config(config(server, tmp_path, verification_mode="none"))
        one.run_once()
        assert_all(server)


@pytest.mark.parametrize("fault", ["expired", "wrong_host", "other_ca", "tls_1_0"])
def test_server_that_is_mended(agent, ca, other_ca, tmp_path, fault):
    """Nothing is sent and health says failed for as long as it is wrong; what is written meanwhile
    waits in the files, and all is shipped by the same process when the server is right."""
    highest = ssl.TLSVersion.TLSv1 if fault == "tls_1_0" else None
    pair = {"expired": lambda: ca.server("old2", days=-1),
            "wrong_host": lambda: ca.server("elsewhere4", ["DNS:es.example.com"]),
            "other_ca": other_ca.server, "tls_1_0": ca.server}[fault]()
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*pair, highest=highest)) as server:
        one = agent(config(server, tmp_path, certificate_authorities=[ca.cert])).start()
        one.wait_log("health: output failed.*(certificate|protocol version|127.0.0.1)")
        loggen(tmp_path / "b.log", LINES, writer="w2")
        tried = server.connections
        wait_for(lambda: server.connections >= tried + 3, what="further tries")
        assert not server.requests, "something was sent"
        server.pause()
        server.tls = context(*ca.server("right"))
        server.start()
        server.wait_docs(2 * LINES)
        one.wait_log("health: output ok")
        assert one.stop() == OK
        assert one.ledger["dead_lettered"]["lines"] == 0
        assert one.ledger["acknowledged"]["lines"] == 2 * LINES


def test_name_is_not_looked_at(agent, ca, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*ca.server("elsewhere3", ["DNS:es.example.com"]))) as server:
        agent(config(server, tmp_path, certificate_authorities=[ca.cert],
                     verification_mode="certificate")).run_once()
        assert_all(server)


def test_chain_is_looked_at(agent, ca, other_ca, tmp_path):
    """certificate leaves out the name, nothing else."""
    with FaultServer(tls=context(*ca.server())) as server:
        code, out, err = agent(config(
            server, tmp_path, certificate_authorities=[other_ca.cert],
            verification_mode="certificate")).command("test", "output")
        assert code == FAILED and "certificate" in out + err and not server.requests


def test_none_is_told_loudly_once(agent, ca, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*ca.server())) as server:
        one = agent(config(server, tmp_path, verification_mode="none"))
        run = one.run_once()
        assert_all(server)
        assert len([line for line in run.stderr.splitlines() if "ANYBODY" in line]) == 1


# ---- versions


def test_old_versions_are_refused(agent, ca, tmp_path):
    with FaultServer(tls=context(*ca.server(), highest=ssl.TLSVersion.TLSv1)) as server:
        code, out, err = agent(config(server, tmp_path, certificate_authorities=[ca.cert])).command(
            "test", "output")
        assert code == FAILED and "protocol version" in out + err, out + err
        assert not server.requests


def test_versions_of_the_configuration(agent, ca, tmp_path):
    with FaultServer(tls=context(*ca.server(), highest=ssl.TLSVersion.TLSv1_2)) as server:
        options = {"certificate_authorities": [ca.cert]}
        code, out, err = agent(config(server, tmp_path, supported_protocols=["TLSv1.3"],
                                      **options)).command("test", "output")
        assert code == FAILED and "protocol version" in out + err, out + err
        code, out, err = agent(config(server, tmp_path, supported_protocols=["TLSv1.2"],
                                      **options)).command("test", "output")
        assert code == OK, out + err


# ---- the other protocol


class PlainPort(socketserver.BaseRequestHandler):
    """Answers what is not HTTP at once, as Elasticsearch does."""

    def handle(self):
        if not self.request.recv(4096).startswith((b"GET ", b"POST ")):
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_tls_to_a_plain_port(agent, server, tmp_path):
    """One that answers, and one that waits for more."""
    loggen(tmp_path / "a.log", LINES)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), PlainPort) as plain:
        threading.Thread(target=plain.serve_forever, daemon=True).start()
        one = agent(base_config("https://127.0.0.1:%d" % plain.server_address[1],
                                [tmp_path / "*.log"], shutdown_timeout="100ms", **FAST_RETRY))
        one.start()
        one.wait_log(r"health: output failed.*does not speak TLS here; is it http://\?")
        one.stop()
        plain.shutdown()
    url = server.url.replace("http://", "https://")
    one.write_config(base_config(url, [tmp_path / "*.log"], output__connect_timeout="300ms",
                                 shutdown_timeout="100ms", **FAST_RETRY))
    one.start()
    one.wait_log(r"no answer to the TLS handshake in time; is it http://\?")
    one.stop()
    assert one.ledger["dead_lettered"]["lines"] == 0
    one.write_config(base_config(server.url, [tmp_path / "*.log"], **FAST_RETRY))
    one.run_once()
    assert_all(server)


def test_plain_to_a_tls_port(agent, ca, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*ca.server())) as server:
        url = server.url.replace("https://", "http://")
        one = agent(base_config(url, [tmp_path / "*.log"], **FAST_RETRY))
        one.start()
        one.wait_log(r"is it https://\?")
        one.stop()
        assert one.ledger["dead_lettered"]["lines"] == 0
        one.write_config(config(server, tmp_path, certificate_authorities=[ca.cert]))
        one.run_once()
        assert_all(server)


# ---- mutual TLS


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, None], ids=["1.2", "1.3"])
def test_client_certificate(agent, ca, other_ca, good, tmp_path, highest):
    """TLS 1.2 tells the client so; with 1.3 it learns of it later, if the connection lives so long."""
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*good, clients=other_ca.cert, highest=highest)) as server:
        options = {"certificate_authorities": [ca.cert]}
        for name, client in (("none", {}), ("of another CA", dict(zip(
                ("certificate", "key"), ca.client("stranger"))))):
            code, out, err = agent(config(server, tmp_path, **options, **client)).command(
                "test", "output")
            assert code == FAILED and not server.requests, name
            assert highest is None or "alert" in out + err, "%s: %s" % (name, out + err)
        certificate, key = other_ca.client("shipper")
        agent(config(server, tmp_path, **options, certificate=certificate, key=key)).run_once()
        assert_all(server)


def test_client_key_with_passphrase(agent, ca, good, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*good, clients=ca.cert)) as server:
        certificate, key = ca.client("locked", passphrase="hush hush")
        options = {"certificate_authorities": [ca.cert], "certificate": certificate, "key": key}
        code, out, err = agent(config(server, tmp_path, key_passphrase="wrong", **options)).command(
            "test", "output")
        assert code == FAILED and "wrong" not in out + err
        agent(config(server, tmp_path, key_passphrase="hush hush", **options)).run_once()
        assert_all(server)


# ---- files that change


def test_ca_file_that_changes(agent, ca, other_ca, tmp_path):
    """The server gets certificates of another CA; the agent ships again when the file holds it,
    without a restart; connections verified by the old file are not used again."""
    trusted = tmp_path / "trusted.pem"
    shutil.copy(ca.cert, trusted)
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*ca.server())) as server:
        one = agent(config(server, tmp_path, certificate_authorities=[str(trusted)])).start()
        wait_for(lambda: len(server.docs) == LINES, what="the first lines")
        server.pause()
        server.tls = context(*other_ca.server())
        server.start()
        loggen(tmp_path / "b.log", LINES)
        one.wait_log("certificate")
        assert len(server.docs) == LINES
        shutil.copy(other_ca.cert, trusted)
        wait_for(lambda: len(server.docs) == 2 * LINES, what="the other lines")


def test_ca_file_that_no_longer_trusts(agent, ca, other_ca, tmp_path):
    """A kept connection ends with the trust in it."""
    trusted = tmp_path / "trusted.pem"
    shutil.copy(ca.cert, trusted)
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*ca.server())) as server:
        one = agent(config(server, tmp_path, certificate_authorities=[str(trusted)])).start()
        wait_for(lambda: len(server.docs) == LINES, what="the first lines")
        shutil.copy(other_ca.cert, trusted)
        loggen(tmp_path / "b.log", LINES)
        one.wait_log("certificate")
        assert len(server.docs) == LINES


def test_client_certificate_that_changes(agent, ca, other_ca, good, tmp_path):
    certificate, key = tmp_path / "client.crt", tmp_path / "client.key"

    def install(pair):
        shutil.copy(pair[0], certificate)
        shutil.copy(pair[1], key)
    install(ca.client("wrong"))
    loggen(tmp_path / "a.log", LINES)
    with FaultServer(tls=context(*good, clients=other_ca.cert)) as server:
        one = agent(config(server, tmp_path, certificate_authorities=[ca.cert],
                           certificate=str(certificate), key=str(key))).start()
        one.wait_log("health: output (failed|degraded)")
        assert not server.docs
        install(other_ca.client("right"))
        wait_for(lambda: len(server.docs) == LINES, what="the lines")


def test_ca_file_that_is_missing(agent, ca, good, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    trusted = tmp_path / "trusted.pem"
    with FaultServer(tls=context(*good)) as server:
        one = agent(config(server, tmp_path, certificate_authorities=[str(trusted)])).start()
        one.wait_log("trusted.pem")
        shutil.copy(ca.cert, trusted)
        wait_for(lambda: len(server.docs) == LINES, what="the lines")
