"""The Datera document (003_b5044005c562e7dc.txt) on one node: its steps in its order, its manifests unchanged, and its
storage system replaced by an outside provisioner, which serves the document's class through the API alone."""

import json
import re
import subprocess

import pytest

from support.cluster import ROOT, wait_for
from support.provisioner import Provisioner
from support.workload import is_ready

EXAMPLE = ROOT / "examples" / "consul"
SERVED = ROOT / "examples" / "provisioner"


@pytest.fixture(scope="module")
def storage(cluster, tmp_path_factory):
    root = tmp_path_factory.mktemp("storage") / "datera"
    root.mkdir()
    made = Provisioner(cluster, "examples.stead.dev/datera", root)
    made.root = root
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def project(cluster, leaves_nothing):
    """The document's transcripts were taken in a namespace called project."""
    cluster.import_image("consul")
    cluster.import_image("busybox")
    cluster.kubectl("create", "namespace", "project")
    cluster.kubectl("config", "set-context", "--current", "--namespace=project")


def members(cluster, through="consul-0"):
    """Status of the members that one pod sees, by name."""
    rows = [line.split() for line in cluster.exec(through, "consul", "members").splitlines()]
    assert rows[0][:4] == ["Node", "Address", "Status", "Type"]
    return {row[0]: (row[1], row[2]) for row in rows[1:]}


def alive(cluster, through="consul-0"):
    return sorted(name for name, (_, status) in members(cluster, through).items() if status == "alive")


def has_leader(cluster, through="consul-0"):
    return ":8300" in cluster.exec(through, "curl", "-sS", "http://localhost:8500/v1/status/leader")


def read(cluster, pod, key):
    return cluster.exec(pod, "curl", "-sS", f"http://consul:8500/v1/kv/{key}?raw")


def pods(count):
    return [f"consul-{i}" for i in range(count)]


def claims(cluster):
    return {each["metadata"]["name"]: each for each in cluster.get("pvc")["items"]}


def wait_members(cluster, count, through="consul-0"):
    wait_for(lambda: alive(cluster, through) == pods(count) and has_leader(cluster, through), 120, f"{count} members alive")


def test_headless_service(cluster):
    assert cluster.kubectl("apply", "-f", str(EXAMPLE / "consul-svc.yaml")) == "service/consul created\n"
    found = cluster.get("service", "consul")["spec"]
    assert found["clusterIP"] == "None" and [each["port"] for each in found["ports"]] == [8300, 8301, 8302, 8500, 8600]


def test_config_map_from_a_file(cluster):
    made = cluster.kubectl("create", "configmap", "consulconfig", f"--from-file={EXAMPLE / 'consul.json'}")
    assert made == "configmap/consulconfig created\n"
    assert json.loads(cluster.get("configmap", "consulconfig")["data"]["consul.json"])["bootstrap_expect"] == 3


def test_without_its_class_the_first_pod_waits(cluster):
    assert cluster.kubectl("apply", "-f", str(EXAMPLE / "consul-sts.yaml")) == "statefulset.apps/consul created\n"
    why = lambda: cluster.kubectl("describe", "pvc", "data-consul-0")
    wait_for(lambda: 'storageclass.storage.k8s.io "datera" not found' in why(), 30, "the missing class")
    assert list(claims(cluster)) == ["data-consul-0"], "the next pod's claim is made with the next pod"
    # With its class, but nobody who serves it.
    cluster.kubectl("apply", "-f", str(SERVED / "datera-class.yaml"))
    wait_for(lambda: "ExternalProvisioning" in why() and "examples.stead.dev/datera" in why(), 30, "the missing provisioner")
    asked = claims(cluster)["data-consul-0"]["metadata"]["annotations"]
    assert asked["volume.beta.kubernetes.io/storage-provisioner"] == "examples.stead.dev/datera"
    assert [pod["status"]["phase"] for pod in cluster.get("pods")["items"]] == ["Pending"]


