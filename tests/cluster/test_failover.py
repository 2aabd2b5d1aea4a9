"""Lost nodes, on three machines: the Datera document's section "Node failover" (003_b5044005c562e7dc.txt) step by step,
and beside Consul what the section says of others: pods of a Deployment, pods that keep apart, a volume tied to its node.

The time-outs are shortened by their flags; heartbeats come every 10 s, so that the grace period leaves room for one that
is late. The storage system is the outside provisioner of examples/, with a directory that all nodes share.
"""

import json
import pathlib
import re
import subprocess
import time

import pytest

from support.cluster import ROOT, wait_for
from support.machines import Machines
from support.provisioner import Provisioner
from support.workload import STAY, Space, container, headless_service, is_ending, is_ready, stateful_set

EXAMPLE = ROOT / "examples" / "consul"
GRACE_S = 25
LOST_LIMIT_S = 4 * GRACE_S
MEMBERS = [f"consul-{i}" for i in range(5)]
# Shows on its volume that it lives.
BEATS = 'while :; do echo "$UID_OF_POD" > /data/alive; date +%s.%N >> "/data/beats-$UID_OF_POD"; sleep 0.2; done'


@pytest.fixture(scope="module")
def cluster(request, newest_kubectl):
    options = ["--node-monitor-grace-period", f"{GRACE_S}s", "--pod-eviction-timeout", "5s"]
    made = Machines("failover", 3, newest_kubectl, server_options=options).up()
    made.import_image("consul")
    made.import_image("busybox")
    yield made
    if request.session.testsfailed:
        print(made.log())
    made.close()


@pytest.fixture(scope="module")
def storage(cluster):
    root = cluster.folder / "storage"
    root.mkdir()
    made = Provisioner(cluster, "examples.stead.dev/datera", root, "--shared")
    yield root
    made.close()


@pytest.fixture(scope="module")
def space(cluster, storage):
    """With the document's set, scaled to five, and the others."""
    made = Space(cluster, "project")
    made.kubectl("apply", "-f", str(EXAMPLE / "consul-svc.yaml"))
    made.kubectl("create", "configmap", "consulconfig", f"--from-file={EXAMPLE / 'consul.json'}")
    made.kubectl("apply", "-f", str(ROOT / "examples" / "provisioner" / "datera-class.yaml"))
    made.kubectl("apply", "-f", str(EXAMPLE / "consul-sts.yaml"))
    made.apply(headless_service("apart"), apart_set())
    made.wait_ready(*MEMBERS[:3], timeout=180)
    made.kubectl("scale", "sts", "consul", "--replicas=5")
    made.wait_ready(*MEMBERS, timeout=180)
    wait_healthy(made)
    wait_for(lambda: put(made, "my-key", "my-data"), 60, "the key put")
    return made


def apart_set():
    """Four pods that must not share a node, on three nodes."""
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "apart"}}}]}}
    return stateful_set("apart", 4, pod={"affinity": affinity}, podManagementPolicy="Parallel")


