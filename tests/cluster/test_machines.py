"""Several machines: agents join a server; pods on any node reach each other, services and names; kubectl reaches them."""

import base64
import json
import subprocess
import time

import pytest

from support.cluster import wait_for
from support.machines import SERVER_IP, Machines
from support.workload import STAY, Space, container

# Tells each request's client on standard error.
WEB = "mkdir -p /www; hostname > /www/index.html; exec httpd -f -vv -p 80 -h /www"


@pytest.fixture(scope="module")
def cluster(request, newest_kubectl):
    made = Machines("machines", 3, newest_kubectl).up()
    made.import_image("busybox")
    yield made
    if request.session.testsfailed:
        print(made.log())
    made.close()


@pytest.fixture(scope="module")
def space(cluster):
    """With a web server on each node behind one service."""
    made = Space(cluster, "machines")
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"web-{node}", "labels": {"app": "web"}},
             "spec": {"nodeSelector": {"kubernetes.io/hostname": node}, "terminationGracePeriodSeconds": 1,
                      "containers": [container(script=WEB)]}} for node in cluster.nodes]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
               "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "nodePort": 30080}]}}
    made.apply(service, *pods)
    made.wait_ready(*(f"web-{node}" for node in cluster.nodes))
    return made


def pods_of(space):
    return {pod["metadata"]["name"]: pod for pod in space.get("pods")["items"]}


def containers_of(space):
    return {name: pod["status"]["containerStatuses"][0]["containerID"] for name, pod in pods_of(space).items()}


def fetch(space, pod, url):
    return space.kubectl("exec", pod, "--", "wget", "-q", "-T", "5", "-O", "-", url).strip()


def test_nodes_say_who_they_are(cluster):
    ranges = set()
    for name, machine in cluster.nodes.items():
        node = cluster.get("node", name)
        labels = node["metadata"]["labels"]
        assert labels["kubernetes.io/hostname"] == name and labels["kubernetes.io/os"] == "linux"
        assert labels["kubernetes.io/arch"]
        addresses = {each["type"]: each["address"] for each in node["status"]["addresses"]}
        assert addresses == {"InternalIP": machine.address, "Hostname": name}
        assert int(node["status"]["capacity"]["cpu"]) > 0 and node["status"]["allocatable"]["pods"]
        ranges.add(node["spec"]["podCIDR"])
    assert ranges == {"10.42.0.0/24", "10.42.1.0/24", "10.42.2.0/24"}
    # The server runs no pods.
    assert {each["metadata"]["name"] for each in cluster.get("nodes")["items"]} == set(cluster.nodes)


def test_pods_reach_each_other_under_their_own_addresses(cluster, space):
    pods = pods_of(space)
    for name, pod in pods.items():
        for other, target in pods.items():
            assert fetch(space, name, f"http://{target['status']['podIP']}/") == other
    for name, pod in pods.items():
        log = space.kubectl("logs", name)
        for other in pods.values():
            if other is not pod:
                assert other["status"]["podIP"] in log, f"{name} saw another address than the pod's own:\n{log}"


def test_services_and_names_work_on_every_node(cluster, space):
    service = space.get("service", "web")
    address = service["spec"]["clusterIP"]
    for name in pods_of(space):
        seen = set()
        wait_for(lambda: seen.add(fetch(space, name, "http://web.machines.svc.cluster.local/")) or len(seen) == 3, 60,
                 f"answers of all three pods in {name}; seen {seen}")
        # The API's address is one like others.
        space.kubectl("exec", name, "--", "sh", "-c", "nc -w 5 kubernetes.default.svc 443 < /dev/null")
    for name, machine in cluster.nodes.items():
        assert machine.run(["curl", "-sS", "--max-time", "5", f"http://{address}/"]).stdout.startswith("web-"), name
        # A node port of any node leads to pods on all of them.
        for _ in range(6):
            done = cluster.server.run(["curl", "-sS", "--max-time", "5", f"http://{machine.address}:30080/"])
            assert done.stdout.startswith("web-"), name
        version = machine.run(["curl", "-sSk", "--max-time", "5", "https://10.43.0.1/livez"])
        assert version.stdout == "ok", name


