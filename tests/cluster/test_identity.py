"""Who may do what: certificates, roles and bindings."""

import pytest

from support.cluster import wait_for
from support.people import Person, request


@pytest.fixture(scope="module")
def ann(cluster, tmp_path_factory):
    return Person(cluster, tmp_path_factory.mktemp("people"), "ann", ["devs"])


def test_standard_roles(cluster):
    names = {item["metadata"]["name"] for item in cluster.get("clusterroles")["items"]}
    assert {"cluster-admin", "admin", "edit", "view", "system:discovery", "system:node", "system:basic-user",
            "system:controller:statefulset-controller"} <= names
    # Aggregated: what edit may, admin may.
    view = wait_for(lambda: cluster.get("clusterrole", "view").get("rules"), what="rules of view")
    assert any("pods/log" in rule["resources"] for rule in view)
    admin = wait_for(lambda: [rule for rule in cluster.get("clusterrole", "admin").get("rules") or []
                              if "pods/eviction" in rule["resources"]], what="rules of admin")
    assert admin
    out = cluster.kubectl("get", "clusterrolebinding", "cluster-admin", "-o", "wide")
    assert "ClusterRole/cluster-admin" in out and "system:masters" in out


def test_without_credentials(cluster):
    for path in ("/healthz", "/livez", "/readyz"):
        assert request(cluster, path) == (200, "ok")
    assert request(cluster, "/version")[1]["major"] == "1"
    for path in ("/api", "/apis", "/openapi/v2", "/api/v1/pods", "/metrics"):
        code, status = request(cluster, path)
        assert code == 401 and status["kind"] == "Status" and status["message"] == "Unauthorized", path
    # Credentials that nobody has are refused everywhere.
    for path in ("/healthz", "/api/v1/pods"):
        assert request(cluster, path, token="nobody")[0] == 401


def test_roles_grant(cluster, ann):
    refused = ann.kubectl("get", "pods", check=False)
    assert refused.returncode == 1
    assert ('Error from server (Forbidden): pods is forbidden: User "ann" cannot list resource "pods" in API group "" '
            'in the namespace "default"') in refused.stderr
    # What is not there is as secret as what is.
    assert "Forbidden" in ann.kubectl("get", "--raw", "/apis/apps/v1/namespaces/default/nopes", check=False).stderr
    assert 'cannot get path "/metrics"' in ann.kubectl("get", "--raw", "/metrics", check=False).stderr
    cluster.kubectl("create", "role", "reader", "--verb=get,list,watch", "--resource=pods")
    cluster.kubectl("create", "rolebinding", "devs-read", "--role=reader", "--group=devs")
    assert "No resources found" in ann.kubectl("get", "pods", check=False).stderr
    assert ann.kubectl("get", "pods", "-A", check=False).returncode == 1
    assert ann.kubectl("delete", "pod", "x", check=False).stderr.startswith("Error from server (Forbidden)")
    cluster.kubectl("delete", "rolebinding", "devs-read")
    assert ann.kubectl("get", "pods", check=False).returncode == 1


def test_nobody_grants_more_than_they_have(cluster, ann):
    cluster.kubectl("create", "namespace", "anns")
    cluster.kubectl("create", "rolebinding", "admin", "-n", "anns", "--clusterrole=admin", "--user=ann")
    wait_for(lambda: ann.kubectl("get", "roles", "-n", "anns", check=False).returncode == 0, what="ann's rights")
    ann.kubectl("get", "namespace", "anns")
    ann.kubectl("create", "role", "small", "-n", "anns", "--verb=get", "--resource=pods")
    more = ann.kubectl("create", "role", "more", "-n", "anns", "--verb=get", "--resource=nodes", check=False)
    assert 'is attempting to grant RBAC permissions not currently held:' in more.stderr
    assert '{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}' in more.stderr
    more = ann.kubectl("create", "rolebinding", "more", "-n", "anns", "--clusterrole=cluster-admin", "--user=ann",
                       check=False)
    assert "is forbidden" in more.stderr and '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in more.stderr
    ann.kubectl("create", "rolebinding", "small", "-n", "anns", "--role=small", "--user=bob")
    assert ann.kubectl("get", "roles", "-n", "default", check=False).returncode == 1
