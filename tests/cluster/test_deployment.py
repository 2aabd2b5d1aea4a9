"""Deployments with real pods, driven by kubectl 1.20 and a current one: roll-out, history, undo, pause, scale."""

import json
import re

import pytest

from support.cluster import wait_for

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {app: NAME}}
spec:
  replicas: 3
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: busybox, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "1000"], env: [{name: V, value: "1"}]}
"""


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    cluster.import_image("busybox")


@pytest.fixture(scope="module")
def kubectl(cluster, any_kubectl):
    """kubectl of one version, on a deployment of its own name."""
    def run(*arguments, **options):
        return cluster.kubectl(*arguments, binary=any_kubectl, **options)
    run.name = "old" if "1.20" in str(any_kubectl) else "current"
    run("apply", "-f", "-", stdin=MANIFEST.replace("NAME", run.name))
    yield run
    run("delete", "deployment", run.name, "--ignore-not-found")


def sets_of(cluster, name):
    return sorted(cluster.get("rs", "-l", f"app={name}")["items"],
                  key=lambda item: int(item["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))


def pods_of(cluster, name):
    return [pod for pod in cluster.get("pods", "-l", f"app={name}")["items"]
            if "deletionTimestamp" not in pod["metadata"]]


def values_of(cluster, name):
    return {pod["spec"]["containers"][0]["env"][0]["value"] for pod in pods_of(cluster, name)}


def test_comes_up(cluster, kubectl):
    told = kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    assert told.endswith(f'deployment "{kubectl.name}" successfully rolled out\n')
    rows = [line.split() for line in kubectl("get", "deploy", kubectl.name).splitlines()]
    assert rows[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert rows[1][:4] == [kubectl.name, "3/3", "3", "3"]
    wide = kubectl("get", "deploy", kubectl.name, "-o", "wide").splitlines()
    assert wide[0].split()[5:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert wide[1].split()[5:] == ["busybox", "busybox", f"app={kubectl.name}"]
    (made,) = sets_of(cluster, kubectl.name)
    digest = made["metadata"]["labels"]["pod-template-hash"]
    assert re.fullmatch(r"[bcdfghjklmnpqrstvwxz2456789]{1,10}", digest)
    assert made["metadata"]["name"] == f"{kubectl.name}-{digest}"
    for pod in pods_of(cluster, kubectl.name):
        assert re.fullmatch(f"{kubectl.name}-{digest}-[a-z0-9]{{5}}", pod["metadata"]["name"])
    rows = [line.split() for line in kubectl("get", "rs", "-l", f"app={kubectl.name}").splitlines()]
    assert rows[0] == ["NAME", "DESIRED", "CURRENT", "READY", "AGE"]
    assert rows[1][1:4] == ["3", "3", "3"]


def test_describe_and_events(cluster, kubectl):
    told = kubectl("describe", "deployment", kubectl.name)
    assert re.search(r"Replicas:\s+3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable", told)
    assert re.search(r"RollingUpdateStrategy:\s+25% max unavailable, 25% max surge", told)
    assert re.search(r"Available\s+True\s+MinimumReplicasAvailable", told)
    assert re.search(r"Progressing\s+True\s+NewReplicaSetAvailable", told)
    assert re.search(rf"ScalingReplicaSet\s.*Scaled up replica set {kubectl.name}-\S+ from 0 to 3", told)


def test_get_all_shows_them(cluster, kubectl):
    told = kubectl("get", "all")
    assert f"deployment.apps/{kubectl.name}" in told
    assert f"replicaset.apps/{kubectl.name}-" in told


def test_rolls_and_keeps_enough_pods(cluster, kubectl):
    kubectl("set", "env", f"deployment/{kubectl.name}", "V=2")
    told = kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    assert "successfully rolled out" in told
    assert values_of(cluster, kubectl.name) == {"2"}
    first, second = sets_of(cluster, kubectl.name)
    assert (first["spec"]["replicas"], second["spec"]["replicas"]) == (0, 3)
    found = cluster.get("deployment", kubectl.name)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]


def test_history_and_undo(cluster, kubectl):
    told = kubectl("rollout", "history", f"deployment/{kubectl.name}")
    assert [line.split()[0] for line in told.splitlines()[2:] if line] == ["1", "2"]
    assert "V:\t1" in kubectl("rollout", "history", f"deployment/{kubectl.name}", "--revision=1")
    assert "rolled back" in kubectl("rollout", "undo", f"deployment/{kubectl.name}")
    kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    assert values_of(cluster, kubectl.name) == {"1"}
    told = kubectl("rollout", "history", f"deployment/{kubectl.name}")
    assert [line.split()[0] for line in told.splitlines()[2:] if line] == ["2", "3"]
    assert len(sets_of(cluster, kubectl.name)) == 2
    kubectl("rollout", "undo", f"deployment/{kubectl.name}", "--to-revision=2")
    kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    assert values_of(cluster, kubectl.name) == {"2"}


def test_a_broken_image_keeps_the_old_pods(cluster, kubectl):
    kubectl("set", "image", f"deployment/{kubectl.name}", "busybox=nowhere.invalid/none:1")
    wait_for(lambda: cluster.get("deployment", kubectl.name)["status"].get("updatedReplicas") == 1, what="the new set")
    status = cluster.get("deployment", kubectl.name)["status"]
    assert status["availableReplicas"] == 3 and status["replicas"] == 4
    failed = kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=1s", check=False)
    assert failed.returncode != 0
    kubectl("rollout", "undo", f"deployment/{kubectl.name}")
    kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    assert values_of(cluster, kubectl.name) == {"2"}


def test_scales(cluster, kubectl):
    assert "scaled" in kubectl("scale", f"deployment/{kubectl.name}", "--replicas=5")
    wait_for(lambda: cluster.get("deployment", kubectl.name)["status"].get("availableReplicas") == 5, what="five pods")
    kubectl("scale", f"deployment/{kubectl.name}", "--current-replicas=5", "--replicas=2")
    wait_for(lambda: len(pods_of(cluster, kubectl.name)) == 2, what="two pods")
    wait_for(lambda: cluster.get("deployment", kubectl.name)["status"].get("replicas") == 2, what="the status")


def test_pauses_and_resumes(cluster, kubectl):
    kubectl("rollout", "pause", f"deployment/{kubectl.name}")
    kubectl("set", "env", f"deployment/{kubectl.name}", "V=3")
    wait_for(lambda: {c["type"]: c for c in cluster.get("deployment", kubectl.name)["status"]["conditions"]}
             ["Progressing"]["reason"] == "DeploymentPaused", what="the condition")
    assert values_of(cluster, kubectl.name) == {"2"}
    kubectl("rollout", "resume", f"deployment/{kubectl.name}")
    kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    assert values_of(cluster, kubectl.name) == {"3"}


def test_restart_replaces_every_pod(cluster, kubectl):
    before = {pod["metadata"]["uid"] for pod in pods_of(cluster, kubectl.name)}
    kubectl("rollout", "restart", f"deployment/{kubectl.name}")
    kubectl("rollout", "status", f"deployment/{kubectl.name}", "--timeout=60s")
    after = {pod["metadata"]["uid"] for pod in pods_of(cluster, kubectl.name)}
    assert len(after) == 2 and not before & after


def test_a_deleted_pod_is_replaced(cluster, kubectl):
    victim = pods_of(cluster, kubectl.name)[0]["metadata"]["name"]
    kubectl("delete", "pod", victim)
    wait_for(lambda: cluster.get("deployment", kubectl.name)["status"].get("availableReplicas") == 2, what="two pods")
    assert victim not in {pod["metadata"]["name"] for pod in pods_of(cluster, kubectl.name)}


def test_create_command_and_wrong_input(cluster, kubectl):
    name = f"made-by-{kubectl.name}"
    kubectl("create", "deployment", name, "--image=busybox")
    found = cluster.get("deployment", name)
    assert found["spec"]["selector"]["matchLabels"] == {"app": name}
    assert found["spec"]["strategy"] == {"type": "RollingUpdate",
                                         "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    patch = json.dumps({"spec": {"selector": {"matchLabels": {"app": "other"}}, "template": {"metadata": {"labels": {"app": "other"}}}}})
    refused = kubectl("patch", "deployment", name, "-p", patch, check=False)
    assert refused.returncode != 0 and "spec.selector: Invalid value" in refused.stderr
    assert "field is immutable" in refused.stderr
    kubectl("delete", "deployment", name)


def test_deleting_takes_sets_and_pods_along(cluster, kubectl):
    kubectl("delete", "deployment", kubectl.name)
    wait_for(lambda: not sets_of(cluster, kubectl.name), what="no replica sets")
    wait_for(lambda: not cluster.get("pods", "-l", f"app={kubectl.name}")["items"], what="no pods")


def test_the_oldest_manifests_still_work(cluster, any_kubectl):
    """extensions/v1beta1: accepted with a warning, kept and shown as apps/v1."""
    manifest = """
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: ancient}
spec:
  replicas: 0
  template:
    metadata: {labels: {app: ancient}}
    spec: {containers: [{name: c, image: busybox}]}
