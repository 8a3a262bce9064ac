"""What is measured: wherry and its peers, each started on the agent's core; the sink and the log
writers on the other."""

import configparser
import ctypes
import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import host

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

_prctl = ctypes.CDLL(None).prctl


class Failed(Exception):
    """A run that gave no result; its text is shown."""


class Place:
    """Where things are: builds, the working directory, the cores."""

    def __init__(self):
        self.build = os.path.abspath(os.environ.get("WHERRY_BUILD", "build/release"))
        self.libdeflate = os.path.abspath(os.environ.get("BENCH_LIBDEFLATE", self.build))
        self.work = os.path.abspath(os.environ.get("BENCH_WORK", "build/bench"))
        self.agent_core = 0
        self.other_core = 1 if (os.cpu_count() or 1) > 1 else 0
        os.makedirs(self.work, exist_ok=True)

    def tool(self, name):
        return os.path.join(self.build, name)


def start(place, core, args, **options):
    """A process on a core, that does not outlive this one."""

    def child():
        os.sched_setaffinity(0, {core})
        _prctl(1, signal.SIGKILL, 0, 0, 0)

    return subprocess.Popen(args, preexec_fn=child, **options)


class Sink:
    """The verifying sink: a fresh one for each run."""

    def __init__(self, place, verify, expect=0, stamps=None, tls=None, defer=0):
        args = [place.tool("tools/sink"), "--port", "0"]
        if verify:
            args += ["--verify", verify]
        if expect:
            args += ["--expect", str(expect)]
        if stamps:
            args += ["--stamps", stamps]
        if defer:
            args += ["--defer", str(defer)]
        if tls:
            args += ["--tls-cert", tls[0], "--tls-key", tls[1]]
        self.process = start(place, place.other_core, args, stdout=subprocess.PIPE, text=True)
        self.url = self._line(60).split()[-1]
        self.port = self.url.rpartition(":")[2]
        self.at = {}
        self.last = None
        self._events = {word: threading.Event() for word in ("first", "nearly", "reached")}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _line(self, deadline):
        timer = threading.Timer(deadline, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise Failed("the sink did not start")
        return line

    def _read(self):
        for line in self.process.stdout:
            word = line.split()[0] if line.split() else ""
            if word in self._events:
                self.at[word] = time.monotonic()
                self._events[word].set()
            elif word.startswith("{"):
                self.last = json.loads(line)

    def wait(self, event, deadline, agent=None):
        end = time.monotonic() + deadline
        while not self._events[event].wait(0.1):
            if agent is not None and not agent.is_running():
                raise Failed("the agent has ended: " + agent.log_end())
            if time.monotonic() > end:
                raise Failed("no end within %d s: %s" % (deadline, agent.log_end() if agent else ""))

    def end(self):
        """Ends it; returns its stats."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(300)
        self._reader.join(60)
        if self.last is None:
            raise Failed("the sink ended without its stats")
        return self.last


def wrong(stats, expected):
    """What is not right of the lines that came: missing, repeated, altered."""
    unique = sum(w["unique"] for w in stats["writers"].values())
    return {
        "missing": expected - unique,
        "repeated": stats["repeated_lines"] + stats["repeated_ids"],
        "altered": stats["altered"],
    }


class Agent:
    """A running agent."""

    def __init__(self, place, name, args, environment=None):
        self.log = os.path.join(place.work, name + ".log")
        with open(self.log, "wb") as log:
            self.process = start(place, place.agent_core, args, stdout=log, stderr=log,
                                 env=dict(os.environ, **(environment or {})))
        self.pid = self.process.pid
        self.peak = (0.0, 0.0)
        self.samples = []
        self._stop = threading.Event()
        self._watcher = None

    def watch_memory(self, every=0.02):
        """Notes its memory at the most from now on."""

        def watch():
            while not self._stop.wait(every):
                self.samples.append(host.memory(self.pid))
                self.peak = tuple(map(max, self.peak, self.samples[-1]))

        self._watcher = threading.Thread(target=watch, daemon=True)
        self._watcher.start()

    def is_running(self):
        return self.process.poll() is None

    def log_end(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-600:]

    def end(self, deadline=30):
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


class Wherry:
    """The agent of this project."""

    name = "wherry"
    cases = ("drain", "steady", "idle")

    def __init__(self, place):
        self.place = place

    def start(self, inputs, sink, gzip="none", lean=False, metrics=True, extra=""):
        place = self.place
        binary = place.libdeflate if gzip == "libdeflate" else place.build
        data = fresh(os.path.join(place.work, "data"))
        config = os.path.join(place.work, "wherry.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write("path.data: %s\n" % data)
            if lean:
                f.write("metadata: []\n")
            if not metrics:
                f.write("metrics.enabled: false\n")
            f.write("inputs:\n  - paths: [\"%s\"]\n" % inputs)
            f.write("output.elasticsearch:\n  hosts: [\"%s\"]\n  compression: %s\n%s"
                    % (sink.url, "none" if gzip == "none" else "gzip", extra))
        return Agent(place, "wherry", [os.path.join(binary, "wherry"), "run", "-c", config])

    def __str__(self):
        return self.name


class Peer:
    """An agent of peers.ini or BENCH_PEERS."""

    def __init__(self, place, file, section):
        self.place = place
        self.name = section.name
        self.section = section
        self.directory = os.path.dirname(os.path.abspath(file))
        self.cases = tuple(section.get("cases", "").split())
        self.megabytes = section.getint("megabytes", fallback=None)
        self.root = os.path.join(place.work, "peers", self.name)

    def __str__(self):
        return self.name

    def start(self, inputs, sink, **_):
        place = self.place
        data = fresh(os.path.join(place.work, "data"))
        values = {"INPUT": inputs, "DIRECTORY": os.path.dirname(inputs),
                  "PATTERN": os.path.basename(inputs), "PORT": sink.port, "DATA": data,
                  "ROOT": self.root, "CONFIG": os.path.join(place.work, self.name + ".conf")}

        def fill(text):
            for name, value in values.items():
                text = text.replace("@%s@" % name, value)
            return text

        if "config" in self.section:
            with open(os.path.join(self.directory, self.section["config"]),
                      encoding="utf-8") as f:
                text = f.read()
            with open(values["CONFIG"], "w", encoding="utf-8") as f:
                f.write(fill(text))
        environment = dict(line.split("=", 1)
                           for line in fill(self.section.get("environment", "")).split("\n")
                           if "=" in line)
        return Agent(place, self.name, shlex.split(fill(self.section["command"])), environment)


def sections(files):
    """(file, section) of each peer."""
    for file in files:
        parser = configparser.ConfigParser(interpolation=None)
        with open(file, encoding="utf-8") as f:
            parser.read_file(f)
        for name in parser.sections():
            yield file, parser[name]


def peer_files():
    files = [os.path.join(HERE, "peers.ini")]
    if os.environ.get("BENCH_PEERS"):
        files.append(os.environ["BENCH_PEERS"])
    return files


def peers(place):
    """Those that are here."""
    return [Peer(place, file, section) for file, section in sections(peer_files())]


def stats_of(sink):
    with urllib.request.urlopen(sink.url + "/_sink/stats", timeout=10) as answer:
        return json.loads(answer.read())
