"""The agent under test: start, stop, kill, its stderr, its ledger."""

import json
import os
import re
import signal
import socket
import subprocess
import time

from tools import BUILD, die_with_parent
from waiting import TIME_SCALE, wait_for

BINARY = os.environ.get("WHERRY_BINARY", os.path.join(BUILD, "wherry"))
SANITIZER = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|"
                       r"Assertion .* failed|stack smashing|\*\*\* buffer overflow")
TOTAL = re.compile(r"ledger total (\{.*\})\s*$")
INPUT = re.compile(r"ledger (?:input (\S+)|(metrics)) (\{.*\})\s*$")
SIDES = ("acknowledged", "dead_lettered", "abandoned", "skipped", "in_flight")
OK, FAILED, BAD_CONFIG, NOT_ALL = 0, 1, 2, 3
FAST_RETRY = {"output__backoff__init": "20ms", "output__backoff__max": "200ms"}


def base_config(url, paths, dataset="generic", **more):
    """A configuration for tests; `more` adds or replaces options by their dotted names, an option
    of the first input is named input__NAME (dots as __)."""
    config = {
        "path.data": "./data",
        "inputs": [{"paths": [os.fspath(p) for p in paths], "dataset": dataset}],
        "metrics.enabled": False,
        "output.elasticsearch": {"hosts": [url], "compression": "none"},
    }
    for name, value in more.items():
        name = name.replace("__", ".")
        if name.startswith("input."):
            config["inputs"][0][name[len("input."):]] = value
        elif name.startswith("output."):
            config["output.elasticsearch"][name[len("output."):]] = value
        else:
            config[name] = value
    return config


class Ledger:
    """The total, and what it is the sum of: the inputs and the metrics; as printed last."""

    def __init__(self, stderr):
        self.total = None
        self.inputs = {}
        for line in stderr.splitlines():
            if match := TOTAL.search(line):
                self.total = json.loads(match.group(1))
            elif match := INPUT.search(line):
                self.inputs[match.group(1) or match.group(2)] = json.loads(match.group(3))

    def __getitem__(self, side):
        return self.total[side]

    def assert_adds_up(self):
        assert self.total is not None, "no ledger was printed"
        for name, ledger in [("total", self.total), *self.inputs.items()]:
            for unit in ("bytes", "lines"):
                parts = {side: ledger[side][unit] for side in SIDES}
                assert ledger["read"][unit] == sum(parts.values()), (
                    "ledger %s: %d %s read, but %r" % (name, ledger["read"][unit], unit, parts))
                for side in ("abandoned", "skipped"):
                    reasons = ledger[side].get("reasons", {})
                    assert ledger[side][unit] == sum(r[unit] for r in reasons.values()), (
                        "ledger %s: %s by reason: %r" % (name, side, ledger[side]))
        for side in ("read", *SIDES) if self.inputs else ():
            for unit in ("bytes", "lines"):
                assert self.total[side][unit] == sum(
                    i[side][unit] for i in self.inputs.values()), "total %s %s" % (side, unit)


