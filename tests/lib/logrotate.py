"""Debian's logrotate."""

import os
import shutil
import subprocess
import time

import pytest
from waiting import wait_for


class Logrotate:
    """Debian's logrotate with a configuration for one log."""

    def __init__(self, directory, log, options):
        program = shutil.which("logrotate", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            pytest.skip("logrotate is not installed (scripts/setup test)")
        config = directory / "logrotate.conf"
        config.write_text("%s {\n  rotate 20\n  missingok\n  %s\n}\n" % (
            log, "\n  ".join(options)))
        config.chmod(0o644)
        self._command = [program, "-f", "-s", os.fspath(directory / "logrotate.state"),
                         os.fspath(config)]
        self._dated = any("dateext" in option for option in options)
        self._free = 0

    def __call__(self):
        """Names by the second: one rotation in each, whose clock may be a tick behind."""
        wait_for(lambda: time.time() >= self._free, what="another second")
        done = subprocess.run(self._command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if self._dated:
            self._free = int(time.time()) + 1.05
