"""The first training slides (000_0b1416b809bf1575.txt), in their order: volumes, claims, and a Consul cluster without
claims whose pods must not share a node. Peers are given by name here; finding them through the API needs an account."""

import itertools
import json

import pytest

from support.cluster import ROOT, wait_for
from support.consul import ANTI_AFFINITY, LEAVE, Consul, consul_objects
from support.workload import STAY, Space, container

OLD_KUBECTL = ROOT / "build" / "kubectl-1.20" / "usr" / "bin" / "kubectl"
numbers = itertools.count(1)

CLOUD_VOLUME = """
apiVersion: v1
kind: Pod
metadata:
  name: pod-using-my-ebs-volume
spec:
  containers:
  - image: ...
    name: container-using-my-ebs-volume
    volumeMounts:
    - mountPath: /my-ebs
      name: my-ebs-volume
  volumes:
  - name: my-ebs-volume
    awsElasticBlockStore:
      volumeID: vol-049df61146c4d7901
      fsType: ext4
"""

NFS_VOLUME_AS_PRINTED = """
apiVersion: v1
kind: Pod
metadata:
  name: pod-using-my-nfs-volume
spec:
  containers:
  - image: ...
    name: container-using-my-nfs-volume
    volumeMounts:
    - mountPath: /my-nfs
      name: my-nfs-volume
  volumes:
  - name: my-nfs-volume
      nfs:
        server: 192.168.0.55
        path: "/exports/assets"
"""
NFS_VOLUME = NFS_VOLUME_AS_PRINTED.replace("""      nfs:
        server: 192.168.0.55
        path: "/exports/assets"
""", """    nfs:
      server: 192.168.0.55
      path: "/exports/assets"
""")

CLAIM = """
kind: PersistentVolumeClaim
apiVersion: v1
metadata:
   name: my-claim
spec:
   accessModes:
     - ReadWriteOnce
   resources:
     requests:
       storage: 1Gi
"""

POD_USING_A_CLAIM = """
apiVersion: v1
kind: Pod
metadata:
  name: pod-using-a-claim
spec:
  containers:
  - image: ...
    name: container-using-a-claim
    volumeMounts:
    - mountPath: /my-vol
      name: my-volume
  volumes:
  - name: my-volume
    persistentVolumeClaim:
      claimName: my-claim
"""


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    for name in ("busybox", "consul"):
        cluster.import_image(name)


@pytest.fixture
def space(cluster):
    made = Space(cluster, f"slides-{next(numbers)}")
    yield made
    made.close()


@pytest.fixture
def no_default_class(cluster):
    """Nobody provisions for claims that name no class."""
    mark = lambda value: cluster.kubectl("annotate", "--overwrite", "sc", "standard", f"storageclass.kubernetes.io/is-default-class={value}")
    mark("false")
    yield
    mark("true")


def told(space, pod, *words):
    return lambda: all(word in space.kubectl("describe", "pod", pod) for word in words)


def test_a_cloud_volume_is_accepted_and_names_the_driver_it_needs(space):
    assert space.kubectl("apply", "-f", "-", stdin=CLOUD_VOLUME) == "pod/pod-using-my-ebs-volume created\n"
    source = space.get("pod", "pod-using-my-ebs-volume")["spec"]["volumes"][0]["awsElasticBlockStore"]
    assert source == {"volumeID": "vol-049df61146c4d7901", "fsType": "ext4"}
    wait_for(told(space, "pod-using-my-ebs-volume", "FailedMount", "ebs.csi.aws.com"), 30, "the driver's name")
    assert space.column("pods", "STATUS") == {"pod-using-my-ebs-volume": "ContainerCreating"}


