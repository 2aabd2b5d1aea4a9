"""The Consul cluster of the Datera document on one node, with its manifests unchanged."""

import json

import pytest

from support.cluster import ROOT, wait_for
from support.workload import is_ready

EXAMPLE = ROOT / "examples" / "consul"


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    cluster.import_image("consul")
    cluster.import_image("busybox")


def members(cluster, through="consul-0"):
    """Status of the members that one pod sees, by name."""
    rows = [line.split() for line in cluster.exec(through, "consul", "members").splitlines()]
    assert rows[0][:4] == ["Node", "Address", "Status", "Type"]
    return {row[0]: (row[1], row[2]) for row in rows[1:]}


def alive(cluster, through="consul-0"):
    return sorted(name for name, (_, status) in members(cluster, through).items() if status == "alive")


def has_leader(cluster, through="consul-0"):
    return ":8300" in cluster.exec(through, "curl", "-sS", "http://localhost:8500/v1/status/leader")


def put(cluster, pod, key, value):
    answer = lambda: cluster.exec(pod, "curl", "-sS", "--request", "PUT", "--data", value, f"http://consul:8500/v1/kv/{key}")
    wait_for(lambda: answer() == "true", 60, f"{key} put through {pod}")


def read(cluster, pod, key):
    return cluster.exec(pod, "curl", "-sS", f"http://consul:8500/v1/kv/{key}?raw")


def pods(count):
    return [f"consul-{i}" for i in range(count)]


def wait_members(cluster, count, through="consul-0"):
    wait_for(lambda: alive(cluster, through) == pods(count) and has_leader(cluster, through), 90, f"{count} members alive")


def test_starts_in_order(cluster):
    assert cluster.kubectl("apply", "-f", str(EXAMPLE / "consul-svc.yaml")) == "service/consul created\n"
    made = cluster.kubectl("create", "configmap", "consulconfig", f"--from-file={EXAMPLE / 'consul.json'}")
    assert made == "configmap/consulconfig created\n"
    cluster.kubectl("apply", "-f", str(EXAMPLE / "datera-class.yaml"))
    assert cluster.kubectl("apply", "-f", str(EXAMPLE / "consul-sts.yaml")) == "statefulset.apps/consul created\n"
    cluster.wait_ready(*pods(3))
    found = {pod["metadata"]["name"]: pod for pod in cluster.get("pods")["items"]}
    assert sorted(found) == pods(3)
    for lower, higher in zip(pods(3), pods(3)[1:]):
        ready = {each["type"]: each for each in found[lower]["status"]["conditions"]}["Ready"]
        assert ready["lastTransitionTime"] <= found[higher]["metadata"]["creationTimestamp"]
    for pod in found.values():
        done = pod["status"]["initContainerStatuses"][0]["state"]["terminated"]
        assert (done["exitCode"], done["reason"]) == (0, "Completed")


def test_host_names(cluster):
    for pod in pods(3):
        assert cluster.exec(pod, "sh", "-c", "hostname -f") == f"{pod}.consul.default.svc.cluster.local\n"


def test_three_members_are_alive(cluster):
    wait_members(cluster, 3)
    for pod in pods(3):
        found = members(cluster, pod)
        addresses = {each["metadata"]["name"]: each["status"]["podIP"] for each in cluster.get("pods")["items"]}
        assert found == {name: (f"{address}:8301", "alive") for name, address in addresses.items()}


def test_claims_are_bound(cluster):
    rows = [line.split() for line in cluster.kubectl("get", "pvc").splitlines()[1:]]
    assert [(row[0], row[1], *row[3:6]) for row in rows] == [
        (f"data-{pod}", "Bound", "1Gi", "RWO", "datera") for pod in pods(3)]
    assert len({row[2] for row in rows}) == 3 and all(row[2].startswith("pvc-") for row in rows)


def test_a_key_put_through_one_pod_is_read_through_another(cluster):
    put(cluster, "consul-0", "my-key", "my-data")
    for pod in pods(3):
        assert read(cluster, pod, "my-key") == "my-data"
    answer = json.loads(cluster.exec("consul-2", "curl", "-sS", "http://consul:8500/v1/kv/my-key"))
    assert answer[0]["Key"] == "my-key"


def test_a_deleted_pod_comes_back_with_name_claim_and_data(cluster):
    before = cluster.get("pod", "consul-1")
    identity = cluster.exec("consul-1", "cat", "/consul/data/node-id")
    volume = cluster.get("pvc", "data-consul-1")["spec"]["volumeName"]
    cluster.kubectl("delete", "pod", "consul-1")
    wait_for(lambda: is_ready(cluster.get("pod", "consul-1")), 60, "consul-1 back")
    after = cluster.get("pod", "consul-1")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert cluster.get("pvc", "data-consul-1")["spec"]["volumeName"] == volume
    described = cluster.kubectl("describe", "pod", "consul-1")
    assert "ClaimName:  data-consul-1" in described
    wait_members(cluster, 3, "consul-1")
    assert cluster.exec("consul-1", "cat", "/consul/data/node-id") == identity
    assert read(cluster, "consul-1", "my-key") == "my-data"


def test_scale_to_five(cluster):
    assert cluster.kubectl("scale", "sts", "consul", "--replicas=5") == "statefulset.apps/consul scaled\n"
    cluster.wait_ready(*pods(5))
    wait_members(cluster, 5)
    assert read(cluster, "consul-4", "my-key") == "my-data"
    claims = {each["metadata"]["name"]: each["status"]["phase"] for each in cluster.get("pvc")["items"]}
    assert claims == {f"data-{pod}": "Bound" for pod in pods(5)}


def test_scale_back_to_three_keeps_claims_and_quorum(cluster):
    # The manifest has its servers leave on SIGTERM or fail; three of five are a quorum either way.
    cluster.kubectl("scale", "sts", "consul", "--replicas=3")
    wait_for(lambda: sorted(pod["metadata"]["name"] for pod in cluster.get("pods")["items"]) == pods(3), 90, "three pods")
    wait_for(lambda: alive(cluster) == pods(3) and has_leader(cluster), 90, "three members alive, with a leader")
    put(cluster, "consul-2", "after", "scale-down")
    assert read(cluster, "consul-0", "after") == "scale-down" and read(cluster, "consul-1", "my-key") == "my-data"
    claims = {each["metadata"]["name"]: each["status"]["phase"] for each in cluster.get("pvc")["items"]}
    assert claims == {f"data-{pod}": "Bound" for pod in pods(5)}


def test_delete_everything(cluster):
    volumes = [each["metadata"]["name"] for each in cluster.get("pv")["items"]]
    assert len(volumes) == 5
    cluster.kubectl("delete", "-f", str(EXAMPLE / "consul-sts.yaml"), "-f", str(EXAMPLE / "consul-svc.yaml"))
    cluster.kubectl("delete", "configmap", "consulconfig")
    wait_for(lambda: not cluster.get("pods")["items"], 90, "the end of all pods")
    assert len(cluster.get("pvc")["items"]) == 5
    cluster.kubectl("delete", "pvc", "--all")
    wait_for(lambda: not cluster.get("pv")["items"], 30, "the end of all volumes")
    left = [path.name for path in (cluster.data_dir / "volumes").iterdir()] if (cluster.data_dir / "volumes").exists() else []
    assert not set(left) & set(volumes)
    cluster.kubectl("delete", "-f", str(EXAMPLE / "datera-class.yaml"))
