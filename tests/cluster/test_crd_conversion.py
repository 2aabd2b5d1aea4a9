"""CustomResourceDefinitions whose versions a webhook converts: each version is served, whichever is stored.

v1 has one text `hostPort` where v2 has `host` and `port`; the number of replicas is elsewhere, too.
"""

import json

import pytest

from support.cluster import wait_for
from support.simulated import Simulated
from support.webhooks import Webhooks

NEEDS_CONTAINERS = False
NAME = "endpoints.conversion.example.com"
V1, V2 = "endpoints.v1.conversion.example.com", "endpoints.v2.conversion.example.com"
RAW = "/apis/conversion.example.com/{}/namespaces/default/endpoints"


def version(name, storage, selectable, replicas_path, **properties):
    text = {"type": "string"}
    return {"name": name, "served": True, "storage": storage,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                **{field: text for field in properties}, **{field: of for field, of in properties.items() if of},
                "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "note": text}}}}},
            "selectableFields": [{"jsonPath": "." + field} for field in selectable],
            "additionalPrinterColumns": [{"name": field, "type": "string", "jsonPath": "." + field} for field in selectable],
            "subresources": {"status": {}, "scale": {"specReplicasPath": replicas_path, "statusReplicasPath": ".status.replicas"}}}


def definition(webhooks, stored="v1", **client):
    size, replicas = ({"type": "object", "properties": {name: {"type": "integer"}}} for name in ("size", "replicas"))
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": NAME},
            "spec": {"group": "conversion.example.com", "scope": "Namespaced",
                     "names": {"plural": "endpoints", "kind": "Endpoint", "shortNames": ["ept"]},
                     "conversion": {"strategy": "Webhook", "webhook": {
                         "conversionReviewVersions": ["v1", "v1beta1"],
                         "clientConfig": {"caBundle": webhooks.bundle,
                                          "url": f"https://127.0.0.1:{webhooks.port}/convert", **client}}},
                     "versions": [version("v1", stored == "v1", ["hostPort"], ".spec.size", hostPort=None, spec=size),
                                  version("v2", stored == "v2", ["host", "port"], ".spec.replicas", host=None, port=None,
                                          spec=replicas, mode={"type": "string", "default": "plain"})]}}


def convert_one(given, desired):
    made = json.loads(json.dumps(given))
    made["apiVersion"] = desired
    if desired.endswith("/v2"):
        host, _, port = made.pop("hostPort", "").partition(":")
        made.update({name: text for name, text in (("host", host), ("port", port)) if text})
        if "spec" in made:
            made["spec"] = {"replicas": made["spec"].get("size", 0)}
        made["unheard"] = "of"
    else:
        port = made.pop("port", "")
        made["hostPort"] = made.pop("host", "") + (":" + port if port else "")
        if "spec" in made:
            made["spec"] = {"size": made["spec"].get("replicas", 0)}
    made["metadata"].setdefault("labels", {})["converted"] = "true"
    made["metadata"]["generation"] = 77
    return made


def convert(request):
    return {"result": {"status": "Success"},
            "convertedObjects": [convert_one(given, request["desiredAPIVersion"]) for given in request["objects"]]}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("conversion"), newest_kubectl, 1).up()
    yield made
    made.close()


@pytest.fixture(scope="module")
def webhooks(tmp_path_factory):
    made = Webhooks(tmp_path_factory.mktemp("converter"))
    yield made
    made.close()


@pytest.fixture
def endpoints(simulated, webhooks):
    webhooks.answers["/convert"] = convert
    done = simulated.kubectl_result("apply", "-f", "-", stdin=json.dumps(definition(webhooks)))
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    simulated.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", "--timeout=30s")
    wait_for(lambda: "endpoints" in simulated.kubectl("api-resources", "--api-group=conversion.example.com"))
    yield simulated
    webhooks.answers["/convert"] = convert
    simulated.kubectl("delete", "crd", NAME, "--timeout=60s")


def make(simulated, of, name, **fields):
    simulated.kubectl("create", "-f", "-", stdin=json.dumps({
        "apiVersion": "conversion.example.com/" + of, "kind": "Endpoint", "metadata": {"name": name}, **fields}))


def get(simulated, *arguments):
    return json.loads(simulated.kubectl("get", *arguments, "-o", "json"))


