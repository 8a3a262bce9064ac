"""The C tools of tests/tools as Python objects, and where the build lies."""

import ctypes
import json
import os
import re
import signal
import subprocess
import urllib.request

from waiting import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("WHERRY_BUILD", os.path.join(ROOT, "build", "release")))


_prctl = ctypes.CDLL(None).prctl
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For preexec_fn: what a test starts does not outlive it, even when it is killed."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def tool(name):
    path = os.path.join(BUILD, "tools", name)
    assert os.path.exists(path), "%s is not there: run make tools (O=%s)" % (path, BUILD)
    return path


class Loggen:
    """One run of loggen in the background."""

    def __init__(self, path, lines, **options):
        """options: writer, rate, size, burst, rotate_every, rotate, keep, start_seq, format."""
        args = [tool("loggen"), "--path", os.fspath(path), "--lines", str(lines)]
        for name, value in options.items():
            args += ["--" + name.replace("_", "-"), str(value)]
        self._process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True, preexec_fn=die_with_parent)

    @property
    def running(self):
        return self._process.poll() is None

    def wait(self, deadline=120):
        """Waits for its end; returns its numbers."""
        try:
            out, err = self._process.communicate(timeout=deadline)
        finally:
            self.kill()
        assert self._process.returncode == 0, err
        words = out.split()
        return {words[i]: words[i + 1] if words[i] == "writer" else int(words[i + 1])
                for i in range(0, len(words), 2)}

    def kill(self):
        if self.running:
            self._process.kill()
            self._process.wait()


def loggen(path, lines, **options):
    return Loggen(path, lines, **options).wait()


class Sink:
    """The verifying sink, on a port of its own."""

    def __init__(self, *args, verify="seq"):
        args = list(args) + (["--verify", verify] if verify else [])
        self._process = subprocess.Popen([tool("sink"), *args], stdout=subprocess.PIPE, text=True,
                                         preexec_fn=die_with_parent)
        first = self._process.stdout.readline()
        match = re.fullmatch(r"listening on (https?://\S+)\n", first)
        assert match, "sink did not start: %r" % first
        self.url = match.group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def call(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stats(self):
        return self.call("/_sink/stats")

    def missing(self, writer, last, first=1):
        return self.call("/_sink/missing?writer=%s&from=%d&to=%d" % (writer, first, last))

    def faults(self, **values):
        self.call("/_sink/faults", values)

    def wait_unique(self, count, deadline=60):
        wait_for(lambda: self.stats()["unique"] >= count, deadline,
                 lambda: "%d unique documents: %r" % (count, self.stats()), interval=0.05)

    def assert_exactly(self, expected):
        """expected: {writer: last number}: each once, as written."""
        stats = self.stats()
        for writer, last in expected.items():
            missing = self.missing(writer, last)
            assert missing["missing"] == 0, "writer %s misses %r" % (writer, missing)
        assert stats["altered"] == 0 and stats["repeated_lines"] == 0, stats
        assert {w: n["unique"] for w, n in stats["writers"].items()} == expected
        logs = sum(n for index, n in stats["indices"].items() if not index.startswith("metrics-"))
        assert logs == sum(expected.values()), stats

    def stop(self):
        """Ends it; returns its last stats."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        out, _ = self._process.communicate(timeout=30)
        assert self._process.returncode == 0
        return json.loads(out.splitlines()[-1]) if out else None
