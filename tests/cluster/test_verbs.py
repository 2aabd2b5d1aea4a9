"""The API's verbs as HTTP sees them: options, preconditions, forms of answers, and how each misuse is refused."""

import http.client
import json
import ssl
import urllib.parse

import pytest

from support.cluster import wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
MAPS = "/api/v1/namespaces/verbs/configmaps"
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class Api:
    """Requests as the administrator; each on a connection of its own."""

    def __init__(self, simulated):
        self.address = urllib.parse.urlsplit(simulated.url)
        simulated.write_credentials()
        directory = simulated.directory
        self.context = ssl.create_default_context(cafile=directory / "ca.crt")
        self.context.load_cert_chain(directory / "admin.crt", directory / "admin.key")

    def open(self, method, path, body=None, **headers):
        connection = http.client.HTTPSConnection(self.address.hostname, self.address.port, context=self.context, timeout=60)
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        names = {"content_type": "Content-Type", "accept": "Accept"}
        connection.request(method, path, text, {"Content-Type": "application/json",
                                                **{names[name]: value for name, value in headers.items()}})
        return connection.getresponse()

    def __call__(self, method, path, body=None, **headers):
        response = self.open(method, path, body, **headers)
        return response.status, json.loads(response.read())

    def events(self, path, **headers):
        """All that a watch tells until it ends."""
        response = self.open("GET", path, **headers)
        text = response.read().decode()
        assert response.status == 200, text
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def api(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("verbs"), newest_kubectl, 1).up()
    made.kubectl("create", "namespace", "verbs")
    api = Api(made)
    wait_for(lambda: api("GET", f"{MAPS}/kube-root-ca.crt")[0] == 200, what="the namespace's own configmap")
    yield api
    made.close()


@pytest.fixture
def maps(api):
    """Five labelled configmaps."""
    for number in range(5):
        body = {"metadata": {"name": f"map{number}", "labels": {"odd": str(number % 2)}}, "data": {"n": str(number)}}
        assert api("POST", MAPS, body)[0] == 201
    yield api
    api("DELETE", f"{MAPS}?labelSelector=odd")


def names(listed):
    return [item["metadata"]["name"] for item in listed["items"]]


def test_lists_in_pages_over_one_state(maps):
    status, page = maps("GET", f"{MAPS}?limit=2")
    assert status == 200 and page["metadata"]["remainingItemCount"] == 4
    seen, revision = names(page), page["metadata"]["resourceVersion"]
    maps("DELETE", f"{MAPS}/map4")
    while page["metadata"].get("continue"):
        token = urllib.parse.quote(page["metadata"]["continue"])
        status, page = maps("GET", f"{MAPS}?limit=2&continue={token}")
        assert status == 200 and page["metadata"]["resourceVersion"] == revision
        seen += names(page)
    assert seen == ["kube-root-ca.crt", "map0", "map1", "map2", "map3", "map4"]
    # Nobody knows how many more fit a selector.
    assert "remainingItemCount" not in maps("GET", f"{MAPS}?limit=1&labelSelector=odd%3D0")[1]["metadata"]


def test_lists_as_of_a_revision(maps):
    before = maps("GET", MAPS)[1]["metadata"]["resourceVersion"]
    maps("DELETE", f"{MAPS}/map0")
    exact = maps("GET", f"{MAPS}?resourceVersion={before}&resourceVersionMatch=Exact")[1]
    assert exact["metadata"]["resourceVersion"] == before and "map0" in names(exact)
    newer = maps("GET", f"{MAPS}?resourceVersion={before}&resourceVersionMatch=NotOlderThan")[1]
    assert int(newer["metadata"]["resourceVersion"]) > int(before) and "map0" not in names(newer)
    assert "map0" not in names(maps("GET", MAPS)[1])
    assert "map0" not in names(maps("GET", f"{MAPS}?resourceVersion=0")[1])


