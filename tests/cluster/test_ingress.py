"""Ingress: HAProxy as the cluster's door, by host and path, over TLS, through reloads, restarts and wrong input."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from support.cluster import NODE_IP, ROOT, Cluster, run, wait_for
from support.machine import Machine

if not pathlib.Path("/usr/sbin/haproxy").exists():
    print("\nSKIPPED LOUDLY: haproxy is not installed, so that no Ingress can be served", file=sys.stderr)
    pytestmark = pytest.mark.skip(reason="haproxy is not installed")

# Answers every path with its own name: the page for what is not found is all it has.
POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: APP}}
spec:
  terminationGracePeriodSeconds: 5
  containers:
  - name: httpd
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'mkdir /www; cd /www; echo NAME > name; echo E404:/www/name > conf; exec httpd -f -p 8080 -h /www -c /www/conf']
    ports: [{name: web, containerPort: 8080}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
    lifecycle: {preStop: {exec: {command: [sleep, "2"]}}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  selector: {app: NAME}
  ports: [{name: http, port: 80, targetPort: web}]
"""


def pod(name, app):
    return POD.replace("NAME", name).replace("APP", app)


def backend(service, port=80):
    return {"service": {"name": service, "port": {"number": port} if isinstance(port, int) else {"name": port}}}


def path(text, kind, service, port=80):
    return {"path": text, "pathType": kind, "backend": backend(service, port)}


def ingress(name, rules=None, **spec):
    """`rules`: host to paths; "" is any host."""
    made = [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in (rules or {}).items()]
    return json.dumps({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
                       "spec": {**({"rules": made} if made else {}), **spec}})


@pytest.fixture(scope="module")
def cluster(newest_kubectl):
    made = Cluster("ingress", newest_kubectl)
    made.before = Machine(made.namespace.enter, made.data_dir)
    made.up()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def pods(cluster):
    cluster.import_image("busybox")
    for name, app in (("alpha-0", "alpha"), ("beta-0", "beta"), ("beta-1", "beta")):
        cluster.kubectl("create", "-f", "-", stdin=pod(name, app))
    for name in ("alpha", "beta"):
        cluster.kubectl("create", "-f", "-", stdin=SERVICE.replace("NAME", name))
    cluster.wait_ready("alpha-0", "beta-0", "beta-1")


def fetch(cluster, host, where="/", *arguments, scheme="http"):
    """(status, body) of a request for `host` at the node's address."""
    port = {"http": 80, "https": 443}[scheme]
    done = cluster.namespace.run(
        ["curl", "-sS", "--max-time", "10", "--path-as-is", "--resolve", f"{host}:{port}:{NODE_IP}", "-w", "\n%{http_code}",
         *arguments, f"{scheme}://{host}{where}"], check=False)
    body, _, status = done.stdout.rpartition("\n")
    return (int(status or 0), body.strip()) if done.returncode == 0 else (0, done.stderr)


def wait_fetch(cluster, wanted, host, where="/", *arguments, scheme="http"):
    """Until a request is answered like that: (status, one of the bodies)."""
    status, bodies = wanted
    def right():
        seen = fetch(cluster, host, where, *arguments, scheme=scheme)
        if seen[0] == status and (not bodies or seen[1] in bodies):
            return seen
        raise KeyError(f"{host}{where}: {seen}")
    return wait_for(right, 30, f"{wanted} from {host}{where}")


