"""Carries a plan out: real files, the real agent, a server that misbehaves on demand."""

import os
import random
import signal
import struct
import socket
import time
import zlib

import fault_server
from fault_server import FaultServer
from logs import LogFile
from waiting import TIME_SCALE, wait_for
from wherry import Agent, base_config

DRAIN_SECONDS = 20


def is_poison(text, share):
    """Whether the server refuses the line for ever; decided by its text."""
    return zlib.crc32(text.encode()) % 10000 < share * 10000


class Run:
    """One run in a directory of its own."""

    def __init__(self, plan, directory):
        self.plan = plan
        self.directory = directory
        self.lines = {}
        self.server = FaultServer().start()
        self.rnd = random.Random(plan.seed ^ 0x5eed)
        self.poison = plan.dead_share
        self.files = {}
        self.stalled = False
        self.deleted = []  # lives whose file is gone before all of it has arrived
        self.notes = []
        self.log = open(os.path.join(directory, "events"), "w", encoding="utf-8")
        for family in plan.families:
            self.files[family.name] = LogFile(family, directory, self.lines)
        self.agent = Agent(directory, self.config())

    def config(self):
        config = base_config(self.server.url, [], **self.plan.options)
        config["inputs"] = [
            {"paths": [os.path.join(self.directory, f.directory, f.pattern)],
             "compression": "auto" if self.plan.seed % 2 else "none", "dataset": f.writer}
            for f in self.plan.families]
        if self.plan.shared_directory and self.plan.families[0].pattern == "*.log":
            del config["inputs"][1:]
        return config

    # ---- the server

    def outcome(self, status, share):
        def decide(n, action):
            message = action.document.get("message", "")
            if self.poison and is_poison(message, self.poison):
                return 400
            return status if share and self.rnd.random() < share else None
        return decide

    def step(self, kind):
        """What the server does with bulk requests from now on."""
        well = fault_server.bulk_reply(self.outcome(None, 0))
        some = self.rnd

        def sometimes(bad, share=0.5):
            return lambda exchange: (bad if some.random() < share else well)(exchange)

        def stall(exchange):
            exchange.read_body()
            while self.fault == "stall" and not exchange.server.stopping.is_set():
                time.sleep(0.005)
            return well(exchange)

        def too_large(exchange):
            exchange.read_body()
            if len(exchange.request.body) > 100000 and len(exchange.request.actions) > 1:
                return exchange.answer(413, b"")
            return well(exchange)

        def reset(exchange):
            exchange.read_part(1000)
            exchange.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                struct.pack("ii", 1, 0))
            return False

        def taken_but(end):
            def after(exchange):
                exchange.apply(self.outcome(None, 0))
                return end(exchange)
            return after

        return {
            "none": lambda: well,
            "items429": lambda: fault_server.bulk_reply(self.outcome(429, 0.05)),
            "items503": lambda: fault_server.bulk_reply(self.outcome(503, 0.3)),
            "cut": lambda: sometimes(taken_but(lambda exchange: False)),
            "cut_json": lambda: sometimes(taken_but(
                lambda exchange: exchange.answer(200, b'{"errors":false,"items":[{"cre'))),
            "drop": lambda: sometimes(fault_server.close_without_answer()),
            "reset": lambda: sometimes(reset),
            "stall": lambda: stall,
            "too_large": lambda: too_large,
            "status429": lambda: sometimes(fault_server.error_reply(
                429, "es_rejected_execution_exception")),
            "status503": lambda: sometimes(fault_server.error_reply(503, "unavailable")),
        }[kind]()

    def set_fault(self, kind):
        if kind == "refuse":
            self.server.pause()
        elif self.server._listener is None:
            self.server.start()
        self.fault = kind
        self.server.always(self.step(kind if kind != "refuse" else "none"))

    # ---- what has arrived

    def messages(self):
        """{message: number of documents}"""
        count = {}
        with self.server._lock:
            documents = list(self.server.docs.values())
        for document in documents:
            message = document["message"]
            count[message] = count.get(message, 0) + 1
        return count

    def missing(self, wanted=None):
        """Texts of lines that have not arrived; poisoned ones are the dead letter box's."""
        arrived = self.messages()
        return [text for text, line in self.lines.items()
                if text not in arrived and (wanted is None or line.life in wanted)
                and not (self.poison and is_poison(text, self.poison))]

    def is_drained(self, life):
        return not self.poison and not self.missing({life})

    def is_open(self, path):
        """Whether the agent has the file open."""
        st = os.stat(path)
        base = "/proc/%d/fd" % self.agent.pid
        for name in os.listdir(base):
            try:
                other = os.stat(os.path.join(base, name))
            except OSError:
                continue
            if (other.st_dev, other.st_ino) == (st.st_dev, st.st_ino):
                return True
        return False

    def settle_deleted(self):
        """A deleted file is lost with the process: it ends only when nothing of one is missing."""
        end = time.monotonic() + 1
        while self.deleted and self.agent.running and not self.stalled:
            if not self.missing(set(self.deleted)):
                self.deleted = []
            elif time.monotonic() > end:
                return False
            else:
                time.sleep(0.01)
        return not self.deleted

    # ---- events

    def start(self):
        if not self.agent.running:
            self.agent.start()

    def stall(self, _):
        if self.agent.running:
            self.agent.send_signal(signal.SIGSTOP)
            self.stalled = True

    def continue_(self):
        if self.stalled:
            self.agent.send_signal(signal.SIGCONT)
        self.stalled = False

    def kill(self, _):
        if self.agent.running and self.settle_deleted():
            self.agent.kill()

    def term(self, _):
        if self.agent.running and self.settle_deleted():
            self.agent.stop()

    def stillborn(self, after):
        """Killed some ms after it was started, ready or not."""
        if not self.agent.running or not self.settle_deleted():
            return
        self.agent.kill()
        self.agent._spawn(["run", "-c", self.agent.config], notify=True)
        time.sleep(after / 1000)
        self.agent.kill()

    def rotate(self, family, how, late, pause):
        log = self.files[family.name]
        if how == "unlink":
            if not self.agent.running or self.stalled or not self.is_open(log.path) or (
                    self.poison or log.old is not None):
                return
            log.finish_line()
            self.deleted.append(log.life)
            late = 0
        log.rotate(how, late, pause)

    def carry_out(self, verb, args):
        if verb == "write":
            family, count, size, half = args
            self.files[family.name].write(count, size, half)
        elif verb == "compress":
            self.files[args[0].name].compress()
        elif verb == "delete":
            self.files[args[0].name].delete(self.is_drained)
        elif verb == "fault":
            self.set_fault(*args)
        else:
            {"continue": self.continue_}.get(verb, getattr(self, verb, None))(*args)

    def begin(self):
        """Every file is known to the agent, durably, before anything happens to it."""
        self.set_fault("none")
        for log in self.files.values():
            log.write(1, 200, False)
            while is_poison(list(self.lines)[-1], self.poison):
                log.write(1, 200, False)
        self.agent.start()
        wait_for(lambda: len(self.server.docs) >= len(self.files), 20, "the first lines")

    def note_event(self, verb, args):
        """What is done, beside the agent's own log, for whoever looks into a failed run."""
        now = time.time()
        names = [getattr(a, "name", a) for a in args]
        lives = " ".join("%r:%d" % (f.life, f.life.size) for f in self.files.values())
        self.log.write("%s.%03d %s %s | %s, %d documents\n" % (
            time.strftime("%H:%M:%S", time.gmtime(now)), now % 1 * 1000, verb, names, lives,
            len(self.server.docs)))
        self.log.flush()

    def play(self):
        start = time.monotonic()
        for at, verb, *args in self.plan.events:
            time.sleep(max(0.0, start + at / 1000 - time.monotonic()))
            self.note_event(verb, args)
            self.carry_out(verb, args)
        self.note_event("end", [])

    def drain(self):
        """Everything ends well: returns when all lines have arrived, or never will."""
        for log in self.files.values():
            log.close()
        self.continue_()
        self.set_fault("none")
        self.start()
        end = time.monotonic() + DRAIN_SECONDS * TIME_SCALE
        while self.missing() and time.monotonic() < end and self.agent.running:
            time.sleep(0.02)
        self.agent.stop()
        before = len(self.server.docs)
        self.agent.run_once(allowed=(0, 3))
        if len(self.server.docs) != before:
            self.notes.append("%d documents more from run --once" % (
                len(self.server.docs) - before))
        if self.poison:
            self.poison = 0
            code, out, err = self.agent.command("deadletter", "replay")
            if code != 0:
                self.notes.append("deadletter replay: %s %s %s" % (code, out, err))

    def whole(self):
        try:
            self.begin()
            self.play()
            self.drain()
        finally:
            self.continue_()
            self.agent.abort()
            self.server.stop()
            self.log.close()
