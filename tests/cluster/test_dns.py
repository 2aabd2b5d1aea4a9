"""Kubernetes DNS-Based Service Discovery 1.1.0, each record type asked for with dig, and resolv.conf as pods see it."""

import json
import shutil
import sys

import pytest

from support.cluster import wait_for

if not shutil.which("dig"):
    print("\nSKIPPED LOUDLY: dig is not installed", file=sys.stderr)
    pytestmark = pytest.mark.skip(reason="dig is not installed")

SERVER = "10.43.0.10"
ZONE = "cluster.local"

PEERS = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  clusterIP: None
  publishNotReadyAddresses: EARLY
  selector: {app: NAME}
  ports: [{name: peer, port: 7000}, {name: gossip, port: 7001, protocol: UDP}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME}
spec:
  serviceName: NAME
  podManagementPolicy: Parallel
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: c
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sleep, "100000"]
        readinessProbe: {exec: {command: [sh, -c, "PROBE"]}, periodSeconds: 1}
"""


@pytest.fixture(scope="module", autouse=True)
def objects(cluster):
    cluster.import_image("busybox")
    for name, early, probe in (("db", "false", "true"), ("early", "true", "false"), ("late", "false", "false")):
        cluster.kubectl("create", "-f", "-", stdin=PEERS.replace("NAME", name).replace("EARLY", early).replace("PROBE", probe))
    made = [
        {"metadata": {"name": "web"}, "spec": {"selector": {"app": "db"}, "ports": [
            {"name": "http", "port": 80}, {"name": "stats", "port": 8125, "protocol": "UDP"}]}},
        {"metadata": {"name": "alias"}, "spec": {"type": "ExternalName", "externalName": f"db.default.svc.{ZONE}"}},
        {"metadata": {"name": "outside"}, "spec": {"type": "ExternalName", "externalName": "www.example.com"}},
        {"metadata": {"name": "big"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
        {"metadata": {"name": "byhand"}, "spec": {"clusterIP": "None", "ports": [{"name": "sql", "port": 5432}]}},
    ]
    for service in made:
        cluster.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Service", **service}))
    cluster.kubectl("create", "-f", "-", stdin=json.dumps({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "big-1", "labels": {"kubernetes.io/service-name": "big"}}, "addressType": "IPv4",
        "endpoints": [{"addresses": [f"198.51.100.{i}"]} for i in range(1, 121)], "ports": [{"port": 80}]}))
    cluster.wait_ready("db-0", "db-1")
    wait_for(lambda: len(dig(cluster, f"db.default.svc.{ZONE}")[1]) == 2, 30, "both peers in DNS")


def dig(cluster, name, kind="A", *options):
    """(status, [records as `TTL TYPE DATA`…], whole text)."""
    text = cluster.namespace.run(["dig", f"@{SERVER}", name, kind, "+tries=2", "+time=5", "+noidnin", "+noidnout", *options]).stdout
    status = text.split("status: ")[1].split(",")[0]
    return status, [line.split(None, 4) for line in section(text, "ANSWER")], text


def section(text, name):
    _, found, rest = text.partition(f";; {name} SECTION:\n")
    return rest.partition("\n\n")[0].splitlines() if found else []


def data(cluster, name, kind="A", *options):
    status, records, _ = dig(cluster, name, kind, *options)
    assert status == "NOERROR", (name, kind, status)
    return sorted(record[4] for record in records)


def pod_address(cluster, name):
    return cluster.get("pod", name)["status"]["podIP"]


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def test_schema_version(cluster):
    assert data(cluster, f"dns-version.{ZONE}", "TXT") == ['"1.1.0"']


def test_services_with_an_address(cluster):
    address = cluster.get("service", "web")["spec"]["clusterIP"]
    name = f"web.default.svc.{ZONE}"
    assert data(cluster, name) == [address]
    assert data(cluster, name.upper()) == [address]
    assert data(cluster, f"_http._tcp.{name}", "SRV")[0].endswith(f" 80 {name}.")
    assert data(cluster, f"_stats._udp.{name}", "SRV")[0].endswith(f" 8125 {name}.")
    assert data(cluster, reverse(address), "PTR") == [f"{name}."]
    _, _, text = dig(cluster, f"_http._tcp.{name}", "SRV")
    assert [line.split()[4] for line in section(text, "ADDITIONAL")] == [address]


def test_headless_services(cluster):
    name = f"db.default.svc.{ZONE}"
    addresses = {pod: pod_address(cluster, pod) for pod in ("db-0", "db-1")}
    assert data(cluster, name) == sorted(addresses.values())
    for pod, address in addresses.items():
        assert data(cluster, f"{pod}.{name}") == [address]
        assert f"{pod}.{name}." in data(cluster, reverse(address), "PTR")
    for port, protocol, number in (("peer", "tcp", 7000), ("gossip", "udp", 7001)):
        records = data(cluster, f"_{port}._{protocol}.{name}", "SRV")
        assert {tuple(record.split()[2:]) for record in records} == {(str(number), f"{pod}.{name}.") for pod in addresses}


def test_not_ready_addresses(cluster):
    name = f"early.default.svc.{ZONE}"
    wait_for(lambda: len(dig(cluster, name)[1]) == 2, 30, "the unready in DNS")
    assert data(cluster, f"early-1.{name}") == [pod_address(cluster, "early-1")]
    wait_for(lambda: cluster.get("pod", "late-1")["status"].get("podIP"), 30, "late-1's address")
    status, records, _ = dig(cluster, f"late-1.late.default.svc.{ZONE}")
    assert (status, records) == ("NXDOMAIN", [])


def test_external_names(cluster):
    _, records, _ = dig(cluster, f"alias.default.svc.{ZONE}")
    assert records[0][3:] == ["CNAME", f"db.default.svc.{ZONE}."]
    assert sorted(record[4] for record in records[1:]) == data(cluster, f"db.default.svc.{ZONE}")
    # No resolver is reachable in this network: the alias itself is all there is to say.
    _, records, _ = dig(cluster, f"outside.default.svc.{ZONE}", "CNAME")
    assert [record[3:] for record in records] == [["CNAME", "www.example.com."]]


def test_pods_by_address(cluster):
    address = pod_address(cluster, "db-0")
    assert data(cluster, f"{address.replace('.', '-')}.default.pod.{ZONE}") == [address]


@pytest.mark.parametrize("name, kind, status", (
    (f"web.default.svc.{ZONE}", "AAAA", "NOERROR"),
    (f"db.default.svc.{ZONE}", "AAAA", "NOERROR"),
    (f"web.default.svc.{ZONE}", "TXT", "NOERROR"),
    (f"default.svc.{ZONE}", "A", "NOERROR"),
    (f"svc.{ZONE}", "A", "NOERROR"),
    (f"none.default.svc.{ZONE}", "A", "NXDOMAIN"),
    (f"db-7.db.default.svc.{ZONE}", "A", "NXDOMAIN"),
    (f"web.nowhere.svc.{ZONE}", "A", "NXDOMAIN"),
    (f"_none._tcp.web.default.svc.{ZONE}", "SRV", "NXDOMAIN"),
    (f"_http._udp.web.default.svc.{ZONE}", "SRV", "NXDOMAIN"),
    (f"1-2-3.default.pod.{ZONE}", "A", "NXDOMAIN"),
    ("251.255.43.10.in-addr.arpa", "PTR", "NXDOMAIN"),
))
def test_what_is_not_there(cluster, name, kind, status):
    """RFC 2308: a name without that type is told from no such name, both with the zone's SOA and a short life."""
    seen, records, text = dig(cluster, name, kind)
    assert (seen, records) == (status, [])
    (soa,) = [line.split() for line in section(text, "AUTHORITY")]
    assert soa[3] == "SOA"
    assert int(soa[1]) <= 5 and int(soa[-1]) <= 5, "remembered for a few seconds at most"