def haproxies(cluster):
    """The processes of the cluster's HAProxy, but for those that only check a configuration: pid to parent."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if command[0].endswith(b"haproxy") and str(cluster.data_dir / "ingress").encode() in command and b"-c" not in command:
            found[int(folder.name)] = parent
    return found


def master(cluster, *not_these):
    """Waits until one process is the only one that is not the child of another of them; not one of `not_these`."""
    def only():
        found = haproxies(cluster)
        masters = [pid for pid, parent in found.items() if parent not in found]
        return len(masters) == 1 and masters[0] not in not_these and masters[0]
    return wait_for(only, 30, "one master of HAProxy")


def events(cluster, name):
    return {(event["reason"], event["message"]) for event in cluster.get("events")["items"]
            if event["involvedObject"]["kind"] == "Ingress" and event["involvedObject"]["name"] == name}


def test_nothing_runs_without_an_ingress(cluster):
    assert haproxies(cluster) == {}
    (made,) = cluster.get("ingressclass")["items"]
    assert made["metadata"]["name"] == "stead"
    assert made["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"] == "true"
    assert made["spec"]["controller"] == "stead.dev/haproxy"


def test_hosts_and_paths(cluster):
    """networking.k8s.io/v1: exact host before wildcard before any; exact path before the longest prefix, by elements."""
    cluster.kubectl("create", "-f", "-", stdin=ingress("paths", {
        "paths.example.com": [path("/", "Prefix", "beta"), path("/a", "Prefix", "alpha"), path("/a/b/", "Prefix", "beta"),
                              path("/only", "Exact", "alpha", "http"), path("/some", "ImplementationSpecific", "alpha")],
        "*.wild.example.com": [path("/", "Prefix", "alpha")],
        "own.wild.example.com": [path("/", "Prefix", "beta")],
        "": [path("/anywhere", "Prefix", "alpha")],
    }))
    alpha, beta = {"alpha-0"}, {"beta-0", "beta-1"}
    wait_fetch(cluster, (404, beta), "paths.example.com")
    for where, wanted in (("/", beta), ("/a", alpha), ("/a/", alpha), ("/a/x", alpha), ("/ab", beta), ("/a/b", beta),
                          ("/a/b/c", beta), ("/a/bc", alpha), ("/only", alpha), ("/only/", beta), ("/only/x", beta),
                          ("/some/x", alpha), ("/A", beta), ("/anywhere/x", beta), ("/x?q=/a", beta)):
        assert fetch(cluster, "paths.example.com", where)[1] in wanted, where
    assert fetch(cluster, "any.wild.example.com")[1] in alpha
    assert fetch(cluster, "own.wild.example.com")[1] in beta
    assert "no ingress rule" in fetch(cluster, "wild.example.com")[1]
    assert "no ingress rule" in fetch(cluster, "two.labels.wild.example.com")[1]
    assert fetch(cluster, "two.labels.wild.example.com", "/anywhere")[1] in alpha
    assert fetch(cluster, "PATHS.Example.com", "/a")[1] in alpha
    assert {fetch(cluster, "paths.example.com")[1] for _ in range(20)} == beta


def test_status_and_columns(cluster, any_kubectl):
    wait_for(lambda: cluster.get("ingress", "paths")["status"]["loadBalancer"]["ingress"] == [{"ip": NODE_IP}], 20, "the address")
    rows = [line.split() for line in cluster.kubectl("get", "ingress", "paths", binary=any_kubectl).splitlines()]
    assert rows[0] == ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"]
    assert rows[1][:2] == ["paths", "stead"] and rows[1][-3:-1] == [NODE_IP, "80"]
    assert "paths.example.com,*.wild.example.com,own.wild.example.com + 1 more..." in " ".join(rows[1])
    told = cluster.kubectl("describe", "ingress", "paths", binary=any_kubectl)
    assert "paths.example.com" in told and "alpha:80" in told


@pytest.mark.parametrize("version, warning", (
    ("extensions/v1beta1", "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"),
    ("networking.k8s.io/v1beta1", "networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"),
))
def test_old_manifests(cluster, any_kubectl, version, warning):
    """The document's manifest, unchanged but for the service's name."""
    manifest = f"""
apiVersion: {version}
kind: Ingress
metadata:
  name: old
spec:
  rules:
  - host: old.example.com
    http:
      paths:
      - path: /
        backend:
          serviceName: alpha
          servicePort: 80
