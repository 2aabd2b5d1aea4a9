"""Admission webhooks over HTTPS, with kubectl: changed, refused, warned, and what becomes of calls that fail.

The webhooks are served by this process on loopback.
"""

import base64
import json
import subprocess
import threading

import pytest

from support.cluster import wait_for
from support.simulated import Simulated
from support.webhooks import Webhooks

NEEDS_CONTAINERS = False


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("webhooks"), newest_kubectl, 1).up()
    yield made
    made.close()


@pytest.fixture(scope="module")
def webhooks(tmp_path_factory):
    made = Webhooks(tmp_path_factory.mktemp("hooks"))
    yield made
    made.close()


@pytest.fixture
def configured(simulated, webhooks):
    """Makes configurations, and removes them."""
    made = {}

    def configure(kind, name, answer, client=None, **more):
        webhooks.answers["/" + name] = answer
        client = {"caBundle": webhooks.bundle, **(client or {"url": f"https://127.0.0.1:{webhooks.port}/{name}"})}
        webhook = {"name": f"{name}.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                   "clientConfig": client, "rules": [{"operations": ["CREATE", "UPDATE", "DELETE"], "apiGroups": [""],
                                                      "apiVersions": ["v1"], "resources": ["configmaps"]}], **more}
        simulated.kubectl("apply", "-f", "-", stdin=json.dumps({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [webhook]}))
        made[f"{kind.lower()}webhookconfiguration/{name}"] = True

    yield configure
    simulated.kubectl("delete", *made)
    simulated.kubectl("delete", "configmap", "--field-selector", "metadata.name!=kube-root-ca.crt")


def patch(*operations):
    return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(operations).encode()).decode()}


def test_a_webhook_changes_and_another_refuses(simulated, configured):
    configured("Mutating", "adder", lambda _: patch({"op": "add", "path": "/metadata/labels", "value": {"by": "webhook"}}))
    configured("Validating", "judge", lambda request: {
        "allowed": request["operation"] == "DELETE" or "bad" not in (request["object"].get("data") or {}),
        "status": {"message": "bad data", "code": 403, "reason": "Forbidden"},
        "warnings": ["the judge looks at you"]})
    done = simulated.kubectl_result("create", "configmap", "good", "--from-literal=a=b")
    assert done.returncode == 0 and "Warning: the judge looks at you" in done.stderr, done.stderr
    assert simulated.kubectl("get", "configmap", "good", "-o", "jsonpath={.metadata.labels.by}") == "webhook"
    worse = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "worse"}, "data": {"bad": "x"}})
    said = simulated.refused("create", "-f", "-", stdin=worse)
    assert "Error from server (Forbidden)" in said, said
    assert 'admission webhook "judge.example.com" denied the request: bad data' in said, said
    said = simulated.refused("patch", "configmap", "good", "--type=merge", "-p", '{"data":{"bad":"x"}}')
    assert "denied the request: bad data" in said
    assert "bad" not in json.loads(simulated.kubectl("get", "configmap", "good", "-o", "json"))["data"]
    simulated.kubectl("delete", "configmap", "good")


def test_a_refusal_without_words_has_no_reason(simulated, configured):
    configured("Validating", "mute", lambda _: {"allowed": False})
    said = simulated.refused("create", "-f", "-", stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"any"}}')
    assert "Error from server:" in said, said
    assert 'admission webhook "mute.example.com" denied the request without explanation' in said


def test_dry_runs_are_told_as_such(simulated, configured, webhooks):
    configured("Validating", "dry", lambda _: {"allowed": True})
    simulated.kubectl("create", "configmap", "dry", "--dry-run=server")
    told = [request for path, request in webhooks.seen if path == "/dry"]
    assert told[-1]["dryRun"] is True and told[-1]["options"]["dryRun"] == ["All"]
    assert told[-1]["userInfo"]["username"] and told[-1]["object"]["metadata"]["name"] == "dry"
    assert "NotFound" in simulated.refused("get", "configmap", "dry")


def test_calls_through_a_service(simulated, configured, webhooks):
    simulated.kubectl("create", "service", "externalname", "hooks", "--external-name=localhost")
    simulated.kubectl("patch", "service", "hooks", "--type=merge", "-p", json.dumps({"spec": {"ports": [{"port": webhooks.port}]}}))
    configured("Validating", "service", lambda _: {"allowed": True},
               client={"service": {"namespace": "default", "name": "hooks", "path": "/service", "port": webhooks.port}})
    simulated.kubectl("create", "configmap", "served")
    assert any(path == "/service" for path, _ in webhooks.seen)