def test_each_version_is_read_written_and_listed(endpoints, webhooks):
    make(endpoints, "v1", "one", hostPort="first:80", spec={"size": 2})
    made = get(endpoints, V2, "one")
    assert (made["apiVersion"], made["host"], made["port"], made["spec"]) == (
        "conversion.example.com/v2", "first", "80", {"replicas": 2})
    assert "unheard" not in made and "hostPort" not in made, "what the schema does not know is pruned"
    assert made["metadata"]["labels"] == {"converted": "true"} and made["metadata"]["generation"] == 1
    make(endpoints, "v2", "two", host="second", port="81")
    assert get(endpoints, V1, "two")["hostPort"] == "second:81"
    assert [one["hostPort"] for one in get(endpoints, V1)["items"]] == ["first:80", "second:81"]
    assert [one["host"] for one in get(endpoints, V2)["items"]] == ["first", "second"]
    asked = len(webhooks.seen)
    assert [one["host"] for one in get(endpoints, V2)["items"]] == ["first", "second"]
    table = endpoints.kubectl("get", V2).splitlines()
    assert table[0].split() == ["NAME", "HOST", "PORT"] and table[1].split() == ["one", "first", "80"]
    assert len(webhooks.seen) == asked, "what was converted once is remembered"
    # A patch, an apply, the status and the scale in the version that is not stored.
    endpoints.kubectl("patch", V2, "one", "--type=merge", "-p", '{"port":"8080"}')
    endpoints.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps({
        "apiVersion": "conversion.example.com/v2", "kind": "Endpoint", "metadata": {"name": "two"}, "spec": {"replicas": 5}}))
    endpoints.kubectl("patch", V2, "two", "--subresource=status", "--type=merge", "-p", '{"status":{"note":"seen"}}')
    endpoints.kubectl("scale", V2, "one", "--replicas=3")
    assert get(endpoints, V1, "one")["hostPort"] == "first:8080" and get(endpoints, V1, "one")["spec"] == {"size": 3}
    two = get(endpoints, V1, "two")
    assert two["spec"] == {"size": 5} and two["status"] == {"note": "seen"} and two["hostPort"] == "second:81"
    scale = json.loads(endpoints.kubectl("get", "--raw", RAW.format("v2") + "/one/scale"))
    assert scale["spec"]["replicas"] == 3
    endpoints.kubectl("delete", V2, "one")
    assert [one["metadata"]["name"] for one in get(endpoints, V1)["items"]] == ["two"]


def test_fields_are_selected_in_the_version_that_is_asked_for(endpoints):
    for name, port in (("one", "80"), ("two", "8080")):
        make(endpoints, "v2", name, host="host1", port=port)
    make(endpoints, "v2", "three", host="host2")

    def names(of, selector):
        return endpoints.kubectl("get", of, "--field-selector", selector, "-o", "name").split()
    assert [name.split("/")[1] for name in names(V2, "host=host1")] == ["one", "two"]
    assert [name.split("/")[1] for name in names(V2, "host=host1,port=80")] == ["one"]
    assert [name.split("/")[1] for name in names(V1, "hostPort=host1:8080")] == ["two"]
    assert "field label not supported: host" in endpoints.refused("get", V1, "--field-selector", "host=host1")
    revision = json.loads(endpoints.kubectl("get", "--raw", RAW.format("v1")))["metadata"]["resourceVersion"]
    endpoints.kubectl("delete", V2, "--field-selector", "host=host1,port=80")
    endpoints.kubectl("patch", V1, "two", "--type=merge", "-p", '{"hostPort":"host2:8080"}')
    watched = endpoints.kubectl("get", "--raw", RAW.format("v2") + "?watch=1&timeoutSeconds=2&fieldSelector=host%3Dhost1"
                                f"&resourceVersion={revision}")
    events = [json.loads(line) for line in watched.splitlines()]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [("DELETED", "one"), ("DELETED", "two")]
    assert {event["object"]["apiVersion"] for event in events} == {"conversion.example.com/v2"}


def test_what_lies_in_an_old_version_is_rewritten_with_its_next_write(endpoints, webhooks):
    make(endpoints, "v1", "old", hostPort="first:80")
    endpoints.kubectl("apply", "-f", "-", stdin=json.dumps(definition(webhooks, stored="v2")))
    assert get(endpoints, "crd", NAME)["status"]["storedVersions"] == ["v1", "v2"]
    make(endpoints, "v2", "new", host="second")
    assert [one["hostPort"] for one in get(endpoints, V1)["items"]] == ["second", "first:80"]
    assert get(endpoints, V2, "old")["host"] == "first"
    # A write that changes nothing: it is stored in another version all the same, and only once.
    versions = []
    for _ in range(3):
        old = get(endpoints, V1, "old")
        endpoints.kubectl("replace", "-f", "-", stdin=json.dumps(old))
        versions.append(old["metadata"]["resourceVersion"])
    assert versions[0] != versions[1] == versions[2]
    make(endpoints, "v2", "unread", host="third")
    webhooks.answers["/convert"] = lambda request: {"result": {"status": "Failed", "message": "out of order"}}
    assert get(endpoints, V2, "old")["host"] == "first"
    said = endpoints.refused("get", V1, "unread")
    assert "Error from server: conversion webhook for conversion.example.com/v2, Kind=Endpoint failed: out of order" in said
    said = endpoints.refused("create", "-f", "-", stdin=json.dumps({
        "apiVersion": "conversion.example.com/v1", "kind": "Endpoint", "metadata": {"name": "none"}, "hostPort": "a:1"}))
    assert "conversion webhook for conversion.example.com/v1, Kind=Endpoint failed: out of order" in said
    assert json.loads(endpoints.kubectl("get", "--raw", RAW.format("v2")))["items"][0]["metadata"]["name"] == "new"


def test_a_webhook_that_cannot_be_reached_says_where_it_was_sought(endpoints, webhooks):
    make(endpoints, "v1", "one", hostPort="first:80")
    broken = definition(webhooks)
    del broken["spec"]["conversion"]["webhook"]["clientConfig"]["url"]
    broken["spec"]["conversion"]["webhook"]["clientConfig"]["service"] = {
        "namespace": "default", "name": "hooks", "path": "/convert", "port": 9443}
    endpoints.kubectl("apply", "-f", "-", stdin=json.dumps(broken))
    said = endpoints.refused("get", V2, "one")
    assert 'conversion webhook for conversion.example.com/v1, Kind=Endpoint failed: Post "https://hooks.default.svc:9443/convert?timeout=30s"' in said
    assert get(endpoints, V1, "one")["hostPort"] == "first:80"
