"""Claims and volumes as the documents tell them: matching, classes, pools made by hand, what becomes of them."""

import itertools
import json
import time

import pytest

from support.cluster import wait_for
from support.provisioner import Provisioner
from support.workload import STAY, Space, container, headless_service, stateful_set

numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    cluster.import_image("busybox")


@pytest.fixture
def space(cluster):
    made = Space(cluster, f"volumes-{next(numbers)}")
    yield made
    made.close()


@pytest.fixture
def pool(cluster, space):
    """Makes volumes and classes that go with the test."""
    made = []

    def make(*documents):
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)}))
        made.extend(f"{each['kind']}/{each['metadata']['name']}" for each in documents)

    yield make
    # Volumes in use wait for their claims, which go with the space.
    space.kubectl("delete", "pods,statefulsets,pvc", "--all", "--wait=false")
    if made:
        cluster.kubectl("delete", "--ignore-not-found", *made, timeout=120)


def volume(name, path, size="1Gi", modes=("ReadWriteOnce",), storage_class="", labels=None, **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": labels or {}},
            "spec": {"capacity": {"storage": size}, "accessModes": list(modes), "storageClassName": storage_class,
                     "hostPath": {"path": str(path), "type": "DirectoryOrCreate"}, **spec}}


def claim(name, size="1Gi", modes=("ReadWriteOnce",), annotations=None, **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "annotations": annotations or {}},
            "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}}


def storage_class(name, provisioner, annotations=None, **fields):
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": provisioner,
            "metadata": {"name": name, "annotations": annotations or {}}, **fields}


def pod_with(name, claim_name, script=STAY):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": 1,
                     "containers": [container(script=script, volumeMounts=[{"name": "v", "mountPath": "/data"}])],
                     "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim_name}}]}}


def bound_to(space, name):
    """The claim's volume once it is bound."""
    def look():
        found = space.get("pvc", name)
        return found["status"]["phase"] == "Bound" and found["spec"]["volumeName"]
    return wait_for(look, 30, f"{name} bound")


def phase(cluster, name):
    return cluster.get("pv", name)["status"]["phase"]


def pending(space, name, *words):
    """The claim waits, and an event says why with all the words."""
    def told():
        assert space.get("pvc", name)["status"]["phase"] == "Pending"
        messages = [f"{each['reason']}: {each['message']}" for each in space.get("events")["items"]
                    if each["involvedObject"]["name"] == name]
        return any(all(word in message for word in words) for message in messages)
    wait_for(told, 30, f"an event of {name} with {words}")