def test_large_answers(cluster):
    """Truncated over UDP to what the asker can take (RFC 6891), whole over TCP."""
    name = f"big.default.svc.{ZONE}"
    _, small, text = dig(cluster, name, "A", "+ignore", "+noedns")
    assert "flags: qr aa tc" in text and len(small) < 120
    _, middle, text = dig(cluster, name, "A", "+ignore", "+bufsize=1232")
    assert " tc" in text.split(";; flags:")[1].split(";")[0] and len(middle) < 120
    assert "; EDNS: version: 0" in text
    assert len(dig(cluster, name, "A", "+ignore", "+bufsize=4096")[1]) in (120, len(middle)), "all, or as much as is safe"
    assert len(data(cluster, name, "A", "+tcp")) == 120
    assert len(data(cluster, name, "A", "+noedns")) == 120, "dig asks again over TCP by itself"
    _, _, text = dig(cluster, name, "A", "+edns=1", "+noednsneg")
    assert "status: BADVERS" in text


def test_endpoints_kept_by_hand(cluster):
    """A service without selector: its Endpoints become slices, and so records."""
    name = f"byhand.default.svc.{ZONE}"
    manifest = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "byhand"}, "subsets": [
        {"addresses": [{"ip": "198.51.100.7", "hostname": "primary"}, {"ip": "198.51.100.8"}], "ports": [{"name": "sql", "port": 5432}]}]}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    wait_for(lambda: data(cluster, name) == ["198.51.100.7", "198.51.100.8"], 30, "both addresses")
    assert data(cluster, f"primary.{name}") == ["198.51.100.7"]
    assert {record.split()[2] for record in data(cluster, f"_sql._tcp.{name}", "SRV")} == {"5432"}
    (slice_,) = cluster.get("endpointslices", "-l", "kubernetes.io/service-name=byhand")["items"]
    assert slice_["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
    manifest["subsets"][0]["addresses"].pop()
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(manifest))
    wait_for(lambda: data(cluster, name) == ["198.51.100.7"], 30, "the one that is left")
    cluster.kubectl("delete", "endpoints", "byhand")
    wait_for(lambda: not cluster.get("endpointslices", "-l", "kubernetes.io/service-name=byhand")["items"], 30, "the slice going")