def test_the_nfs_manifest_is_refused_as_printed_and_accepted_indented(space):
    refused = space.kubectl("apply", "-f", "-", stdin=NFS_VOLUME_AS_PRINTED, check=False)
    assert refused.returncode != 0 and "yaml: line" in refused.stderr and "mapping values" in refused.stderr
    assert space.kubectl("apply", "-f", "-", stdin=NFS_VOLUME) == "pod/pod-using-my-nfs-volume created\n"
    assert space.get("pod", "pod-using-my-nfs-volume")["spec"]["volumes"][0]["nfs"] == {
        "server": "192.168.0.55", "path": "/exports/assets"}


def test_all_replicas_of_a_deployment_share_its_volume(space):
    writer = container(script=f"echo $HOSTNAME >> /data/names; {STAY}", volumeMounts=[{"name": "data", "mountPath": "/data"}])
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
                  "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}},
                           "template": {"metadata": {"labels": {"app": "web"}},
                                        "spec": {"containers": [writer], "terminationGracePeriodSeconds": 1,
                                                 "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "my-claim"}}]}}}}
    space.kubectl("apply", "-f", "-", stdin=CLAIM)
    space.apply(deployment)
    space.kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    pods = sorted(space.pods())
    assert len(pods) == 3
    for pod in pods:
        assert sorted(space.exec(pod, "cat /data/names").split()) == pods


def test_a_claim_is_unbound_until_a_volume_is_made_for_it(cluster, space, no_default_class, tmp_path):
    assert space.kubectl("apply", "-f", "-", stdin=CLAIM) == "persistentvolumeclaim/my-claim created\n"
    assert space.kubectl("apply", "-f", "-", stdin=POD_USING_A_CLAIM.replace("...", "busybox:latest\n    command: [sleep, '1000']")) == (
        "pod/pod-using-a-claim created\n")
    wait_for(told(space, "pod-using-a-claim", "pod has unbound immediate PersistentVolumeClaims"), 30, "why the pod waits")
    assert space.column("persistentvolumeclaims", "STATUS") == {"my-claim": "Pending"} == space.column("pvc", "STATUS")
    assert space.column("pods", "STATUS") == {"pod-using-a-claim": "Pending"}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "by-hand"},
              "spec": {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": str(tmp_path)}}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(volume))
    space.wait_ready("pod-using-a-claim")
    assert space.column("pvc", "STATUS") == {"my-claim": "Bound"}
    space.exec("pod-using-a-claim", "echo mine > /my-vol/file")
    assert (tmp_path / "file").read_text() == "mine\n"
    space.kubectl("delete", "pod", "pod-using-a-claim", "--grace-period=1")
    space.kubectl("delete", "pvc", "my-claim")
    # Made by hand, so Retain is its policy: the volume and its data are left to the person.
    wait_for(lambda: cluster.get("pv", "by-hand")["status"]["phase"] == "Released", 15, "Released")
    assert (tmp_path / "file").read_text() == "mine\n"
    cluster.kubectl("delete", "pv", "by-hand")


def test_a_manifest_with_a_placeholder_for_its_image_says_so(space):
    """`image: ...`, as the slides print it, is a pod that cannot start once its claim is bound."""
    space.kubectl("apply", "-f", "-", stdin=CLAIM + "---" + POD_USING_A_CLAIM)
    wait_for(lambda: space.column("pods", "STATUS") == {"pod-using-a-claim": "InvalidImageName"}, 30, "InvalidImageName")


def test_a_claim_of_another_namespace_is_not_found(space):
    space.kubectl("apply", "-f", "-", stdin=POD_USING_A_CLAIM)
    wait_for(told(space, "pod-using-a-claim", 'persistentvolumeclaim "my-claim" not found'), 30, "why the pod waits")
    space.kubectl("apply", "-n", "default", "-f", "-", stdin=CLAIM.replace("my-claim", "elsewhere"))
    other = POD_USING_A_CLAIM.replace("pod-using-a-claim", "reaches-over").replace("my-claim", "elsewhere")
    space.kubectl("apply", "-f", "-", stdin=other)
    wait_for(told(space, "reaches-over", 'persistentvolumeclaim "elsewhere" not found'), 30, "why the pod waits")
    assert space.column("pods", "STATUS") == {"pod-using-a-claim": "Pending", "reaches-over": "Pending"}
    space.kubectl("delete", "-n", "default", "pvc", "elsewhere")


def test_classes_are_listed_by_both_names(cluster):
    for name in ("storageclass", "sc"):
        rows = [line.split() for line in cluster.kubectl("get", name).splitlines()]
        assert rows[0][:2] == ["NAME", "PROVISIONER"] and rows[1][:3] == ["standard", "(default)", "stead.dev/local"]


@pytest.fixture(scope="module")
def consul(cluster):
    made = Consul(Space(cluster, "consul"))
    yield made
    made.close()


def test_on_one_node_anti_affinity_holds_the_second_server_and_says_why(consul):
    space = consul.space
    space.apply(*consul_objects(affinity=ANTI_AFFINITY, lifecycle=LEAVE))
    space.wait_ready("consul-0")
    wait_for(told(space, "consul-1", "FailedScheduling", "1 node(s) didn't match pod anti-affinity rules"), 30, "why consul-1 waits")
    assert space.column("pods", "STATUS") == {"consul-0": "Running", "consul-1": "Pending"}
    events = [each for each in space.get("events")["items"] if each["involvedObject"]["name"] == "consul-1"]
    assert any(each["reason"] == "FailedScheduling" and each["message"].startswith("0/1 nodes are available: ") for each in events)
    consul.delete()
    space.wait_gone("consul-0", "consul-1")


def test_the_cluster_forms(consul):
    consul.space.apply(*consul_objects(lifecycle=LEAVE))
    consul.space.wait_ready("consul-0", "consul-1", "consul-2")
    wait_for(lambda: consul.alive() == ["consul-0", "consul-1", "consul-2"] and consul.leader(), 120, "three members, a leader")
    wait_for(lambda: consul.put("city", "Groningen"), 60, "a key put")


@pytest.mark.skipif(not OLD_KUBECTL.exists(), reason="SKIPPED LOUDLY: tools/old_kubectl.sh has not been run")
def test_members_as_the_slides_ask(consul):
    """Without `--` before the command, as kubectl allowed it then."""
    space = consul.space
    told = space.cluster.kubectl("-n", space.name, "exec", "consul-0", "consul", "members", binary=OLD_KUBECTL)
    assert told.count("alive") == 3 and told.splitlines()[0].split()[:3] == ["Node", "Address", "Status"]


def test_a_lost_pod_comes_back_blank_and_gets_the_data_from_the_others(consul):
    space = consul.space
    uid, identity = space.get("pod", "consul-1")["metadata"]["uid"], consul.identity("consul-1")
    space.kubectl("delete", "pod", "consul-1")
    space.wait_ready("consul-1")
    assert space.get("pod", "consul-1")["metadata"]["uid"] != uid
    assert consul.identity("consul-1") != identity, "nothing of the old pod is left"
    wait_for(lambda: consul.alive("consul-1") == ["consul-0", "consul-1", "consul-2"], 150, "accepted again")
    wait_for(lambda: consul.read("city", "consul-1") == "Groningen", 60, "the data")
    assert consul.read("city", "consul-2") == "Groningen"


def test_who_loses_all_pods_loses_all_data(consul):
    space = consul.space
    before = {pod["metadata"]["uid"] for pod in space.pods().values()}
    consul.lose("consul-0", "consul-1", "consul-2")
    wait_for(lambda: len(space.pods()) == 3 and not before & {pod["metadata"]["uid"] for pod in space.pods().values()}, 60, "new pods")
    space.wait_ready("consul-0", "consul-1", "consul-2")
    wait_for(lambda: consul.put("after", "all"), 120, "a new cluster")
    assert consul.read("city") == ""
