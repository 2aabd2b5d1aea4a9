"""Several machines: agents join a server; pods on any node reach each other, services and names; kubectl reaches them."""

import base64
import functools
import json
import ssl
import subprocess
import time

import pytest

from support.cluster import STEAD, wait_for
from support.machines import SERVER_IP, Machines
from support.workload import STAY, Space, container, headless_service, stateful_set

# Tells each request's client on standard error.
WEB = "mkdir -p /www; hostname > /www/index.html; exec httpd -f -vv -p 80 -h /www"


@pytest.fixture(scope="module")
def cluster(request, newest_kubectl):
    made = Machines("machines", 3, newest_kubectl, far=["node3"], server_options=["--cluster-signing-duration", "90s"]).up()
    made.import_image("busybox")
    yield made
    if request.session.testsfailed:
        print(made.log())
    made.close()


@pytest.fixture(scope="module", autouse=True)
def first_certificates(cluster):
    """What the nodes had at first."""
    found = {machine.data_dir / "pki" / name: (machine.data_dir / "pki" / name).read_bytes()
             for machine in cluster.nodes.values() for name in ("node.crt", "node-serving.crt")}
    cluster.first_end = max(enddate(cluster, path) for path in found)
    return found


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
    return space.kubectl("exec", pod, "--", "timeout", "10", "wget", "-q", "-O", "-", url).strip()


def test_nodes_say_who_they_are(cluster):
    ranges = set()
    for name, machine in cluster.nodes.items():
        node = cluster.get("node", name)
        labels = node["metadata"]["labels"]
        assert labels["kubernetes.io/hostname"] == name and labels["kubernetes.io/os"] == "linux"
        assert labels["node-role.kubernetes.io/worker"] == ""
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


def test_routes_are_direct_on_a_link_and_tunnelled_elsewhere(cluster, space):
    near, far = cluster.nodes["node1"], cluster.nodes["node3"]
    ranges = {name: cluster.get("node", name)["spec"]["podCIDR"] for name in cluster.nodes}
    assert "dev eth0" in near.run(["ip", "route", "show", ranges["node2"]]).stdout
    assert "dev stead-vxlan" in near.run(["ip", "route", "show", ranges["node3"]]).stdout
    assert "dev stead-vxlan" in far.run(["ip", "route", "show", ranges["node1"]]).stdout
    # Full packets fit into the tunnel, or their senders are told.
    large = "dd if=/dev/zero bs=1000000 count=3 of=/www/large 2>/dev/null"
    for pod, other in (("web-node1", "web-node3"), ("web-node3", "web-node2")):
        space.exec(other, large)
        address = pods_of(space)[other]["status"]["podIP"]
        assert space.exec(pod, f"timeout 20 wget -q -O - http://{address}/large | wc -c").strip() == "3000000"


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


def test_kubectl_reaches_pods_on_any_node(cluster, space, any_kubectl):
    """Over WebSocket and, with the old one, SPDY."""
    kubectl = functools.partial(cluster.kubectl, "-n", space.name, binary=any_kubectl)
    for node in cluster.nodes:
        pod = f"web-{node}"
        assert kubectl("exec", pod, "--", "hostname").strip() == pod
        assert kubectl("exec", "-i", pod, "--", "cat", stdin="through\n") == "through\n"
        failed = kubectl("exec", pod, "--", "sh", "-c", "exit 7", check=False)
        assert failed.returncode == 7, failed.stderr
        large = kubectl("exec", pod, "--", "sh", "-c", "yes 0123456789 | head -n 100000")
        assert large == "0123456789\n" * 100000
        missing = kubectl("logs", pod, "-c", "nobody", check=False)
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


def test_port_forward(cluster, space, any_kubectl):
    command = [*cluster.server.enter, any_kubectl, "--kubeconfig", str(cluster.kubeconfig), "-n", space.name,
               "port-forward", "pod/web-node3", ":80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as forward:
        try:
            line = forward.stdout.readline()
            assert "Forwarding from" in line, line
            port = line.split("127.0.0.1:")[1].split()[0]
            answer = cluster.server.run(["curl", "-sS", "--max-time", "20", f"http://127.0.0.1:{port}/"]).stdout
            assert answer.strip() == "web-node3"
        finally:
            forward.kill()


def apart(name):
    """A required anti-affinity: no two pods of the app on one node."""
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": "kubernetes.io/hostname"}]}}


def test_local_volumes_are_made_and_removed_on_their_nodes(cluster, space):
    space.apply(headless_service("store"),
                stateful_set("store", 3, claims=["data"], pod={"affinity": apart("store")}, podManagementPolicy="Parallel",
                             containers=[container(script=f"hostname > /data/mine; {STAY}",
                                                   volumeMounts=[{"name": "data", "mountPath": "/data"}])]))
    space.wait_ready("store-0", "store-1", "store-2")
    nodes = cluster.nodes_of(space, "-l", "app=store")
    assert sorted(nodes.values()) == sorted(cluster.nodes)
    folders = {}
    for pod, node in nodes.items():
        volume = space.get("pvc", f"data-{pod}")["spec"]["volumeName"]
        folders[pod] = cluster.nodes[node].data_dir / "volumes" / volume
        assert (folders[pod] / "mine").read_text() == f"{pod}\n"
    space.kubectl("delete", "statefulset", "store", "--cascade=foreground")
    space.kubectl("delete", "pvc", "--all")
    wait_for(lambda: not any(folder.exists() for folder in folders.values()), 60, "the end of the directories")


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


def test_a_single_machines_kubeconfig_holds_wherever_it_is_carried(cluster, tmp_path):
    alone = tmp_path / "alone"
    command = [*cluster.nodes["node1"].enter, STEAD, "up", "--runtime", "simulated", "--bind", "0.0.0.0", "--port", "7443",
               "--data-dir", alone]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as single:
        try:
            assert "API https://127.0.0.1:7443" in single.stdout.readline()
            assert "server: https://127.0.0.1:7443" in (alone / "kubeconfig").read_text()
        finally:
            single.terminate()
    # Agents and people elsewhere need the server's own address.
    assert f"server: {cluster.url}" in cluster.kubeconfig.read_text()


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


def enddate(cluster, path):
    """When the certificate ends, in seconds since the epoch."""
    text = cluster.server.run(["openssl", "x509", "-noout", "-enddate", "-in", path]).stdout.strip()
    return ssl.cert_time_to_seconds(text.removeprefix("notAfter="))


def test_certificates_are_renewed(cluster, space, first_certificates):
    """All of the above ran on certificates that hold for 90 seconds."""
    wait_for(lambda: all(path.read_bytes() != content for path, content in first_certificates.items()), 180, "new certificates")
    # The former ones are of no use any more.
    time.sleep(max(0, cluster.first_end - time.time() + 1))
    cluster.wait_nodes_ready()
    for name in cluster.nodes:
        run_one(space, f"renewed-{name}", name)
        assert space.exec(f"renewed-{name}", "hostname").strip() == f"renewed-{name}"
