"""HTTP/2 beside HTTP/1.1, as clients other than kubectl speak it: curl, and many streams on one connection."""

import json
import subprocess

import pytest

from support.cluster import run, wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("http2"), newest_kubectl, 1).up()
    yield made
    made.close()


@pytest.fixture(scope="module")
def curl(simulated):
    """A curl command with the administrator's certificate; the arguments follow."""
    simulated.write_credentials()
    return simulated.curl


def version_and_status(simulated, curl, *options, path="/version"):
    out = run(curl("-o", "/dev/null", "-w", "%{http_version} %{http_code}", *options, simulated.url + path)).stdout
    return out


def test_the_client_chooses_the_version(simulated, curl):
    assert version_and_status(simulated, curl, "--http2") == "2 200"
    assert version_and_status(simulated, curl, "--http1.1") == "1.1 200"
    assert version_and_status(simulated, curl, "--http2", path="/api/v1/nodes/none") == "2 404"


def test_writes_reads_and_large_lists(simulated, curl):
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"map-{i}"}, "data": {"text": "x" * 3000}}
            for i in range(300)]
    simulated.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": maps}))
    url = f"{simulated.url}/api/v1/namespaces/default/configmaps"
    listed = json.loads(run(curl("--http2", url)).stdout)
    assert {"map-0", "map-299"} <= {item["metadata"]["name"] for item in listed["items"]}
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}, "data": {"a": "y" * 900_000}})
    made = run(curl("--http2", "-X", "POST", "-H", "Content-Type: application/json", "--data-binary", "@-", url), stdin=body)
    assert json.loads(made.stdout)["metadata"]["name"] == "large"
    too_large = run(curl("--http2", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--data-binary", "@-", url),
                    stdin="z" * (4 << 20), check=False)
    assert too_large.stdout == "413"


def test_watches_share_a_connection_with_requests(simulated, curl):
    url = f"{simulated.url}/api/v1/namespaces/default/configmaps"
    watches = [part for i in range(20) for part in
               ("-o", str(simulated.directory / f"watch-{i}"), f"{url}?watch=1&timeoutSeconds=600&fieldSelector=metadata.name=seen-{i}")]
    watcher = subprocess.Popen(curl("--http2", "--parallel", "--parallel-max", "50", "--no-buffer", "--max-time", "300", *watches))
    try:
        for i in range(20):
            simulated.kubectl("create", "configmap", f"seen-{i}")
        for i in range(20):
            path = simulated.directory / f"watch-{i}"
            wait_for(lambda: path.exists() and f'"seen-{i}"' in path.read_text(), what=f"the event of seen-{i}")
        assert version_and_status(simulated, curl, "--http2") == "2 200"
    finally:
        watcher.kill()
        watcher.wait(10)


def test_stopping_ends_watches_cleanly(simulated, curl):
    """A watch that the server ends is whole: curl tells a cut one by its exit."""
    output = simulated.directory / "last-watch"
    url = f"{simulated.url}/api/v1/namespaces?watch=1&timeoutSeconds=600"
    watchers = [subprocess.Popen(curl(version, "--no-buffer", "--max-time", "300", "-o", f"{output}{version}", url))
                for version in ("--http2", "--http1.1")]
    for version in ("--http2", "--http1.1"):
        path = simulated.directory / f"last-watch{version}"
        wait_for(lambda: path.exists() and '"default"' in path.read_text(), what=f"the first events with {version}")
    assert simulated.stop() == 0
    assert [watcher.wait(30) for watcher in watchers] == [0, 0]
