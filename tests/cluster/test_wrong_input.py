"""Wrong input gets a 4xx (or a closed connection) with a message a person can act on, and harms nobody."""

import json

import pytest

from support.cluster import run

SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME}
spec:
  serviceName: web
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "busybox:latest"}
"""


def set_manifest(name="web", **replacements):
    text = SET.replace("NAME", name)
    for old, new in replacements.values():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def api(cluster):
    """Sends a request to the API with the admin's certificate; returns (status, parsed body)."""
    pki = cluster.data_dir / "pki"

    def call(method, path, body=None, content_type="application/json", certificate=True, timeout=20):
        command = ["curl", "-sS", "--max-time", str(timeout), "--cacert", str(pki / "ca.crt"), "-X", method, "-w",
                   "\n%{http_code}", "-H", f"Content-Type: {content_type}", f"https://127.0.0.1:6443{path}"]
        if certificate:
            command += ["--cert", str(pki / "admin.crt"), "--key", str(pki / "admin.key")]
        if body is not None:
            command += ["--data-binary", "@-"]
        out = cluster.namespace.run(command, stdin=body, timeout=timeout + 5).stdout
        text, _, code = out.rpartition("\n")
        try:
            return int(code), json.loads(text)
        except json.JSONDecodeError:
            return int(code), text

    return call


def refused(cluster, manifest, *words, command=("create", "-f", "-")):
    """kubectl must fail with all `words` on standard error."""
    done = cluster.kubectl(*command, stdin=manifest, check=False)
    assert done.returncode != 0, done.stdout
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


def test_unknown_field_is_named(cluster):
    refused(cluster, set_manifest(a=("  replicas: 0", "  replicaz: 0")), "replicaz")


def test_unknown_field_is_named_by_the_server(api):
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "dta": {}})
    code, status = api("POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Strict", body)
    assert code == 400 and 'unknown field "dta"' in status["message"]


def test_wrong_type_names_the_field(api):
    body = json.dumps({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "x"},
                       "spec": {"replicas": "three"}})
    code, status = api("POST", "/apis/apps/v1/namespaces/default/statefulsets", body)
    assert code == 400 and "spec.replicas" in status["message"] and "string" in status["message"]


def test_duplicate_key_is_named(api):
    body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1"},"data":{"b":"2"}}'
    code, status = api("POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Strict", body)
    assert code == 400 and 'duplicate field "data"' in status["message"]


def test_bad_name_says_what_is_allowed(cluster):
    refused(cluster, set_manifest("Not_A_Name"), "metadata.name", "lowercase")


def test_missing_selector(cluster):
    refused(cluster, set_manifest(a=("  selector: {matchLabels: {app: web}}\n", "")), "spec.selector")


def test_selector_that_does_not_match(cluster):
    refused(cluster, set_manifest(a=("matchLabels: {app: web}", "matchLabels: {app: other}")),
            "spec.template.metadata.labels", "selector")


def test_every_problem_is_told_at_once(cluster):
    text = refused(cluster, set_manifest(a=("replicas: 0", "replicas: -1"), b=("{name: web, image", "{name: W_eb, image")),
                   "spec.replicas", "spec.template.spec.containers[0].name")
    assert "is invalid" in text


def test_immutable_field(cluster):
    cluster.kubectl("apply", "-f", "-", stdin=set_manifest("fixed"))
    refused(cluster, set_manifest("fixed", a=("serviceName: web", "serviceName: other")), "Forbidden", "updates to statefulset spec", command=("apply", "-f", "-"))
    cluster.kubectl("delete", "statefulset", "fixed")


def test_oversized_body(api):
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k": "x" * 5_000_000}})
    code, status = api("POST", "/api/v1/namespaces/default/configmaps", body)
    assert code == 413


def test_object_too_large_to_store(api):
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k": "x" * 1_500_000}})
    code, status = api("POST", "/api/v1/namespaces/default/configmaps", body)
    assert code in (413, 422) and "Too long" in status["message"]


def test_deep_nesting(api):
    body = '{"a":' * 20_000 + "1" + "}" * 20_000
    code, status = api("POST", "/api/v1/namespaces/default/configmaps", body)
    assert code == 400 and "depth" in status["message"]


def test_nonsense_bodies(api):
    for body in ("", "{", "[]", "null", "\x01\x02", '{"a":1}}', "nope"):
        code, status = api("POST", "/api/v1/namespaces/default/configmaps", body)
        assert code == 400, (body, status)
        assert status["kind"] == "Status" and status["message"]


def test_nonsense_queries(api):
    for query in ("labelSelector=a in b", "fieldSelector=spec.nope=1", "limit=-1", "resourceVersion=x", "continue=%25", "timeout=soon"):
        code, status = api("GET", "/api/v1/namespaces/default/pods?" + query.replace(" ", "%20"))
        assert code == 400, (query, status)


def test_nothing_there(api):
    for path in ("/nope", "/api/v2", "/apis/nope/v1", "/api/v1/nopes", "/apis/apps/v1/namespaces/default/nopes/x"):
        assert api("GET", path)[0] == 404
    assert api("DELETE", "/api/v1/namespaces/default/configmaps/nope", "{}")[1]["reason"] == "NotFound"


def test_no_certificate(api):
    code, status = api("GET", "/api/v1/pods", certificate=False)
    assert code == 401 and status["reason"] == "Unauthorized"
    assert api("GET", "/healthz", certificate=False) == (200, "ok")


def test_foreign_certificate(cluster, tmp_path):
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
         "/O=system:masters/CN=eve", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt"), "-days", "1"])
    done = cluster.namespace.run(
        ["curl", "-sS", "--max-time", "5", "-k", "--cert", str(tmp_path / "crt"), "--key", str(tmp_path / "key"),
         "https://127.0.0.1:6443/api/v1/pods"], check=False)
    assert done.returncode != 0 or '"code":401' in done.stdout


def test_truncated_tls_and_plain_http(cluster, api):
    script = (
        "import socket\n"
        "for data in (b'\\x16\\x03\\x01\\x02\\x00\\x01\\x00', b'GET / HTTP/1.1\\r\\n\\r\\n', b'\\x00' * 4096, b''):\n"
        "    s = socket.create_connection(('127.0.0.1', 6443)); s.sendall(data); s.close()\n")
    cluster.namespace.run(["/usr/bin/python3", "-c", script])
    assert api("GET", "/readyz") == (200, "ok")


def test_the_server_is_unharmed(cluster, api):
    assert api("GET", "/readyz") == (200, "ok")
    assert cluster.kubectl("get", "statefulsets") is not None
    assert "broken invariant" not in cluster.log()
