#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The hard cases, each a scenario of its own, by subject in scenarios/. The name of a file there
selects its scenarios: cases.py options."""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../truth"))
# pylint: disable=wrong-import-position,unused-import
import scenarios.forged         # they register their tests in this order
import scenarios.figures
import scenarios.closing
import scenarios.opening
import scenarios.options
import scenarios.late
import scenarios.routes
import scenarios.unreachable
import scenarios.translation
import scenarios.domains
from bed import main

if __name__ == "__main__":
    main()