def test_calls_that_fail(simulated, configured, webhooks):
    closed = "https://127.0.0.1:1/"
    configured("Validating", "lax", lambda _: {"allowed": True}, client={"url": closed}, failurePolicy="Ignore")
    simulated.kubectl("create", "configmap", "lax")
    # A certificate that nobody vouches for.
    configured("Validating", "stranger", lambda _: {"allowed": True}, failurePolicy="Fail",
               client={"url": f"https://127.0.0.1:{webhooks.port}/stranger", "caBundle": None})
    said = simulated.refused("create", "configmap", "strict")
    assert "Internal error occurred" in said and 'failed calling webhook "stranger.example.com"' in said, said


def test_a_slow_webhook_holds_up_nobody_else(simulated, configured, webhooks):
    arrived, let_go = threading.Event(), threading.Event()

    def wait(_):
        arrived.set()
        let_go.wait(60)
        return {"allowed": True}

    configured("Validating", "slow", wait, timeoutSeconds=30)
    slow = subprocess.Popen([simulated.kubectl_binary, "--kubeconfig", simulated.directory / "data" / "kubeconfig",
                             "create", "configmap", "slow"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert arrived.wait(60)
        simulated.kubectl("create", "secret", "generic", "quick")
        assert "NotFound" in simulated.refused("get", "configmap", "slow")
        assert slow.poll() is None
    finally:
        let_go.set()
        said = slow.communicate(timeout=60)[1]
    assert slow.returncode == 0, said
    simulated.kubectl("get", "configmap", "slow")
    webhooks.answers["/slow"] = lambda _: {"allowed": True}


def test_a_webhook_that_never_answers_runs_out_of_time(simulated, configured, webhooks):
    let_go = threading.Event()
    configured("Validating", "never", lambda _: let_go.wait(60) and {"allowed": True} or {"allowed": True}, timeoutSeconds=1)
    said = simulated.refused("create", "configmap", "never")
    assert 'failed calling webhook "never.example.com"' in said and "context deadline exceeded" in said, said
    let_go.set()
    wait_for(lambda: simulated.kubectl_result("create", "configmap", "never").returncode == 0, what="the webhook answers")


@pytest.fixture
def running_pod(simulated):
    simulated.kubectl("run", "connected", "--image=busybox")
    simulated.kubectl("wait", "--for=condition=Ready", "pod/connected", "--timeout=60s")
    yield "connected"
    simulated.kubectl("delete", "pod", "connected", "--now")


def connect_rule(*resources):
    return [{"operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": list(resources)}]


def test_connections_are_judged(simulated, configured, webhooks, running_pod):
    def deny(request):
        return {"allowed": request["operation"] != "CONNECT", "status": {"message": "nobody connects"}}
    configured("Validating", "attacher", deny, rules=connect_rule("pods/attach"))
    configured("Validating", "any", deny, rules=connect_rule("pods/*"))
    configured("Mutating", "proxier", deny, rules=connect_rule("services/proxy", "nodes/*"))
    webhooks.seen.clear()
    said = simulated.refused("attach", running_pod, "-i", "-c", running_pod)
    assert 'denied the request: nobody connects' in said, said
    said = simulated.refused("exec", running_pod, "--", "echo", "a b")
    assert 'admission webhook "any.example.com" denied the request: nobody connects' in said, said
    for path in ("namespaces/default/services/kubernetes:https/proxy/there/it?is=1", f"nodes/{simulated.items('nodes')[0]['metadata']['name']}/proxy/pods"):
        assert 'admission webhook "proxier.example.com" denied the request: nobody connects' in simulated.refused(
            "get", "--raw", "/api/v1/" + path)
    seen = [(path, request["resource"]["resource"], request["subResource"], request["object"]) for path, request in webhooks.seen]
    attach = {"apiVersion": "v1", "kind": "PodAttachOptions", "stdin": True, "stdout": True, "stderr": True, "container": running_pod}
    assert ("/attacher", "pods", "attach", attach) in seen and ("/any", "pods", "attach", attach) in seen
    execs = [options for path, _, subresource, options in seen if (path, subresource) == ("/any", "exec")]
    assert execs and execs[0]["kind"] == "PodExecOptions" and execs[0]["command"] == ["echo", "a b"]
    assert [options for path, resource, _, options in seen if (path, resource) == ("/proxier", "services")] == [
        {"apiVersion": "v1", "kind": "ServiceProxyOptions", "path": "/there/it"}]
    request = next(request for path, request in webhooks.seen if path == "/attacher")
    assert request["operation"] == "CONNECT" and request["name"] == running_pod and request["namespace"] == "default"
    assert request["kind"] == {"group": "", "version": "v1", "kind": "PodAttachOptions"}
    assert request["oldObject"] is None and request["options"] is None
