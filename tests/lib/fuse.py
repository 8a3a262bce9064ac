"""A mounted filesystem that answers, hangs and answers again on command: FUSE's own protocol
(linux/fuse.h) over /dev/fuse, no library. Nothing but its root directory is in it.

    with FuseMount(path) as mount:
        mount.hang()        what comes from now on waits
        mount.held          how many requests wait
        mount.answer()      all that waited, and what comes
"""

import ctypes
import errno
import os
import struct
import threading

import pytest

_libc = ctypes.CDLL(None, use_errno=True)
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2
FORGET, GETATTR, STATFS, INIT, INTERRUPT, DESTROY, BATCH_FORGET = 2, 3, 17, 26, 36, 38, 42
BLOCK, BLOCKS, FREE, AVAILABLE, FILES, FREE_FILES = 4096, 1000, 600, 500, 100, 30


class FuseMount:
    def __init__(self, path, subtype="hanging"):
        self.path = os.fspath(path)
        try:
            self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as e:
            pytest.skip("no FUSE here: /dev/fuse: %s" % e)
        options = "fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other" % (
            self._fd, os.getuid(), os.getgid())
        if _libc.mount(b"source", os.fsencode(self.path), b"fuse." + subtype.encode(),
                       MS_NOSUID | MS_NODEV, options.encode()) != 0:
            error = ctypes.get_errno()
            os.close(self._fd)
            pytest.skip("this user must not mount: %s" % os.strerror(error))
        self._lock = threading.Lock()
        self._hangs = False
        self._waiting = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Lazily unmounted: whoever still waits gets an error as soon as the daemon is gone."""
        _libc.umount2(os.fsencode(self.path), MNT_DETACH)
        self.answer()
        self._thread.join(10)
        os.close(self._fd)

    @property
    def held(self):
        with self._lock:
            return len(self._waiting)

    def hang(self):
        with self._lock:
            self._hangs = True

    def answer(self):
        with self._lock:
            self._hangs = False
            for request in self._waiting:
                self._reply(*request)
            self._waiting = []

    # ---- the protocol

    def _serve(self):
        while True:
            try:
                request = os.read(self._fd, 1 << 20)
            except OSError as e:
                if e.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # ENODEV: unmounted
            _, opcode, unique = struct.unpack_from("<IIQ", request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT, DESTROY):
                continue
            with self._lock:
                if self._hangs:
                    self._waiting.append((opcode, unique))
                else:
                    self._reply(opcode, unique)

    def _reply(self, opcode, unique):
        body, error = b"", 0
        if opcode == INIT:
            body = struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0, *[0] * 7)
        elif opcode == STATFS:
            body = struct.pack("<QQQQQIIII6I", BLOCKS, FREE, AVAILABLE, FILES, FREE_FILES, 1 << 16,
                               255, BLOCK, 0, *[0] * 6)
        elif opcode == GETATTR:
            body = struct.pack("<QII6Q3I6II", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
                               0o40755, 2, 0, 0, 0, 4096, 0)
        else:
            error = -errno.ENOSYS
        try:
            os.write(self._fd, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
        except OSError:
            pass  # whoever asked has gone
