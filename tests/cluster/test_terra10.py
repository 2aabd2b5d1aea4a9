"""The terra10 document, section by section."""

import os
import re

import pytest

from support.cluster import ROOT, CommandFailed, wait_for

EXAMPLE = ROOT / "examples" / "terra10"


@pytest.fixture(scope="module", autouse=True)
def images(cluster, leaves_nothing):
    cluster.import_image("terra10")
    cluster.import_image("busybox")


def address(cluster, pod):
    described = cluster.kubectl("describe", "pod", pod)
    return re.search(r"^IP:\s+(\S+)", described, re.M).group(1)


def order(cluster, pod, name, start, end="Mars"):
    return cluster.curl(f"http://{address(cluster, pod)}:8090?name={name}&from={start}&to={end}")


def journal(cluster, pod):
    return cluster.curl(f"http://{address(cluster, pod)}:8092")


def edit(cluster, folder, expression):
    """`kubectl edit statefulset terra10` by somebody who types like sed."""
    editor = folder / "editor"
    editor.write_text(f'#!/bin/sh\nsed -i "{expression}" "$1"\n')
    editor.chmod(0o755)
    return cluster.namespace.run([cluster.kubectl_binary, "--kubeconfig", str(cluster.kubeconfig), "edit", "statefulset", "terra10"],
                                 env={**os.environ, "KUBE_EDITOR": str(editor)}).stdout


def test_service(cluster):
    made = cluster.kubectl("create", "-f", str(EXAMPLE / "terra10-service-headless.yaml"))
    assert made == "service/terra10-hs created\n"
    lines = cluster.kubectl("get", "service", "terra10-hs").splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert lines[1].split()[:5] == ["terra10-hs", "ClusterIP", "None", "<none>", "8090/TCP,8092/TCP"]


