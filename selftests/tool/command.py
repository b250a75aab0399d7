# SPDX-License-Identifier: GPL-2.0
"""The tool, run once."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))
# pylint: disable=wrong-import-position
from bed import equal

TOOL = os.path.join(HERE, "../../tools/tcpfsm")


def tool(*words, data=None):
    """Exit status, output and errors."""
    done = subprocess.run([TOOL, *words], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def replay(data, *words, code=0):
    """The JSON lines for a capture, and errors."""
    have, out, err = tool("-j", "replay", "-", *words, data=data)
    equal(have, code, err)
    return [json.loads(line) for line in out.splitlines()], err
