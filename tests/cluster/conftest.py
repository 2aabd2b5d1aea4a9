"""Fixtures of the cluster tests: real containers, real kubectl, each cluster in a network namespace of its own."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.cluster import ROOT, STEAD, Cluster, wait_for  # noqa: E402
from support.traces import difference, traces  # noqa: E402

OLD_KUBECTL = ROOT / "build" / "kubectl-1.20" / "usr" / "bin" / "kubectl"
CLIENTS = ROOT / "build" / "clients"  # what tools/newer_clients.sh fetched, if anything


def missing_for_containers():
    """Why containers cannot run here, or None."""
    if os.geteuid() != 0:
        return "not root"
    for program in ("containerd", "runc", "ip", "nsenter", "nft"):
        if not shutil.which(program) and not pathlib.Path("/usr/sbin", program).exists():
            return f"{program} is not installed"
    if not STEAD.exists():
        return f"{STEAD} has not been built"
    return None


def pytest_collection_modifyitems(items):
    reason = missing_for_containers()
    if reason:
        print(f"\nSKIPPED LOUDLY: cluster tests cannot run here: {reason}", file=sys.stderr)
        for item in items:
            if getattr(item.module, "NEEDS_CONTAINERS", True) or not STEAD.exists():
                item.add_marker(pytest.mark.skip(reason=reason))


def kubectls():
    """The kubectl programs to test with: Debian's 1.20 and the newest other one."""
    found = []
    if OLD_KUBECTL.exists():
        found.append(OLD_KUBECTL)
    newest = shutil.which("kubectl")
    if newest:
        version = subprocess.run([newest, "version", "--client", "-o", "json"], capture_output=True, text=True).stdout
        if '"minor": "20"' not in version or not found:
            found.append(pathlib.Path(newest))
    return found or [pathlib.Path("kubectl")]


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A home of its own for each module: kubectl keeps there what a server at an address has served, for hours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def newest_kubectl():
    return kubectls()[-1]


@pytest.fixture(params=[str(path) for path in kubectls()], ids=lambda path: "old" if "1.20" in path else "current",
                scope="module")
def any_kubectl(request):
    return request.param


@pytest.fixture(scope="module")
def cluster(request, home, newest_kubectl):
    """One running cluster for the tests of a module."""
    made = Cluster(request.module.__name__.removeprefix("test_").replace("_", "-")[:20], newest_kubectl).up()
    yield made
    if request.session.testsfailed:
        print(made.log())
    made.close()


@pytest.fixture(scope="module")
def leaves_nothing(cluster):
    """Asserts that mounts, directories, links, rules and volumes are again what they were when it was made."""
    before = traces(cluster)

    def check(timeout=60):
        try:
            wait_for(lambda: traces(cluster) == before, timeout, "nothing left")
        except AssertionError:
            raise AssertionError(f"left, and missing: {difference(before, traces(cluster))}") from None

    return check