@pytest.mark.parametrize("query, code, reason, said", [
    ("resourceVersionMatch=Exact", 422, "Invalid", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    ("resourceVersion=1&resourceVersionMatch=Odd", 422, "Invalid", 'resourceVersionMatch: Unsupported value: "Odd"'),
    ("resourceVersion=0&resourceVersionMatch=Exact", 422, "Invalid", 'is forbidden for resourceVersion "0"'),
    ("resourceVersion=letters", 400, "BadRequest", "letters"),
    ("resourceVersion=99999999", 504, "Timeout", "Too large resource version: 99999999"),
    ("limit=2&continue=nonsense", 400, "BadRequest", "continue key is not valid"),
    ("labelSelector=%3D%3D", 400, "BadRequest", "expected: !, identifier, or"),
    ("fieldSelector=data.n%3D1", 400, "BadRequest", "field label not supported: data.n"),
    ("watch=1&resourceVersionMatch=NotOlderThan", 422, "Invalid", "resourceVersionMatch is forbidden for watch"),
    ("watch=1&sendInitialEvents=true", 422, "Invalid", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    ("sendInitialEvents=true", 422, "Invalid", "sendInitialEvents is forbidden for list"),
    ("limit=many", 400, "BadRequest", "many"),
])
def test_options_of_lists_that_make_no_sense(maps, query, code, reason, said):
    status, answer = maps("GET", f"{MAPS}?{query}")
    assert (status, answer["code"], answer["reason"]) == (code, code, reason), answer
    assert said in answer["message"], answer
    if code == 422:
        assert 'ListOptions.meta.k8s.io "" is invalid' in answer["message"] and answer["details"]["causes"], answer


def test_watches_begin_with_what_is_there_where_asked(maps):
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
    events = maps.events(f"{MAPS}?{query}&labelSelector=odd%3D1")
    assert [event["type"] for event in events[:3]] == ["ADDED", "ADDED", "BOOKMARK"]
    assert events[2]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    revision = maps("GET", MAPS)[1]["metadata"]["resourceVersion"]
    maps("PATCH", f"{MAPS}/map1", {"data": {"n": "9"}}, content_type=MERGE_PATCH)
    maps("PATCH", f"{MAPS}/map3", {"metadata": {"labels": {"odd": "0"}}}, content_type=MERGE_PATCH)
    events = maps.events(f"{MAPS}?watch=1&resourceVersion={revision}&labelSelector=odd%3D1&timeoutSeconds=1")
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("MODIFIED", "map1"), ("DELETED", "map3")]
    partial = maps.events(f"{MAPS}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dmap2",
                          accept="application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
    assert partial[0]["object"]["kind"] == "PartialObjectMetadata" and "data" not in partial[0]["object"]


def test_dry_runs_store_nothing(maps):
    before = maps("GET", MAPS)[1]
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    changed = {"metadata": {"name": "map0"}, "data": {"n": "dry"}}
    for method, path, sent, kind, code in [
            ("POST", "", body, "application/json", 201), ("PUT", "/map0", changed, "application/json", 200),
            ("PATCH", "/map0", {"data": {"n": "dry"}}, MERGE_PATCH, 200),
            ("PATCH", "/map0", [{"op": "replace", "path": "/data/n", "value": "dry"}], JSON_PATCH, 200),
            ("DELETE", "/map0", None, "application/json", 200), ("DELETE", "", None, "application/json", 200)]:
        status, answer = maps(method, f"{MAPS}{path}?dryRun=All", sent, content_type=kind)
        assert status == code, answer
        if method in ("PUT", "PATCH"):
            assert answer["data"]["n"] == "dry"
    status, answer = maps("PATCH", f"{MAPS}/new?dryRun=All&fieldManager=me", body, content_type=APPLY)
    assert status == 201 and answer["metadata"]["name"] == "new"
    after = maps("GET", MAPS)[1]
    assert after["items"] == before["items"]
    status, answer = maps("POST", f"{MAPS}?dryRun=Some", body)
    assert status == 422 and 'dryRun: Unsupported value: "Some"' in answer["message"]


def test_deletions_keep_to_their_conditions(maps):
    found = maps("GET", f"{MAPS}/map0")[1]["metadata"]
    for preconditions in ({"uid": "another"}, {"resourceVersion": "1"}):
        status, answer = maps("DELETE", f"{MAPS}/map0", {"preconditions": preconditions})
        assert status == 409 and answer["reason"] == "Conflict" and "Precondition failed" in answer["message"], answer
    for options, said in (({"propagationPolicy": "Odd"}, "propagationPolicy"), ({"propagationPolicy": "Orphan", "orphanDependents": True}, "cannot be both set")):
        status, answer = maps("DELETE", f"{MAPS}/map0", options)
        assert status == 422 and said in answer["message"], answer
    status, answer = maps("DELETE", f"{MAPS}/map0", {"preconditions": {"uid": found["uid"],
                                                                      "resourceVersion": found["resourceVersion"]}})
    assert status == 200 and answer["kind"] == "Status" and answer["details"]["uid"] == found["uid"]
    status, answer = maps("DELETE", f"{MAPS}?labelSelector=odd%3D1")
    assert status == 200 and answer["kind"] == "ConfigMapList" and names(answer) == ["map1", "map3"]
    assert names(maps("GET", f"{MAPS}?labelSelector=odd")[1]) == ["map2", "map4"]


def test_dependents_go_or_stay_as_the_policy_says(maps):
    for policy, stays in (("Orphan", True), ("Background", False), ("Foreground", False)):
        owner = maps("POST", MAPS, {"metadata": {"name": "owner", "labels": {"odd": "9"}}})[1]
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"],
                     "blockOwnerDeletion": True}
        maps("POST", MAPS, {"metadata": {"name": "owned", "labels": {"odd": "9"}, "ownerReferences": [reference]}})
        assert maps("DELETE", f"{MAPS}/owner", {"propagationPolicy": policy})[0] == 200
        wait_for(lambda: maps("GET", f"{MAPS}/owner")[0] == 404, what="the owner gone")
        if stays:
            wait_for(lambda: "ownerReferences" not in maps("GET", f"{MAPS}/owned")[1]["metadata"], what="an orphan")
            maps("DELETE", f"{MAPS}/owned")
        else:
            wait_for(lambda: maps("GET", f"{MAPS}/owned")[0] == 404, what="the dependent gone")


@pytest.mark.parametrize("kind, patch, code, said", [
    (JSON_PATCH, [{"op": "test", "path": "/data/n", "value": "x"}], 422, ""),
    (JSON_PATCH, [{"op": "remove", "path": "/data/none"}], 422, ""),
    (JSON_PATCH, [{"op": "replace", "path": "/data/none", "value": "x"}], 422, ""),
    (JSON_PATCH, {"data": {}}, 400, ""),
    (JSON_PATCH, "[{", 400, ""),
    (MERGE_PATCH, "{", 400, ""),
    (MERGE_PATCH, {"data": 5}, 400, "cannot unmarshal number"),
    (MERGE_PATCH, {"metadata": {"resourceVersion": "1"}}, 409, "the object has been modified"),
    (MERGE_PATCH, {"metadata": {"name": "other"}}, 400, "name"),
    (MERGE_PATCH, {"metadata": {"uid": "other"}}, 409, "Precondition failed: UID in precondition: other"),
    ("text/plain", {"data": {}}, 415, "application/json-patch+json"),
])
def test_patches_that_cannot_be(maps, kind, patch, code, said):
    status, answer = maps("PATCH", f"{MAPS}/map1", patch, content_type=kind)
    assert (status, answer["code"]) == (code, code) and said in answer["message"], answer
    assert maps("GET", f"{MAPS}/map1")[1]["data"] == {"n": "1"}


@pytest.mark.parametrize("method, path, body, code, said", [
    ("POST", "", {"metadata": {"name": "map1"}}, 409, 'configmaps "map1" already exists'),
    ("POST", "", {"metadata": {}}, 422, "metadata.name: Required value: name or generateName is required"),
    ("POST", "", {"metadata": {"name": "x", "namespace": "default"}}, 400, "does not match the namespace"),
    ("POST", "", {"kind": "Secret", "metadata": {"name": "x"}}, 400, "Secret"),
    ("POST", "/map1", {"metadata": {"name": "map1"}}, 405, "the server does not allow this method"),
    ("PUT", "/map1", {"metadata": {"name": "map2"}}, 400, "does not match the name on the URL"),
    ("PUT", "/map1", {"metadata": {"name": "map1", "resourceVersion": "1"}}, 409, "the object has been modified"),
    ("PUT", "/map1", {"metadata": {"name": "map1", "uid": "other"}}, 409, "UID in precondition: other"),
    ("PUT", "/none", {"metadata": {"name": "none"}}, 404, 'configmaps "none" not found'),
    ("DELETE", "/none", None, 404, 'configmaps "none" not found'),
    ("GET", "/none", None, 404, 'configmaps "none" not found'),
    ("POST", "?fieldValidation=Odd", {"metadata": {"name": "x"}}, 422, 'fieldValidation: Unsupported value: "Odd"'),
    ("POST", "?fieldValidation=Strict", {"metadata": {"name": "x"}, "odd": 1}, 400, 'unknown field "odd"'),
])
def test_writes_that_cannot_be(maps, method, path, body, code, said):
    status, answer = maps(method, MAPS + path, body)
    assert (status, answer["code"]) == (code, code) and said in answer["message"], answer


def test_forms_of_answers(maps):
    path = f"{MAPS}?labelSelector=odd%3D1"
    form = "application/json;as={};g=meta.k8s.io;v=v1"
    partial = maps("GET", path, accept=form.format("PartialObjectMetadataList"))[1]
    assert partial["kind"] == "PartialObjectMetadataList" and names(partial) == ["map1", "map3"]
    assert all("data" not in item for item in partial["items"])
    assert maps("GET", f"{MAPS}/map1", accept=form.format("PartialObjectMetadata"))[1]["kind"] == "PartialObjectMetadata"
    for include, shown in (("None", None), ("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap")):
        table = maps("GET", f"{path}&includeObject={include}", accept=form.format("Table"))[1]
        assert table["kind"] == "Table" and [row["cells"][0] for row in table["rows"]] == ["map1", "map3"]
        assert [(row.get("object") or {}).get("kind") for row in table["rows"]] == [shown, shown]
    assert maps("GET", f"{path}&includeObject=Odd", accept=form.format("Table"))[0] == 400
    assert maps("GET", path, accept="image/png")[0] == 406


def test_fields_that_select(maps):
    assert names(maps("GET", f"{MAPS}?fieldSelector=metadata.name%3Dmap2")[1]) == ["map2"]
    assert "map2" not in names(maps("GET", f"{MAPS}?fieldSelector=metadata.name!%3Dmap2")[1])
    body = {"metadata": {"name": "typed"}, "type": "example.com/t"}
    secrets = "/api/v1/namespaces/verbs/secrets"
    assert maps("POST", secrets, body)[0] == 201
    assert names(maps("GET", f"{secrets}?fieldSelector=type%3Dexample.com%2Ft")[1]) == ["typed"]
    pods = "/api/v1/pods?fieldSelector=status.phase%3DRunning%2Cspec.nodeName%3Dnone"
    assert maps("GET", pods)[1]["items"] == []


def test_component_statuses_are_read_only(api):
    status, found = api("GET", "/api/v1/componentstatuses")
    assert status == 200 and found["kind"] == "ComponentStatusList"
    assert [(item["metadata"]["name"], item["conditions"][0]["type"], item["conditions"][0]["status"]) for item in found["items"]] == [
        (name, "Healthy", "True") for name in ("controller-manager", "etcd-0", "scheduler")]
    answer = api.open("GET", "/api/v1/componentstatuses/scheduler")
    assert answer.headers["Warning"] == '299 - "v1 ComponentStatus is deprecated in v1.19+"' and json.loads(answer.read())["kind"] == "ComponentStatus"
    assert api("GET", "/api/v1/componentstatuses/nobody")[0] == 404
    assert api("DELETE", "/api/v1/componentstatuses/scheduler")[0] == 405
    paths = api("GET", "/openapi/v2")[1]["paths"]
    for path in ("/api/v1/componentstatuses", "/apis/metrics.k8s.io/v1beta1/nodes/{name}"):
        assert set(paths[path]) == {"get", "parameters"}, path
    assert api.open("GET", "/api/v1/endpoints").headers["Warning"] == (
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"')


def test_bindings_beside_their_pods(api):
    pods = "/api/v1/namespaces/default/pods"
    spec = {"schedulerName": "by-hand", "containers": [{"name": "main", "image": "example.invalid/main:1"}]}
    assert api("POST", pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bound"}, "spec": spec})[0] == 201
    node = api("GET", "/api/v1/nodes")[1]["items"][0]["metadata"]["name"]
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "bound"}, "target": {"kind": "Node", "name": node}}
    bindings = "/api/v1/namespaces/default/bindings"
    assert api("POST", bindings, {**binding, "metadata": {"name": "missing"}})[0] == 404
    assert api("POST", bindings, {**binding, "metadata": {"name": "bound", "namespace": "elsewhere"}})[0] == 400
    assert api("POST", bindings, {**binding, "target": {}})[1]["details"]["causes"][0]["field"] == "target.name"
    status, told = api("POST", bindings, binding)
    assert (status, told["kind"], told["status"]) == (201, "Status", "Success")
    assert api("GET", f"{pods}/bound")[1]["spec"]["nodeName"] == node
    assert api("POST", bindings, binding)[0] == 409  # once
    assert api("GET", bindings)[0] == 405


@pytest.mark.parametrize("selector, field", [
    ({"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]}, "rawSelector"), ({}, "requirements"),
    ({"requirements": [{"key": "a", "operator": "In"}]}, "requirements[0].values"),
    ({"requirements": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "requirements[0].values"),
    ({"requirements": [{"key": "", "operator": "Exists"}]}, "requirements[0].key"),
    ({"requirements": [{"key": "a", "operator": "Like", "values": ["b"]}]}, "requirements[0].operator")])
def test_selectors_of_access_reviews(api, selector, field):
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    def ask(**attributes):
        return api("POST", reviews, {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                                     "spec": {"resourceAttributes": {"verb": "list", "resource": "pods", **attributes}}})

    for kind in ("fieldSelector", "labelSelector"):
        status, told = ask(**{kind: selector})
        assert status == 422 and [cause["field"] for cause in told["details"]["causes"]] == [f"spec.resourceAttributes.{kind}.{field}"], told
    status, told = ask(labelSelector={"requirements": [{"key": "a", "operator": "In", "values": ["b"]}]}, fieldSelector={"rawSelector": "metadata.name=x"})
    assert status == 201 and told["status"]["allowed"]