class Run:
    """One life of the process."""

    def __init__(self, process, stderr_path, stdout_path):
        self.process = process
        self.stderr_path = stderr_path
        self.stdout_path = stdout_path
        self.killed = False
        self.ledger_due = True

    @property
    def stderr(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    @property
    def stdout(self):
        with open(self.stdout_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    @property
    def code(self):
        return self.process.poll()

    @property
    def ledger(self):
        return Ledger(self.stderr)


class Agent:
    """One configuration and data directory; may be started more than once, one after the other."""

    def __init__(self, directory, config, name="agent", args=(), env=None):
        """config: a dict (written as YAML's JSON subset) or the text of the file."""
        self.directory = os.fspath(directory)
        self.name = name
        self.args = list(args)
        self.env = dict(os.environ, **(env or {}))
        for variable in list(self.env):
            if variable.startswith("ELASTICSEARCH_") and variable not in (env or {}):
                del self.env[variable]
        self.config = os.path.join(self.directory, name + ".yml")
        self.write_config(config)
        self.runs = []
        self.allowed = {OK}
        self.notify = None

    def write_config(self, config):
        text = config if isinstance(config, str) else json.dumps(config, indent=2) + "\n"
        with open(self.config, "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), 0o600)  # it may hold a password
            f.write(text)

    # ---- life

    def _spawn(self, words, notify=False):
        base = os.path.join(self.directory, "%s-%d" % (self.name, len(self.runs) + 1))
        env = dict(self.env)
        env.pop("NOTIFY_SOCKET", None)
        if notify:
            env["NOTIFY_SOCKET"] = self._listen_for_ready()
        with open(base + ".out", "wb") as out, open(base + ".err", "wb") as err:
            process = subprocess.Popen([BINARY, *words], cwd=self.directory, env=env,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       preexec_fn=die_with_parent)
        run = Run(process, base + ".err", base + ".out")
        self.runs.append(run)
        return run

    def _listen_for_ready(self):
        if self.notify is not None:
            self.notify.close()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = "\0wherry-test-%d-%d" % (os.getpid(), time.monotonic_ns())
        self.notify.bind(name)
        self.notify.setblocking(False)
        return "@" + name[1:]

    def start(self, *more):
        """wherry run; returns when it says that it is ready."""
        self._spawn(["run", "-c", self.config, *self.args, *more], notify=True)
        self.wait_ready()
        return self

    def _said_ready(self):
        assert self.running, "ended with %s: %s" % (self.last.code, self.last.stderr[-2000:])
        try:
            while True:
                if b"READY=1" in self.notify.recv(4096):
                    return True
        except BlockingIOError:
            return False

    def wait_ready(self, deadline=30):
        wait_for(self._said_ready, deadline, "READY=1 on the notify socket")

    def run_once(self, *more, deadline=120, allowed=(OK,)):
        """wherry run --once to its end; returns the Run."""
        self.allowed |= set(allowed)
        run = self._spawn(["run", "--once", "-c", self.config, *self.args, *more])
        self._wait(run, deadline)
        assert run.code in allowed, "exit %s: %s" % (run.code, run.stderr[-4000:])
        return run

    def command(self, *words, deadline=60):
        """Another command with the configuration: (exit status, stdout, stderr)."""
        run = self._spawn([*words, "-c", self.config])
        run.ledger_due = False
        self._wait(run, deadline)
        self.allowed.add(run.code)
        return run.code, run.stdout, run.stderr

    def _wait(self, run, deadline):
        try:
            run.process.wait(deadline * TIME_SCALE)
        except subprocess.TimeoutExpired:
            run.process.send_signal(signal.SIGABRT)
            run.process.wait()
            run.killed = True
            raise AssertionError("still running after %.0f s: %s" % (
                deadline * TIME_SCALE, run.stderr[-4000:])) from None

    @property
    def last(self):
        return self.runs[-1]

    @property
    def running(self):
        return bool(self.runs) and self.last.code is None

    @property
    def pid(self):
        return self.last.process.pid

    @property
    def stderr(self):
        return self.last.stderr

    def memory_kib(self):
        """Private memory of the process."""
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"RssAnon:\s+(\d+)", f.read()).group(1))

    def peak_kib(self):
        """The most memory that the process has held so far."""
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))

    def send_signal(self, number):
        self.last.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, deadline=30):
        """Ends it by a signal; returns the exit status."""
        self.send_signal(number)
        self._wait(self.last, deadline)
        return self.last.code

    def kill(self):
        self.last.killed = True
        self.last.process.kill()
        self.last.process.wait()

    # ---- what it says

    def log_lines(self, pattern):
        return [line for line in self.stderr.splitlines() if re.search(pattern, line)]

    def wait_log(self, pattern, deadline=30):
        wait_for(lambda: self.log_lines(pattern), deadline,
                 lambda: "no %r in: %s" % (pattern, self.stderr[-3000:]))
        return self.log_lines(pattern)[-1]

    @property
    def ledger(self):
        return self.last.ledger

    def finish(self):
        """Ends what still runs and checks every life: exit status, ledger, sanitizers."""
        if self.running:
            self.stop()
        if self.notify is not None:
            self.notify.close()
        for run in self.runs:
            found = [line for line in run.stderr.splitlines() if SANITIZER.search(line)]
            assert not found, "%s\n%s" % (found[0], run.stderr[-8000:])
            if run.killed:
                continue
            assert run.code in self.allowed, "exit %s: %s" % (run.code, run.stderr[-4000:])
            if run.ledger_due:
                run.ledger.assert_adds_up()

    def abort(self):
        """Ends it without checking, after a test that failed already."""
        if self.running:
            self.kill()
