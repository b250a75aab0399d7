# SPDX-License-Identifier: GPL-2.0
"""What the tool prints as JSON, held against include/json/tcpfsm.schema.json."""
import functools
import json
import os

from .consts import TOOL
from .ksft import Failed

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../include/json/tcpfsm.schema.json")
# A long answer is alike; its first lines stand for it.
MOST = 30


@functools.cache
def load():
    """Return: None where these tests are installed without the project."""
    if not os.path.exists(FILE):
        return None
    with open(FILE, encoding="utf-8") as f:
        return json.load(f)


@functools.cache
def validator(name):
    import jsonschema   # pylint: disable=import-outside-toplevel
    return jsonschema.Draft202012Validator({**load(), "$ref": f"#/$defs/{name}"})


def check_itself():
    import jsonschema   # pylint: disable=import-outside-toplevel
    jsonschema.Draft202012Validator.check_schema(load())


def documents(text, most=None):
    """One value, or one a line, and of those the first."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()[:most]]


def name_of(words):
    """Of a command line's JSON, in the schema."""
    command = next((w for w in words if w in load()["$defs"] or w == "live"), None)
    command = "replay" if command == "live" else command
    if "--graph" in words:
        return "graph"
    for option in ("flows", "by", "counters"):
        if f"--{option}" in words and f"{command}-{option}" in load()["$defs"]:
            return f"{command}-{option}"
    return command


def hold(command, text):
    """Of a command line that was run, what it wrote. Anything but the tool's JSON is left alone."""
    words = [*command]
    if TOOL not in words or "-j" not in words or not load():
        return
    name = name_of(words[words.index(TOOL) + 1:])
    try:
        found = documents(text, MOST) if name else []
    except ValueError:
        return
    for document in found:
        for error in validator(name).iter_errors(document):
            where = "/".join(map(str, error.absolute_path))
            raise Failed(f"{' '.join(words)}: its JSON is not that of '{name}': {where}: {error.message}")
