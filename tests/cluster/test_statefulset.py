"""What a StatefulSet promises, on real containers: order, identity, updates, and the life of its pods."""

import itertools
import json
import re
import time

import pytest

from support.cluster import CommandFailed, wait_for
from support.workload import (STAY, PodHistory, Space, container, file_probe, headless_service, is_ending, is_ready,
                              stateful_set)

numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    cluster.import_image("busybox")


@pytest.fixture
def space(cluster):
    made = Space(cluster, f"set-{next(numbers)}")
    yield made
    made.close()


def ordinal(name):
    return int(name.rpartition("-")[2])


def lower_are_ready(name, live):
    return all(f"web-{i}" in live and is_ready(live[f"web-{i}"]) for i in range(ordinal(name)))


def higher_are_gone(name, live):
    return all(ordinal(other) <= ordinal(name) for other in live)


def touched_template(value):
    return {"spec": {"template": {"metadata": {"annotations": {"touched": value}}}}}


def test_ordered_start_waits_for_readiness(space):
    gate = container(readinessProbe=file_probe("/tmp/ready"))
    with PodHistory(space) as history:
        space.apply(headless_service(), stateful_set(replicas=3, containers=[gate]))
        for i in range(3):
            wait_for(lambda: space.get("pod", f"web-{i}")["status"]["phase"] == "Running", 30, f"web-{i} running")
            time.sleep(1.5)  # time enough for the next pod to appear wrongly, and for a probe
            assert sorted(space.pods()) == [f"web-{j}" for j in range(i + 1)]
            assert space.column("pods", "READY")[f"web-{i}"] == "0/1"
            space.exec(f"web-{i}", "touch /tmp/ready")
        space.wait_ready("web-2")
    created = history.end().created()
    assert [name for name, _ in created] == ["web-0", "web-1", "web-2"]
    assert all(lower_are_ready(name, live) for name, live in created)


def test_scale_up_waits_for_lost_readiness(space):
    gate = container(script=f"touch /tmp/ready; {STAY}", readinessProbe=file_probe("/tmp/ready"))
    space.apply(headless_service(), stateful_set(replicas=2, containers=[gate]))
    space.wait_ready("web-0", "web-1")
    space.exec("web-0", "rm /tmp/ready")
    wait_for(lambda: not is_ready(space.get("pod", "web-0")), 15, "web-0 not ready")
    space.kubectl("scale", "statefulset/web", "--replicas=3")
    time.sleep(1.5)
    assert "web-2" not in space.pods()
    space.exec("web-0", "touch /tmp/ready")
    space.wait_ready("web-2")


def test_scale_down_goes_from_the_highest_one_at_a_time(space):
    space.apply(headless_service(), stateful_set(replicas=4))
    space.wait_ready("web-3")
    with PodHistory(space) as history:
        space.kubectl("scale", "statefulset/web", "--replicas=1")
        space.wait_gone("web-1", "web-2", "web-3")
    ended = history.end().ended()
    assert [name for name, _ in ended] == ["web-3", "web-2", "web-1"]
    assert all(higher_are_gone(name, live) for name, live in ended)
    assert list(space.pods()) == ["web-0"]


def test_deletion_ends_pods_highest_first(space):
    space.apply(headless_service(), stateful_set(replicas=3))
    space.wait_ready("web-2")
    with PodHistory(space) as history:
        space.kubectl("delete", "statefulset", "web")
        space.wait_gone("web-0", "web-1", "web-2")
    ended = history.end().ended()
    assert [name for name, _ in ended] == ["web-2", "web-1", "web-0"]
    assert all(higher_are_gone(name, live) for name, live in ended)


def test_parallel_waits_for_nobody(space):
    gate = container(readinessProbe=file_probe("/tmp/ready"))
    space.apply(headless_service(), stateful_set(replicas=3, containers=[gate], podManagementPolicy="Parallel"))
    running = lambda: [p["status"]["phase"] for p in space.pods().values()] == ["Running"] * 3
    wait_for(running, 30, "three pods, none of them ready")
    assert not any(is_ready(pod) for pod in space.pods().values())
    with PodHistory(space) as history:
        space.kubectl("scale", "statefulset/web", "--replicas=0")
        space.wait_gone("web-0", "web-1", "web-2")
    assert any(is_ending(other) for _, live in history.end().ended() for other in live.values()), "none ended together"


