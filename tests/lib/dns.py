"""A network namespace with a name server of its own, which answers as a test wants it.

Everything in it is on its loopback. Threads that enter it make sockets that stay there; an agent
runs in it by the wrapper."""

import ctypes
import os
import socket
import struct
import subprocess
import threading
import uuid

CLONE_NEWNET = 0x40000000
A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def why_not():
    """Why namespaces cannot be made here, or None."""
    if os.getuid() != 0:
        return "needs root to make a network namespace"
    name = "wherry-probe-%s" % uuid.uuid4().hex[:6]
    done = subprocess.run(["ip", "netns", "add", name], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return "ip netns add: %s" % done.stderr.strip()
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return None


class Namespace:
    def __init__(self, directory, patience=2):
        """patience: seconds for which an answer is waited for."""
        self.patience = patience
        self.name = "wherry-%s" % uuid.uuid4().hex[:8]
        self.etc = "/etc/netns/" + self.name
        self.directory = os.fspath(directory)
        self.mode = "good"  # or silent, servfail, nxdomain, held
        self.mode6 = None  # the same for IPv6, and nowhere: an address where nobody is
        self._held = []  # answers that wait for release()
        self.address = "127.0.0.1"
        self.asked = []
        self._socket = None

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        os.makedirs(self.etc)
        with open(self.etc + "/resolv.conf", "w", encoding="ascii") as f:
            f.write("nameserver 127.0.0.1\noptions timeout:%d attempts:1\n" % self.patience)
        self.inside(self._listen)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.close()
        subprocess.run(["ip", "netns", "delete", self.name], check=True)
        os.unlink(self.etc + "/resolv.conf")
        os.rmdir(self.etc)
        try:
            os.rmdir("/etc/netns")
        except OSError:
            pass  # others have one too

    def inside(self, function):
        """Calls function in a thread that lives in the namespace."""
        failures = []

        def run():
            try:
                with open("/run/netns/" + self.name, "rb") as f:
                    if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                function()
            except OSError as e:
                failures.append(e)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    def cut(self):
        """From now on no packet arrives: neither data nor the end of a connection."""
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "down"], check=True)

    def mend(self):
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)

    def wrapper(self, binary):
        """A program that runs the binary in the namespace."""
        path = os.path.join(self.directory, "in-" + self.name)
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexec ip netns exec %s %s \"$@\"\n" % (self.name, binary))
            os.fchmod(f.fileno(), 0o755)
        return path

    def _listen(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))

    def _serve(self):
        while True:
            try:
                query, client = self._socket.recvfrom(2048)
            except OSError:
                return
            answer = self._answer(query)
            if answer is None:
                continue
            self._held.append((answer, client))
            if self.mode != "held":
                self._send_held()

    def _send_held(self):
        while self._held:
            self._socket.sendto(*self._held.pop(0))

    def release(self):
        """Sends the answers that were held; from now on they are good and come at once."""
        self.mode = "good"
        self._send_held()

    def _answer(self, query):
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        kind, = struct.unpack("!H", question[-4:-2])
        self.asked.append(kind)
        mode = (kind == AAAA and self.mode6) or self.mode
        if mode == "silent":
            return None
        code = {"servfail": SERVFAIL, "nxdomain": NXDOMAIN}.get(mode, NOERROR)
        found = b""
        if code == NOERROR and kind == A:
            found = struct.pack("!HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton(self.address)
        elif mode == "nowhere":
            found = struct.pack("!HHHIH", 0xC00C, AAAA, 1, 0, 16) + \
                socket.inet_pton(socket.AF_INET6, "2001:db8::1")
        return query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, bool(found), 0, 0) + \
            question + found
