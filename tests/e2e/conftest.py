"""Fixtures of the end-to-end tests. Every agent that a test starts is ended and checked after it:
exit status, ledger, sanitizer reports; every fault server must have had nothing to object to."""

import os
import re
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

from elastic import Elastic, Node, script  # noqa: E402
from fault_server import FaultServer  # noqa: E402
from matrix import Table  # noqa: E402
from tools import Sink  # noqa: E402
from wherry import BINARY, Agent  # noqa: E402


class Claims:
    """Which modules this run has, where several share the work (scripts/e2e-run --parallel): those
    whose name it was the first to write into a directory. Tests that start the same node of their
    own belong together."""

    NODES = {"node", "secure_node"}

    def __init__(self, directory):
        self.directory = directory
        self.groups = {}  # path -> name of its group
        self.mine = {}  # name -> whether this run has it

    def group(self, item):
        if item.path not in self.groups:
            used = {name for other in item.session.items if other.path == item.path
                    for name in other.fixturenames}
            self.groups[item.path] = "nodes" if used & self.NODES else item.path.name
        return self.groups[item.path]

    def take(self, item):
        if self.directory is None:
            return True
        name = self.group(item)
        if name not in self.mine:
            try:
                os.close(os.open(os.path.join(self.directory, name), os.O_CREAT | os.O_EXCL))
                self.mine[name] = True
            except FileExistsError:
                self.mine[name] = False
        return self.mine[name]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Lets fixtures know whether the test itself passed."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.passed = report.passed
    if item.get_closest_marker("matrix"):
        reason = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
        if report.when == "call" or not report.passed:
            item.config.matrix_table.add(item.callspec.params["server"],
                                         item.originalname.removeprefix("test_"), report.outcome,
                                         reason)


def pytest_configure(config):
    config.matrix_table = Table()
    config.claims = Claims(os.environ.get("WHERRY_E2E_CLAIMS"))


def pytest_collection_modifyitems(items):
    """Modules with slow tests first: several runs that share the work end together."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """True: another run that shares the work has this test."""
    return None if item.config.claims.take(item) else True


@pytest.hookimpl(hookwrapper=True)
def pytest_terminal_summary(terminalreporter, config):
    """The table of the matrix, where some of it was run."""
    yield
    if config.matrix_table.cells:
        terminalreporter.section("servers and behaviours")
        for line in config.matrix_table.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def binary():
    assert os.access(BINARY, os.X_OK), "%s is not there: run make" % BINARY
    return BINARY


@pytest.fixture
def agent(binary, tmp_path, request):
    """Makes agents: agent(config, name=..., args=[...], env={...})."""
    made = []

    def make(config, directory=tmp_path, **options):
        options.setdefault("name", "agent" if not made else "agent%d" % len(made))
        made.append(Agent(directory, config, **options))
        return made[-1]
    yield make
    if getattr(request.node, "passed", False):
        try:
            for one in made:
                one.finish()
        finally:
            for one in made:
                one.abort()
        return
    for one in made:
        one.abort()
        for run in one.runs:
            print("---- %s, exit %s\n%s" % (run.stderr_path, run.code, run.stderr[-6000:]))


@pytest.fixture
def server(request):
    """A well-behaved fault server; what a strict server would refuse fails the test."""
    with FaultServer() as one:
        yield one
    if getattr(request.node, "passed", False):
        assert not one.problems, one.problems[:5]


@pytest.fixture
def sink():
    with Sink() as one:
        yield one


@pytest.fixture
def dataset(request):
    """A dataset name that no other test and no earlier run has used."""
    name = re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())[:60]
    return "%s_%s" % (name.strip("_"), uuid.uuid4().hex[:10])


@pytest.fixture(scope="session")
def elastic():
    """The Elasticsearch that tests share: WHERRY_ES_URL, or the one of scripts/elasticsearch, which
    is stopped at the end if it had to be started."""
    url = os.environ.get("WHERRY_ES_URL")
    started = False
    if url is None:
        started = "already runs" not in script("start")
        url = script("url")
    one = Elastic(url)
    one.wait_ready()
    one.create_templates()
    yield one
    if started:
        script("stop")


@pytest.fixture
def node():
    """An empty node of the test's own, to stop and start."""
    with Node("e2e-restart", 9270) as one:
        one.start(data="wipe").elastic.create_templates()
        yield one


@pytest.fixture(scope="session")
def secure_node():
    with Node("e2e-secure", 9280, security=True) as one:
        one.start().elastic.create_templates()
        yield one