def test_kubectl_reaches_pods_on_any_node(cluster, space):
    for node in cluster.nodes:
        pod = f"web-{node}"
        assert space.kubectl("exec", pod, "--", "hostname").strip() == pod
        assert space.kubectl("exec", "-i", pod, "--", "cat", stdin="through\n") == "through\n"
        failed = space.kubectl("exec", pod, "--", "sh", "-c", "exit 7", check=False)
        assert failed.returncode == 7, failed.stderr
        large = space.kubectl("exec", pod, "--", "sh", "-c", "yes 0123456789 | head -n 100000")
        assert large == "0123456789\n" * 100000
        missing = space.kubectl("logs", pod, "-c", "nobody", check=False)
        assert missing.returncode != 0 and "nobody" in missing.stderr


def test_logs_are_followed(cluster, space):
    script = "i=0; while [ $i -lt 20 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; " + STAY
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker"},
                 "spec": {"nodeSelector": {"kubernetes.io/hostname": "node2"}, "terminationGracePeriodSeconds": 1,
                          "containers": [container(script=script)]}})
    space.wait_ready("talker")
    command = [*cluster.server.enter, cluster.kubectl_binary, "--kubeconfig", str(cluster.kubeconfig), "-n", space.name,
               "logs", "-f", "talker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        try:
            lines = [follower.stdout.readline() for _ in range(20)]
            assert lines == [f"line {number}\n" for number in range(20)]
        finally:
            follower.kill()
    space.kubectl("delete", "pod", "talker", "--wait=false")


def test_port_forward(cluster, space):
    command = [*cluster.server.enter, cluster.kubectl_binary, "--kubeconfig", str(cluster.kubeconfig), "-n", space.name,
               "port-forward", "pod/web-node3", "18080:80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as forward:
        try:
            assert "Forwarding from" in forward.stdout.readline()
            answer = cluster.server.run(["curl", "-sS", "--max-time", "20", "http://127.0.0.1:18080/"]).stdout
            assert answer.strip() == "web-node3"
        finally:
            forward.kill()


def test_only_the_server_may_use_the_kubelets_port(cluster):
    machine = cluster.nodes["node1"]
    done = cluster.server.run(["curl", "-sSk", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}",
                               f"https://{machine.address}:10250/stats/summary"])
    assert done.stdout == "401"


def test_pods_run_on_while_the_server_is_away(cluster, space):
    before = containers_of(space)
    cluster.server.pause()
    try:
        # The pods go on serving, the node's own rules and names with them.
        address = pods_of_node_address(cluster, before)
        for machine in cluster.nodes.values():
            assert machine.run(["curl", "-sS", "--max-time", "5", address]).stdout.startswith("web-")
    finally:
        cluster.server.resume()
    cluster.server.kill()
    time.sleep(1)
    cluster.start_server()
    cluster.wait_nodes_ready()
    assert containers_of(space) == before
    run_one(space, "after-restart", "node1")
    assert containers_of(space).items() >= before.items()
    # And while an agent is.
    cluster.nodes["node2"].stop()
    cluster.join("node2")
    run_one(space, "after-agent", "node2")
    assert containers_of(space).items() >= before.items()


def pods_of_node_address(cluster, _):
    """The web service's URL, known to the nodes' rules; found without the server."""
    rules = cluster.nodes["node1"].run(["nft", "list", "map", "ip", "stead-services", "addresses"]).stdout
    found = [word for word in rules.split() if word.startswith("10.43.")]
    others = [each for each in found if each not in ("10.43.0.1", "10.43.0.10")]
    return f"http://{others[0]}/"


def run_one(space, name, node):
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                 "spec": {"nodeSelector": {"kubernetes.io/hostname": node}, "terminationGracePeriodSeconds": 1,
                          "containers": [container()]}})
    space.wait_ready(name)