def beating(name, storage_class=None, node=None, replicas=1, **spec):
    """A set whose pods live first on a given node, if any, and write to their volumes while they do."""
    uid = [{"name": "UID_OF_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]
    wish = [{"weight": 100, "preference": {"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}}]
    pod = {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wish}}} if node else {}
    made = stateful_set(name, replicas, [container(script=BEATS, env=uid, volumeMounts=[{"name": "data", "mountPath": "/data"}])],
                        claims=["data"], pod={**pod, "terminationGracePeriodSeconds": 1}, **spec)
    if storage_class:
        made["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = storage_class
    return made


def deployment(name, node):
    wish = [{"weight": 100, "preference": {"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}}]
    pod = {"containers": [container()], "terminationGracePeriodSeconds": 1,
           "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wish}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": pod}}}


def members(space, through):
    rows = [line.split() for line in space.kubectl("exec", "-i", through, "--", "consul", "members").splitlines()]
    assert rows[0][:4] == ["Node", "Address", "Status", "Type"]
    return {row[0]: (row[1], row[2]) for row in rows[1:]}


def wait_healthy(space, through="consul-0", timeout=180):
    """Until all five members are alive under their pods' addresses, and have a leader."""
    def healthy():
        expected = {name: (f"{space.get('pod', name)['status']['podIP']}:8301", "alive") for name in MEMBERS}
        leader = space.exec(through, "curl -sS http://localhost:8500/v1/status/leader")
        return members(space, through) == expected and ":8300" in leader
    wait_for(healthy, timeout, "five members alive and a leader")


def put(space, key, value, through="consul-0"):
    return space.exec(through, f"curl -sS --max-time 5 -X PUT --data {value} http://localhost:8500/v1/kv/{key}").strip() == "true"


def read(space, key, address, through="consul-0"):
    return space.exec(through, f"curl -sS --max-time 5 'http://{address}:8500/v1/kv/{key}?raw'")


def rows(text):
    """What kubectl printed, as a dictionary for each row, by name."""
    head, *lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {line[0]: dict(zip(head, line)) for line in lines}


def wide(space):
    return rows(space.kubectl("get", "pods", "-o", "wide"))


def node_status(cluster):
    return {name: row["STATUS"] for name, row in rows(cluster.kubectl("get", "nodes")).items()}


def pods_on(space, node):
    return {name: pod for name, pod in space.pods().items() if pod["spec"].get("nodeName") == node}


def condition(pod, kind):
    return next(each for each in pod["status"]["conditions"] if each["type"] == kind)


def volume_path(space, claim):
    spec = space.cluster.get("pv", space.get("pvc", claim)["spec"]["volumeName"])["spec"]
    return pathlib.Path((spec.get("local") or spec["hostPath"])["path"])


def wait_lost(cluster, space, lost):
    """Until the node is lost and all of its pods are marked."""
    wait_for(lambda: node_status(cluster)[lost] == "NotReady", LOST_LIMIT_S, f"{lost} NotReady")
    assert {status for name, status in node_status(cluster).items() if name != lost} == {"Ready"}
    taints = {(each["key"], each["effect"]) for each in cluster.get("node", lost)["spec"]["taints"]}
    assert {("node.kubernetes.io/unreachable", "NoSchedule")} <= taints
    assert condition(cluster.get("node", lost), "Ready")["status"] == "Unknown"
    unknown = lambda: {name: row["STATUS"] for name, row in wide(space).items() if row["NODE"] == lost}
    wait_for(lambda: set(unknown().values()) == {"Unknown"}, LOST_LIMIT_S, f"all pods of {lost} Unknown")
    return list(unknown())


@pytest.fixture(scope="module")
def lost(space):
    """The first node to be lost: as in the document, with two of the five, and not the one that we look from."""
    places = space.cluster.nodes_of(space, "-l", "app=consul")
    assert set(places.values()) == set(space.cluster.nodes), "the scheduler spreads a set's pods"
    return next(node for node in space.cluster.nodes
                if places["consul-0"] != node and list(places.values()).count(node) == 2)


def test_pods_that_keep_apart_take_one_node_each_and_the_fourth_waits(cluster, space):
    wait_for(lambda: sum(is_ready(pod) for name, pod in space.pods().items() if name.startswith("apart")) == 3, 60, "three Ready")
    placed = cluster.nodes_of(space, "-l", "app=apart")
    assert sorted(filter(None, placed.values())) == sorted(cluster.nodes)
    waiting = next(name for name, node in placed.items() if node is None)
    assert wide(space)[waiting]["STATUS"] == "Pending"
    message = condition(space.get("pod", waiting), "PodScheduled")["message"]
    assert message.startswith("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules."), message


def test_agents_and_server_restart_under_a_writer(cluster, space):
    """One after the other; the pods run on, and who writes to Consul notices nothing."""
    before = {name: pod["status"]["containerStatuses"][0]["containerID"] for name, pod in space.pods().items() if name in MEMBERS}
    address = space.get("pod", "consul-1")["status"]["podIP"]
    stop = cluster.folder / "stop-writing"
    script = f"""i=0; while [ ! -e {stop} ]; do i=$((i+1))
      echo $i $(curl -sS -f --max-time 10 -X PUT --data $i http://{address}:8500/v1/kv/rolling/$i); done"""
    with subprocess.Popen([*cluster.nodes["node1"].enter, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as writer:
        try:
            for name, machine in cluster.nodes.items():
                machine.stop()
                cluster.join(name)
            cluster.server.kill()
            cluster.start_server()
            cluster.wait_nodes_ready()
        finally:
            stop.touch()
        written = writer.communicate(timeout=60)[0].splitlines()
    assert len(written) > 3 and all(re.fullmatch(r"\d+ true", line) for line in written), written[-20:]
    after = {name: pod["status"]["containerStatuses"][0]["containerID"] for name, pod in space.pods().items() if name in MEMBERS}
    assert after == before


def test_the_agent_stops_and_the_pods_become_unknown_but_serve(cluster, space, storage, lost):
    space.apply(beating("tied", replicas=3, podManagementPolicy="Parallel"), deployment("free", lost))
    space.wait_ready("tied-0", "tied-1", "tied-2")
    # Volumes of the default class are directories, one after the other on each node, made by the node.
    places = cluster.nodes_of(space, "-l", "app=tied")
    assert sorted(places.values()) == sorted(cluster.nodes)
    for name, node in places.items():
        path = volume_path(space, f"data-{name}")
        assert path.is_dir() and path.parent == cluster.nodes[node].data_dir / "volumes"
    wait_for(lambda: len(list_ready(space, "free")) == 1, 60, "the Deployment's pod")
    assert set(cluster.nodes_of(space, "-l", "app=free").values()) == {lost}
    before = space.pods()
    there = {name: pod for name, pod in before.items() if pod["spec"].get("nodeName") == lost}
    assert sum(name.startswith("consul") for name in there) == 2

    cluster.nodes[lost].stop()
    unknown = wait_lost(cluster, space, lost)
    assert set(unknown) == set(there)
    row = next(row for name, row in wide(space).items() if name in there and name.startswith("consul"))
    assert (row["READY"], row["STATUS"], row["RESTARTS"], row["NODE"]) == ("1/1", "Unknown", "0", lost)
    for pod in pods_on(space, lost).values():
        assert pod["status"]["reason"] == "NodeLost" and is_ending(pod) and not is_ready(pod)
    # A Deployment's pod is replaced meanwhile; a set's is not, however long it takes.
    wait_for(lambda: list_ready(space, "free"), 60, "the Deployment's pod elsewhere")
    after = space.pods()
    for name, pod in there.items():
        assert after[name]["metadata"]["uid"] == pod["metadata"]["uid"], f"{name} was replaced"
    # The containers go on: Consul counts them, they answer, and what is written reaches them.
    wait_healthy(space)
    assert put(space, "other-key", "other-data")
    for name in there:
        if name.startswith("consul"):
            address = there[name]["status"]["podIP"]
            wait_for(lambda: read(space, "other-key", address) == "other-data", 30, f"the key at {name}")
    # Whoever must keep apart learns of both reasons.
    waiting = next(pod for name, pod in after.items() if name.startswith("apart") and not pod["spec"].get("nodeName"))
    text = lambda: condition(space.get("pod", waiting["metadata"]["name"]), "PodScheduled")["message"]
    wait_for(lambda: "1 node(s) had untolerated taint" in text() and "2 node(s) didn't match pod anti-affinity" in text(), 60,
             "the reasons by node")


def list_ready(space, app):
    return [pod for pod in space.get("pods", "-l", f"app={app}")["items"] if is_ready(pod) and not is_ending(pod)]


def test_deleting_the_node_moves_its_pods_with_their_names_and_data(cluster, space, lost):
    before = space.pods()
    moved = [name for name in MEMBERS if before[name]["spec"]["nodeName"] == lost]
    volumes = {name: space.get("pvc", f"data-{name}")["spec"]["volumeName"] for name in MEMBERS}
    identities = {name: (volume_path(space, f"data-{name}") / "node-id").read_text() for name in moved}
    # Who deletes a node says that it is gone: it is.
    cluster.nodes[lost].down()
    cluster.kubectl("delete", "node", lost)
    wait_for(lambda: all(is_ready(pod) and pod["metadata"]["uid"] != before[name]["metadata"]["uid"]
                         for name, pod in space.pods().items() if name in moved), 120, "the pods elsewhere")
    after = space.pods()
    for name in MEMBERS:
        assert after[name]["spec"]["nodeName"] != lost
        if name not in moved:
            assert after[name]["metadata"]["uid"] == before[name]["metadata"]["uid"], f"{name} was not to move"
    assert {name: space.get("pvc", f"data-{name}")["spec"]["volumeName"] for name in MEMBERS} == volumes
    wait_healthy(space)
    for name in moved:
        assert space.exec(name, "cat /consul/data/node-id") == identities[name]
        wait_for(lambda: read(space, "my-key", "localhost", through=name) == "my-data", 60, f"the key in {name}")
    assert {row["STATUS"] for name, row in wide(space).items() if name in MEMBERS} == {"Running"}
    # A volume cannot move with its pod: that one waits, and says for what.
    name = next(name for name, pod in before.items() if name.startswith("tied") and pod["spec"]["nodeName"] == lost)
    tied = lambda: space.get("pod", name)
    wait_for(lambda: tied()["metadata"]["uid"] != before[name]["metadata"]["uid"] and "PersistentVolume" in
             condition(tied(), "PodScheduled")["message"], 60, f"the reason why {name} waits")
    assert tied()["status"]["phase"] == "Pending" and "nodeName" not in tied()["spec"]
    message = condition(tied(), "PodScheduled")["message"]
    assert message.startswith("0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity."), message
    assert not pods_on(space, lost)


def test_the_node_returns_and_takes_work(cluster, space, lost):
    before = space.pods()
    tied = next(name for name, pod in before.items() if name.startswith("tied") and not pod["spec"].get("nodeName"))
    data = volume_path(space, f"data-{tied}")
    beats = set(data.glob("beats-*"))
    cluster.join(lost)
    cluster.wait_nodes_ready(lost)
    space.wait_ready(tied, timeout=90)
    assert space.get("pod", tied)["spec"]["nodeName"] == lost
    assert beats and beats < set(data.glob("beats-*")), "its data is there"
    # Three nodes again: again three of the four are apart.
    wait_for(lambda: len(list_ready(space, "apart")) == 3, 60, "three apart")
    # Who moved away stays where it is.
    for name in MEMBERS:
        assert space.get("pod", name)["metadata"]["uid"] == before[name]["metadata"]["uid"]
    space.kubectl("delete", "sts", "consul", "apart", "tied", "--wait=false")
    space.kubectl("delete", "deployment", "free", "--wait=false")
    wait_for(lambda: not space.pods(), 90, "the end of all")
    space.kubectl("delete", "pvc", "data-tied-0", "data-tied-1", "data-tied-2")
    left = lambda: [path for machine in cluster.nodes.values() for path in (machine.data_dir / "volumes").glob("*")]
    wait_for(lambda: not left(), 60, "the end of the local volumes' directories")


def last_beat(space, claim, uid):
    path = volume_path(space, claim) / f"beats-{uid}"
    return path.stat().st_size if path.exists() else 0


def is_alive(space, claim, uid):
    before = last_beat(space, claim, uid)
    time.sleep(1)
    return last_beat(space, claim, uid) > before


def test_what_people_may_say_of_an_unreachable_node(cluster, space, storage):
    """Force deletion and the out-of-service taint; then the node is back, ends what is no longer its own, takes work."""
    node = "node3"
    names = ("forced", "tainted")
    space.apply(*(beating(name, "datera", node) for name in names))
    space.wait_ready("forced-0", "tainted-0")
    first = {name: space.get("pod", f"{name}-0") for name in names}
    assert {pod["spec"]["nodeName"] for pod in first.values()} == {node}
    uids = {name: pod["metadata"]["uid"] for name, pod in first.items()}

    cluster.nodes[node].unplug()
    assert set(wait_lost(cluster, space, node)) == {"forced-0", "tainted-0"}
    assert all(is_alive(space, f"data-{name}-0", uids[name]) for name in names), "an unreachable node goes on"
    # Deletion alone changes nothing.
    space.kubectl("delete", "pod", "forced-0", "--wait=false")
    assert space.get("pod", "forced-0")["metadata"]["uid"] == uids["forced"]
    space.kubectl("delete", "pod", "forced-0", "--force", "--grace-period=0")
    replaced = lambda name: space.get("pod", f"{name}-0")["metadata"]["uid"] != uids[name] and is_ready(space.get("pod", f"{name}-0"))
    wait_for(lambda: replaced("forced"), 60, "forced-0 elsewhere")
    assert space.get("pod", "tainted-0")["metadata"]["uid"] == uids["tainted"], "the other was not forced"
    cluster.kubectl("taint", "node", node, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
    wait_for(lambda: replaced("tainted"), 60, "tainted-0 elsewhere")
    for name in names:
        assert space.get("pod", f"{name}-0")["spec"]["nodeName"] != node

    cluster.nodes[node].plug()
    cluster.wait_nodes_ready(node, timeout=120)
    wait_for(lambda: not any(is_alive(space, f"data-{name}-0", uids[name]) for name in names), 60, "the end of the old ones")
    for name in names:
        assert is_alive(space, f"data-{name}-0", space.get("pod", f"{name}-0")["metadata"]["uid"])
    cluster.kubectl("taint", "node", node, "node.kubernetes.io/out-of-service-")
    wait_for(lambda: not cluster.get("node", node)["spec"].get("taints"), 60, "no taint left")
    space.apply(beating("late", "datera", node))
    space.wait_ready("late-0")
    assert space.get("pod", "late-0")["spec"]["nodeName"] == node