@pytest.mark.parametrize("name, spec, wanted", (
    ("first", {}, ["search default.svc.cluster.local svc.cluster.local cluster.local", "nameserver 10.43.0.10", "options ndots:5"]),
    ("none", {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["198.51.100.53"], "searches": ["a.example", "b.example"],
                                                 "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}},
     ["search a.example b.example", "nameserver 198.51.100.53", "options ndots:2 edns0"]),
    ("more", {"dnsConfig": {"searches": ["c.example"], "options": [{"name": "ndots", "value": "3"}]}},
     ["search default.svc.cluster.local svc.cluster.local cluster.local c.example", "nameserver 10.43.0.10", "options ndots:3"]),
))
def test_resolv_conf(cluster, name, spec, wanted):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"resolv-{name}"}, "spec": {
        "terminationGracePeriodSeconds": 0, **spec,
        "containers": [{"name": "c", "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sleep", "1000"]}]}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    cluster.wait_ready(f"resolv-{name}")
    lines = [line.strip() for line in cluster.exec(f"resolv-{name}", "cat", "/etc/resolv.conf").splitlines() if line.strip()]
    assert sorted(line for line in lines if not line.startswith("search")) == sorted(line for line in wanted if not line.startswith("search"))
    (search,) = [line for line in lines if line.startswith("search")]
    # The machine's own search domains may follow.
    assert search.split()[:len(wanted[0].split())] == wanted[0].split()
