"""kill -9 of `stead up` at random moments of a roll-out: nothing acknowledged is lost, no pod runs twice, what runs is
adopted, and the roll-out completes.

Every pod of the rolled set holds a lock (flock) on a file of its volume while it runs, and writes a line into the same
volume when it starts; the kernel drops the lock when its last process ends, however it ends. Two pods of one identity
that overlap, however briefly, leave a line in `violations`.

STEAD_CRASH_SEED=<seed of a failure> runs that one round's moment again; STEAD_LONG=1 has 200 rounds instead of 20.
"""

import os
import pathlib
import random
import subprocess
import sys
import time

import pytest

from support.cluster import ROOT, wait_for
from support.workload import STAY, Space, container, headless_service, stateful_set

SEED = int(os.environ.get("STEAD_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = 1 if "STEAD_CRASH_SEED" in os.environ else 200 if os.environ.get("STEAD_LONG") == "1" else 20
REPLICAS = 3
DELAY_MAX_S = 2.5  # longer than a roll-out takes, so that some kills come after its end

LOCKED = f"""
exec 9>>/data/lock
flock -n 9 || echo "$UID_OF_POD found the lock taken" >> /data/violations
echo "$UID_OF_POD" >> /data/starts
{STAY}
"""


def locked_container():
    return container(script=LOCKED, image="stead-tests/flock:1",
                     env=[{"name": "UID_OF_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}],
                     volumeMounts=[{"name": "data", "mountPath": "/data"}])


def rolled_set(number):
    made = stateful_set("rolled", REPLICAS, containers=[locked_container()], claims=["data"])
    made["spec"]["template"]["metadata"]["annotations"] = {"round": str(number)}
    return made


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    cluster.import_image("flock")
    made = Space(cluster, "crash")
    made.apply(headless_service("calm"), stateful_set("calm", 2), headless_service("rolled"), rolled_set(0))
    made.wait_rolled_out("calm")
    made.wait_rolled_out("rolled")
    return made


def volume(space, pod):
    """The directory of a pod's volume on this machine."""
    name = space.get("pvc", f"data-{pod}")["spec"]["volumeName"]
    spec = space.get("pv", name)["spec"]
    return pathlib.Path((spec.get("local") or spec.get("hostPath"))["path"])


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def identities(space, prefix):
    """What must not change of pods that are adopted."""
    found = {}
    for name, pod in space.pods().items():
        if name.startswith(prefix):
            status = pod["status"]["containerStatuses"][0]
            found[name] = (pod["metadata"]["uid"], status["containerID"], status["restartCount"], status["state"]["running"]["startedAt"],
                           pod["status"]["podIP"])
    return found


def kill_in_the_middle(space, number, delay):
    """Rolls the set, creates ConfigMaps meanwhile, kills the server; returns the names that it acknowledged."""
    cluster = space.cluster
    creator = subprocess.Popen(
        [*cluster.namespace.enter, sys.executable, str(ROOT / "tests" / "support" / "creator.py"), str(cluster.data_dir / "pki"),
         space.name, f"round-{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        space.apply(rolled_set(number))
        time.sleep(delay)
        cluster.kill()
        out, error = creator.communicate(timeout=20)
    finally:
        creator.kill()
        creator.wait(10)
    assert not error, error
    return set(out.split())


def check_runs_once(space, known):
    for i in range(REPLICAS):
        directory = volume(space, f"rolled-{i}")
        assert lines(directory / "violations") == []
        starts = lines(directory / "starts")
        assert len(starts) == len(set(starts)), f"rolled-{i} started a pod's container twice: {starts}"
        assert starts[: len(known.get(i, []))] == known.get(i, []), "the volume lost its data"
        known[i] = starts


def test_the_lock_shows_two_holders(space):
    """The check itself: a second pod on the same volume is noticed."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "intruder"},
           "spec": {"containers": [locked_container()], "terminationGracePeriodSeconds": 0,
                    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-rolled-0"}}]}}
    space.apply(pod)
    space.wait_ready("intruder")
    directory = volume(space, "rolled-0")
    wait_for(lambda: len(lines(directory / "violations")) == 1, 10, "the violation noticed")
    assert len(lines(directory / "starts")) == 2
    space.kubectl("delete", "pod", "intruder")
    (directory / "violations").unlink()


def test_kill_at_random_moments_of_a_rollout(space):
    cluster = space.cluster
    calm = identities(space, "calm-")
    known = {}
    for number in range(1, ROUNDS + 1):
        seed = SEED if ROUNDS == 1 else (SEED + number) % (1 << 32)
        delay = random.Random(seed).uniform(0, DELAY_MAX_S)
        print(f"round {number}: STEAD_CRASH_SEED={seed} (killed after {delay:.3f} s)", flush=True)
        acknowledged = kill_in_the_middle(space, number, delay)
        cluster.up()
        present = {each["metadata"]["name"] for each in space.get("configmaps")["items"]}
        assert acknowledged and acknowledged <= present, acknowledged - present
        assert space.get("statefulset", "rolled")["spec"]["template"]["metadata"]["annotations"]["round"] == str(number)
        space.wait_rolled_out("rolled")
        for pod in (pod for name, pod in space.pods().items() if name.startswith("rolled-")):
            assert pod["metadata"]["annotations"]["round"] == str(number)
            assert pod["status"]["containerStatuses"][0]["restartCount"] == 0, (pod["status"], cluster.log())
        check_runs_once(space, known)
        assert identities(space, "calm-") == calm, "a running pod was not adopted"
        # What was deleted before an earlier kill stays deleted.
        assert all(name.startswith(f"round-{number}-") for name in present - {"kube-root-ca.crt"})
        space.cluster.kubectl("delete", "--raw", f"/api/v1/namespaces/{space.name}/configmaps")


def test_adopted_pods_still_work(space):
    """What was adopted is not only left alone: it is watched, reached and ended as before."""
    assert space.exec("calm-0", "hostname") == "calm-0\n"
    before = identities(space, "calm-")["calm-1"]
    space.kubectl("delete", "pod", "calm-1")
    space.wait_ready("calm-1")
    assert identities(space, "calm-")["calm-1"][0] != before[0]
    space.kubectl("exec", "calm-0", "--", "kill", "-TERM", "1", check=False)
    wait_for(lambda: space.get("pod", "calm-0")["status"]["containerStatuses"][0]["restartCount"] == 1, 30, "a restart of calm-0")
    space.close()
