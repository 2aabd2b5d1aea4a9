"""Random faults of machines and their links: no identity runs twice, and every set recovers when the faults are over.

Every pod holds a lock (flock) on a file of its volume, which all machines share, and writes a line there when it starts.
One that finds the lock taken tells who has it. The kernel drops a lock when its last process ends, however it ends.
When a person deletes a node, or forces a pod, while the containers live, that person vouches for them: who finds the lock
of such a pod taken counts apart.

STEAD_FAULTS_SEED=<seed of a failure> runs that one round's faults again; STEAD_LONG=1 has 200 rounds instead of 10.
"""

import json
import os
import pathlib
import random
import time

import pytest

from support import link_faults
from support.cluster import wait_for
from support.machines import Machines
from support.provisioner import Provisioner
from support.workload import STAY, Space, container, headless_service, is_ready, stateful_set

SEED = int(os.environ.get("STEAD_FAULTS_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = 1 if "STEAD_FAULTS_SEED" in os.environ else 200 if os.environ.get("STEAD_LONG") == "1" else 10
REPLICAS = 3
SETS = {"ordered": "OrderedReady", "parallel": "Parallel"}
# Longer than the grace period, so that some faults have the pods evicted; the loss of a healthy node would be no harm.
GRACE_S, EVICTION_S, FAULT_S_MAX = 12, 1, 20
RECOVERY_S = 180

# The holder of the lock leaves its uid; so the one that has to wait can tell whom it met.
LOCKED = f"""
exec 9>>/data/lock
if ! flock -n 9; then
  echo "$UID_OF_POD $(cat /data/holder)" >> /data/violations
  flock 9
fi
echo "$UID_OF_POD" > /data/holder
echo "$UID_OF_POD" >> /data/starts
{STAY}
"""


def locked_set(name):
    uid = [{"name": "UID_OF_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]
    main = container(script=LOCKED, image="stead-tests/flock:1", env=uid, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    made = stateful_set(name, REPLICAS, [main], claims=["data"], podManagementPolicy=SETS[name])
    made["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = "datera"
    return made


@pytest.fixture(scope="module")
def cluster(request, newest_kubectl):
    options = ["--node-monitor-grace-period", f"{GRACE_S}s", "--pod-eviction-timeout", f"{EVICTION_S}s"]
    made = Machines("faults", 3, newest_kubectl, server_options=options).up()
    made.import_image("busybox")
    made.import_image("flock")
    yield made
    if request.session.testsfailed:
        print(made.log())
    made.close()


@pytest.fixture(scope="module")
def space(cluster):
    root = cluster.folder / "storage"
    root.mkdir()
    provisioner = Provisioner(cluster, "examples.stead.dev/datera", root, "--shared")
    made = Space(cluster, "faults")
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "datera"},
        "provisioner": "examples.stead.dev/datera"}))
    made.apply(*(headless_service(name) for name in SETS), *(locked_set(name) for name in SETS))
    wait_recovered(made)
    made.volumes = {name: volume(made, name) for name in made.pods()}
    yield made
    provisioner.close()


def volume(space, pod):
    """The directory of a pod's volume."""
    return pathlib.Path(space.cluster.get("pv", space.get("pvc", f"data-{pod}")["spec"]["volumeName"])["spec"]["hostPath"]["path"])


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def wait_recovered(space):
    wanted = {f"{name}-{i}" for name in SETS for i in range(REPLICAS)}

    def recovered():
        found = space.pods()
        return set(found) == wanted and all(is_ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in found.values())
    wait_for(recovered, RECOVERY_S, "all sets whole")


def violations(space):
    """(who, whom it met) of each volume's violations."""
    return [tuple(line.split()) for path in space.volumes.values() for line in lines(path / "violations")]


def check_runs_once(space, vouched):
    for name, path in space.volumes.items():
        starts = lines(path / "starts")
        assert len(starts) == len(set(starts)), f"{name}: a pod's container was started twice: {starts}"
    met = [each for each in violations(space) if each[1] not in vouched]
    assert not met, f"ran while another of their name did: {met}"


class Faults:
    """One fault of each kind, for a while; mend() ends all."""

    def __init__(self, cluster):
        self.cluster, self.broken = cluster, []

    def strike(self, kind, node):
        machine = self.cluster.nodes[node]
        start, end = {
            "kill": (machine.kill, lambda: self.cluster.join(node)),
            "stop": (machine.stop, lambda: self.cluster.join(node)),
            "pause": (machine.pause, machine.resume),
            "unplug": (machine.unplug, machine.plug),
            "deaf": (lambda: link_faults.block_incoming(machine), lambda: link_faults.mend(machine)),
            "mute": (lambda: link_faults.block_outgoing(machine), lambda: link_faults.mend(machine)),
            "loss": (lambda: link_faults.lose(machine, 30), lambda: link_faults.mend(machine)),
            "server killed": (self.cluster.server.kill, self.cluster.start_server),
            "server paused": (self.cluster.server.pause, self.cluster.server.resume),
        }[kind]
        self.broken.append(end)
        start()

    def mend(self):
        # The server first: an agent that starts waits for it.
        for end in sorted(self.broken, key=lambda each: each not in (self.cluster.start_server, self.cluster.server.resume)):
            end()
        self.broken = []


AGENT = ("kill", "stop", "pause", "unplug", "deaf", "mute", "loss")
SERVER = ("server killed", "server paused")


def plan_of(seed, nodes):
    """What a round does: for one or two nodes a fault, perhaps one of the server; how long; which pods are deleted."""
    dice = random.Random(seed)
    faults = [(dice.choice(AGENT), node) for node in dice.sample(nodes, dice.choice((1, 1, 2)))]
    if dice.random() < 0.25:
        faults.append((dice.choice(SERVER), nodes[0]))
    seconds = FAULT_S_MAX * dice.random() ** 2
    deleted = [f"{dice.choice(list(SETS))}-{dice.randrange(REPLICAS)}"] if dice.random() < 0.5 else []
    return faults, seconds, deleted


def test_the_lock_shows_two_holders(space):
    """The check itself: a second pod on the same volume is noticed, with whom it met."""
    intruder = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "intruder"},
                "spec": {**locked_set("ordered")["spec"]["template"]["spec"], "terminationGracePeriodSeconds": 0,
                         "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-ordered-0"}}]}}
    holder = space.get("pod", "ordered-0")["metadata"]["uid"]
    space.apply(intruder)
    wait_for(lambda: violations(space), 30, "the violation noticed")
    assert violations(space) == [(space.get("pod", "intruder")["metadata"]["uid"], holder)]
    with pytest.raises(AssertionError):
        check_runs_once(space, set())
    check_runs_once(space, {holder})
    space.kubectl("delete", "pod", "intruder")
    (space.volumes["ordered-0"] / "violations").unlink()


