"""The later training slides (001_7268302e314fad3d.txt), in their order: Consul without and with care for its exit, and
claims that a provisioner serves through the default class. What they share with the first slides is shown there."""

import json
import subprocess

import pytest

from support.cluster import wait_for
from support.consul import ANTI_AFFINITY, LEAVE, Consul, consul_objects
from support.provisioner import Provisioner
from support.workload import STAY, PodHistory, Space, container, headless_service, stateful_set

SERVERS = ["consul-0", "consul-1", "consul-2"]


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    for name in ("busybox", "consul"):
        cluster.import_image(name)


@pytest.fixture(scope="module")
def careless(cluster):
    """What the slides' consul-1.yaml makes."""
    made = Consul(Space(cluster, "careless"))
    made.space.apply(*consul_objects())
    yield made
    made.close()


def test_one_command_line_serves_all_servers(careless):
    space = careless.space
    command = [*space.cluster.namespace.enter, space.cluster.kubectl_binary, "--kubeconfig", str(space.cluster.kubeconfig), "-n", space.name]
    space.wait_ready(*SERVERS)
    # Each names its own address among its peers.
    wait_for(lambda: careless.alive() == SERVERS and careless.leader(), 120, "three members, a leader")
    follow = subprocess.Popen([*command, "logs", "-f", "-l", "app=consul", "--prefix", "--tail=50"], stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: careless.put("colour", "green"), 60, "a key put")
        seen = set()
        for line in follow.stdout:
            assert line.startswith("[pod/consul-")
            seen.add(line[5:].split("/")[0])
            if seen == set(SERVERS):
                break
        assert seen == set(SERVERS)
    finally:
        follow.kill()
        follow.wait(10)


def test_servers_may_share_a_node_without_a_rule(careless):
    assert set(careless.space.kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}").split()) == {"node1"}


def test_the_rule_holds_the_update_at_its_first_pod(careless):
    """consul-2.yaml in the same namespace. One node cannot take it: the update stops where it began."""
    space = careless.space
    before = {name: pod["metadata"]["uid"] for name, pod in space.pods().items()}
    with PodHistory(space) as history:
        space.apply(*consul_objects(affinity=ANTI_AFFINITY, lifecycle=LEAVE))
        why = lambda: "1 node(s) didn't match pod anti-affinity rules" in space.kubectl("describe", "pod", "consul-2")
        wait_for(why, 60, "why consul-2 waits")
    assert {name for name, _ in history.ended()} == {"consul-2"}, "from the highest, one by one"
    now = {name: pod["metadata"]["uid"] for name, pod in space.pods().items()}
    assert (now["consul-0"], now["consul-1"]) == (before["consul-0"], before["consul-1"])
    wait_for(careless.leader, 60, "a leader")
    assert careless.read("colour") == "green"


def test_a_broken_update_is_undone(careless):
    space = careless.space
    assert space.kubectl("rollout", "undo", "sts/consul") == "statefulset.apps/consul rolled back\n"
    assert "affinity" not in space.get("sts", "consul")["spec"]["template"]["spec"]
    # OrderedReady waits for the broken pod, as Kubernetes does: a person takes it away.
    space.kubectl("delete", "pod", "consul-2")
    space.wait_ready("consul-2")
    space.wait_rolled_out("consul")


def test_scaling_down_servers_that_do_not_leave_costs_the_quorum(careless):
    space = careless.space
    space.kubectl("scale", "sts", "consul", "--replicas=1")
    space.wait_gone("consul-1", "consul-2")
    wait_for(lambda: not careless.leader(), 60, "no leader")
    refused = careless.run("consul-0", "curl", "-sS", "-X", "PUT", "--data", "x", "http://localhost:8500/v1/kv/x")
    assert "No cluster leader" in refused or "leadership" in refused


@pytest.fixture(scope="module")
def careful(cluster):
    """consul-2.yaml in a namespace of its own; without its anti-affinity, which takes three nodes."""
    made = Consul(Space(cluster, "careful"))
    made.space.apply(*consul_objects(lifecycle=LEAVE))
    yield made
    made.close()


