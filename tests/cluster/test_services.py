"""Services in the node's kernel: who answers, who is refused, and what never leaves the machine."""

import collections
import ipaddress
import pathlib
import subprocess
import textwrap
import time

import pytest

from support.capture import Capture
from support.cluster import NODE_IP, run, wait_for

COULD_NOT_CONNECT = 7  # of curl; a time-out would be 28

PODS = "".join(textwrap.dedent(f"""\
    ---
    apiVersion: v1
    kind: Pod
    metadata: {{name: web-{index}, labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: busybox:1.36
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "mkdir /www; hostname > /www/index.html; touch /ready; exec httpd -f -p 8080 -h /www"]
        ports: [{{name: http, containerPort: 8080}}]
        readinessProbe: {{exec: {{command: [cat, /ready]}}, periodSeconds: 1, failureThreshold: 1}}
    """) for index in (0, 1))

SERVICES = textwrap.dedent("""\
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec:
      type: NodePort
      selector: {app: web}
      ports: [{port: 80, targetPort: http, nodePort: 30080}]
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: sticky}
    spec:
      selector: {app: web}
      sessionAffinity: ClientIP
      ports: [{port: 80, targetPort: 8080}]
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: nobody}
    spec:
      selector: {app: nobody}
      ports: [{port: 80}]
    """)


@pytest.fixture(scope="module", autouse=True)
def workload(cluster):
    cluster.import_image("busybox")
    cluster.kubectl("create", "-f", "-", stdin=SERVICES)
    cluster.kubectl("create", "-f", "-", stdin=PODS)
    cluster.wait_ready("web-0", "web-1")
    wait_for(lambda: len(answers(cluster, address(cluster, "web"), 20)) == 2, 10, "both pods answering")


def address(cluster, service):
    return cluster.get("service", service)["spec"]["clusterIP"]


def answers(cluster, host, times):
    return collections.Counter(cluster.curl(f"http://{host}/").strip() for _ in range(times))


def process_of(cluster, pod):
    """The process id of one of the pod's processes: its mounts come from the pod's directory, which has its UID."""
    uid = cluster.get("pod", pod)["metadata"]["uid"]
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            mounts, command = (path / "mountinfo").read_text(), (path / "cmdline").read_text()
        except OSError:
            continue
        if uid in mounts and "httpd" in command:
            return path.name
    raise AssertionError(f"no process of {pod}")


def from_pod(cluster, pod, *arguments):
    """curl in the pod's network (the image's wget is static and fails in getaddrinfo)."""
    return subprocess.run(["nsenter", "-t", process_of(cluster, pod), "-n", "curl", "-sS", "--max-time", "5", *arguments],
                          capture_output=True, text=True)


def refusal(cluster, host, pod=None, limit="5"):
    """curl's exit status at `host`, from the node or a pod, and after how long."""
    begin = time.monotonic()
    if pod:
        code = from_pod(cluster, pod, "--max-time", limit, f"http://{host}/").returncode
    else:
        code = cluster.namespace.run(["curl", "-sS", "--max-time", limit, f"http://{host}/"], check=False).returncode
    return code, time.monotonic() - begin


def test_connections_are_shared_among_the_ready(cluster):
    assert set(answers(cluster, address(cluster, "web"), 30)) == {"web-0", "web-1"}


def test_from_a_pod(cluster):
    seen = {from_pod(cluster, "web-0", f"http://{address(cluster, 'web')}/").stdout.strip() for _ in range(20)}
    assert seen == {"web-0", "web-1"}, "one of them reaches itself"


def test_node_port_on_node_and_loopback(cluster):
    for host in (NODE_IP, "127.0.0.1"):
        assert cluster.curl(f"http://{host}:30080/").strip() in ("web-0", "web-1")


def test_affinity(cluster):
    assert len(answers(cluster, address(cluster, "sticky"), 20)) == 1


def test_endpoints_follow_readiness(cluster):
    cluster.exec("web-0", "rm", "/ready")
    wait_for(lambda: not cluster.is_ready("web-0"), 15, "web-0 not ready")
    wait_for(lambda: answers(cluster, address(cluster, "web"), 10) == {"web-1": 10}, 5, "web-1 alone")
    cluster.exec("web-0", "touch", "/ready")
    cluster.wait_ready("web-0")
    wait_for(lambda: len(answers(cluster, address(cluster, "web"), 20)) == 2, 5, "both again")


def test_no_endpoints_is_refused_at_once(cluster):
    unused = address(cluster, "nobody").rsplit(".", 1)[0] + ".251"
    for host in (address(cluster, "nobody"), unused):
        for pod in (None, "web-0"):
            code, seconds = refusal(cluster, host, pod)
            assert code == COULD_NOT_CONNECT and seconds < 1, (host, pod, code, seconds)


def test_the_api_is_reached_at_its_service(cluster):
    status = cluster.namespace.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "https://10.43.0.1/healthz"])
    assert status.stdout in ("200", "401", "403")


@pytest.fixture
def wire(cluster):
    """A way out of the cluster's network, with a default route over it; what arrives at its far end has left the machine."""
    namespace, far = cluster.namespace, f"{cluster.namespace.name}-wire"
    run(["ip", "netns", "add", far])
    beyond = ["nsenter", f"--net=/var/run/netns/{far}"]
    try:
        namespace.run(["ip", "link", "add", "uplink0", "type", "veth", "peer", "name", "wire0", "netns", far])
        namespace.run(["ip", "addr", "add", "198.51.100.2/24", "dev", "uplink0"])
        namespace.run(["ip", "link", "set", "uplink0", "up"])
        run([*beyond, "ip", "addr", "add", "198.51.100.1/24", "dev", "wire0"])
        run([*beyond, "ip", "link", "set", "wire0", "up"])
        namespace.run(["ip", "route", "add", "default", "via", "198.51.100.1"])
        yield Capture(beyond, "wire0")
    finally:
        namespace.run(["ip", "link", "del", "uplink0"], check=False)
        run(["ip", "netns", "del", far])


def test_nothing_leaves_by_an_uplink(cluster, wire):
    """No frame for an address of a pod or service, nor a question who has it, arrives where the uplink ends."""
    ours = [ipaddress.ip_network(each) for each in ("10.42.0.0/16", "10.43.0.0/16")]
    with wire:
        for pod in (None, "web-0"):
            for host in (address(cluster, "nobody"), address(cluster, "web"), "10.43.99.99", "10.42.0.250", "10.42.99.1"):
                refusal(cluster, host, pod, limit="1")
            # What is for elsewhere does leave, so the watch is no blind one.
            refusal(cluster, "203.0.113.7" if pod else "203.0.113.8", pod, limit="1")
    for elsewhere in ("203.0.113.7", "203.0.113.8"):
        assert wire.seen.get(("tcp", ipaddress.ip_address(elsewhere))), wire.seen
    assert [seen for seen in wire.seen if any(seen[1] in network for network in ours)] == []


def test_zz_nothing_stays_after_down(cluster):
    cluster.down()
    assert subprocess.run([*cluster.namespace.enter, "nft", "list", "ruleset"], capture_output=True, text=True).stdout == ""
    assert cluster.namespace.run(["cat", "/proc/sys/net/ipv4/conf/all/route_localnet"]).stdout == "0\n"