def test_cordon_drain_uncordon_and_taint(cluster, space):
    cluster.kubectl("cordon", "node3")
    assert "SchedulingDisabled" in cluster.kubectl("get", "node", "node3")
    space.kubectl("run", "waiting", "--image=busybox:1.36", "--restart=Never",
                  "--overrides", json.dumps({"spec": {"nodeSelector": {"kubernetes.io/hostname": "node3"}}}), "--", "sleep", "1000")
    wait_for(lambda: "Unschedulable" in space.kubectl("get", "pod", "waiting", "-o", "json"), 30, "the pod that waits")
    cluster.kubectl("drain", "node3", "--force", "--ignore-daemonsets", "--delete-emptydir-data", timeout=120)
    assert "web-node3" not in pods_of(space)
    cluster.kubectl("uncordon", "node3")
    wait_for(lambda: space.get("pod", "waiting")["spec"].get("nodeName") == "node3", 60, "the pod on its node")
    space.kubectl("delete", "pod", "waiting", "--grace-period=1", "--wait=false")
    cluster.kubectl("taint", "node", "node3", "upkeep=yes:NoExecute")
    assert cluster.get("node", "node3")["spec"]["taints"][0]["key"] == "upkeep"
    cluster.kubectl("taint", "node", "node3", "upkeep-")


def agent_on(cluster, machine, token, name="stranger", data_dir=None):
    """A further agent on a node's machine that should be refused; what it says."""
    done = machine.stead("agent", "--data-dir", data_dir, "--server", cluster.url, "--token", token, "--node-name", name,
                         "--node-ip", machine.address, check=False, timeout=90)
    assert done.returncode == 1 and done.stdout == "", done.stdout
    return done.stderr


def test_join_tokens(cluster, tmp_path):
    server, machine = cluster.server, cluster.nodes["node1"]
    token = cluster.token("--ttl", "1h", "--description", "for a test")
    name = token.split(".")[0]

    def listed():
        return server.stead("token", "list", "--data-dir", server.data_dir).stdout

    line = next(each for each in listed().splitlines() if each.startswith(name))
    assert "for a test" in line and ("59m" in line or "60m" in line)
    secret = cluster.get("-n", "kube-system", "secret", f"bootstrap-token-{name}")
    assert secret["type"] == "bootstrap.kubernetes.io/token"
    wrong_secret = name + "." + "z" * 16 + token[token.index("@"):]
    assert "token" in agent_on(cluster, machine, wrong_secret, data_dir=tmp_path / "a")
    other_ca = token[:-4] + ("0000" if not token.endswith("0000") else "1111")
    assert "fingerprint" in agent_on(cluster, machine, other_ca, data_dir=tmp_path / "b")
    for bad in ("x", "abcdef.0123456789abcdef", token.upper()):
        assert "--token" in agent_on(cluster, machine, bad, data_dir=tmp_path / "c")
    server.stead("token", "delete", "--data-dir", server.data_dir, name)
    assert name not in listed()
    assert "expired" in agent_on(cluster, machine, token, data_dir=tmp_path / "d")
    short = cluster.token("--ttl", "1s")
    wait_for(lambda: short.split(".")[0] not in listed(), 30, "the end of the token")
    assert "expired" in agent_on(cluster, machine, short, data_dir=tmp_path / "e")


def test_a_second_node_of_a_name_is_refused(cluster, tmp_path):
    said = agent_on(cluster, cluster.nodes["node2"], cluster.token(), name="node1", data_dir=tmp_path / "second")
    assert "node1" in said and "--node-name" in said
    renamed = cluster.nodes["node1"]
    copy = tmp_path / "copy"
    (copy / "pki").mkdir(parents=True)
    for each in (renamed.data_dir / "pki").glob("*"):
        (copy / "pki" / each.name).write_bytes(each.read_bytes())
    said = agent_on(cluster, cluster.nodes["node2"], cluster.token(), name="node9", data_dir=copy)
    assert "node1" in said and "node9" in said


