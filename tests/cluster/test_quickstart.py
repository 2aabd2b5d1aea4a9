"""The README's first command, as a user would run it, in a namespace without uplink."""

import os
import shutil
import subprocess

import pytest

from support.cluster import BUILD, ROOT, STEAD, run

NAMESPACE = "stead-quickstart"
DATA = ROOT / "build" / "quickstart"


@pytest.fixture(scope="module", autouse=True)
def clean_machine():
    if BUILD.name != "release":
        pytest.skip("quickstart.sh builds the release preset; this run tests another")
    if os.path.exists(f"/var/run/netns/{NAMESPACE}"):
        pytest.skip(f"somebody uses the namespace {NAMESPACE}")
    yield
    run(["nsenter", f"--net=/var/run/netns/{NAMESPACE}", STEAD, "down", "--data-dir", DATA], check=False)
    run(["ip", "netns", "del", NAMESPACE], check=False)
    shutil.rmtree(DATA, ignore_errors=True)


def quickstart():
    done = subprocess.run([ROOT / "quickstart.sh", "--isolated"], capture_output=True, text=True, timeout=1200,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_ends_with_the_set_running_and_says_what_to_type_next():
    shown = quickstart()
    assert "stead: ready in" in shown
    assert "statefulset.apps/terra10   2/2" in shown
    assert "Hello, on terra10-0, Luc will be transported from DenBosch to Mars" in shown
    assert "transporter terra10-0 has transporteed Luc" in shown
    assert "kubectl get pods -w" in shown and "down --data-dir" in shown


def test_it_is_safe_to_run_again():
    shown = quickstart()
    assert "already running" in shown
    assert "statefulset.apps/terra10   2/2" in shown


def test_wrong_arguments_are_refused():
    done = subprocess.run([ROOT / "quickstart.sh", "--isolatd"], capture_output=True, text=True)
    assert done.returncode == 2 and "usage" in done.stderr