def test_a_claim_waits_for_a_volume_that_fits(cluster, space, pool, tmp_path):
    space.apply(claim("data", storageClassName=""), pod_with("reader", "data", "cat /data/greeting; " + STAY))
    pending(space, "data", "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
    assert space.column("pvc", "STATUS") == {"data": "Pending"}
    described = wait_for(lambda: "unbound immediate PersistentVolumeClaims" in space.kubectl("describe", "pod", "reader"), 30, "why")
    assert described and space.column("pods", "STATUS") == {"reader": "Pending"}
    (tmp_path / "greeting").write_text("hello from the pool\n")
    pool(volume("too-small", tmp_path / "small", "512Mi"), volume("other-class", tmp_path / "other", storage_class="manual"))
    time.sleep(0.5)
    assert space.get("pvc", "data")["status"]["phase"] == "Pending"
    pool(volume("fits", tmp_path, "2Gi"))
    assert bound_to(space, "data") == "fits"
    space.wait_ready("reader")
    assert space.kubectl("logs", "reader") == "hello from the pool\n"
    found = space.get("pvc", "data")
    assert found["status"]["capacity"] == {"storage": "2Gi"} and found["status"]["accessModes"] == ["ReadWriteOnce"]
    assert found["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    assert found["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] == "yes"


def test_closest_mode_then_smallest_size_then_selector(cluster, space, pool, tmp_path):
    every = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany")
    pool(volume("wide", tmp_path / "a", "1Gi", every), volume("big", tmp_path / "b", "9Gi"), volume("middle", tmp_path / "c", "5Gi"),
         volume("ssd", tmp_path / "d", "20Gi", labels={"disk": "ssd"}))
    wait_for(lambda: [phase(cluster, name) for name in ("wide", "big", "middle", "ssd")] == ["Available"] * 4, 15, "Available")
    space.apply(claim("one", "1Gi", storageClassName=""))
    assert bound_to(space, "one") == "middle"
    space.apply(claim("two", "1Gi", storageClassName=""))
    assert bound_to(space, "two") == "big"
    space.apply(claim("shared", "1Gi", ("ReadWriteMany",), storageClassName=""))
    assert bound_to(space, "shared") == "wide"
    space.apply(claim("never", "1Gi", storageClassName="", selector={"matchLabels": {"disk": "tape"}}),
                claim("huge", "1Ti", storageClassName=""))
    pending(space, "never", "FailedBinding")
    pending(space, "huge", "FailedBinding")
    space.apply(claim("quick", "1Gi", storageClassName="", selector={"matchLabels": {"disk": "ssd"}}))
    assert bound_to(space, "quick") == "ssd"


def test_volumes_bound_beforehand(cluster, space, pool, tmp_path):
    reserve = lambda name, ns=None: {"claimRef": {"namespace": ns or space.name, "name": name}}
    pool(volume("mine", tmp_path / "a", "3Gi", **reserve("wanted")), volume("theirs", tmp_path / "b", **reserve("asker", "elsewhere")),
         volume("short", tmp_path / "c", "512Mi", **reserve("large")), volume("spare", tmp_path / "d", "4Gi"),
         volume("named", tmp_path / "e", "8Gi"))
    wait_for(lambda: phase(cluster, "named") == "Available", 15, "Available")
    space.apply(claim("by-name", storageClassName="", volumeName="named"))
    assert bound_to(space, "by-name") == "named"
    space.apply(claim("wanted", storageClassName=""))
    assert bound_to(space, "wanted") == "mine"
    # A reservation that the volume cannot keep: another volume is taken.
    space.apply(claim("large", "1Gi", storageClassName=""))
    assert bound_to(space, "large") == "spare"
    # A volume promised to a claim of another namespace.
    space.apply(claim("asker", storageClassName="", volumeName="theirs"))
    pending(space, "asker", 'volume "theirs" already bound to a different claim')
    assert phase(cluster, "theirs") == "Available"


def test_retain_keeps_data_and_nobody_gets_it(cluster, space, pool, tmp_path):
    pool(volume("kept", tmp_path))
    writer = pod_with("writer", "data", "echo precious > /data/file; " + STAY)
    space.apply(claim("data", storageClassName=""), writer)
    space.wait_ready("writer")
    # In use: the claim stays until the pod is gone, the volume until the claim is.
    space.kubectl("delete", "pvc", "data", "--wait=false")
    cluster.kubectl("delete", "pv", "kept", "--wait=false")
    wait_for(lambda: space.column("pvc", "STATUS") == {"data": "Terminating"}, 15, "Terminating")
    assert cluster.get("pv", "kept")["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    assert space.exec("writer", "cat /data/file") == "precious\n"
    space.kubectl("delete", "pod", "writer")
    wait_for(lambda: not space.exists("pvc", "data"), 30, "the end of the claim")
    wait_for(lambda: cluster.kubectl("get", "pv", "kept", check=False).returncode == 1, 30, "the end of the volume")
    assert (tmp_path / "file").read_text() == "precious\n"

    pool(volume("again", tmp_path))
    space.apply(claim("data", storageClassName=""))
    assert bound_to(space, "data") == "again"
    space.kubectl("delete", "pvc", "data")
    wait_for(lambda: phase(cluster, "again") == "Released", 15, "Released")
    space.apply(claim("data", storageClassName=""))
    pending(space, "data", "FailedBinding")
    assert phase(cluster, "again") == "Released"
    cluster.kubectl("patch", "pv", "again", "--type=json", "-p", '[{"op":"remove","path":"/spec/claimRef"}]')
    assert bound_to(space, "data") == "again"


def test_delete_and_recycle_of_what_nobody_can_delete(cluster, space, pool, tmp_path):
    for policy in ("Delete", "Recycle"):
        name = policy.lower()
        pool(volume(name, tmp_path / name, persistentVolumeReclaimPolicy=policy))
        space.apply(claim(name, storageClassName="", volumeName=name))
        assert bound_to(space, name) == name
        space.kubectl("delete", "pvc", name)
        wait_for(lambda: phase(cluster, name) == "Failed", 15, "Failed")
    assert "no deletable volume plugin matched" in cluster.get("pv", "delete")["status"]["message"]
    assert "deprecated" in cluster.get("pv", "recycle")["status"]["message"]


def test_a_bound_volume_that_vanishes_leaves_its_claim_lost(cluster, space, pool, tmp_path):
    pool(volume("brittle", tmp_path))
    space.apply(claim("data", storageClassName=""))
    bound_to(space, "data")
    cluster.kubectl("delete", "pv", "brittle", "--wait=false")
    cluster.kubectl("patch", "pv", "brittle", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    wait_for(lambda: space.column("pvc", "STATUS") == {"data": "Lost"}, 15, "Lost")
    assert "ClaimLost" in space.kubectl("describe", "pvc", "data")


def test_local_volumes_tie_pods_to_their_node(cluster, space, pool, tmp_path):
    local = lambda name, node, path: {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
                 "local": {"path": str(path)},
                 "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                     {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}}}}
    (tmp_path / "disk").mkdir()
    pool(storage_class("by-hand", "kubernetes.io/no-provisioner", volumeBindingMode="WaitForFirstConsumer"),
         local("far-disk", "elsewhere", tmp_path), local("near-disk", "node1", tmp_path / "disk"))
    space.apply(claim("data", storageClassName="by-hand"))
    pending(space, "data", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    space.apply(pod_with("writer", "data", "echo here > /data/file; " + STAY))
    space.wait_ready("writer")
    assert bound_to(space, "data") == "near-disk"
    assert (tmp_path / "disk" / "file").read_text() == "here\n"
    # The other disk's node does not exist: a second claim finds nothing.
    space.apply(claim("more", storageClassName="by-hand"), pod_with("second", "more"))
    wait_for(lambda: "didn't find available persistent volumes to bind" in space.kubectl("describe", "pod", "second"), 30, "why")
    # Bound by hand to the far disk, the pod has nowhere to go.
    space.apply(claim("far", storageClassName="by-hand", volumeName="far-disk"), pod_with("third", "far"))
    bound_to(space, "far")
    wait_for(lambda: "didn't match PersistentVolume's node affinity" in space.kubectl("describe", "pod", "third"), 30, "why")


def test_a_local_volume_whose_directory_is_missing(cluster, space, pool, tmp_path):
    pool({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "hole"},
          "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "",
                   "local": {"path": str(tmp_path / "missing")},
                   "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                       {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node1"]}]}]}}}})
    space.apply(claim("data", storageClassName=""), pod_with("reader", "data"))
    wait_for(lambda: "FailedMount" in space.kubectl("describe", "pod", "reader"), 30, "FailedMount")
    (tmp_path / "missing").mkdir()
    space.wait_ready("reader", timeout=120)


