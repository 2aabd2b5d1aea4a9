"""Limits of local storage and who owns volumes: evictions that name their reason, real, with controllers that replace
what was evicted."""

import pytest

from support.cluster import wait_for
from support.workload import STAY, Space, container, is_ready, stateful_set

MIB = 1 << 20


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    made = Space(cluster, "storage")
    yield made
    made.close()


def pod(name, *containers, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": list(containers), **spec}}


def fill(path, mebibytes):
    return f"dd if=/dev/zero of={path} bs=1M count={mebibytes} 2>/dev/null; {STAY}"


def wait_evicted(space, name):
    def evicted():
        status = space.get("pod", name)["status"]
        return status if status["phase"] == "Failed" and status.get("reason") == "Evicted" else None
    return wait_for(evicted, 120, f"the eviction of {name}")


@pytest.fixture(scope="module")
def greedy(space):
    """Pods that take too much, all at once: measuring takes its time."""
    mount = [{"name": "data", "mountPath": "/data"}]
    volume = {"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}
    limit = {"limits": {"ephemeral-storage": "1Mi"}}
    marked = "test -e /mark/done || { touch /mark/done; dd if=/dev/zero of=/data/x bs=1M count=3 2>/dev/null; }; " + STAY
    space.apply(
        pod("volume", container(script=fill("/data/x", 3), volumeMounts=mount), volumes=[volume]),
        pod("layer", container(script=fill("/x", 3), resources=limit)),
        pod("modest", container(script=fill("/data/x", 3), volumeMounts=mount, resources={"limits": {"ephemeral-storage": "64Mi"}}),
            volumes=[{"name": "data", "emptyDir": {"sizeLimit": "32Mi"}}]),
        stateful_set("web", containers=[container(script=marked, volumeMounts=[*mount, {"name": "mark", "mountPath": "/mark"}])],
                     claims=("mark",), pod={"volumes": [volume], "terminationGracePeriodSeconds": 1}))
    wait_for(lambda: space.exists("pod", "web-0"), 30, "web-0")
    return space.get("pod", "web-0")["metadata"]["uid"]


def test_an_empty_dir_over_its_limit_evicts(space, greedy):
    status = wait_evicted(space, "volume")
    assert status["message"].strip() == 'Usage of EmptyDir volume "data" exceeds the limit "1Mi".'
    target = next(each for each in status["conditions"] if each["type"] == "DisruptionTarget")
    assert target["status"] == "True" and target["reason"] == "TerminationByKubelet"
    def told():
        events = space.get("events", "--field-selector", "involvedObject.name=volume")["items"]
        return [each for each in events if each["reason"] == "Evicted" and each["type"] == "Warning"]
    wait_for(told, 20, "the event")


def test_what_a_container_writes_beside_its_volumes_counts(space, greedy):
    status = wait_evicted(space, "layer")
    assert status["message"].strip() == "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi."


def test_a_set_brings_its_pod_back(space, greedy):
    def back():
        found = space.get("pod", "web-0")
        return found["metadata"]["uid"] != greedy and is_ready(found)
    wait_for(back, 120, "web-0 anew")
    # Who stays below its limits stays.
    assert is_ready(space.get("pod", "modest"))


def test_a_limit_of_memory_is_the_size_of_the_file_system(space):
    volume = {"name": "data", "emptyDir": {"medium": "Memory", "sizeLimit": "2Mi"}}
    space.apply(pod("memory", container(volumeMounts=[{"name": "data", "mountPath": "/data"}]), volumes=[volume]))
    space.wait_ready("memory")
    space.exec("memory", "dd if=/dev/zero of=/data/x bs=1M count=4 2>/dev/null || true")
    assert int(space.exec("memory", "stat -c %s /data/x")) <= 2 * MIB


def test_a_group_owns_what_its_policy_says(space):
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared"},
             "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}
    def run(name, script, **security):
        space.apply(pod(name, container(script=script, volumeMounts=[{"name": "data", "mountPath": "/data"}]), restartPolicy="Never",
                        volumes=[volume], securityContext={"fsGroup": 2000, **security}))
        wait_for(lambda: space.get("pod", name)["status"]["phase"] == "Succeeded", 60, f"the end of {name}")
        told = space.kubectl("logs", name).split()
        space.kubectl("delete", "pod", name)
        return told
    space.apply(claim)
    assert run("first", "touch /data/late; chgrp 0 /data/late; stat -c %g /data; ln -s /etc/hostname /data/link") == ["2000"]
    look = "stat -c %g /data/late"
    assert run("mismatch", look, fsGroupChangePolicy="OnRootMismatch") == ["0"]
    assert run("always", look) == ["2000"]
