#!/usr/bin/python3
"""Breaks one feature at a time and expects its test to notice.

usage: tests/mutants/run.py [WORD]      the mutants whose first field contains WORD; root, in a clean tree of git

Each mutant of mutants.txt is built into build/release and its test run; the text is put back afterwards. A test that
still passes, or a text that no longer stands exactly once in its file, is an error. Takes a minute or two a mutant, so
./test.sh runs it only with --long.
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read_mutants():
    for line in (ROOT / "tests/mutants/mutants.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            fields = [field.replace(r"\|", "|") for field in line.split(" | ")]
            if len(fields) != 5:
                sys.exit(f"mutants.txt: not five fields: {line}")
            yield fields


def build(target):
    return subprocess.run(["cmake", "--build", "--preset", "release", "--target", target], cwd=ROOT, timeout=3000,
                          capture_output=True, text=True)


def run(test):
    if test.startswith("unit:"):
        _, program, pattern = test.split(":", 2)
        return build(program), lambda: subprocess.run(
            [next((ROOT / "build/release").rglob(program)), f"--gtest_filter={pattern}"], capture_output=True, timeout=600)
    # Tests of one file build on one another: the whole file runs, up to the first failure.
    file, name = test.split("::")
    return build("stead"), lambda: subprocess.run(
        ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", file], cwd=ROOT, timeout=1800,
        capture_output=True, text=True)


def noticed(test, done):
    if done.returncode == 0:
        return False, "the test passes"
    if test.startswith("unit:"):
        return True, "noticed"
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if not failed:
        return False, "no test ran: " + done.stdout[-800:]
    if any(test in line for line in failed):
        return True, "noticed"
    return True, "noticed earlier: " + failed[0][:150]


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    missed = 0
    total = 0
    for what, file, old, new, test in read_mutants():
        if word not in what:
            continue
        total += 1
        path = ROOT / file
        text = path.read_text()
        if text.count(old) != 1:
            print(f"MISSED  {what}: {file} holds the text {text.count(old)} times", flush=True)
            missed += 1
            continue
        path.write_text(text.replace(old, new))
        try:
            built, check = run(test)
            caught, how = (False, "does not build: " + built.stdout[-800:]) if built.returncode else noticed(test, check())
        finally:
            path.write_text(text)
        missed += not caught
        print(f"{'ok     ' if caught else 'MISSED '} {what}: {how} ({test})", flush=True)
    print(f"{total - missed} passed, {missed} failed")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