"""
    cluster.kubectl("delete", "deploy", "ancient", "--ignore-not-found", binary=any_kubectl)
    made = cluster.kubectl("create", "--validate=false", "-f", "-", stdin=manifest, binary=any_kubectl, check=False)
    assert made.returncode == 0, made.stderr
    assert "Warning: extensions/v1beta1 Deployment is deprecated in v1.8+" in made.stderr
    shown = json.loads(cluster.kubectl("get", "deploy", "ancient", "-o", "json", binary=any_kubectl))
    assert shown["apiVersion"] == "apps/v1"
    assert shown["spec"]["selector"] == {"matchLabels": {"app": "ancient"}}
    assert shown["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 1}
    old = json.loads(cluster.kubectl("get", "deployments.v1beta1.extensions", "ancient", "-o", "json", binary=any_kubectl))
    assert old["apiVersion"] == "extensions/v1beta1"
    assert old["metadata"]["uid"] == shown["metadata"]["uid"]
    listed = cluster.kubectl("get", "all", "-l", "app=ancient", "-o", "name", binary=any_kubectl).split()
    assert listed.count("deployment.apps/ancient") == 1
    assert not [name for name in listed if "extensions" in name]
    cluster.kubectl("delete", "deploy", "ancient", binary=any_kubectl)
