"""docs/documents.md names only tests that exist, and every document has its table."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["000_0b1416b809bf1575.txt", "001_7268302e314fad3d.txt", "002_a03422a4e2444b15.txt", "003_b5044005c562e7dc.txt",
             "004_9215a35d620cfaba.txt"]
CLUSTER_TEST = re.compile(r"`(test_\w+)::(test_\w+)`")
UNIT_TEST = re.compile(r"`([A-Z]\w*)\.([A-Z]\w*)`")


def cluster_tests(module):
    path = ROOT / "tests" / "cluster" / f"{module}.py"
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)} if path.exists() else set()


def unit_tests():
    declared = re.compile(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", re.M)
    return {found for path in (ROOT / "src").rglob("*_test.cc") for found in declared.findall(path.read_text())}


def problems(text):
    """What is wrong with a text like docs/documents.md."""
    modules, units = {}, unit_tests()
    text = text[max(0, text.find("## ")):]  # what stands before explains
    found = [f"no test {module}::{name}" for module, name in CLUSTER_TEST.findall(text)
             if name not in modules.setdefault(module, cluster_tests(module))]
    found += [f"no unit test {suite}.{name}" for suite, name in UNIT_TEST.findall(text) if (suite, name) not in units]
    section = ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:].split(":")[0]
        cells = line.split(" | ")
        if section and line.startswith("| ") and not line.startswith("| statement"):
            named = len(cells) == 3 and (CLUSTER_TEST.search(cells[1]) or UNIT_TEST.search(cells[1]))
            found += [] if named else [f"{section}: no test shows: {line}"]
    sections = re.findall(r"^## ([^:\n]+)", text, re.M)
    return found + [f"{name} has no section" for name in DOCUMENTS if name not in sections]


def test_every_statement_names_tests_that_exist():
    assert problems((ROOT / "docs" / "documents.md").read_text()) == []


def test_what_is_missing_is_found():
    told = problems("## 000_0b1416b809bf1575.txt: x\n| statement | a | |\n| said | `test_terra10::test_nope` | |\n| unshown | | |\n"
                    "| both | `test_nowhere::test_x`, `Nothing.AtAll` | |\n")
    assert "no test test_terra10::test_nope" in told and "no test test_nowhere::test_x" in told
    assert "no unit test Nothing.AtAll" in told and "001_7268302e314fad3d.txt has no section" in told
    assert any("no test shows: | unshown" in each for each in told)