def test_rolling_update_with_partition(space):
    space.apply(headless_service(), stateful_set(
        replicas=4, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}))
    space.wait_ready("web-3")
    before = space.pods()
    old = space.get("statefulset", "web")["status"]["currentRevision"]
    with PodHistory(space) as history:
        space.patch("statefulset/web", touched_template("one"))
        wait_for(lambda: space.get("statefulset", "web")["status"].get("updatedReplicas") == 2, 60, "two updated")
        space.wait_ready("web-2", "web-3")
        time.sleep(1)
        status = space.get("statefulset", "web")["status"]
        new = status["updateRevision"]
        assert status["currentRevision"] == old != new and status["currentReplicas"] == 2
        pods = space.pods()
        revisions = {name: pod["metadata"]["labels"]["controller-revision-hash"] for name, pod in pods.items()}
        assert revisions == {"web-0": old, "web-1": old, "web-2": new, "web-3": new}
        assert pods["web-0"]["metadata"]["uid"] == before["web-0"]["metadata"]["uid"]
        # A pod below the partition that goes comes back as it was.
        space.kubectl("delete", "pod", "web-1")
        space.wait_ready("web-1")
        assert space.get("pod", "web-1")["metadata"]["labels"]["controller-revision-hash"] == old
        space.patch("statefulset/web", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})
        space.wait_rolled_out()
    ended = history.end().ended()
    assert [name for name, _ in ended] == ["web-3", "web-2", "web-1", "web-1", "web-0"]
    assert all(len(live) == 4 and all(is_ready(pod) for pod in live.values()) for _, live in ended), "one at a time"
    status = space.get("statefulset", "web")["status"]
    assert status["currentRevision"] == status["updateRevision"] == new
    assert status["replicas"] == status["currentReplicas"] == status["updatedReplicas"] == 4


def test_on_delete_updates_only_what_is_deleted(space):
    space.apply(headless_service(), stateful_set(replicas=2, updateStrategy={"type": "OnDelete"}))
    space.wait_ready("web-1")
    before = {name: pod["metadata"]["uid"] for name, pod in space.pods().items()}
    space.patch("statefulset/web", touched_template("one"))
    wait_for(lambda: space.get("statefulset", "web")["status"]["updateRevision"]
             != space.get("statefulset", "web")["status"]["currentRevision"], 15, "a new revision")
    time.sleep(1.5)
    assert {name: pod["metadata"]["uid"] for name, pod in space.pods().items()} == before
    space.kubectl("delete", "pod", "web-0")
    space.wait_ready("web-0")
    pods = space.pods()
    assert pods["web-0"]["metadata"]["annotations"]["touched"] == "one"
    assert pods["web-1"]["metadata"]["uid"] == before["web-1"]
    assert "touched" not in pods["web-1"]["metadata"].get("annotations", {})


def test_deleted_pod_comes_back_with_name_and_claim(space):
    writer = container(script=f"echo $HOSTNAME >> /data/starts; {STAY}", volumeMounts=[{"name": "data", "mountPath": "/data"}])
    space.apply(headless_service(), stateful_set(replicas=2, containers=[writer], claims=["data"]))
    space.wait_ready("web-1")
    before, volume = space.get("pod", "web-1"), space.get("pvc", "data-web-1")["spec"]["volumeName"]
    space.kubectl("delete", "pod", "web-1")
    space.wait_ready("web-1")
    after = space.get("pod", "web-1")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert space.exec("web-1", "cat /data/starts") == "web-1\nweb-1\n"
    assert space.exec("web-0", "cat /data/starts") == "web-0\n"
    assert space.get("pvc", "data-web-1")["spec"]["volumeName"] == volume
    claims = [v["persistentVolumeClaim"]["claimName"] for v in after["spec"]["volumes"] if "persistentVolumeClaim" in v]
    assert claims == ["data-web-1"]


def test_deleting_the_set_keeps_claims_and_orphans_are_adopted(space):
    space.apply(headless_service(), stateful_set(replicas=2, claims=["data"]))
    space.wait_ready("web-1")
    before = {name: pod["metadata"]["uid"] for name, pod in space.pods().items()}
    space.kubectl("delete", "statefulset", "web", "--cascade=orphan")
    wait_for(lambda: not any("ownerReferences" in pod["metadata"] for pod in space.pods().values()), 15, "orphans")
    assert {name: pod["metadata"]["uid"] for name, pod in space.pods().items()} == before
    space.apply(stateful_set(replicas=2, claims=["data"]))
    owner = space.get("statefulset", "web")["metadata"]["uid"]
    wait_for(lambda: [pod["metadata"]["ownerReferences"][0]["uid"] for pod in space.pods().values()] == [owner] * 2, 15,
             "adoption")
    assert {name: pod["metadata"]["uid"] for name, pod in space.pods().items()} == before
    space.kubectl("delete", "statefulset", "web")
    space.wait_gone("web-0", "web-1")
    assert set(space.column("pvc", "STATUS").values()) == {"Bound"}


