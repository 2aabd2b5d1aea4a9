"""pods, services and nodes proxied by the API server: as `kubectl get --raw` and `kubectl proxy` ask for them."""

import json
import subprocess

import pytest

from support.workload import STAY, Space, container, headless_service, stateful_set

CGI = r"""#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "$REQUEST_METHOD $QUERY_STRING auth=$HTTP_AUTHORIZATION"
cat
"""


@pytest.fixture(scope="module")
def space(cluster, newest_kubectl):
    cluster.import_image("busybox")
    made = Space(cluster, "proxy", str(newest_kubectl))
    script = f"mkdir -p /tmp/w/cgi-bin /tmp/w/dir; echo served > /tmp/w/index.html; seq 1 200000 > /tmp/w/large; " \
             f"cat > /tmp/w/cgi-bin/show <<'X'\n{CGI}X\nchmod +x /tmp/w/cgi-bin/show; httpd -p 8080 -h /tmp/w; {STAY}"
    server = container("server", script, ports=[{"containerPort": 8080, "name": "http"}],
                       readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1})
    service = headless_service(port=80)
    service["spec"]["ports"][0]["targetPort"] = 8080
    made.apply(service, stateful_set(replicas=1, containers=[server]))
    made.wait_ready("web-0")
    yield made
    made.close()


def raw(space, what, check=True):
    return space.kubectl("get", "--raw", f"/api/v1/namespaces/{space.name}/{what}", check=check)


@pytest.mark.parametrize("name", ["pods/web-0", "pods/web-0:8080", "pods/http:web-0:8080", "services/web:80", "services/web:http",
                                  "services/http:web:http"])
def test_each_form_of_name(space, name):
    assert raw(space, f"{name}/proxy/") == "served\n"


def test_large_answers_and_queries(space):
    assert raw(space, "pods/web-0:8080/proxy/large").splitlines()[-1] == "200000"
    assert raw(space, "pods/web-0:8080/proxy/cgi-bin/show?a=b%20c").splitlines()[0] == "GET a=b+c auth="  # kubectl spells the space so
    missing = raw(space, "pods/web-0:8080/proxy/missing", check=False)
    assert missing.returncode != 0


def test_what_cannot_be_reached_is_told(space):
    for what, told in (("pods/web-0:81/proxy/", "error trying to reach service"), ("pods/none/proxy/", "not found"),
                       ("services/web/proxy/", "no endpoints available"), ("services/web:99/proxy/", "no service port 99"),
                       ("pods/web-0:port/proxy/", "invalid port number")):
        done = raw(space, what, check=False)
        assert done.returncode != 0 and told in done.stderr + done.stdout, (what, done.stderr)


def test_nodes(space):
    node = space.get("nodes")["items"][0]["metadata"]["name"]
    assert space.kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/healthz") == "ok"
    summary = json.loads(space.kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))
    assert summary["node"]["nodeName"] == node


def test_kubectl_proxy(space):
    command = [*space.cluster.namespace.enter, space.binary, "--kubeconfig", str(space.cluster.kubeconfig), "proxy", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        base = "http://" + process.stdout.readline().split("Starting to serve on ")[1].strip()
        pods = json.loads(space.cluster.curl(f"{base}/api/v1/namespaces/{space.name}/pods"))
        assert [pod["metadata"]["name"] for pod in pods["items"]] == ["web-0"]
        service = f"{base}/api/v1/namespaces/{space.name}/services/web:http/proxy"
        assert space.cluster.curl(service + "/") == "served\n"
        posted = space.cluster.namespace.run(["curl", "-sS", "-H", "Authorization: secret", "--data", "body", service + "/cgi-bin/show?x"])
        assert posted.stdout == "POST x auth=\nbody"
        moved = space.cluster.namespace.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", service])
        assert moved.stdout == f"301 {service}/"
    finally:
        process.kill()
        process.wait(10)
