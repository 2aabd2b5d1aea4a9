"""Every agent and then the server is restarted under clients that write to Consul: no write fails.

Containers, rules and addresses stay while the program that made them is away; a name that is asked for meanwhile is
answered a little later. Only what Consul does of its own accord when its leader changes is forgiven.
"""

import threading
import time

import pytest

from support.cluster import CommandFailed, wait_for
from support.machines import Machines
from support.workload import Space, container, headless_service, stateful_set

PORT = 30085
# A new connection and a new look-up for each write.
WRITE = """i=0; while :; do i=$((i+1))
  said=$(curl -sS -m 60 -X PUT -d $i http://consul-http.rolling.svc.cluster.local:8500/v1/kv/inside/$i 2>&1)
  echo "$i $said"; sleep 0.05
done"""


@pytest.fixture(scope="module")
def cluster(request, newest_kubectl):
    made = Machines("rolling", 3, newest_kubectl).up()
    made.import_image("consul")
    yield made
    if request.session.testsfailed:
        print(made.log())
    made.close()


@pytest.fixture(scope="module")
def space(cluster):
    """Three Consul servers, one on each node, behind a service."""
    made = Space(cluster, "rolling")
    spread = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "consul"}}, "topologyKey": "kubernetes.io/hostname"}]}}
    join = " ".join(f"-retry-join=consul-{number}.consul.rolling.svc.cluster.local" for number in range(3))
    servers = stateful_set("consul", 3, pod={"affinity": spread}, podManagementPolicy="Parallel", containers=[container(
        image="consul:1.0.2", script=f"exec consul agent -server -bootstrap-expect=3 {join} -client=0.0.0.0 -data-dir=/tmp/data",
        readinessProbe={"exec": {"command": ["consul", "info"]}, "periodSeconds": 1, "timeoutSeconds": 10})])
    http = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "consul-http"},
            "spec": {"type": "NodePort", "selector": {"app": "consul"}, "ports": [{"port": 8500, "nodePort": PORT}]}}
    made.apply({**headless_service("consul", 8500), "spec": {**headless_service("consul", 8500)["spec"],
                                                             "publishNotReadyAddresses": True}}, http, servers)
    made.wait_ready("consul-0", "consul-1", "consul-2", timeout=120)
    wait_for(lambda: ":8300" in made.kubectl("exec", "consul-0", "--", "curl", "-sS", "http://localhost:8500/v1/status/leader"),
             120, "Consul's leader")
    return made


class Outside:
    """Writes through the node ports of all nodes in turn, from a machine that runs no pods."""

    def __init__(self, cluster):
        self.cluster, self.answers, self.over = cluster, [], threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        addresses = [machine.address for machine in self.cluster.nodes.values()]
        number = 0
        while not self.over.is_set():
            number += 1
            url = f"http://{addresses[number % len(addresses)]}:{PORT}/v1/kv/outside/{number}"
            try:
                said = self.cluster.server.run(["curl", "-sS", "-m", "60", "-X", "PUT", "-d", str(number), url], timeout=90).stdout
            except CommandFailed as failed:
                said = str(failed)
            self.answers.append((number, said.strip()))
            time.sleep(0.05)

    def end(self):
        self.over.set()
        self.thread.join(90)
        return self.answers


def inside(space):
    """What the writer in a pod was answered."""
    lines = [line.split(" ", 1) for line in space.kubectl("logs", "writer").splitlines()]
    return [(int(number), said.strip()) for number, said in lines]


def faults(answers):
    return [(number, said) for number, said in answers if said != "true" and "leader" not in said.lower()]


def test_restarts_of_all_parts_fail_no_write(cluster, space):
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "writer"},
                 "spec": {"nodeSelector": {"kubernetes.io/hostname": "node2"}, "terminationGracePeriodSeconds": 1,
                          "containers": [container(image="consul:1.0.2", script=WRITE)]}})
    space.wait_ready("writer")
    ran = {name: pod["status"]["containerStatuses"] for name, pod in space.pods().items()}
    outside = Outside(cluster)

    def writes_go_on(what):
        before = len(outside.answers), len(inside(space))
        wait_for(lambda: len(outside.answers) > before[0] + 10 and len(inside(space)) > before[1] + 10, 120, f"writes {what}")

    writes_go_on("before the restarts")
    for name, machine in cluster.nodes.items():
        machine.stop()
        cluster.join(name)
        writes_go_on(f"after the restart of {name}")
    cluster.server.stop()
    cluster.start_server()
    cluster.wait_nodes_ready()
    writes_go_on("after the restart of the server")
    answers = {"outside": outside.end(), "inside": inside(space)}
    for who, of in answers.items():
        assert not faults(of), f"{who}: {faults(of)}"
    kept = space.kubectl("exec", "consul-0", "--", "consul", "kv", "get", "-keys", "-separator=", "").split()
    for who, of in answers.items():
        assert not {f"{who}/{number}" for number, said in of if said == "true"} - set(kept), "acknowledged writes are lost"
    for name, pod in space.pods().items():
        for now, before in zip(pod["status"]["containerStatuses"], ran[name]):
            assert (now["containerID"], now["restartCount"]) == (before["containerID"], before["restartCount"]), name