def test_classes_and_their_fields(cluster, space, pool):
    pool(storage_class("kept", "stead.dev/local", reclaimPolicy="Retain", allowVolumeExpansion=True, mountOptions=["noatime"],
                       parameters={"colour": "green"}),
         storage_class("late", "stead.dev/local", volumeBindingMode="WaitForFirstConsumer"),
         storage_class("datera-far", "examples.stead.dev/nobody"), storage_class("gp2", "kubernetes.io/aws-ebs"))
    rows = {line.split()[0]: line.split()[1:5] for line in cluster.kubectl("get", "sc", "--no-headers").splitlines()}
    assert rows["kept"] == ["stead.dev/local", "Retain", "Immediate", "true"]
    assert rows["late"] == ["stead.dev/local", "Delete", "WaitForFirstConsumer", "false"]
    assert "colour=green" in cluster.kubectl("describe", "sc", "kept")
    space.apply(*(claim(name, storageClassName=name) for name in ("kept", "late", "datera-far", "gp2", "nowhere")))
    made = cluster.get("pv", bound_to(space, "kept"))
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain" and made["spec"]["mountOptions"] == ["noatime"]
    assert made["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == "stead.dev/local"
    pending(space, "late", "WaitForFirstConsumer")
    pending(space, "datera-far", "ExternalProvisioning", "examples.stead.dev/nobody")
    pending(space, "nowhere", "ProvisioningFailed", 'storageclass.storage.k8s.io "nowhere" not found')
    asked = space.get("pvc", "gp2")["metadata"]["annotations"]
    assert asked["volume.kubernetes.io/storage-provisioner"] == asked["volume.beta.kubernetes.io/storage-provisioner"] == "ebs.csi.aws.com"
    space.apply(pod_with("consumer", "late"))
    space.wait_ready("consumer")
    assert space.get("pvc", "late")["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "node1"
    # What the policy says should stay, stays.
    space.kubectl("delete", "pvc", "kept")
    wait_for(lambda: phase(cluster, made["metadata"]["name"]) == "Released", 15, "Released")
    directory = cluster.data_dir / "volumes" / made["metadata"]["name"]
    assert directory.is_dir()
    cluster.kubectl("patch", "pv", made["metadata"]["name"], "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}')
    wait_for(lambda: not directory.exists(), 15, "the end of the directory")


def test_growing_a_claim(cluster, space, pool):
    pool(storage_class("growing", "stead.dev/local", allowVolumeExpansion=True))
    space.apply(claim("can", "1Gi", storageClassName="growing"), claim("cannot", "1Gi", storageClassName="standard"))
    name = bound_to(space, "can")
    bound_to(space, "cannot")
    grow = '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'
    space.patch("pvc/can", json.loads(grow))
    wait_for(lambda: space.get("pvc", "can")["status"]["capacity"]["storage"] == "2Gi", 15, "the growth")
    assert cluster.get("pv", name)["spec"]["capacity"]["storage"] == "2Gi"
    refused = space.kubectl("patch", "pvc", "cannot", "-p", grow, check=False)
    assert refused.returncode != 0 and 'persistentvolumeclaims "cannot" is forbidden' in refused.stderr
    assert "the storageclass that provisions the pvc must support resize" in refused.stderr
    shrink = space.kubectl("patch", "pvc", "can", "-p", '{"spec":{"resources":{"requests":{"storage":"1Gi"}}}}', check=False)
    assert shrink.returncode != 0 and "spec.resources.requests.storage" in shrink.stderr


def test_the_default_class_comes_late(cluster, space):
    mark = lambda value: cluster.kubectl("annotate", "sc", "standard", f"storageclass.kubernetes.io/is-default-class={value}", "--overwrite")
    mark("false")
    try:
        assert "(default)" not in cluster.kubectl("get", "sc", "standard")
        space.apply(claim("later"), claim("never", storageClassName=""),
                    claim("annotated", annotations={"volume.beta.kubernetes.io/storage-class": ""}))
        pending(space, "later", "FailedBinding")
        assert "storageClassName" not in space.get("pvc", "later")["spec"]
    finally:
        mark("true")
    assert "standard (default)" in cluster.kubectl("get", "sc", "standard")
    bound_to(space, "later")
    assert space.get("pvc", "later")["spec"]["storageClassName"] == "standard"
    space.apply(claim("new"))
    assert space.get("pvc", "new")["spec"]["storageClassName"] == "standard"
    bound_to(space, "new")
    for name in ("never", "annotated"):
        assert space.get("pvc", name)["status"]["phase"] == "Pending"


def test_get_volumes_claims_and_classes_together(cluster, space):
    space.apply(claim("data"))
    bound_to(space, "data")
    text = space.kubectl("get", "pv,pvc,sc")
    assert "persistentvolume/pvc-" in text and "persistentvolumeclaim/data" in text
    assert "storageclass.storage.k8s.io/standard (default)" in text


def test_claims_of_sets_follow_the_retention_policy(space):
    policies = {f"{deleted.lower()}-{scaled.lower()}": {"whenDeleted": deleted, "whenScaled": scaled}
                for deleted in ("Retain", "Delete") for scaled in ("Retain", "Delete")}
    for name, policy in policies.items():
        space.apply(headless_service(name), stateful_set(name, 2, claims=["data"], persistentVolumeClaimRetentionPolicy=policy))
    for name in policies:
        space.wait_ready(f"{name}-1")
    for name in policies:
        space.kubectl("scale", "sts", name, "--replicas=1")
        space.wait_gone(f"{name}-1")
    left = {f"data-{name}-{i}" for name, policy in policies.items() for i in (0, 1) if i == 0 or policy["whenScaled"] == "Retain"}
    wait_for(lambda: set(space.column("pvc", "STATUS")) == left, 30, f"{left} to stay")
    for name in policies:
        space.kubectl("delete", "sts", name)
        space.wait_gone(f"{name}-0")
    left = {each for each in left if policies[each[5:-2]]["whenDeleted"] == "Retain"}
    wait_for(lambda: set(space.column("pvc", "STATUS")) == left, 30, f"{left} to stay")
    time.sleep(0.5)
    assert set(space.column("pvc", "STATUS")) == left and left


def test_a_claim_for_one_pod_alone(space):
    space.apply(claim("data", "1Mi", ("ReadWriteOncePod",)), pod_with("first", "data"))
    bound_to(space, "data")
    space.wait_ready("first")
    space.apply(pod_with("second", "data"))
    why = "1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
    wait_for(lambda: why in space.kubectl("describe", "pod", "second"), 30, "why the second pod waits")
    space.kubectl("delete", "pod", "first")
    space.wait_ready("second")


def test_a_volume_of_the_pods_own(cluster, space):
    wanted = {"metadata": {"labels": {"of": "scratch"}}, "spec": claim("x", "1Mi")["spec"]}
    pod = pod_with("reader", "unused", "echo mine > /data/file; " + STAY)
    pod["spec"]["volumes"] = [{"name": "v", "ephemeral": {"volumeClaimTemplate": wanted}}]
    space.apply(pod)
    space.wait_ready("reader")
    made = space.get("pvc", "reader-v")
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Pod" and made["metadata"]["labels"] == {"of": "scratch"}
    assert (cluster.data_dir / "volumes" / made["spec"]["volumeName"] / "file").read_text() == "mine\n"
    space.kubectl("delete", "pod", "reader")
    wait_for(lambda: not space.exists("pvc", "reader-v"), 30, "the end of its claim")
    # A claim of that name that is somebody else's is not taken.
    space.apply(claim("reader-v", "1Mi"), pod)
    wait_for(lambda: "was not created for pod" in space.kubectl("describe", "pod", "reader"), 30, "why the pod waits")
    assert space.column("pods", "STATUS") == {"reader": "Pending"}


def test_configuration_changes_reach_running_pods_at_once_as_a_whole(space):
    config = lambda value: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
                            "data": {"one": value, "two": value}}
    secret = lambda value: {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "stringData": {"word": value}}
    # Reads both files through one opened directory, as a reader that wants a consistent pair does.
    watcher = ("cd /etc/settings; while :; do d=$(readlink ..data); a=$(cat $d/one 2>/dev/null); b=$(cat $d/two 2>/dev/null); "
               "[ \"$a\" = \"$b\" ] || [ ! -d $d ] || echo torn $a $b; done")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader", "labels": {"colour": "green"}},
           "spec": {"terminationGracePeriodSeconds": 1,
                    "containers": [container(volumeMounts=[{"name": each, "mountPath": f"/etc/{each}"} for each in ("settings", "hidden", "me")]),
                                   container("watcher", watcher, volumeMounts=[{"name": "settings", "mountPath": "/etc/settings"}])],
                    "volumes": [{"name": "settings", "configMap": {"name": "settings"}},
                                {"name": "hidden", "secret": {"secretName": "hidden"}},
                                {"name": "me", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}}
    space.apply(config("1"), secret("first"), pod)
    space.wait_ready("reader")
    before = space.get("pod", "reader")
    read = lambda path: space.exec("reader", f"cat {path}", container="main")
    assert read("/etc/settings/..data/one") == "1"
    for value in ("2", "3", "4"):
        space.apply(config(value))
        wait_for(lambda: read("/etc/settings/one") == value and read("/etc/settings/two") == value, 30, f"value {value}")
    space.apply(secret("second"))
    wait_for(lambda: read("/etc/hidden/word") == "second", 30, "the new secret")
    space.kubectl("label", "pod", "reader", "colour=blue", "--overwrite")
    wait_for(lambda: 'colour="blue"' in read("/etc/me/labels"), 30, "the new label")
    space.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"two":null,"three":"4"}}')
    wait_for(lambda: space.exec("reader", "ls /etc/settings", container="main").split() == ["one", "three"], 30, "the new keys")
    # "4" without its pair is what the last change asked for.
    torn = [line for line in space.kubectl("logs", "reader", "-c", "watcher").splitlines() if line != "torn 4"]
    assert torn == []
    after = space.get("pod", "reader")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert [each["restartCount"] for each in after["status"]["containerStatuses"]] == [0, 0]


def test_parts_of_configuration(space):
    config = lambda value, **fields: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
                                      "data": {"file": value, "script": "#!/bin/sh\necho ran\n"}, **fields}
    mounts = [{"name": "parts", "mountPath": "/parts"}, {"name": "later", "mountPath": "/later"}, {"name": "all", "mountPath": "/all"},
              {"name": "parts", "mountPath": "/single", "subPath": "a/b"}]
    parts = {"name": "settings", "defaultMode": 0o640, "items": [{"key": "file", "path": "a/b"}, {"key": "script", "path": "run", "mode": 0o755}]}
    joined = [{"configMap": {"name": "settings", "items": [{"key": "file", "path": "file"}]}},
              {"secret": {"name": "absent", "optional": True}}, {"configMap": {"name": "optional", "optional": True}}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"},
           "spec": {"terminationGracePeriodSeconds": 1, "containers": [container(volumeMounts=mounts)],
                    "volumes": [{"name": "parts", "configMap": parts}, {"name": "later", "configMap": {"name": "optional", "optional": True}},
                                {"name": "all", "projected": {"sources": joined}}]}}
    space.apply(config("old"), pod)
    space.wait_ready("reader")
    read = lambda script: space.exec("reader", script)
    assert read("cat /parts/a/b /single /all/file; /parts/run; ls /later | wc -l") == "oldoldoldran\n0\n"
    assert read("stat -L -c %a /parts/a/b /parts/run /all/file").split() == ["640", "755", "644"]
    # An optional object that appears; a changed one reaches all mounts but that of a subPath.
    space.kubectl("create", "configmap", "optional", "--from-literal=k=v")
    wait_for(lambda: read("cat /later/k /all/k 2>/dev/null; true") == "vv", 30, "the optional map")
    space.apply(config("new"))
    wait_for(lambda: read("cat /parts/a/b /all/file") == "newnew", 30, "the change")
    assert read("cat /single") == "old"
    space.apply(config("new", immutable=True))
    for change in ({"data": {"file": "newer"}}, {"immutable": None}):
        refused = space.kubectl("patch", "configmap", "settings", "--type=merge", "-p", json.dumps(change), check=False)
        assert refused.returncode != 0 and "field is immutable when `immutable` is set" in refused.stderr
    assert read("cat /parts/a/b") == "new"


