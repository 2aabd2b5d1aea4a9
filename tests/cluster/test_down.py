"""Starting, stopping and ending Stead on a machine: what is refused, what lives on, and that nothing is left."""

import os
import re
import shutil
import stat

import pytest

from support.cluster import IMAGES, NODE_IP, STEAD, Cluster, wait_for
from support.machine import Machine
from support.workload import STAY, Space, container, headless_service, stateful_set


@pytest.fixture(scope="module")
def cluster(newest_kubectl):
    """Not started: the tests do."""
    made = Cluster("down", newest_kubectl)
    yield made
    if made.data_dir.exists():
        made.close()
    else:
        made.namespace.close()


@pytest.fixture(scope="module")
def before(cluster):
    return Machine(cluster.namespace.enter, cluster.data_dir)


@pytest.fixture(scope="module")
def space(cluster, before):
    cluster.up()
    cluster.import_image("busybox")
    return Space(cluster, "down")


def work(space):
    mounts = {"volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in ("data", "settings", "hidden", "memory", "scratch")]}
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "hidden", "secret": {"secretName": "hidden"}},
               {"name": "memory", "emptyDir": {"medium": "Memory"}}, {"name": "scratch", "emptyDir": {}}]
    space.kubectl("create", "configmap", "settings", "--from-literal=a=1")
    space.kubectl("create", "secret", "generic", "hidden", "--from-literal=a=1")
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "addressed"},
               "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    deaf = container("deaf", "trap '' TERM; while :; do sleep 1; done")
    space.apply(headless_service(), service, stateful_set(
        replicas=3, containers=[container(**mounts), deaf], claims=["data"], pod={"volumes": volumes}, podManagementPolicy="Parallel"))
    space.wait_ready("web-0", "web-1", "web-2")


def running(space):
    return {name: [(each["containerID"], each["restartCount"]) for each in pod["status"]["containerStatuses"]]
            for name, pod in space.pods().items()}


def test_ready_line_and_kubeconfig(cluster, space):
    assert re.match(r"stead: ready in \d+ ms", cluster.ready_line)
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.data_dir.stat().st_mode) == 0o700
    for key in (cluster.data_dir / "pki").glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key
    assert cluster.stead("kubeconfig", "--data-dir", cluster.data_dir).stdout == cluster.kubeconfig.read_text()
    assert "node1  Ready" in cluster.stead("status", "--data-dir", cluster.data_dir).stdout


def test_a_second_up_on_the_same_directory_is_refused(cluster, space):
    second = cluster.stead("up", "--data-dir", cluster.data_dir, "--node-ip", NODE_IP, "--port", "7443", check=False)
    assert second.returncode == 1 and second.stdout == ""
    assert f"another stead (pid {cluster.process.pid}) runs on {cluster.data_dir}" in second.stderr
    assert cluster.kubectl("get", "--raw", "/readyz") == "ok"


def test_wrong_options_are_named(cluster, space, tmp_path):
    wrong = {("--node-ip", "nonsense"): "--node-ip", ("--pod-cidr", "10.0.0.0/99"): "--pod-cidr", ("--service-cidr", "x"): "--service-cidr",
             ("--port", "99999"): "--port", ("--bind", "x"): "--bind", ("--nope",): "--nope", ("--runtime", "magic"): "--runtime"}
    for options, word in wrong.items():
        done = cluster.stead("up", "--data-dir", tmp_path / "unused", *options, check=False, timeout=10)
        assert done.returncode != 0 and word in done.stderr + done.stdout, (options, done.stderr)
    assert not (tmp_path / "unused").exists()
    (tmp_path / "file").write_text("")
    done = cluster.stead("up", "--data-dir", tmp_path / "file", check=False)
    assert done.returncode == 1 and str(tmp_path / "file") in done.stderr
    taken = cluster.stead("up", "--data-dir", tmp_path / "other", "--node-ip", NODE_IP, check=False, timeout=30)
    assert taken.returncode == 1 and "6443" in taken.stderr
    assert cluster.stead("down", "--data-dir", tmp_path / "other", check=False, timeout=60).returncode == 0


def test_image_import_errors_say_what_is_wrong(cluster, space, tmp_path):
    (tmp_path / "noise.tar").write_bytes(os.urandom(20_000))
    (tmp_path / "cut.tar").write_bytes((IMAGES / "busybox.tar").read_bytes()[:500_000])
    (tmp_path / "empty.tar").write_bytes(b"")
    for name in ("missing.tar", "noise.tar", "cut.tar", "empty.tar"):
        done = cluster.stead("image", "import", "--data-dir", cluster.data_dir, tmp_path / name, check=False)
        assert done.returncode == 1 and name in done.stderr and done.stdout == "", (name, done.stderr, done.stdout)
    nobody = cluster.stead("image", "import", "--data-dir", tmp_path / "nobody", IMAGES / "busybox.tar", check=False)
    assert nobody.returncode == 1 and str(tmp_path / "nobody") in nobody.stderr
    again = cluster.stead("image", "import", "--data-dir", cluster.data_dir, IMAGES / "busybox.tar")
    assert "busybox:1.36" in again.stdout


def test_sigterm_leaves_pods_and_a_second_up_adopts_them(cluster, space):
    work(space)
    before = running(space)
    space.exec("web-0", "echo kept > /data/file; echo scratch > /scratch/file", container="main")
    cluster.stop()
    assert cluster.process.returncode == 0
    assert cluster.stead("status", "--data-dir", cluster.data_dir, check=False).returncode == 1
    cluster.up()
    assert running(space) == before
    space.wait_ready("web-0", "web-1", "web-2")
    assert running(space) == before
    assert space.exec("web-0", "cat /data/file /scratch/file", container="main") == "kept\nscratch\n"


def test_nothing_is_left_after_down(cluster, space, before):
    in_between = before.left()
    for kind in ("mounts", "links", "routes", "rules", "cgroups", "processes"):
        assert kind in in_between, f"the check sees no {kind} of a running cluster"
    assert "stead: down" in cluster.down().stdout
    assert cluster.process.wait(10) == 0
    assert (cluster.data_dir / "store.db").exists(), "down keeps the data"
    shutil.rmtree(cluster.data_dir)
    assert before.wait_as_before() == {}


def test_down_again_and_down_of_nothing(cluster, before, tmp_path):
    done = cluster.stead("down", "--data-dir", tmp_path / "never", check=False)
    assert done.returncode == 0, done.stderr
    assert before.wait_as_before() == {}


def test_up_after_down_brings_objects_and_data_back(newest_kubectl):
    made = Cluster("again", newest_kubectl)
    machine = Machine(made.namespace.enter, made.data_dir)
    try:
        made.up()
        made.import_image("busybox")
        space = Space(made, "kept")
        space.apply(headless_service(), stateful_set(claims=["data"], containers=[
            container(script=f"echo start >> /data/starts; {STAY}", volumeMounts=[{"name": "data", "mountPath": "/data"}])]))
        space.wait_ready("web-0")
        made.down()
        made.up()
        wait_for(lambda: space.exec("web-0", "cat /data/starts") == "start\nstart\n", 60, "web-0 with its data")
        space.wait_ready("web-0")
        # kill -9 first: down must also end what nobody watches.
        made.kill()
        made.down()
        shutil.rmtree(made.data_dir)
        assert machine.wait_as_before() == {}
    finally:
        if made.data_dir.exists():
            made.close()
        else:
            made.namespace.close()


def test_version():
    from support.cluster import run
    assert re.match(r"stead v1\.35\.\d+\+stead\n$", run([STEAD, "version"]).stdout)
