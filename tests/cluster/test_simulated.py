"""`stead up --runtime simulated`: a whole cluster as a plain process on loopback, without root, network or containers."""

import json
import os
import pwd

import pytest

from support.cluster import run, wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
NODES = {"node-1", "node-2", "node-3"}
SET = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}
      containers:
      - name: web
        image: example.invalid/web:1
        readinessProbe: {httpGet: {port: 80}}
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
"""


@pytest.fixture
def simulated(tmp_path, newest_kubectl):
    made = Simulated(tmp_path, newest_kubectl, 3).up()
    yield made
    made.close()


def test_a_set_lives_and_ends_on_simulated_nodes(simulated):
    assert {node["metadata"]["name"] for node in simulated.items("nodes")} == NODES
    simulated.kubectl("create", "-f", "-", stdin=SET)
    pods = wait_for(lambda: len(simulated.ready_pods()) == 3 and simulated.ready_pods(), what="three pods Ready")
    assert set(pods) == {"web-0", "web-1", "web-2"}
    assert {pod["spec"]["nodeName"] for pod in pods.values()} == NODES
    assert len({pod["status"]["podIP"] for pod in pods.values()}) == 3
    slices = json.loads(simulated.kubectl("get", "endpoints", "web", "-o", "json"))["subsets"]
    assert len(slices[0]["addresses"]) == 3

    simulated.kubectl("scale", "statefulset", "web", "--replicas=1")
    wait_for(lambda: [pod["metadata"]["name"] for pod in simulated.items("pods")] == ["web-0"], what="one pod left")
    assert len(simulated.items("pvc")) == 3

    simulated.kubectl("delete", "statefulset", "web")
    wait_for(lambda: not simulated.items("pods"), what="no pod left")
    assert len(simulated.items("pvc")) == 3


def test_what_was_stored_is_there_after_a_restart(simulated):
    simulated.kubectl("create", "-f", "-", stdin=SET)
    before = wait_for(lambda: len(simulated.ready_pods()) == 3 and simulated.ready_pods(), what="three pods Ready")
    assert simulated.stop() == 0
    simulated.up()
    # The containers ended with the process; their pods are the same and start again where they were.
    after = wait_for(
        lambda: len(simulated.ready_pods()) == 3 and all(
            pod["status"]["containerStatuses"][0]["restartCount"] == 1 for pod in simulated.ready_pods().values())
        and simulated.ready_pods(), what="three pods Ready again")
    for name, pod in before.items():
        assert after[name]["metadata"]["uid"] == pod["metadata"]["uid"]
        assert after[name]["spec"]["nodeName"] == pod["spec"]["nodeName"]


def test_nothing_of_the_machine_is_needed_or_changed(simulated):
    links = run(["ip", "-o", "link"]).stdout
    assert "stead0" not in links
    assert pwd.getpwuid(os.stat(simulated.directory / "data").st_uid).pw_uid != 0 or os.geteuid() != 0
    assert not (simulated.directory / "data" / "containerd").exists()