@pytest.mark.skipif(any(line.split()[-1] == "nfs" for line in open("/proc/filesystems")),
                    reason="SKIPPED LOUDLY: this kernel has an NFS client, and there is no server to try it with")
def test_nfs_volumes_say_that_this_kernel_has_no_client(cluster, space, pool):
    source = {"server": "192.0.2.10", "path": "/exports/assets"}
    made = volume("assets", "/", modes=("ReadWriteMany",), nfs=source, mountOptions=["nfsvers=4.1"])
    del made["spec"]["hostPath"]
    pool(made)
    inline = pod_with("inline", "unused")
    inline["spec"]["volumes"] = [{"name": "v", "nfs": source}]
    space.apply(claim("assets", modes=("ReadWriteMany",), storageClassName=""), pod_with("through-claim", "assets"), inline)
    assert bound_to(space, "assets") == "assets"
    for name in ("inline", "through-claim"):
        wait_for(lambda: "mounting 192.0.2.10:/exports/assets: this node's kernel has no NFS client" in
                 space.kubectl("describe", "pod", name), 60, "why the mount failed")


def test_an_nfs_provisioner(cluster, space, pool, tmp_path):
    """The outside provisioner with a server's exports; mounting them is another matter."""
    pool(storage_class("nfs", "examples.stead.dev/nfs", mountOptions=["nfsvers=4.1", "hard"]))
    (tmp_path / "exports").mkdir()
    provisioner = Provisioner(cluster, "examples.stead.dev/nfs", tmp_path / "exports", "--nfs-server", "192.0.2.77", "--nfs-path", "/srv")
    try:
        space.apply(claim("shared", "1Mi", ("ReadWriteMany",), storageClassName="nfs"))
        name = bound_to(space, "shared")
        made = cluster.get("pv", name)["spec"]
        assert made["nfs"] == {"server": "192.0.2.77", "path": f"/srv/{name}"} and "nodeAffinity" not in made
        assert made["mountOptions"] == ["nfsvers=4.1", "hard"] and (tmp_path / "exports" / name).is_dir()
        space.kubectl("delete", "pvc", "shared")
        wait_for(lambda: not list((tmp_path / "exports").iterdir()), 30, "the end of its directory")
    finally:
        provisioner.close()


