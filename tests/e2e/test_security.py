"""A real node with TLS and passwords."""

import pytest
from tools import loggen
from wherry import FAILED, OK, base_config


def config(node, tmp_path, dataset, **more):
    options = {"output__username": "elastic", "output__password": "secretpw",
               "output__ssl.certificate_authorities": [node.ca]}
    options.update(more)
    return base_config(node.url, [tmp_path / "*.log"], dataset, **options)


@pytest.mark.elastic
@pytest.mark.slow
def test_secured_node(agent, secure_node, dataset, tmp_path):
    """Writing needs no more than the right to write."""
    loggen(tmp_path / "a.log", 100)
    for user, password in (("elastic", "secretpw"), ("ship", "shippw")):
        one = agent(config(secure_node, tmp_path, dataset, output__username=user,
                           output__password=password))
        code, out, err = one.command("test", "output")
        assert code == OK and "8.19" in out + err, out + err
        assert password not in out + err
    one.run_once()
    secure_node.elastic.wait_count("logs-%s-default" % dataset, 100)

    code, out, err = agent(config(secure_node, tmp_path, dataset,
                                  output__password="wrong")).command("test", "output")
    assert code == FAILED and "401" in out + err

    untrusted = config(secure_node, tmp_path, dataset)
    del untrusted["output.elasticsearch"]["ssl.certificate_authorities"]
    code, out, err = agent(untrusted).command("test", "output")
    assert code == FAILED and "certificate" in (out + err).lower()
    untrusted["output.elasticsearch"]["ssl.verification_mode"] = "none"
    code, out, err = agent(untrusted).command("test", "output")
    assert code == OK, out + err
