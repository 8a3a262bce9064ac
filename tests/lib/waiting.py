"""Waiting for conditions, never for time. Deadlines grow with the build: sanitizers are slow."""

import os
import time

_BUILD = os.path.basename(os.environ.get("WHERRY_BUILD", "release").rstrip("/"))
SANITIZED = any(s in _BUILD for s in ("asan", "tsan"))  # memory is not what it is else
_SCALE = 4 if SANITIZED or "cov" in _BUILD else 1
TIME_SCALE = float(os.environ.get("WHERRY_TIME_SCALE", _SCALE))


def wait_for(condition, deadline=30.0, what="", interval=0.02):
    """Calls condition until it is true, returns its value; fails with `what` (text or function)."""
    end = time.monotonic() + deadline * TIME_SCALE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            text = what() if callable(what) else what
            raise AssertionError(
                "not within %.0f s: %s" % (deadline * TIME_SCALE, text or condition))
        time.sleep(interval)


def holds_for(condition, seconds, what=""):
    """For what must not happen: the condition stays true for that long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), what or condition
        time.sleep(0.02)