def test_set_starts_in_order(cluster):
    made = cluster.kubectl("create", "-f", str(EXAMPLE / "terra10-statefulset.yaml"))
    assert made == "statefulset.apps/terra10 created\n"
    cluster.wait_ready("terra10-0", "terra10-1")
    first, second = (cluster.get("pod", f"terra10-{i}") for i in (0, 1))
    ready = {c["type"]: c for c in first["status"]["conditions"]}["Ready"]
    assert ready["lastTransitionTime"] <= second["metadata"]["creationTimestamp"]
    rows = [line.split() for line in cluster.kubectl("get", "pod").splitlines()]
    assert rows[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [row[:4] for row in rows[1:]] == [["terra10-0", "2/2", "Running", "0"], ["terra10-1", "2/2", "Running", "0"]]


def test_claims_and_volumes(cluster):
    rows = [line.split() for line in cluster.kubectl("get", "pvc").splitlines()[1:]]
    assert [row[0] for row in rows] == ["transportlog-terra10-0", "transportlog-terra10-1"]
    for row in rows:
        assert row[1] == "Bound" and re.fullmatch(r"pvc-[0-9a-f-]{36}", row[2])
        assert row[3:6] == ["1Mi", "RWO", "standard"]
    volumes = [line.split() for line in cluster.kubectl("get", "pv").splitlines()[1:]]
    assert sorted(row[5] for row in volumes) == ["default/transportlog-terra10-0", "default/transportlog-terra10-1"]
    assert all(row[3:5] == ["Delete", "Bound"] for row in volumes)


def test_each_pod_works_on_its_own_storage(cluster):
    assert order(cluster, "terra10-0", "Luc", "DenBosch") == (
        "Hello, on terra10-0, Luc will be transported from DenBosch to Mars using the Terra10 transporter service\n")
    assert journal(cluster, "terra10-0") == "transporter terra10-0 has transporteed Luc is transported from DenBosch to Mars\n"
    assert journal(cluster, "terra10-1") == ""
    order(cluster, "terra10-1", "Napoleon", "Elba")
    assert journal(cluster, "terra10-1") == "transporter terra10-1 has transporteed Napoleon is transported from Elba to Mars\n"
    assert "Napoleon" not in journal(cluster, "terra10-0")


def test_scale_down_keeps_the_claim(cluster, tmp_path):
    before = address(cluster, "terra10-1")
    assert edit(cluster, tmp_path, "s/replicas: 2/replicas: 1/") == "statefulset.apps/terra10 edited\n"
    wait_for(lambda: cluster.kubectl("get", "pod", "terra10-1", check=False).returncode == 1, 60, "terra10-1 gone")
    assert "Luc" in journal(cluster, "terra10-0")
    with pytest.raises(CommandFailed):
        cluster.curl(f"http://{before}:8092", timeout=2)
    assert cluster.get("pvc", "transportlog-terra10-1")["status"]["phase"] == "Bound"


def test_scale_up_brings_the_data_back(cluster, tmp_path):
    assert edit(cluster, tmp_path, "s/replicas: 1/replicas: 2/") == "statefulset.apps/terra10 edited\n"
    cluster.wait_ready("terra10-1")
    assert journal(cluster, "terra10-1") == "transporter terra10-1 has transporteed Napoleon is transported from Elba to Mars\n"


def test_names_inside_the_pods(cluster):
    for i in (0, 1):
        pod = f"terra10-{i}"
        inside = lambda command: cluster.exec(pod, "/bin/sh", "-c", command, container="terra10-transporter").strip()
        assert inside("hostname") == pod
        assert inside("hostname -f") == f"{pod}.terra10-hs.default.svc.cluster.local"


def test_names_from_another_pod(cluster):
    cluster.kubectl("run", "busybox", "--image=busybox:1.28.4", "--command", "--", "sleep", "3600")
    cluster.wait_ready("busybox")
    addresses = [address(cluster, f"terra10-{i}") for i in (0, 1)]
    one = cluster.exec("busybox", "nslookup", "terra10-0.terra10-hs.default.svc.cluster.local")
    assert addresses[0] in one and "10.43.0.10" in one
    both = cluster.exec("busybox", "nslookup", "terra10-hs.default.svc.cluster.local")
    assert all(each in both for each in addresses)


def test_an_update_waits_for_the_deletion_of_its_pod(cluster):
    """apps/v1beta1's default strategy, not that of apps/v1 which the chapter tells of."""
    uid = lambda pod: cluster.get("pod", pod)["metadata"]["uid"]
    assert cluster.get("statefulset", "terra10")["spec"]["updateStrategy"] == {"type": "OnDelete"}
    before = [uid("terra10-0"), uid("terra10-1")]
    cluster.kubectl("set", "env", "statefulset/terra10", "-c", "terra10-monitor", "ROUND=2")
    status = lambda: cluster.get("statefulset", "terra10")["status"]
    wait_for(lambda: status()["updateRevision"] != status()["currentRevision"], 15, "a new revision")
    assert [uid("terra10-0"), uid("terra10-1")] == before
    cluster.kubectl("delete", "pod", "terra10-1")
    wait_for(lambda: uid("terra10-1") != before[1] and cluster.is_ready("terra10-1"), 60, "terra10-1 anew")
    monitor = lambda pod: {each["name"]: each for each in cluster.get("pod", pod)["spec"]["containers"]}["terra10-monitor"]
    assert monitor("terra10-1")["env"] == [{"name": "ROUND", "value": "2"}] and "env" not in monitor("terra10-0")
    assert uid("terra10-0") == before[0]
    assert "Napoleon" in journal(cluster, "terra10-1")


def test_clean_up_leaves_nothing(cluster, leaves_nothing):
    cluster.kubectl("delete", "statefulset/terra10", "service/terra10-hs", "pod/busybox", "--grace-period=1")
    wait_for(lambda: not cluster.get("pods")["items"], 60, "the end of all pods")
    assert len(cluster.get("pvc")["items"]) == 2, "claims stay until a person deletes them"
    cluster.kubectl("delete", "pvc", "transportlog-terra10-0", "transportlog-terra10-1")
    leaves_nothing()
    assert cluster.kubectl("get", "all,pvc", "-o", "name").split() == ["service/kubernetes"]
