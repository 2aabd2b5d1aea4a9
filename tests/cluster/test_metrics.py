"""What pods use, measured: kubectl top, and an autoscaler that follows a real load."""

import json

import pytest

from support.cluster import wait_for
from support.workload import Space, container

BUSY = "trap 'exit 0' TERM; while :; do :; done"


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    made = Space(cluster, "load")
    yield made
    made.close()


def deployment(name, script):
    labels = {"app": name}
    resources = {"requests": {"cpu": "20m", "memory": "8Mi"}, "limits": {"cpu": "100m"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"terminationGracePeriodSeconds": 1,
                                           "containers": [container(script=script, resources=resources)]}}}}


def autoscaler(name, **spec):
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "minReplicas": 1,
                     "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {
                         "type": "Utilization", "averageUtilization": 50}}}], **spec}}


def rows(text):
    return {line.split()[0]: line.split() for line in text.splitlines()}


def conditions(space, name):
    return {each["type"]: (each["status"], each["reason"]) for each in space.get("hpa", name)["status"]["conditions"]}


def test_top(space):
    space.apply(deployment("busy", BUSY))
    space.kubectl("rollout", "status", "deployment/busy", "--timeout=60s")
    top = wait_for(lambda: rows(space.kubectl("top", "pods", "--no-headers")), 60, "measured pods")
    name, (_, cpu, memory) = next(iter(top.items()))
    assert name.startswith("busy-") and int(cpu.removesuffix("m")) > 0 and memory.endswith("Mi")
    assert "node1" in rows(space.kubectl("top", "nodes", "--no-headers"))
    metrics = json.loads(space.kubectl("get", "--raw", f"/apis/metrics.k8s.io/v1beta1/namespaces/{space.name}/pods/{name}"))
    assert metrics["kind"] == "PodMetrics" and metrics["containers"][0]["usage"]["cpu"].endswith("n")
    assert metrics["metadata"]["labels"]["app"] == "busy"
    refused = space.kubectl("delete", "pods.metrics.k8s.io", name, check=False)
    assert refused.returncode != 0 and space.exists("pod", name)


def test_the_autoscaler_follows_the_load(space):
    space.apply(autoscaler("busy", maxReplicas=2))
    wait_for(lambda: space.get("deployment", "busy")["spec"]["replicas"] == 2, 120, "a second pod")
    assert conditions(space, "busy")["ScalingActive"] == ("True", "ValidMetricFound")
    shown = space.get("hpa", "busy")["status"]
    assert shown["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 50
    assert "SuccessfulRescale" in space.kubectl("describe", "hpa", "busy")
    space.kubectl("delete", "hpa,deployment", "busy")


def test_it_shrinks_what_idles(space):
    space.apply({**deployment("idle", "trap 'exit 0' TERM; sleep 100000 & wait")})
    space.kubectl("scale", "deployment/idle", "--replicas=3")
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 0}}
    space.apply(autoscaler("idle", maxReplicas=3, behavior=behavior))
    wait_for(lambda: space.get("deployment", "idle")["spec"]["replicas"] == 1, 120, "one pod left")
    space.kubectl("delete", "hpa,deployment", "idle")