def test_people_ask_for_certificates(cluster, tmp_path):
    key, request = tmp_path / "key", tmp_path / "request"
    cluster.server.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                        "-out", request, "-subj", "/CN=jane/O=developers"])

    def ask(name, **spec):
        document = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
                    "spec": {"request": base64.b64encode(request.read_bytes()).decode(), "usages": ["client auth"],
                             "signerName": "kubernetes.io/kube-apiserver-client", **spec}}
        return cluster.kubectl("create", "-f", "-", stdin=json.dumps(document), check=False)

    assert ask("jane").returncode == 0
    assert ask("no").returncode == 0
    bad = ask("bad", signerName="nonsense", usages=["client auth", "magic"], expirationSeconds=5)
    for word in ("spec.signerName", "spec.usages[1]", "spec.expirationSeconds"):
        assert word in bad.stderr, bad.stderr
    assert "spec.request" in ask("worse", request=base64.b64encode(b"nothing").decode()).stderr
    assert "Pending" in cluster.kubectl("get", "csr", "jane")
    cluster.kubectl("certificate", "approve", "jane")
    cluster.kubectl("certificate", "deny", "no")
    issued = wait_for(lambda: cluster.get("csr", "jane")["status"].get("certificate"), 30, "the certificate")
    assert "Approved,Issued" in cluster.kubectl("get", "csr", "jane")
    assert "Denied" in cluster.kubectl("get", "csr", "no") and "certificate" not in cluster.get("csr", "no")["status"]
    (tmp_path / "jane.crt").write_bytes(base64.b64decode(issued))
    who = cluster.server.run([
        "curl", "-sS", "--cacert", cluster.data_dir / "pki" / "ca.crt", "--cert", tmp_path / "jane.crt", "--key", key,
        f"{cluster.url}/api/v1/pods"]).stdout
    assert 'User \\"jane\\" cannot list' in who, who


def test_certificates_are_renewed(newest_kubectl):
    made = Machines("renewal", 1, newest_kubectl, server_options=["--cluster-signing-duration", "20s"])
    try:
        made.up()
        pki = made.nodes["node1"].data_dir / "pki"
        first = {name: (pki / name).read_bytes() for name in ("node.crt", "node-serving.crt")}
        for _ in range(2):  # the second ones outlive the first
            wait_for(lambda: all((pki / name).read_bytes() != content for name, content in first.items()), 90, "new certificates")
            first = {name: (pki / name).read_bytes() for name in first}
        time.sleep(5)
        made.wait_nodes_ready()
        made.kubectl("create", "namespace", "later")
        wait_for(lambda: made.nodes["node1"].run(
            ["curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}", "https://192.0.2.11:10250/healthz"]).stdout == "401", 30,
            "the kubelet's port")
    finally:
        made.close()


def test_wrong_options_are_named(cluster, tmp_path):
    machine = cluster.nodes["node1"]

    def refused(*arguments, on=machine):
        done = on.stead(*arguments, check=False, timeout=60)
        assert done.returncode != 0 and done.stdout == "", (arguments, done.stdout)
        return done.stderr

    unused = ("--data-dir", tmp_path / "unused")
    assert "--server" in refused("agent", *unused)
    assert "--server" in refused("agent", *unused, "--server", "http://192.0.2.10")
    assert "--token" in refused("agent", *unused, "--server", cluster.url)
    assert f"pid {machine.pid}" in refused("agent", "--data-dir", machine.data_dir, "--server", cluster.url)
    overlap = refused("server", *unused, "--node-ip", SERVER_IP, "--pod-cidr", "10.42.0.0/16", "--service-cidr",
                      "10.42.128.0/17", on=cluster.server)
    assert "--pod-cidr" in overlap and "--service-cidr" in overlap and "overlap" in overlap
    inside = refused("server", *unused, "--node-ip", SERVER_IP, "--pod-cidr", "192.0.0.0/16", on=cluster.server)
    assert SERVER_IP in inside and "pod range" in inside
