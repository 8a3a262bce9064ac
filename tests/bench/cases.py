"""The cases: what is run, and what one run gives.

A run gives a dictionary; `wrong` in it holds the reasons why it does not count ("void: ..." or
"WRONG: ..."), the rest are numbers. bench.py takes the rounds, table.py judges them.
"""

import array
import json
import os
import random
import subprocess
import sys
import time

import agents
import figures
import host
from agents import Failed, Sink

DRAIN_DEADLINE = 300

# bytes of a line, and files
FORMATS = {"nginx": (201, 1), "json": (327, 1), "cri": (241, 10)}
# what a document has besides its text, and what a sink may keep for later
DOCUMENT_BYTES = {"lean": 240, "default": 600}
DEFER_MAX = 4 << 30
GZIPS = ("plain", "libdeflate", "isal")
DOCUMENTS = ("lean", "default")


# ---- input ----

def make_input(place, name, megabytes):
    """Files of numbered lines; the pattern, and how many lines. They are made once."""
    size, files = FORMATS[name]
    directory = os.path.join(place.work, "input-%s-%d" % (name, megabytes))
    pattern = os.path.join(directory, "*.log" if files > 1 else "app.log")
    lines = megabytes * 1000000 // size // files
    paths = [os.path.join(directory, "app%s.log" % (n if files > 1 else "")) for n in range(files)]
    if not all(os.path.exists(p) and os.path.getsize(p) == lines * size for p in paths):
        agents.fresh(directory)
        for n, path in enumerate(paths):
            subprocess.run([place.tool("tools/loggen"), "--path", path, "--lines", str(lines),
                            "--size", str(size), "--format", name, "--writer", "w%d" % n,
                            "--burst", "1000"], check=True, stdout=subprocess.DEVNULL)
            with open(path, "rb") as f:
                os.fsync(f.fileno())
    for path in paths:  # into the page cache
        with open(path, "rb") as f:
            while f.read(1 << 22):
                pass
    return pattern, paths, lines * files, lines * files * size


# ---- drains ----

class Drain:
    """A file, or ten, from the head to the end."""

    must_be_busy = True

    def __init__(self, form, gzip, document, megabytes, tls=False):
        self.form, self.gzip, self.document, self.tls = form, gzip, document, tls
        self.megabytes = megabytes
        self.name = "tls" if tls else "%s-%s-%s" % (form, gzip, document)

    def run(self, place, subject):
        megabytes = getattr(subject, "megabytes", None) or self.megabytes
        pattern, paths, lines, size = make_input(place, self.form, megabytes)
        if subject == "ceiling":
            return self._ceiling(place, paths, size)
        # the CRI prefix is taken off by the agent
        verify = "seq" if self.form == "cri" else self.form
        tls = certificate(place) if self.tls else None
        # room for all that comes, so that looking at it takes no time while it comes
        defer = lines * DOCUMENT_BYTES[self.document] + size * 21 // 20
        sink = Sink(place, verify, expect=lines, tls=tls, defer=min(defer, DEFER_MAX))
        agent = None
        try:
            before = time.monotonic()
            extra = "  ssl.certificate_authorities: [\"%s\"]\n" % tls[0] if tls else ""
            agent = subject.start(pattern, sink, gzip="none" if self.gzip == "plain" else self.gzip,
                                  lean=self.document == "lean", metrics=False, extra=extra)
            agent.watch_memory()
            sink.wait("first", 60, agent)
            first = self._sample(place, agent, sink)
            sink.wait("nearly", DRAIN_DEADLINE, agent)
            nearly = self._sample(place, agent, sink)
            sink.wait("reached", DRAIN_DEADLINE, agent)
            last = self._sample(place, agent, sink)
            agent.end()
        finally:
            if agent is not None:
                agent.end()
            stats = sink.end()
        return self._result(lines, size, before, (first, nearly, last), agent, stats)

    @staticmethod
    def _sample(place, agent, sink):
        core = host.core_times(place.agent_core)
        return {"at": time.monotonic(), "cpu": host.cpu_seconds(agent.pid),
                "core": core[0], "core_all": core[1], "sink": host.cpu_seconds(sink.process.pid)}

    def _result(self, lines, size, before, samples, agent, stats):
        first, nearly, last = samples

        # while there was enough to do: the last lines of all wait for more, as agents do
        def share(name, of):
            return (nearly[name] - first[name]) / max(of, 1e-9)

        window = nearly["at"] - first["at"]
        core = share("core", nearly["core_all"] - first["core_all"])
        result = {
            "bytes": size, "lines": lines, "cpu_s": last["cpu"], "wall_s": last["at"] - before,
            "mb_per_cpu_s": size / 1e6 / last["cpu"], "ns_per_line": last["cpu"] / lines * 1e9,
            "busy": core, "agent_share": share("cpu", window), "sink_share": share("sink", window),
            "anon": agent.peak[0], "rss": agent.peak[1],
            "wire_bytes": stats["wire_bytes"], "wrong": [],
        }
        for what, count in agents.wrong(stats, lines).items():
            result[what] = count
            if count != 0:
                result["wrong"].append("WRONG: %d %s" % (count, what))
        result["sink_ns_per_line"] = (last["sink"] - first["sink"]) / lines * 1e9
        if core < figures.BUSY and self.must_be_busy:
            result["wrong"].append("void: core %d %% busy" % (100 * core))
        notes = []
        if result["sink_share"] > figures.SINK_BUSY:
            notes.append("sink over %d %%" % (100 * figures.SINK_BUSY))
        if core - result["agent_share"] > figures.OTHERS:
            notes.append("other processes on the core")
        if notes:
            result["note"] = ", ".join(notes)
        return result

    def _ceiling(self, place, paths, size):
        args = [place.tool("bench/ceiling"), "--document", self.document,
                "--format", "cri" if self.form == "cri" else "raw",
                "--gzip", "none" if self.gzip == "plain" else self.gzip,
                "--core", str(place.agent_core), "--reader-core", str(place.other_core), *paths]
        done = subprocess.run(args, stdout=subprocess.PIPE, text=True, timeout=DRAIN_DEADLINE,
                              check=True)
        got = json.loads(done.stdout)
        if got["bytes"] != size:
            raise Failed("the ceiling read %d of %d bytes" % (got["bytes"], size))
        return {"bytes": size, "lines": got["lines"], "cpu_s": got["cpu_s"],
                "wall_s": got["wall_s"], "mb_per_cpu_s": size / 1e6 / got["cpu_s"],
                "ns_per_line": got["cpu_s"] / got["lines"] * 1e9, "wrong": []}