def test_liveness_restarts_in_place(space):
    alive = container(script=f"touch /tmp/alive; {STAY}", livenessProbe=file_probe("/tmp/alive", initialDelaySeconds=1))
    space.apply(headless_service(), stateful_set(containers=[alive]))
    space.wait_ready("web-0")
    before = space.get("pod", "web-0")
    space.exec("web-0", "rm /tmp/alive")
    wait_for(lambda: space.get("pod", "web-0")["status"]["containerStatuses"][0]["restartCount"] == 1, 30, "a restart")
    space.wait_ready("web-0")
    after = space.get("pod", "web-0")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] == before["status"]["podIP"]
    old, new = before["status"]["containerStatuses"][0], after["status"]["containerStatuses"][0]
    assert new["containerID"] != old["containerID"]
    assert new["lastState"]["terminated"]["containerID"] == old["containerID"]
    assert re.match(r"1( \(\S+ ago\))?$", space.column("pods", "RESTARTS")["web-0"])
    reasons = [event["reason"] for event in space.get("events")["items"]]
    assert "Unhealthy" in reasons and "Killing" in reasons


def test_pre_stop_runs_before_the_signal(space):
    stopper = container(
        script="trap 'echo term >> /data/journal; exit 0' TERM; sleep 100000 & wait",
        lifecycle={"preStop": {"exec": {"command": ["/bin/sh", "-c", "sleep 1; echo pre-stop >> /data/journal"]}}},
        volumeMounts=[{"name": "data", "mountPath": "/data"}])
    space.apply(headless_service(), stateful_set(containers=[stopper], claims=["data"]))
    space.wait_ready("web-0")
    space.kubectl("delete", "pod", "web-0")
    space.wait_ready("web-0")
    assert space.exec("web-0", "cat /data/journal") == "pre-stop\nterm\n"


def test_grace_period_then_kill(space):
    deaf = container(script="trap '' TERM; while :; do sleep 1; done")
    space.apply(headless_service(), stateful_set(containers=[deaf], pod={"terminationGracePeriodSeconds": 3}))
    space.wait_ready("web-0")
    began = time.monotonic()
    space.kubectl("delete", "pod", "web-0", "--wait=false")
    time.sleep(1)
    ending = space.get("pod", "web-0")
    assert is_ending(ending) and ending["metadata"]["deletionGracePeriodSeconds"] == 3
    assert space.column("pods", "STATUS")["web-0"] == "Terminating"
    wait_for(lambda: not is_ending(space.get("pod", "web-0")), 15, "a new web-0")
    assert 2.5 < time.monotonic() - began < 8
    began = time.monotonic()
    space.kubectl("scale", "statefulset/web", "--replicas=0")
    space.kubectl("delete", "pod", "web-0", "--grace-period=1", check=False)
    space.wait_gone("web-0")
    assert time.monotonic() - began < 6


def test_init_containers_run_in_order(space):
    mounts = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    space.apply(headless_service(), stateful_set(
        containers=[container(**mounts)],
        pod={"initContainers": [container("first", "sleep 1; echo first >> /work/order", **mounts),
                                container("second", "echo second >> /work/order", **mounts)],
             "volumes": [{"name": "work", "emptyDir": {}}]}))
    wait_for(lambda: space.column("pods", "STATUS").get("web-0") == "Init:0/2", 15, "STATUS Init:0/2")
    space.wait_ready("web-0")
    assert space.exec("web-0", "cat /work/order") == "first\nsecond\n"
    done = [each["state"]["terminated"]["reason"] for each in space.get("pod", "web-0")["status"]["initContainerStatuses"]]
    assert done == ["Completed", "Completed"]


