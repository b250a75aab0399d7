# SPDX-License-Identifier: GPL-2.0
"""The tool, as users run it in a namespace."""
import json
import signal
import subprocess
import threading

from .consts import TOOL
from .ksft import equal
from .netns import within
from .utils import status


def tool(name, *words):
    """Run the tool in a namespace. Returns what it wrote."""
    with within(name):
        code, out, err = status(TOOL, *words)
    equal(code, 0, f"tcpfsm {' '.join(words)}: {err}")
    return out


def stream_of(name, *words):
    return [json.loads(line) for line in tool(name, "-j", *words).splitlines()]


class Monitor:
    """tcpfsm -j monitor, or another command that follows, in a namespace."""

    def __init__(self, name, *words, command="monitor", ready=b"following"):
        with within(name):
            self.process = subprocess.Popen([TOOL, "-j", command, *words],
                                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = []
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()
        while self.process.poll() is None and ready not in self.process.stderr.readline():
            pass

    def collect(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.thread.join(10)
        self.process.wait()
        return self.lines