def certificate(place):
    """A certificate for 127.0.0.1 that is its own authority: (certificate, key)."""
    names = [os.path.join(place.work, "tls." + end) for end in ("crt", "key")]
    if not all(map(os.path.exists, names)):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out",
                        names[0], "-keyout", names[1]], check=True, stderr=subprocess.DEVNULL)
    return names


# ---- what goes on for a while ----

class Measure:
    """CPU, wake-ups and memory of an agent over some seconds."""

    def __init__(self, agent):
        self.agent = agent
        self.start = (time.monotonic(), host.cpu_fine(agent.pid), host.wakeups(agent.pid))

    def result(self):
        pid = self.agent.pid
        now = (time.monotonic(), host.cpu_fine(pid), host.wakeups(pid))
        anon, rss = host.memory(pid)
        seconds, cpu, woken = (b - a for a, b in zip(self.start, now))
        if not self.agent.is_running():
            raise Failed("the agent has ended: " + self.agent.log_end())
        # half of the time no more than this, where it was watched
        samples = sorted(self.agent.samples or [(anon, rss)])
        anon, rss = samples[len(samples) // 2]
        return {"cpu": 100 * cpu / seconds, "wakeups": woken / seconds, "anon": anon, "rss": rss,
                "anon_peak": max(samples)[0], "seconds": seconds, "wrong": []}


def note_wrong(result, stats, lines):
    for what, count in agents.wrong(stats, lines).items():
        result[what] = count
        if count != 0:
            result["wrong"].append("WRONG: %d %s" % (count, what))


def write_lines(place, path, lines, rate, writer, **more):
    args = [place.tool("tools/loggen"), "--path", path, "--lines", str(lines), "--rate", str(rate),
            "--format", "nginx", "--size", "201", "--writer", writer]
    for name, value in more.items():
        args += ["--" + name.replace("_", "-"), str(value)]
    return agents.start(place, place.other_core, args, stdout=subprocess.DEVNULL)


def wait_written(writers):
    for writer in writers:
        if writer.wait(600) != 0:
            raise Failed("a writer failed")


class Steady:
    """10,000 lines a second over 20 files, one write(2) for each line."""

    name = "steady"
    files, rate, settle = 20, 10000, 5

    def __init__(self, seconds):
        self.seconds = seconds

    def run(self, place, subject):
        directory = agents.fresh(os.path.join(place.work, "steady"))
        paths = [os.path.join(directory, "app%02d.log" % n) for n in range(self.files)]
        for path in paths:
            open(path, "wb").close()
        each = self.rate // self.files * (self.seconds + self.settle + 2)
        sink = Sink(place, "nginx", expect=each * self.files)
        agent = None
        writers = []
        try:
            agent = subject.start(os.path.join(directory, "*.log"), sink)
            time.sleep(2)  # an agent that begins at the end must know the files by now
            writers = [write_lines(place, path, each, self.rate // self.files, "w%d" % n)
                       for n, path in enumerate(paths)]
            time.sleep(self.settle)
            agent.watch_memory(0.05)
            measure = Measure(agent)
            time.sleep(self.seconds)
            result = measure.result()
            wait_written(writers)
            sink.wait("reached", 60, agent)
        finally:
            for writer in writers:
                writer.kill()
                writer.wait()
            if agent is not None:
                agent.end()
            stats = sink.end()
        note_wrong(result, stats, each * self.files)
        return result


class Idle:
    """Files that nobody writes to, host metrics as they are by default."""

    def __init__(self, files, seconds):
        self.name = "idle" if files == 0 else "idle-%d" % files
        self.files, self.seconds = files, seconds

    def run(self, place, subject):
        directory = agents.fresh(os.path.join(place.work, "idle"))
        for n in range(max(self.files, 1)):
            with open(os.path.join(directory, "app%05d.log" % n), "wb") as f:
                f.write(b"")
        if self.files:
            for n in range(self.files):
                with open(os.path.join(directory, "app%05d.log" % n), "ab") as f:
                    f.write(b"%05d a line of an idle file\n" % n)
        sink = Sink(place, None)
        agent = None
        try:
            agent = subject.start(os.path.join(directory, "*.log"), sink)
            deadline = time.monotonic() + 60
            logs = 0
            while logs < self.files and time.monotonic() < deadline:
                time.sleep(0.5)
                logs = sum(count for name, count in agents.stats_of(sink)["indices"].items()
                           if name.startswith("logs-"))
            if logs != self.files:
                raise Failed("%d of %d lines came" % (logs, self.files))
            # what a start costs is over; of each file the past minute is remembered
            time.sleep(62 if self.files else 12)
            measure = Measure(agent)
            time.sleep(self.seconds)
            return measure.result()
        finally:
            if agent is not None:
                agent.end()
            sink.end()


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


class Latency:
    """From the beginning of write(2) to the sink's having taken the line."""

    def __init__(self, preset, rate, seconds):
        self.name = "latency-%s-%d" % (preset, rate)
        self.preset, self.rate, self.seconds = preset, rate, seconds

    def run(self, place, subject):
        directory = agents.fresh(os.path.join(place.work, "latency"))
        path = os.path.join(directory, "app.log")
        open(path, "wb").close()
        stamps = [os.path.join(place.work, "stamps." + end) for end in ("written", "taken")]
        lines = self.rate * self.seconds
        sink = Sink(place, "nginx", expect=lines, stamps=stamps[1])
        agent = writer = None
        try:
            extra = "  preset: latency\n" if self.preset == "preset" else ""
            agent = subject.start(path, sink, extra=extra)
            time.sleep(1.5 + random.random())
            writer = write_lines(place, path, lines, self.rate, "w1", stamps=stamps[0])
            wait_written([writer])
            sink.wait("reached", 60, agent)
        finally:
            if writer is not None:
                writer.kill()
                writer.wait()
            if agent is not None:
                agent.end()
            stats = sink.end()
        result = {"wrong": []}
        note_wrong(result, stats, lines)
        if not result["wrong"]:
            times = self._times(stamps, lines)
            result.update(p50=percentile(times, 0.5), p99=percentile(times, 0.99), max=times[-1])
        return result

    @staticmethod
    def _times(stamps, lines):
        read = []
        for name in stamps:
            values = array.array("Q")
            with open(name, "rb") as f:
                values.frombytes(f.read())
            read.append(values[1:lines + 1])  # lines are counted from 1
        if len(read[0]) != lines or len(read[1]) != lines or 0 in read[0] or 0 in read[1]:
            raise Failed("stamps are missing")
        return sorted((b - a) / 1e6 for a, b in zip(*read))


class Start:
    """From the start of the program to the first document that the sink has taken."""

    name = "start"

    def run(self, place, subject):
        directory = agents.fresh(os.path.join(place.work, "start"))
        path = os.path.join(directory, "app.log")
        write_lines(place, path, 1, 0, "w1").wait()
        sink = Sink(place, "nginx", expect=1)
        agent = None
        try:
            before = time.monotonic()
            agent = subject.start(path, sink)
            sink.wait("reached", 30, agent)
            result = {"start": 1000 * (sink.at["reached"] - before), "wrong": []}
        finally:
            if agent is not None:
                agent.end()
            stats = sink.end()
        note_wrong(result, stats, 1)
        return result


class Size:
    """The program without symbols."""

    name = "size"

    def run(self, place, subject):
        del subject
        stripped = os.path.join(place.work, "wherry.stripped")
        subprocess.run(["strip", "-o", stripped, place.tool("wherry")], check=True)
        return {"size": os.path.getsize(stripped) / 1000, "wrong": []}


class Backlog(Drain):
    """5 GB of lines that are there already: memory, and that all of them come. The sink cannot keep
    so much for later, so the agent waits for it."""

    must_be_busy = False

    def __init__(self, megabytes):
        super().__init__("nginx", "plain", "default", megabytes)
        self.name = "backlog"


class Soak:
    """Lines at a rate, rotated, for half an hour: memory does not grow."""

    name = "soak"
    rate = 10000
    rotate_every = 300000  # lines

    def __init__(self, seconds):
        self.seconds = seconds

    def run(self, place, subject):
        directory = agents.fresh(os.path.join(place.work, "soak"))
        path = os.path.join(directory, "app.log")
        open(path, "wb").close()
        lines = self.rate * self.seconds
        sink = Sink(place, "nginx", expect=lines)
        agent = writer = None
        samples = []
        try:
            agent = subject.start(path, sink)
            time.sleep(1)
            writer = write_lines(place, path, lines, self.rate, "w1", rotate="rename",
                                 rotate_every=self.rotate_every, keep=3)
            measure = Measure(agent)
            begin = time.monotonic()
            while writer.poll() is None:
                time.sleep(1)
                samples.append((time.monotonic() - begin, *host.memory(agent.pid)))
                if len(samples) % 60 == 0:
                    print("  soak: %d s, RssAnon %.2f MiB, RSS %.2f MiB"
                          % samples[-1], file=sys.stderr)
            result = measure.result()
            wait_written([writer])
            sink.wait("reached", 60, agent)
        finally:
            if writer is not None:
                writer.kill()
                writer.wait()
            if agent is not None:
                agent.end()
            stats = sink.end()
        note_wrong(result, stats, lines)
        floor = minute_floor([s for s in samples if s[0] >= 60] or samples)
        result["growth"] = 1024 * 60 * slope([(s[0], s[2]) for s in floor])
        result["growth_anon"] = 1024 * 60 * slope([(s[0], s[1]) for s in floor])
        return result


def minute_floor(samples):
    """The least of each minute: batches come and go with the load, what stays is in all of them."""
    by_minute = {}
    for sample in samples:
        by_minute.setdefault(sample[0] // 60, []).append(sample)
    return [(minute * 60, min(s[1] for s in some), min(s[2] for s in some))
            for minute, some in sorted(by_minute.items())]


def slope(points):
    """Of the line that fits best."""
    n = len(points)
    mean_x, mean_y = (sum(p[i] for p in points) / n for i in (0, 1))
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return above / below if below else 0.0


def all_cases(settings):
    """Every case of this run's settings, in the order of the table."""
    megabytes = settings["megabytes"]
    cases = [Drain(form, gzip, document, megabytes)
             for form in FORMATS for gzip in GZIPS for document in DOCUMENTS]
    cases.append(Drain("nginx", "isal", "lean", megabytes, tls=True))
    cases += [Steady(settings["steady_s"])]
    cases += [Idle(files, settings["idle_s"]) for files in (0, 1000, 10000)]
    cases += [Latency(preset, rate, settings["latency_s"])
              for preset in ("default", "preset") for rate in (100, 10000)]
    cases += [Start(), Size(), Backlog(settings["backlog_mb"]), Soak(settings["soak_s"])]
    return cases
