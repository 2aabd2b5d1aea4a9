"""Aggregated APIs: groups served here are registered, those of another server are discovered and passed on.

The other server is this process, on loopback.
"""

import base64
import http.server
import json
import ssl
import threading

import pytest

from support.cluster import run, wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
PATH = "/apis/remote.example.com/v1"


class RemoteServer:
    """Serves one resource, widgets, to whom the front proxy vouches for."""

    def __init__(self, directory, client_ca):
        key, certificate = directory / "key.pem", directory / "cert.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=remote", "-addext", "subjectAltName=DNS:remote.default.svc", "-keyout", key, "-out", certificate])
        self.bundle = base64.b64encode(certificate.read_bytes()).decode()
        self.seen = []
        remote = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                proxy = dict(pair[0] for pair in self.connection.getpeercert()["subject"])["commonName"]
                remote.seen.append((self.command, self.path, proxy, self.headers.get_all("X-Remote-User"),
                                    self.headers.get_all("X-Remote-Group"), body))
                widget = {"apiVersion": "remote.example.com/v1", "kind": "Widget", "metadata": {"name": "one", "namespace": "default"}}
                text = json.dumps({
                    PATH: {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "remote.example.com/v1", "resources": [
                        {"name": "widgets", "singularName": "widget", "namespaced": True, "kind": "Widget",
                         "shortNames": ["wd"], "verbs": ["get", "list", "create"]}]},
                    f"{PATH}/namespaces/default/widgets": {"kind": "WidgetList", "apiVersion": "remote.example.com/v1",
                                                           "metadata": {}, "items": [widget]},
                }.get(self.path.split("?")[0], widget)).encode()
                self.send_response(201 if self.command == "POST" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(cadata=client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("aggregation"), newest_kubectl, 1).up()
    yield made
    made.close()


def services(simulated):
    """What kubectl prints: name → (service, available)."""
    lines = simulated.kubectl("get", "apiservices", "--no-headers").splitlines()
    return {line.split()[0]: tuple(line.split()[1:3]) for line in lines}


def test_what_is_served_here_is_registered(simulated):
    wait_for(lambda: services(simulated).get("v1.apps") == ("Local", "True"), what="the local services")
    assert services(simulated)["v1."] == ("Local", "True")
    simulated.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "toys.play.example.com"},
        "spec": {"group": "play.example.com", "scope": "Namespaced", "names": {"plural": "toys", "kind": "Toy"}, "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}))
    wait_for(lambda: services(simulated).get("v1.play.example.com") == ("Local", "True"), what="the definition's service")
    simulated.kubectl("delete", "crd", "toys.play.example.com", "--timeout=60s")
    wait_for(lambda: "v1.play.example.com" not in services(simulated), what="its end")
    # Somebody has to say so.
    simulated.kubectl("delete", "apiservice", "v1.apps")
    wait_for(lambda: "v1.apps" in services(simulated), what="it made again")


@pytest.fixture(scope="module")
def remote(simulated, tmp_path_factory):
    trust = json.loads(wait_for(lambda: simulated.kubectl("get", "configmap", "-n", "kube-system",
                                                          "extension-apiserver-authentication", "-o", "json"), what="the trust"))
    assert json.loads(trust["data"]["requestheader-allowed-names"]) == ["front-proxy-client"]
    made = RemoteServer(tmp_path_factory.mktemp("remote"), trust["data"]["requestheader-client-ca-file"])
    simulated.kubectl("create", "service", "externalname", "remote", "--external-name=localhost")
    simulated.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.remote.example.com"},
        "spec": {"group": "remote.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
                 "caBundle": made.bundle, "service": {"namespace": "default", "name": "remote", "port": made.port}}}))
    yield made
    made.close()


def test_another_server_is_discovered_and_asked(simulated, remote):
    wait_for(lambda: services(simulated)["v1.remote.example.com"] == ("default/remote", "True"), what="the remote service")
    assert "widgets" in simulated.kubectl("api-resources", "--api-group=remote.example.com")
    assert "widget.remote.example.com/one" in simulated.kubectl("get", "wd", "-o", "name")
    asked = [seen for seen in remote.seen if "/widgets" in seen[1]]
    assert asked[-1][2:5] == ("front-proxy-client", ["kubernetes-admin"], ["system:masters", "system:authenticated"]), asked[-1]
    simulated.kubectl("create", "--raw", f"{PATH}/namespaces/default/widgets", "-f", "-", stdin='{"a":"b"}')
    assert remote.seen[-1][0] == "POST" and json.loads(remote.seen[-1][5]) == {"a": "b"}


def test_who_may_not_is_not_passed_on(simulated, remote, tmp_path):
    before = len([seen for seen in remote.seen if "/widgets" in seen[1]])
    pki = simulated.directory / "data" / "pki"
    key, request, certificate = tmp_path / "key", tmp_path / "request", tmp_path / "certificate"
    run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=somebody",
         "-keyout", key, "-out", request])
    run(["openssl", "x509", "-req", "-in", request, "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-set_serial", "4711",
         "-days", "1", "-out", certificate])
    answer = json.loads(run(["curl", "-sS", "--max-time", "30", "--cacert", pki / "ca.crt", "--cert", certificate, "--key", key,
                             "-H", "X-Remote-User: kubernetes-admin", f"{simulated.url}{PATH}/namespaces/default/widgets"]).stdout)
    assert answer["reason"] == "Forbidden" and 'User "somebody" cannot list resource "widgets"' in answer["message"], answer
    assert len([seen for seen in remote.seen if "/widgets" in seen[1]]) == before


def test_a_service_that_is_not_there(simulated):
    simulated.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.gone.example.com"},
        "spec": {"group": "gone.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
                 "insecureSkipTLSVerify": True, "service": {"namespace": "default", "name": "nowhere"}}}))
    wait_for(lambda: services(simulated)["v1.gone.example.com"][1] == "False", what="it known to be absent")
    assert "ServiceUnavailable" in simulated.refused("get", "--raw", "/apis/gone.example.com/v1/things")
    simulated.kubectl("delete", "apiservice", "v1.gone.example.com")
    bad = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "odd"},
           "spec": {"group": "g.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 0}}
    said = simulated.refused("create", "--validate=false", "-f", "-", stdin=json.dumps(bad))
    assert 'must be `spec.version+"."+spec.group`' in said and "spec.versionPriority" in said, said
