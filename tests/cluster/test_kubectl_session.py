"""kubectl_session.txt with each kubectl that is here, on simulated nodes: what people type, and what they see.

Several versions at a time, each in a namespace of its own; in the part that drains a node they take turns.
"""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from conftest import CLIENTS, OLD_KUBECTL
from support.cluster import run
from support.simulated import Simulated

NEEDS_CONTAINERS = False
WANTED = ["1.20", *(f"1.{minor}" for minor in range(27, 36))]
WAIT_SECONDS = 60


def programs():
    """By version: Debian's old one, the one on the PATH, those that lie beside it as kubectl.VERSION, and those fetched."""
    found = {}
    places = [OLD_KUBECTL] if OLD_KUBECTL.exists() else []
    newest = shutil.which("kubectl")
    if newest:
        places += sorted(pathlib.Path(newest).resolve().parent.glob("kubectl.1.*")) + [newest]
    for place in places + sorted(CLIENTS.glob("kubectl-*")):
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


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A home for each version, which keeps what its kubectl has found out about the cluster."""
    return {version: tmp_path_factory.mktemp(f"home-{version}") for version in PROGRAMS}


def tell(command, environment, place):
    return subprocess.run(["bash", "-c", command], env=environment, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, timeout=120).stdout


def part_with(version, cluster, home, title, steps, place):
    """Runs a part with one kubectl; returns what differs from the expectations."""
    program, minor = PROGRAMS[version], int(version.split(".")[1])
    name = re.sub(r"\W+", "-", title) + "-" + version.replace(".", "-")
    cluster.kubectl("create", "namespace", name)
    (place / "bin").mkdir(parents=True)
    (place / "work").mkdir()
    (place / "bin" / "kubectl").symlink_to(program)
    config = place / "kubeconfig"
    config.write_bytes((cluster.directory / "data" / "kubeconfig").read_bytes())
    run([program, "--kubeconfig", config, "config", "set-context", "--current", f"--namespace={name}"])
    # GOGC: a third of a short kubectl's time is its garbage collector.
    environment = {"GOGC": "400", "PATH": f"{place}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "KUBECONFIG": str(config),
                   "NAMESPACE": name, "ORPHAN": "false" if minor == 20 else "orphan", "PRUNE_LIST": "--prune-whitelist" if minor < 26 else "--prune-allowlist"}
    problems = []
    for line, command, repeated, lines in steps:
        pattern = expected_of(lines, version)
        end = time.monotonic() + (WAIT_SECONDS if repeated else 0)
        while not re.fullmatch(pattern, said := tell(command, environment, place / "work")) and time.monotonic() < end:
            time.sleep(0.2)
        if not re.fullmatch(pattern, said):
            problems.append(f"kubectl {version}, line {line}: {command}\n{said}instead of\n" + "\n".join(lines))
    cluster.kubectl("delete", "namespace", name, "--wait=false")
    return problems


@pytest.mark.parametrize("title, steps", PARTS, ids=[re.sub(r"\W+", "-", title.partition(" (")[0]) for title, _ in PARTS])
def test_session(cluster, homes, title, steps, tmp_path):
    title, _, needed = title.rstrip(")").partition(" (")
    if needed and not re.search(f"^{needed}/", cluster.kubectl("api-versions"), re.M):
        pytest.skip(f"SKIPPED LOUDLY: {needed} is not served")
    with concurrent.futures.ThreadPoolExecutor(1 if title == "nodes" else 3) as pool:
        asked = [pool.submit(part_with, version, cluster, homes[version], title, steps, tmp_path / version) for version in PROGRAMS]
        problems = [problem for each in asked for problem in each.result()]
    assert not problems, "\n\n".join(problems)


@pytest.mark.parametrize("version", WANTED)
def test_version_is_here(version):
    if version not in PROGRAMS:
        pytest.skip(f"SKIPPED LOUDLY: kubectl {version} is not here")


def test_the_session_is_long_enough():
    assert sum(command.count("kubectl") for _, steps in PARTS for _, command, _, _ in steps) >= 60
    assert PROGRAMS, "no kubectl at all"