"""
    made = cluster.kubectl("create", "-f", "-", stdin=manifest, binary=any_kubectl, check=False)
    assert made.returncode == 0, made.stderr
    assert f"Warning: {warning}" in made.stderr
    wait_fetch(cluster, (404, {"alpha-0"}), "old.example.com", "/x")
    shown = cluster.get("ingress", "old")
    assert shown["apiVersion"] == "networking.k8s.io/v1"
    (entry,) = shown["spec"]["rules"][0]["http"]["paths"]
    assert entry == {"path": "/", "pathType": "ImplementationSpecific", "backend": backend("alpha")}
    group, _, name = version.partition("/")
    back = cluster.get(f"ingresses.{name}.{group}", "old")
    assert back["apiVersion"] == version
    assert back["spec"]["rules"][0]["http"]["paths"][0]["backend"] == {"serviceName": "alpha", "servicePort": 80}
    cluster.kubectl("delete", "ingress", "old", binary=any_kubectl)
    wait_for(lambda: "no ingress rule" in fetch(cluster, "old.example.com")[1], 20, "the rule going")


def test_default_backend(cluster):
    cluster.kubectl("create", "-f", "-", stdin=ingress("fallback", defaultBackend=backend("alpha")))
    wait_fetch(cluster, (404, {"alpha-0"}), "unknown.example.com")
    cluster.kubectl("delete", "ingress", "fallback")
    wait_for(lambda: "no ingress rule" in fetch(cluster, "unknown.example.com")[1], 20, "the default going")


def make_certificate(folder, name, host):
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext",
         f"subjectAltName=DNS:{host}", "-keyout", key, "-out", certificate])
    return key, certificate


def test_tls_from_secrets(cluster, tmp_path):
    certificates = {host: make_certificate(tmp_path, name, host) for name, host in (("one", "one.tls.example"), ("two", "two.tls.example"))}
    for name, host in (("one", "one.tls.example"), ("two", "two.tls.example")):
        key, certificate = certificates[host]
        cluster.kubectl("create", "secret", "tls", name, f"--key={key}", f"--cert={certificate}")
    cluster.kubectl("create", "-f", "-", stdin=ingress(
        "tls", {"one.tls.example": [path("/", "Prefix", "alpha")], "two.tls.example": [path("/", "Prefix", "beta")]},
        tls=[{"hosts": ["one.tls.example"], "secretName": "one"}, {"hosts": ["two.tls.example"], "secretName": "two"}]))
    for host, bodies in (("one.tls.example", {"alpha-0"}), ("two.tls.example", {"beta-0", "beta-1"})):
        wait_fetch(cluster, (404, bodies), host, "/", "--cacert", str(certificates[host][1]), scheme="https")
        wait_fetch(cluster, (404, bodies), host)
    trusted = str(certificates["one.tls.example"][1])
    assert fetch(cluster, "two.tls.example", "/", "--cacert", trusted, scheme="https")[0] == 0, "each host has its own"
    told = cluster.namespace.run(["curl", "-sS", "--http2", "--cacert", trusted, "--resolve", f"one.tls.example:443:{NODE_IP}", "-o",
                                  "/dev/null", "-w", "%{http_version}", "https://one.tls.example/"]).stdout
    assert told == "2"

    key, certificate = make_certificate(tmp_path, "renewed", "one.tls.example")
    renewed = cluster.kubectl("create", "secret", "tls", "one", f"--key={key}", f"--cert={certificate}", "--dry-run=client", "-o", "yaml")
    cluster.kubectl("replace", "-f", "-", stdin=renewed)
    wait_fetch(cluster, (404, {"alpha-0"}), "one.tls.example", "/", "--cacert", str(certificate), scheme="https")
    assert cluster.get("ingress", "tls")["spec"]["tls"][0]["secretName"] == "one"


def test_what_is_missing(cluster, tmp_path):
    """A service, a port, a secret that are not there: 503 or a certificate nobody trusts, an Event, and others unharmed."""
    key, _ = make_certificate(tmp_path, "a", "a.example")
    _, foreign = make_certificate(tmp_path, "b", "b.example")
    cluster.kubectl("create", "secret", "generic", "mixed", "--type=kubernetes.io/tls", f"--from-file=tls.key={key}",
                    f"--from-file=tls.crt={foreign}")
    cluster.kubectl("create", "-f", "-", stdin=ingress(
        "missing", {"missing.example.com": [path("/", "Prefix", "nowhere"), path("/port", "Prefix", "alpha", 81)]},
        tls=[{"hosts": ["missing.example.com"], "secretName": "none"}, {"hosts": ["x.example.com"], "secretName": "mixed"}]))
    wait_fetch(cluster, (503, None), "missing.example.com")
    assert fetch(cluster, "missing.example.com", "/port")[0] == 503
    assert fetch(cluster, "missing.example.com", "/", "-k", scheme="https")[0] == 503
    reasons = wait_for(lambda: len(events(cluster, "missing")) >= 4 and events(cluster, "missing"), 20, "four events")
    told = {reason: message for reason, message in reasons}
    assert 'service "default/nowhere" not found' in told["ServiceNotFound"]
    assert 'service "default/alpha" has no port 81' in told["ServicePortNotFound"]
    assert 'secret "default/none" not found' in told["SecretNotFound"]
    assert 'secret "default/mixed": tls.key' in told["SecretInvalid"]
    assert fetch(cluster, "paths.example.com", "/a")[1] == "alpha-0"

    # What was missing comes: the rule works without another change of the Ingress.
    cluster.kubectl("create", "-f", "-", stdin=SERVICE.replace("NAME", "nowhere").replace("{app: nowhere}", "{app: alpha}"))
    wait_fetch(cluster, (404, {"alpha-0"}), "missing.example.com")
    cluster.kubectl("delete", "ingress/missing", "service/nowhere", "secret/mixed")


def test_bad_input_is_refused_by_field(cluster):
    for manifest, field in (
            (ingress("bad", {"10.0.0.1": [path("/", "Prefix", "alpha")]}), "spec.rules[0].host"),
            (ingress("bad", {"a.*.com": [path("/", "Prefix", "alpha")]}), "spec.rules[0].host"),
            (ingress("bad", {"a": [path("x", "Prefix", "alpha")]}), "spec.rules[0].http.paths[0].path"),
            (ingress("bad", {"a": [path("/", "Regex", "alpha")]}), "spec.rules[0].http.paths[0].pathType"),
            (ingress("bad", {"a": [path("/", "Prefix", "alpha", 0)]}), "spec.rules[0].http.paths[0].backend"),
            (ingress("bad"), "spec"),
            (ingress("bad", {"a": [path("/", "Prefix", "alpha")]}, tls=[{"hosts": ["*"]}]), "spec.tls[0].hosts[0]"),
    ):
        refused = cluster.kubectl("create", "--validate=false", "-f", "-", stdin=manifest, check=False)
        assert refused.returncode != 0 and f"{field}: " in refused.stderr, (manifest, refused.stderr)


def test_another_class_is_left_alone(cluster):
    cluster.kubectl("create", "-f", "-", stdin=ingress(
        "foreign", {"foreign.example.com": [path("/", "Prefix", "alpha")]}, ingressClassName="nginx"))
    cluster.kubectl("create", "-f", "-", stdin=ingress("after", {"after.example.com": [path("/", "Prefix", "alpha")]}))
    wait_fetch(cluster, (404, {"alpha-0"}), "after.example.com")
    assert "no ingress rule" in fetch(cluster, "foreign.example.com")[1]
    assert cluster.get("ingress", "foreign")["status"] == {"loadBalancer": {}}
    cluster.kubectl("patch", "ingress", "foreign", "-p", '{"spec": {"ingressClassName": "stead"}}')
    wait_fetch(cluster, (404, {"alpha-0"}), "foreign.example.com")
    cluster.kubectl("patch", "ingress", "foreign", "-p", '{"spec": {"ingressClassName": "nginx"}}')
    wait_for(lambda: cluster.get("ingress", "foreign")["status"] == {"loadBalancer": {}}, 20, "the address being taken back")
    cluster.kubectl("delete", "ingress", "foreign", "after")


class Load:
    """Requests in the cluster's network, until stop()."""

    def __init__(self, cluster, host, *options):
        self.process = subprocess.Popen(
            [*cluster.namespace.enter, "/usr/bin/python3", ROOT / "tests/support/http_load.py", NODE_IP, "80", host, "120", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.stdin.close()
        seen = json.loads(self.process.stdout.read())
        self.process.wait(20)
        return seen


def test_reloads_drop_no_connection(cluster):
    """Ingresses come and go (each a reload), endpoints too (each a runtime change), while clients keep asking."""
    loads = [Load(cluster, "paths.example.com"), Load(cluster, "paths.example.com", "fresh")]
    try:
        for round_ in range(6):
            cluster.kubectl("create", "-f", "-", stdin=ingress(f"more-{round_}", {f"more-{round_}.example.com": [path("/", "Prefix", "alpha")]}))
            wait_fetch(cluster, (404, {"alpha-0"}), f"more-{round_}.example.com")
        cluster.kubectl("create", "-f", "-", stdin=pod("beta-2", "beta"))
        cluster.wait_ready("beta-2")
        wait_fetch(cluster, (404, {"beta-2"}), "paths.example.com")
        before = master(cluster)
        cluster.kubectl("delete", "pod", "beta-2")
        cluster.kubectl("delete", "ingress", *[f"more-{round_}" for round_ in range(6)])
        wait_for(lambda: "no ingress rule" in fetch(cluster, "more-5.example.com")[1], 20, "the rules going")
        assert master(cluster) == before
    finally:
        seen = [load.stop() for load in loads]
    for each in seen:
        assert each["failures"] == []
        assert set(each["answers"]) <= {f"404 beta-{i}" for i in range(3)}, each
        assert sum(each["answers"].values()) > 50


def test_a_dead_balancer_comes_back(cluster):
    old = master(cluster)
    os.kill(old, 9)
    master(cluster, old)
    wait_fetch(cluster, (404, {"alpha-0"}), "paths.example.com", "/a")


def test_serves_on_while_stead_restarts(cluster):
    old = master(cluster)
    cluster.stop()
    assert fetch(cluster, "paths.example.com", "/a") == (404, "alpha-0")
    cluster.up()
    cluster.kubectl("create", "-f", "-", stdin=ingress("late", {"late.example.com": [path("/", "Prefix", "alpha")]}))
    wait_fetch(cluster, (404, {"alpha-0"}), "late.example.com")
    assert master(cluster) == old, "taken over, not replaced"
    assert fetch(cluster, "paths.example.com", "/a") == (404, "alpha-0")


def test_ends_with_the_last_ingress_and_leaves_nothing(cluster):
    cluster.kubectl("delete", "ingress", "--all")
    wait_for(lambda: not haproxies(cluster), 20, "HAProxy ending")
    cluster.kubectl("create", "-f", "-", stdin=ingress("last", {"last.example.com": [path("/", "Prefix", "alpha")]}))
    wait_fetch(cluster, (404, {"alpha-0"}), "last.example.com")
    cluster.stop()
    cluster.down()
    assert not haproxies(cluster)
    assert not (cluster.data_dir / "ingress").exists()
    assert cluster.before.wait_as_before() == {}