CLOUD = {
    "awsElasticBlockStore": ({"volumeID": "vol-049df61146c4d7901", "fsType": "ext4"}, "ebs.csi.aws.com"),
    "gcePersistentDisk": ({"pdName": "disk-1"}, "pd.csi.storage.gke.io"),
    "azureDisk": ({"kind": "Managed", "diskName": "d", "diskURI": "/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/disks/d"}, "disk.csi.azure.com"),
    "cinder": ({"volumeID": "c1"}, "cinder.csi.openstack.org"),
    "vsphereVolume": ({"volumePath": "[store] v.vmdk"}, "csi.vsphere.vmware.com"),
    "iscsi": ({"targetPortal": "192.0.2.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}, "iscsi.csi.k8s.io"),
    "csi": ({"driver": "none.example.com"}, "none.example.com"),
}


def test_cloud_volumes_are_accepted_and_name_the_driver_they_need(space, pool):
    names = {kind: f"of-{kind.lower()}" for kind in CLOUD}
    made = volume("disk", "/", awsElasticBlockStore=CLOUD["awsElasticBlockStore"][0])
    del made["spec"]["hostPath"]
    pool(made)
    space.apply(claim("disk", storageClassName=""), pod_with("through-claim", "disk"))
    space.apply(*({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": names[kind]},
                   "spec": {"terminationGracePeriodSeconds": 0,
                            "containers": [container(volumeMounts=[{"name": "v", "mountPath": "/data"}])],
                            "volumes": [{"name": "v", kind: source}]}} for kind, (source, _) in CLOUD.items()))

    def told():
        events = {each["involvedObject"]["name"]: each["message"] for each in space.get("events")["items"] if each["reason"] == "FailedMount"}
        return "ebs.csi.aws.com" in events.get("through-claim", "") and all(driver in events.get(names[kind], "")
                                                                           for kind, (_, driver) in CLOUD.items())
    wait_for(told, 60, "FailedMount events that name the drivers")
    assert set(space.column("pods", "STATUS").values()) == {"ContainerCreating"}
