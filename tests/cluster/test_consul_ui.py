"""The Consul UI through the Ingress, by host name, with curl and with a browser: the document's service and its old manifest."""

import pathlib
import sys

import pytest

from support.browser import PROGRAM, Browser
from support.cluster import NODE_IP, ROOT, wait_for

EXAMPLE = ROOT / "examples" / "consul"
SCREENSHOT = ROOT / "build" / "screenshots" / "consul-ui.png"

if not pathlib.Path("/usr/sbin/haproxy").exists():
    print("\nSKIPPED LOUDLY: haproxy is not installed, so that no Ingress can be served", file=sys.stderr)
    pytestmark = pytest.mark.skip(reason="haproxy is not installed")

CONSUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: consul}
spec:
  serviceName: consul
  replicas: 1
  selector: {matchLabels: {app: consul}}
  template:
    metadata: {labels: {app: consul}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: consul
        image: consul:1.8.7
        imagePullPolicy: IfNotPresent
        command: [consul, agent, -server, -ui, -bootstrap-expect=1, -client=0.0.0.0, -bind=127.0.0.1, -data-dir=/consul/data, -node=consul-0]
        ports: [{containerPort: 8500, name: ui-port}]
        readinessProbe: {httpGet: {path: /v1/status/leader, port: 8500}, periodSeconds: 1}
"""


@pytest.fixture(scope="module", autouse=True)
def consul(cluster):
    cluster.import_image("consul")
    cluster.kubectl("create", "-f", "-", stdin=CONSUL)
    cluster.wait_ready("consul-0", timeout=120)
    cluster.kubectl("create", "-f", EXAMPLE / "consul-ui.yaml")
    made = cluster.kubectl("create", "--validate=false", "-f", EXAMPLE / "consul-ingress.yaml", check=False)
    assert made.returncode == 0 and "Warning: extensions/v1beta1 Ingress is deprecated" in made.stderr, made.stderr


def fetch(cluster, where):
    return cluster.namespace.run(["curl", "-sSL", "--max-time", "10", "--resolve", f"consul.example.com:80:{NODE_IP}", "-w", "\n%{http_code}",
                                  f"http://consul.example.com{where}"]).stdout.rpartition("\n")


def test_with_curl(cluster):
    page, _, status = wait_for(lambda: (got := fetch(cluster, "/ui")) and got[2] == "200" and got, 30, "the UI's page")
    assert "<title>Consul" in page
    wait_for(lambda: fetch(cluster, "/v1/status/leader")[0].strip() == '"127.0.0.1:8300"', 60, "the leader, told through the Ingress")
    refused = cluster.namespace.run(["curl", "-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}", f"http://{NODE_IP}/ui/"]).stdout
    assert refused == "404", "by another name there is nothing"


@pytest.mark.skipif(not PROGRAM, reason="chromium is not installed")
def test_with_a_browser(cluster, tmp_path):
    """The page's program runs and shows what it fetched through the Ingress from Consul's API: the node and the leader's service."""
    with Browser(cluster.namespace.enter, tmp_path / "profile", {"consul.example.com": NODE_IP}) as browser:
        browser.open("http://consul.example.com/ui/dc1/nodes")
        wait_for(lambda: "consul-0" in browser.text(), 120, "the node on the page")
        browser.open("http://consul.example.com/ui/dc1/services")
        text = wait_for(lambda: (seen := browser.text()) and "1 instance" in seen.lower() and seen, 120, "the services on the page")
        assert "Services" in text and "consul" in text
        browser.screenshot(SCREENSHOT)
    assert SCREENSHOT.read_bytes().startswith(b"\x89PNG")
    print(f"screenshot: {SCREENSHOT}")


if not PROGRAM:
    print("\nSKIPPED LOUDLY: chromium is not installed, so that no browser looks at the Consul UI", file=sys.stderr)
