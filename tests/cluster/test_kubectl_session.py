"""kubectl_session.txt with each kubectl that is here, on simulated nodes: what people type, and what they see.

The oldest ones and the newest are asked always, those between them in long runs (STEAD_LONG=1).
"""

import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from conftest import OLD_KUBECTL
from support.cluster import run
from support.simulated import Simulated

NEEDS_CONTAINERS = False
WANTED = ["1.20", *(f"1.{minor}" for minor in range(27, 34))]
ALWAYS = ("1.20", "1.27", "1.33")
WAIT_SECONDS = 60


def programs():
    """By version: Debian's old one, the one on the PATH, and those that lie beside it as kubectl.VERSION."""
    found = {}
    places = [OLD_KUBECTL] if OLD_KUBECTL.exists() else []
    newest = shutil.which("kubectl")
    if newest:
        places += sorted(pathlib.Path(newest).resolve().parent.glob("kubectl.1.*")) + [newest]
    for place in places:
        told = subprocess.run([place, "version", "--client", "-o", "json"], capture_output=True, text=True).stdout
        version = re.search(r'"minor": "(\d+)', told)
        if version:
            found.setdefault(f"1.{version.group(1)}", str(place))
    return found


PROGRAMS = programs()


def parts():
    """Title and steps of each part; a step is (line number, command, whether it is repeated, expected lines)."""
    found, steps = [], None
    for number, line in enumerate((pathlib.Path(__file__).parent / "kubectl_session.txt").read_text().splitlines(), 1):
        if line.startswith("## "):
            steps = []
            found.append((line[3:], steps))
        elif line.startswith(("$ ", "$~ ")):
            marker, _, command = line.partition(" ")
            steps.append((number, command, marker == "$~", []))
        elif steps:
            steps[-1][3].append(line)
    for _, steps in found:
        while steps[-1][3] and not steps[-1][3][-1]:
            steps[-1][3].pop()  # the empty line before the next part
    return found


PARTS = parts()


def expected_of(lines, version):
    """A pattern of what kubectl of `version` prints."""
    minor = int(version.split(".")[1])
    pattern = ""
    for line in lines:
        limited = re.match(r"(new|1\.(\d+)(\+?))\| ?(.*)$", line)
        if limited:
            word, limit, later, line = limited.groups()
            fits = minor != 20 if word == "new" else minor >= int(limit) if later else minor == int(limit)
            if not fits:
                continue
        pattern += r"(.*\n)*" if line == "…" else r".*".join(map(re.escape, line.split("…"))) + r"\n"
    return pattern


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("session"), newest_kubectl, 3).up()
    yield made
    made.close()


@pytest.fixture(scope="module", params=WANTED)
def binary(request):
    if request.param not in PROGRAMS:
        pytest.skip(f"SKIPPED LOUDLY: kubectl {request.param} is not here")
    if request.param not in ALWAYS and os.environ.get("STEAD_LONG") != "1" and request.param != max(PROGRAMS):
        pytest.skip(f"kubectl {request.param} is asked in long runs")
    return request.param, PROGRAMS[request.param]


@pytest.mark.parametrize("title, steps", PARTS, ids=[re.sub(r"\W+", "-", title.partition(" (")[0]) for title, _ in PARTS])
def test_session(cluster, binary, title, steps, tmp_path):
    version, program = binary
    needed = re.search(r" \((.*)\)$", title)
    if needed and not re.search(f"^{needed.group(1)}/", cluster.kubectl("api-versions"), re.M):
        pytest.skip(f"SKIPPED LOUDLY: {needed.group(1)} is not served")
    name = re.sub(r"\W+", "-", title.partition(" (")[0]) + "-" + version.replace(".", "-")
    cluster.kubectl("create", "namespace", name)
    (tmp_path / "bin").mkdir()
    config = tmp_path / "kubeconfig"
    config.write_bytes((cluster.directory / "data" / "kubeconfig").read_bytes())
    run([program, "--kubeconfig", config, "config", "set-context", "--current", f"--namespace={name}"])
    (tmp_path / "bin" / "kubectl").symlink_to(program)
    (tmp_path / "work").mkdir()
    environment = {"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "KUBECONFIG": str(config), "NAMESPACE": name,
                   "ORPHAN": "false" if version == "1.20" else "orphan",
                   "PRUNE_LIST": "--prune-whitelist" if int(version.split(".")[1]) < 26 else "--prune-allowlist"}
    problems = []
    for line, command, repeated, lines in steps:
        pattern = expected_of(lines, version)
        end = time.monotonic() + (WAIT_SECONDS if repeated else 0)
        while True:
            done = subprocess.run(["bash", "-c", command], env=environment, cwd=tmp_path / "work", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, text=True, timeout=120)
            if re.fullmatch(pattern, done.stdout) or time.monotonic() > end:
                break
            time.sleep(0.2)
        if not re.fullmatch(pattern, done.stdout):
            problems.append(f"line {line}: {command}\n{done.stdout}instead of\n" + "\n".join(lines))
    cluster.kubectl("delete", "namespace", name, "--wait=false")
    assert not problems, "\n\n".join(problems)


def test_the_session_is_long_enough():
    assert sum(command.count("kubectl") for _, steps in PARTS for _, command, _, _ in steps) >= 60
    assert PROGRAMS, "no kubectl at all"