def test_servers_that_leave_keep_the_last_one_working(careful):
    space = careful.space
    space.wait_ready(*SERVERS)
    wait_for(lambda: careful.alive() == SERVERS and careful.put("colour", "blue"), 120, "three members")
    space.kubectl("scale", "sts", "consul", "--replicas=1")
    space.wait_gone("consul-1", "consul-2")
    wait_for(lambda: careful.members() == {"consul-0": "alive", "consul-1": "left", "consul-2": "left"}, 30, "both have left")
    wait_for(lambda: careful.put("alone", "yes"), 60, "a key put by the last one")
    assert careful.read("colour") == "blue"


@pytest.fixture(scope="module")
def storage(cluster, tmp_path_factory):
    """Dynamic provisioning as the slides set it up: a storage system, its provisioner, a class, and that the default."""
    root = tmp_path_factory.mktemp("storage") / "disks"
    root.mkdir()
    provisioner = Provisioner(cluster, "example.com/disks", root)
    made = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "disks"},
            "provisioner": "example.com/disks", "parameters": {"folder": "slides"}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(made))
    mark = lambda name, value: cluster.kubectl("annotate", "--overwrite", "sc", name, f"storageclass.kubernetes.io/is-default-class={value}")
    mark("standard", "false")
    mark("disks", "true")
    yield root / "slides"
    mark("standard", "true")
    cluster.kubectl("delete", "sc", "disks")
    provisioner.close()


@pytest.fixture(scope="module")
def db(cluster, storage):
    """The slides' set: named db, with a claim template named data."""
    space = Space(cluster, "db")
    writer = container(script=f"echo $HOSTNAME $ROUND >> /data/journal; {STAY}", env=[{"name": "ROUND", "value": "first"}],
                       volumeMounts=[{"name": "data", "mountPath": "/data"}])
    space.apply(headless_service("db"), stateful_set("db", 3, [writer], claims=["data"]))
    yield space
    space.close()


def test_a_set_with_a_claim_template_gets_everything_by_itself(db, storage):
    db.wait_ready("db-0", "db-1", "db-2")
    claims = {each["metadata"]["name"]: each for each in db.get("pvc")["items"]}
    assert sorted(claims) == ["data-db-0", "data-db-1", "data-db-2"]
    for each in claims.values():
        assert each["spec"]["storageClassName"] == "disks" and each["status"]["phase"] == "Bound"
        assert each["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-provisioner"] == "example.com/disks"
    assert sorted(path.name for path in storage.iterdir()) == sorted(each["spec"]["volumeName"] for each in claims.values())
    for i in range(3):
        assert (storage / claims[f"data-db-{i}"]["spec"]["volumeName"] / "journal").read_text() == f"db-{i} first\n"


def test_pods_keep_their_volumes_over_an_update(db):
    volumes = {each["metadata"]["name"]: each["spec"]["volumeName"] for each in db.get("pvc")["items"]}
    with PodHistory(db) as history:
        db.kubectl("set", "env", "sts/db", "ROUND=second")
        db.wait_rolled_out("db")
    assert [name for name, _ in history.ended()] == ["db-2", "db-1", "db-0"]
    assert {each["metadata"]["name"]: each["spec"]["volumeName"] for each in db.get("pvc")["items"]} == volumes
    assert db.exec("db-1", "cat /data/journal") == "db-1 first\ndb-1 second\n"


def test_scaled_back_up_pods_get_their_data_back(db):
    db.kubectl("scale", "sts", "db", "--replicas=1")
    db.wait_gone("db-1", "db-2")
    assert db.column("pvc", "STATUS") == {f"data-db-{i}": "Bound" for i in range(3)}
    db.kubectl("scale", "sts", "db", "--replicas=3")
    db.wait_ready("db-1", "db-2")
    assert db.exec("db-2", "cat /data/journal") == "db-2 first\ndb-2 second\ndb-2 second\n"


def test_claims_outlive_the_set_and_volumes_go_with_their_claims(db, storage):
    db.kubectl("delete", "sts,svc", "db")
    db.wait_gone("db-0", "db-1", "db-2")
    assert db.column("pvc", "STATUS") == {f"data-db-{i}": "Bound" for i in range(3)}
    db.kubectl("delete", "pvc", "data-db-0", "data-db-1", "data-db-2")
    wait_for(lambda: not list(storage.iterdir()), 30, "the end of the volumes' directories")