def test_pods_come_up_in_order_once_the_provisioner_serves(cluster, storage):
    cluster.wait_ready(*pods(3), timeout=120)
    found = {pod["metadata"]["name"]: pod for pod in cluster.get("pods")["items"]}
    assert sorted(found) == pods(3)
    for lower, higher in zip(pods(3), pods(3)[1:]):
        ready = {each["type"]: each for each in found[lower]["status"]["conditions"]}["Ready"]
        assert ready["lastTransitionTime"] <= found[higher]["metadata"]["creationTimestamp"]
    for pod in found.values():
        done = pod["status"]["initContainerStatuses"][0]["state"]["terminated"]
        assert (done["exitCode"], done["reason"]) == (0, "Completed")
    rows = [re.split(r"\s{2,}", line) for line in cluster.kubectl("get", "pods", "-o", "wide").splitlines()]
    assert rows[0][:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [(row[0], row[1], row[2], row[6]) for row in rows[1:]] == [(pod, "1/1", "Running", "node1") for pod in pods(3)]


def test_the_init_container_writes_the_namespace_into_the_configuration(cluster):
    config = json.loads(cluster.exec("consul-0", "cat", "/consul/config/consul.json"))
    assert config["retry_join"] == [f"{pod}.consul.project.svc.cluster.local" for pod in pods(3)]


def test_host_names(cluster):
    for pod in pods(3):
        assert cluster.exec(pod, "sh", "-c", "hostname -f") == f"{pod}.consul.project.svc.cluster.local\n"


def test_three_members_are_alive(cluster):
    wait_members(cluster, 3)
    for pod in pods(3):
        found = members(cluster, pod)
        addresses = {each["metadata"]["name"]: each["status"]["podIP"] for each in cluster.get("pods")["items"]}
        assert found == {name: (f"{address}:8301", "alive") for name, address in addresses.items()}


def test_claims_are_bound_to_volumes_of_the_outside_provisioner(cluster, storage):
    rows = [line.split() for line in cluster.kubectl("get", "pvc", "-o", "wide").splitlines()[1:]]
    assert [(row[0], row[1], *row[3:6]) for row in rows] == [
        (f"data-{pod}", "Bound", "1Gi", "RWO", "datera") for pod in pods(3)]
    assert {row[2] for row in rows} == {path.name for path in (storage.root / "consul").iterdir()}
    for row in rows:
        volume = cluster.get("pv", row[2])
        assert volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == "examples.stead.dev/datera"
        assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        assert volume["spec"]["claimRef"]["uid"] == claims(cluster)[row[0]]["metadata"]["uid"]
        assert (storage.root / "consul" / row[2] / "node-id").exists(), "Consul's data"


def test_the_provisioner_serves_no_other_class(cluster, storage):
    claim = lambda name, storage_class, **spec: {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}, "storageClassName": storage_class, **spec}}
    items = [{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "of-others"}, "provisioner": "example.com/others"},
             {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "datera-tuned"},
              "provisioner": "examples.stead.dev/datera", "parameters": {"speed": "warp"}},
             claim("foreign", "of-others"), claim("tuned", "datera-tuned"), claim("standard", "standard"),
             claim("picky", "datera", selector={"matchLabels": {"a": "b"}}), claim("ours", "datera")]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    phases = lambda: {name: each["status"]["phase"] for name, each in claims(cluster).items() if not name.startswith("data-")}
    wait_for(lambda: phases()["ours"] == "Bound" and phases()["standard"] == "Bound", 30, "ours bound")
    wait_for(lambda: 'parameter "speed" is not known' in cluster.kubectl("describe", "pvc", "tuned"), 30, "the unknown parameter")
    wait_for(lambda: "claim.Spec.Selector is not supported" in cluster.kubectl("describe", "pvc", "picky"), 30, "the selector")
    assert phases() == {"foreign": "Pending", "tuned": "Pending", "picky": "Pending", "ours": "Bound", "standard": "Bound"}
    made = {name: cluster.get("pv", claims(cluster)[name]["spec"]["volumeName"]) for name in ("ours", "standard")}
    assert {name: each["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] for name, each in made.items()} == {
        "ours": "examples.stead.dev/datera", "standard": "stead.dev/local"}
    cluster.kubectl("delete", "pvc", "foreign", "tuned", "picky", "ours", "standard")
    cluster.kubectl("delete", "sc", "of-others", "datera-tuned")
    wait_for(lambda: len(cluster.get("pv")["items"]) == 3, 30, "the end of their volumes")


def test_store_and_read_a_key(cluster):
    put = "exec -it consul-0 -- curl -sS --request PUT --data my-data http://consul:8500/v1/kv/my-key".split()
    wait_for(lambda: cluster.kubectl(*put).strip() == "true", 60, "the key put")
    get = "exec -it consul-0 -- curl -sS --request GET --data my-data http://consul:8500/v1/kv/my-key".split()
    answer = json.loads(cluster.kubectl(*get))
    assert (answer[0]["Key"], answer[0]["Value"]) == ("my-key", "bXktZGF0YQ==")
    for pod in pods(3):
        assert read(cluster, pod, "my-key") == "my-data"


def test_a_deleted_pod_comes_back_with_name_claim_and_data(cluster):
    before = cluster.get("pod", "consul-1")
    identity = cluster.exec("consul-1", "cat", "/consul/data/node-id")
    volume = claims(cluster)["data-consul-1"]["spec"]["volumeName"]
    watch = subprocess.Popen([*cluster.namespace.enter, cluster.kubectl_binary, "--kubeconfig", str(cluster.kubeconfig),
                              "get", "pods", "consul-1", "-o", "wide", "--watch"], stdout=subprocess.PIPE, text=True)
    try:
        assert watch.stdout.readline().split()[0] == "NAME" and watch.stdout.readline().split()[:3] == ["consul-1", "1/1", "Running"]
        cluster.kubectl("delete", "pod", "consul-1")
        seen = []
        while not seen or seen[-1] != "Running" or "Init:0/1" not in seen:
            seen.append(watch.stdout.readline().split()[2])
            assert len(seen) < 40, seen
    finally:
        watch.kill()
        watch.wait(10)
    order = [status for i, status in enumerate(seen) if status not in seen[:i]]
    assert order[0] == "Terminating" and order.index("Pending") < order.index("Init:0/1") < order.index("PodInitializing")
    wait_for(lambda: is_ready(cluster.get("pod", "consul-1")), 60, "consul-1 back")
    assert cluster.get("pod", "consul-1")["metadata"]["uid"] != before["metadata"]["uid"]
    assert claims(cluster)["data-consul-1"]["spec"]["volumeName"] == volume
    described = cluster.kubectl("describe", "pod", "consul-1")
    assert re.search(r"data:\n +Type: +PersistentVolumeClaim .*\n +ClaimName: +data-consul-1\n +ReadOnly: +false", described)
    wait_members(cluster, 3, "consul-1")
    assert cluster.exec("consul-1", "cat", "/consul/data/node-id") == identity
    assert read(cluster, "consul-1", "my-key") == "my-data"


def test_scale_to_five(cluster, storage):
    assert cluster.kubectl("scale", "sts", "consul", "--replicas=5") == "statefulset.apps/consul scaled\n"
    cluster.wait_ready(*pods(5))
    wait_members(cluster, 5)
    assert read(cluster, "consul-4", "my-key") == "my-data"
    assert {name: each["status"]["phase"] for name, each in claims(cluster).items()} == {f"data-{pod}": "Bound" for pod in pods(5)}
    assert len(list((storage.root / "consul").iterdir())) == 5


def test_scale_back_to_three_keeps_claims_and_quorum(cluster):
    # The manifest has its servers leave on SIGTERM or fail; three of five are a quorum either way.
    cluster.kubectl("scale", "sts", "consul", "--replicas=3")
    wait_for(lambda: sorted(pod["metadata"]["name"] for pod in cluster.get("pods")["items"]) == pods(3), 90, "three pods")
    wait_for(lambda: alive(cluster) == pods(3) and has_leader(cluster), 120, "three members alive, with a leader")
    put = lambda: cluster.exec("consul-2", "curl", "-sS", "--request", "PUT", "--data", "scale-down", "http://consul:8500/v1/kv/after")
    wait_for(lambda: put() == "true", 60, "a key put")
    assert read(cluster, "consul-0", "after") == "scale-down" and read(cluster, "consul-1", "my-key") == "my-data"
    assert sorted(claims(cluster)) == [f"data-{pod}" for pod in pods(5)]


def test_expose_the_interface(cluster):
    assert cluster.kubectl("create", "-f", str(EXAMPLE / "consul-ui.yaml")) == "service/consul-ui created\n"
    address = cluster.get("service", "consul-ui")["spec"]["clusterIP"]
    wait_for(lambda: "<title>Consul" in cluster.namespace.run(
        ["curl", "-sSL", "--max-time", "5", f"http://{address}:8500/ui/"]).stdout, 30, "the interface")


def test_delete_in_the_documents_order(cluster, storage, leaves_nothing):
    volumes = {each["metadata"]["name"] for each in cluster.get("pv")["items"]}
    assert len(volumes) == 5
    cluster.kubectl("scale", "sts", "consul", "--replicas=5")
    cluster.wait_ready(*pods(5))
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in cluster.get("pods")["items"]}
    told = cluster.kubectl("delete", "pod", *reversed(pods(5)), timeout=120)
    assert [line.split('"')[1] for line in told.splitlines()] == pods(5)[::-1]
    # The set is still there: it makes them anew.
    wait_for(lambda: cluster.is_ready("consul-4"), 120, "consul-4 back")
    assert not {pod["metadata"]["uid"] for pod in cluster.get("pods")["items"]} & set(before.values())
    assert cluster.kubectl("delete", "sts", "consul").startswith('statefulset.apps "consul" deleted')
    assert cluster.kubectl("delete", "svc", "consul", "consul-ui").count("deleted") == 2
    wait_for(lambda: not cluster.get("pods")["items"], 90, "the end of all pods")
    assert len(claims(cluster)) == 5 and {path.name for path in (storage.root / "consul").iterdir()} == volumes
    # The document names claims that never existed.
    slip = cluster.kubectl("delete", "pvc", *(f"consuldata-consul-{i}" for i in range(5)), check=False)
    assert slip.returncode == 1 and slip.stderr.count("not found") == 5 and len(claims(cluster)) == 5
    cluster.kubectl("delete", "pvc", *(f"data-consul-{i}" for i in range(5)))
    wait_for(lambda: not cluster.get("pv")["items"], 30, "the end of all volumes")
    wait_for(lambda: not list((storage.root / "consul").iterdir()), 30, "the end of their directories")
    cluster.kubectl("delete", "configmap", "consulconfig")
    leaves_nothing()
    assert cluster.kubectl("get", "all,pvc,pv,configmaps", "-o", "name").split() == ["configmap/kube-root-ca.crt"]
