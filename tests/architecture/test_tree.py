"""The rules of the house hold, and the check that says so fires when they do not."""

import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("check_tree", ROOT / "tools" / "check_tree.py")
check_tree = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_tree)


def tree(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for room in {name.split("/")[0] for name in files}:
        (tmp_path / "src" / room / "README.md").write_text("x")
    return check_tree.check(tmp_path)


def test_this_tree_keeps_the_rules():
    assert check_tree.check(ROOT) == []


def test_an_include_of_a_higher_floor_is_found(tmp_path):
    assert "store (floor 3) includes client (floor 5)" in tree(tmp_path, {"store/a.cc": '#include "client/b.h"\n'})[0]


def test_an_include_of_a_sibling_is_found(tmp_path):
    assert "node (floor 6) includes scheduler" in tree(tmp_path, {"node/a.h": '#include "scheduler/b.h"\n'})[0]


def test_a_denied_include_is_found(tmp_path):
    assert "controllers may not include store" in tree(tmp_path, {"controllers/a.h": '#include "store/store.h"\n'})[0]


def test_lower_floors_and_the_room_itself_are_fine(tmp_path):
    assert tree(tmp_path, {"node/a.h": '#include "client/b.h"\n#include "node/c.h"\n#include <vector>\n'}) == []


def test_long_files_and_empty_names_are_found(tmp_path):
    problems = tree(tmp_path, {"base/long.cc": "\n" * 801, "base/string_util.cc": ""})
    assert any("801 lines" in each for each in problems) and any("says nothing" in each for each in problems)


def test_a_room_without_a_readme_is_found(tmp_path):
    (tmp_path / "src" / "base").mkdir(parents=True)
    assert check_tree.check(tmp_path) == [f"{tmp_path / 'src' / 'base'}: no README.md"]