def test_failing_init_container_holds_the_pod(space):
    mounts = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    space.apply(headless_service(), stateful_set(
        replicas=2, containers=[container(**mounts)], claims=["work"],
        pod={"initContainers": [container("first", "test $(cat /work/count | wc -l) -ge 2 || { echo x >> /work/count; exit 7; }",
                                          **mounts)]}))
    seen = set()

    def failed_twice():
        seen.update(space.column("pods", "STATUS").values())
        status = space.get("pod", "web-0")["status"]["initContainerStatuses"][0]
        assert "running" not in space.get("pod", "web-0")["status"]["containerStatuses"][0]["state"]
        return status["restartCount"] >= 1 and "Init:CrashLoopBackOff" in seen and status["lastState"]["terminated"]["exitCode"] == 7
    wait_for(failed_twice, 40, "the init container failing twice, and Init:CrashLoopBackOff shown")
    assert "web-1" not in space.pods()
    space.wait_ready("web-0", "web-1", timeout=60)


def test_environment_and_volumes_of_configuration(space):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
              "data": {"colour": "green", "file.conf": "line one\nline two\n"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "stringData": {"word": "swordfish"}}
    field = lambda path: {"valueFrom": {"fieldRef": {"fieldPath": path}}}
    reader = container(
        env=[{"name": "PLAIN", "value": "plain"}, {"name": "JOINED", "value": "$(PLAIN)-$(POD)-$$(PLAIN)-$(NOT_SET)"},
             {"name": "LATE", "value": "$(POD)"},
             {"name": "POD", **field("metadata.name")}, {"name": "SPACE", **field("metadata.namespace")},
             {"name": "ADDRESS", **field("status.podIP")}, {"name": "NODE", **field("spec.nodeName")},
             {"name": "APP", **field("metadata.labels['app']")}, {"name": "POD_UID", **field("metadata.uid")},
             {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
             {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}},
             {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "nope", "optional": True}}},
             {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}}],
        envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "S_"}],
        resources={"limits": {"memory": "64Mi"}},
        volumeMounts=[{"name": "settings", "mountPath": "/etc/settings"}, {"name": "hidden", "mountPath": "/etc/hidden", "readOnly": True},
                      {"name": "pod", "mountPath": "/etc/pod"}, {"name": "settings", "mountPath": "/etc/one.conf", "subPath": "file.conf"}])
    volumes = [{"name": "settings", "configMap": {"name": "settings"}},
               {"name": "hidden", "secret": {"secretName": "hidden", "defaultMode": 0o400, "items": [{"key": "word", "path": "a/b"}]}},
               {"name": "pod", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]
    space.apply(config, secret, headless_service(), stateful_set(containers=[reader], pod={"volumes": volumes}))
    space.wait_ready("web-0")
    pod = space.get("pod", "web-0")
    environment = dict(line.split("=", 1) for line in space.exec("web-0", "env").splitlines() if "=" in line)
    expected = {
        "PLAIN": "plain", "JOINED": "plain-$(POD)-$(PLAIN)-$(NOT_SET)", "LATE": "$(POD)", "POD": "web-0", "SPACE": space.name,
        "ADDRESS": pod["status"]["podIP"], "NODE": "node1", "APP": "web", "POD_UID": pod["metadata"]["uid"],
        "COLOUR": "green", "WORD": "swordfish", "MEMORY": "64", "S_colour": "green", "HOSTNAME": "web-0",
        "KUBERNETES_SERVICE_HOST": "10.43.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert {name: environment.get(name) for name in expected} == expected
    assert "ABSENT" not in environment
    assert space.exec("web-0", "cat /etc/settings/file.conf /etc/one.conf") == "line one\nline two\n" * 2
    assert space.exec("web-0", "cat /etc/hidden/a/b; ls -L /etc/hidden; stat -L -c %a /etc/hidden/a/b") == "swordfisha\n400\n"
    assert 'app="web"' in space.exec("web-0", "cat /etc/pod/labels")
    assert space.kubectl("exec", "web-0", "--", "touch", "/etc/settings/x", check=False).returncode != 0


def test_missing_configuration_holds_the_pod_and_says_why(space):
    reader = container(env=[{"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "colour"}}}])
    space.apply(headless_service(), stateful_set(containers=[reader]))
    wait_for(lambda: space.column("pods", "STATUS").get("web-0") == "CreateContainerConfigError", 20, "STATUS")
    assert 'configmap "later" not found' in space.kubectl("describe", "pod", "web-0")
    space.kubectl("create", "configmap", "later", "--from-literal=colour=blue")
    space.wait_ready("web-0", timeout=90)
    assert space.exec("web-0", "echo $COLOUR") == "blue\n"


def test_empty_dir_is_shared_in_a_pod_and_dies_with_it(space):
    mounts = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    space.apply(headless_service(), stateful_set(
        replicas=2, containers=[container("one", **mounts), container("two", **mounts)],
        pod={"volumes": [{"name": "shared", "emptyDir": {}}]}))
    space.wait_ready("web-0", "web-1")
    space.exec("web-0", "echo hello > /shared/file", container="one")
    assert space.exec("web-0", "cat /shared/file", container="two") == "hello\n"
    assert space.exec("web-1", "ls /shared", container="one") == ""
    directory = space.cluster.data_dir / "pods" / space.get("pod", "web-0")["metadata"]["uid"]
    assert directory.is_dir()
    space.kubectl("delete", "pod", "web-0")
    space.wait_ready("web-0")
    assert space.exec("web-0", "ls /shared", container="one") == ""
    wait_for(lambda: not directory.exists(), 30, "the volumes of the pod before it gone")


def test_names_and_labels_of_a_pod(space):
    space.apply(headless_service(), stateful_set(replicas=2))
    space.wait_ready("web-1")
    assert space.exec("web-1", "hostname; hostname -f").split() == ["web-1", f"web-1.web.{space.name}.svc.cluster.local"]
    pod = space.get("pod", "web-1")
    assert pod["spec"]["hostname"] == "web-1" and pod["spec"]["subdomain"] == "web"
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "web-1" and labels["apps.kubernetes.io/pod-index"] == "1"
    hosts = space.exec("web-1", "cat /etc/hosts")
    assert re.search(rf"^{re.escape(pod['status']['podIP'])}\s+web-1\.web\.{space.name}\.svc\.cluster\.local\s+web-1$", hosts, re.M)
    resolver = space.exec("web-1", "cat /etc/resolv.conf")
    assert "nameserver 10.43.0.10" in resolver and f"search {space.name}.svc.cluster.local svc.cluster.local cluster.local" in resolver
    other = space.get("pod", "web-0")["status"]["podIP"]
    assert other in space.exec("web-1", f"nslookup web-0.web.{space.name}.svc.cluster.local")
    with pytest.raises(CommandFailed):
        space.exec("web-1", f"nslookup web-7.web.{space.name}.svc.cluster.local")


def test_crash_loop_is_shown_and_backs_off(space):
    space.apply(headless_service(), stateful_set(containers=[container(script="echo dying; exit 3")]))
    wait_for(lambda: space.column("pods", "STATUS").get("web-0") == "CrashLoopBackOff", 30, "CrashLoopBackOff")
    status = space.get("pod", "web-0")["status"]["containerStatuses"][0]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff" and "back-off" in status["state"]["waiting"]["message"]
    assert status["lastState"]["terminated"]["exitCode"] == 3 and not status["ready"]
    wait_for(lambda: space.get("pod", "web-0")["status"]["containerStatuses"][0]["restartCount"] >= 2, 30, "two restarts")
    finished = [event for event in space.get("events")["items"] if event["reason"] == "BackOff"]
    assert finished and "Back-off restarting failed container" in finished[0]["message"]
    assert space.kubectl("logs", "web-0", "--previous") == "dying\n"


def test_claims_go_where_the_policy_says_so(space):
    space.apply(headless_service(), stateful_set(
        replicas=2, claims=["data"], persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete", "whenDeleted": "Retain"}))
    space.wait_ready("web-1")
    space.kubectl("scale", "statefulset/web", "--replicas=1")
    wait_for(lambda: sorted(space.column("pvc", "STATUS")) == ["data-web-0"], 30, "the end of data-web-1")
    space.kubectl("delete", "statefulset", "web")
    space.wait_gone("web-0")
    time.sleep(1)
    assert space.column("pvc", "STATUS") == {"data-web-0": "Bound"}


def test_status_tells_what_runs(space):
    space.apply(headless_service(), stateful_set(replicas=2))
    space.wait_ready("web-0", "web-1")
    wait_for(lambda: space.column("statefulset", "READY") == {"web": "2/2"}, 10, "READY 2/2")
    status = space.get("statefulset", "web")["status"]
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"], status["currentReplicas"]) == (2, 2, 2, 2)
    assert json.loads(space.kubectl("get", "--raw", f"/apis/apps/v1/namespaces/{space.name}/statefulsets/web/scale"))[
        "status"] == {"replicas": 2, "selector": "app=web"}
