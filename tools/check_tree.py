#!/usr/bin/python3
"""Checks the rules of the house that a compiler does not: floors, denied includes, file sizes, READMEs, words.

usage: tools/check_tree.py [ROOT]        prints each violation, exits 1 if there is any
"""

import pathlib
import re
import sys

# A room includes only itself and rooms of lower floors (docs/ARCHITECTURE.md).
FLOORS = {
    "base": 0, "loop": 1, "object": 2, "http": 3, "cel": 3, "store": 3, "kinds": 4, "cache": 4, "client": 5,
    "controllers": 6, "scheduler": 6, "node": 6, "network": 6, "apiserver": 6, "cli": 7, "app": 8,
}
# Rooms that stand higher but still may not know these.
DENIED = {room: {"store", "apiserver"} for room in ("node", "controllers", "scheduler", "network")}
LINES_MAX = 800
FUNCTION_WORDS = re.compile(r"\b\w*(manager|util|utils|helper|helpers|misc)\b", re.I)
INCLUDE = re.compile(r'^\s*#include "([a-z_0-9]+)/')


def sources(root):
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".cc", ".h"):
            yield path


def check_includes(root):
    for path in sources(root):
        room = path.relative_to(root / "src").parts[0]
        floor = FLOORS.get(room)
        if floor is None:
            yield f"{path}: room {room} stands on no floor"
            continue
        test = path.stem.endswith(("_test", "_fuzz"))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found or found.group(1) == room:
                continue
            other = found.group(1)
            if other not in FLOORS:
                yield f"{path}:{number}: includes {other}/, which is no room"
            elif FLOORS[other] >= floor and not test:
                yield f"{path}:{number}: {room} (floor {floor}) includes {other} (floor {FLOORS[other]})"
            elif other in DENIED.get(room, ()):
                yield f"{path}:{number}: {room} may not include {other}"


def check_sizes(root):
    for path in sources(root):
        lines = len(path.read_text().splitlines())
        if lines > LINES_MAX:
            yield f"{path}: {lines} lines, more than {LINES_MAX}"


def check_names(root):
    for path in sources(root):
        if FUNCTION_WORDS.search(path.stem.replace("_", " ")):
            yield f"{path}: the name says nothing (manager, util, helper, misc)"


def check_readmes(root):
    for room in FLOORS:
        folder = root / "src" / room
        if folder.exists() and not (folder / "README.md").exists():
            yield f"{folder}: no README.md"


def check(root):
    root = pathlib.Path(root)
    return [problem for rule in (check_includes, check_sizes, check_names, check_readmes) for problem in rule(root)]


if __name__ == "__main__":
    problems = check(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1])
    print("\n".join(problems) or "the tree keeps its rules")
    sys.exit(1 if problems else 0)