@pytest.mark.parametrize("fault", [link_faults.block_incoming, link_faults.block_outgoing, lambda machine: link_faults.lose(machine, 99)],
                         ids=["deaf", "mute", "loss"])
def test_link_faults_are_faults(cluster, fault):
    machine = cluster.nodes["node1"]
    reach = lambda: cluster.server.run(["curl", "-sSk", "--max-time", "1", f"https://{machine.address}:10250/"], check=False).returncode
    fault(machine)
    try:
        assert reach() == 28, "a time-out"
    finally:
        link_faults.mend(machine)
    wait_for(lambda: reach() == 0, 20, "the link")


def test_no_identity_runs_twice_whatever_befalls_the_machines(cluster, space):
    evicted = 0
    for number in range(1, ROUNDS + 1):
        seed = SEED if ROUNDS == 1 else (SEED + number) % (1 << 32)
        faults, seconds, deleted = plan_of(seed, list(cluster.nodes))
        print(f"round {number}: STEAD_FAULTS_SEED={seed}: {faults} for {seconds:.1f} s, deleted {deleted}", flush=True)
        before = {name: pod["metadata"]["uid"] for name, pod in space.pods().items()}
        broken = Faults(cluster)
        try:
            for pod in deleted:
                space.kubectl("delete", "pod", pod, "--wait=false")
            for kind, node in faults:
                broken.strike(kind, node)
            time.sleep(seconds)
        finally:
            broken.mend()
        wait_recovered(space)
        check_runs_once(space, set())
        evicted += sum(before[name] != pod["metadata"]["uid"] for name, pod in space.pods().items() if name not in deleted)
    print(f"{evicted} pods were evicted meanwhile")


def test_a_deleted_node_that_was_alive_ends_its_pods_before_it_is_ready_again(cluster, space):
    """A person vouched wrongly: for a while two run, and the lock shows it; the node that returns puts it right."""
    node = space.get("pod", "parallel-0")["spec"]["nodeName"]
    there = {name: pod["metadata"]["uid"] for name, pod in space.pods().items() if pod["spec"]["nodeName"] == node}
    cluster.nodes[node].unplug()
    try:
        wait_for(lambda: not cluster.is_node_ready(node), 60, f"{node} lost")
        cluster.kubectl("delete", "node", node)
        wait_for(lambda: {met for _, met in violations(space)} >= set(there.values()), 90, "each meets its living predecessor")
        check_runs_once(space, set(there.values()))
        assert all((volume / "holder").read_text().strip() == there[name] for name, volume in space.volumes.items() if name in there)
    finally:
        cluster.nodes[node].plug()
    cluster.wait_nodes_ready(node, timeout=120)
    # Ready again means that the old ones have ended: their locks are free, and the new ones have them.
    wait_recovered(space)
    now = space.pods()
    for name in there:
        wait_for(lambda: (space.volumes[name] / "holder").read_text().strip() == now[name]["metadata"]["uid"], 10,
                 f"the new {name} holds its lock")
    check_runs_once(space, set(there.values()))
