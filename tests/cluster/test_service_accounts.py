"""Identity inside pods: mounted tokens, what they are good for and for how long; who may ask what."""

import base64
import json
import time

import pytest

from support.cluster import run, wait_for
from support.people import Person, request

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
IMAGE = "consul:1.8.7"  # has curl
PEERS = (f'curl -sS --max-time 10 -w "\\n%{{http_code}}" --cacert {FOLDER}/ca.crt -H "Authorization: Bearer '
         f'$(cat {FOLDER}/token)" "https://kubernetes.default.svc/api/v1/namespaces/$(cat {FOLDER}/namespace)/pods'
         '?labelSelector=app%3Dpeer"')


def pod(name, account=None, **spec):
    if account:
        spec["serviceAccountName"] = account
    return json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "peer"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": IMAGE, "command": ["/bin/sh", "-c", "sleep 100000"]}], **spec}})


def ask_token(cluster, account, **spec):
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    out = cluster.kubectl("create", "--raw", f"/api/v1/namespaces/default/serviceaccounts/{account}/token", "-f", "-",
                          stdin=json.dumps(body))
    return json.loads(out)["status"]["token"]


def review(cluster, token, **spec):
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, **spec}}
    out = cluster.kubectl("create", "--raw", "/apis/authentication.k8s.io/v1/tokenreviews", "-f", "-",
                          stdin=json.dumps(body))
    return json.loads(out)["status"]


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def sign(cluster, claims, folder):
    """A token with these claims, of the cluster's own key: what issuing it at another time would have given."""
    text = url64(b'{"alg":"ES256","typ":"JWT"}') + "." + url64(json.dumps(claims).encode())
    path = folder / "signature"
    run(["openssl", "dgst", "-sha256", "-sign", str(cluster.data_dir / "pki" / "service-accounts.key"), "-out", str(path)],
        stdin=text)
    der = path.read_bytes()
    length = der[3]
    r, s = der[4:4 + length], der[6 + length:]
    return text + "." + url64(b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in (r, s)))


@pytest.fixture(scope="module")
def finder(cluster):
    """A pod of an account of its own."""
    cluster.import_image("consul")
    cluster.kubectl("create", "serviceaccount", "finder")
    cluster.kubectl("apply", "-f", "-", stdin=pod("finder", "finder"))
    cluster.kubectl("apply", "-f", "-", stdin=pod("other"))
    cluster.wait_ready("finder", "other", timeout=120)
    return "finder"


def from_pod(cluster, name, command):
    text, _, code = cluster.exec(name, "sh", "-c", command).rpartition("\n")
    return int(code), json.loads(text)


def test_a_pod_finds_its_peers_when_its_account_may(cluster, finder):
    code, status = from_pod(cluster, finder, PEERS)
    assert code == 403
    assert ('User "system:serviceaccount:default:finder" cannot list resource "pods" in API group "" in the namespace '
            '"default"') in status["message"]
    cluster.kubectl("create", "role", "find", "--verb=get,list", "--resource=pods")
    cluster.kubectl("create", "rolebinding", "find", "--role=find", "--serviceaccount=default:finder")
    code, peers = from_pod(cluster, finder, PEERS)
    assert code == 200 and {"finder", "other"} == {item["metadata"]["name"] for item in peers["items"]}
    addresses = [item["status"]["podIP"] for item in peers["items"]]
    assert all(addresses) and len(set(addresses)) == 2
    # The other pod's account may not.
    assert from_pod(cluster, "other", PEERS)[0] == 403
    by_address = PEERS.replace("https://kubernetes.default.svc/", "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/")
    assert from_pod(cluster, finder, by_address)[0] == 200


def test_what_is_mounted(cluster, finder):
    files = cluster.exec(finder, "ls", FOLDER).split()
    assert files == ["ca.crt", "namespace", "token"]
    assert cluster.exec(finder, "cat", FOLDER + "/namespace") == "default"
    assert "BEGIN CERTIFICATE" in cluster.exec(finder, "cat", FOLDER + "/ca.crt")
    claims = claims_of(cluster.exec(finder, "cat", FOLDER + "/token"))
    live = cluster.get("pod", finder)
    assert claims["kubernetes.io"]["pod"] == {"name": finder, "uid": live["metadata"]["uid"]}
    assert claims["exp"] - claims["iat"] == 3607
    cluster.kubectl("apply", "-f", "-", stdin=pod("quiet", automountServiceAccountToken=False))
    cluster.wait_ready("quiet")
    assert cluster.kubectl("exec", "quiet", "--", "ls", FOLDER, check=False).returncode != 0
    refused = cluster.kubectl("apply", "-f", "-", stdin=pod("stray", "nobody"), check=False)
    assert 'service account default/nobody: serviceaccount "nobody" not found' in refused.stderr


def test_a_token_ends_with_its_pod(cluster, finder):
    cluster.kubectl("apply", "-f", "-", stdin=pod("short"))
    cluster.wait_ready("short")
    token = cluster.exec("short", "cat", FOLDER + "/token")
    assert request(cluster, "/api", token=token)[0] == 200
    cluster.kubectl("delete", "pod", "short")
    code, status = request(cluster, "/api", token=token)
    assert code == 401 and status["message"] == "Unauthorized"
    assert "has been deleted" in review(cluster, token)["error"]


def test_a_token_ends_with_its_time(cluster, finder, tmp_path):
    token = ask_token(cluster, "finder", expirationSeconds=600)
    assert request(cluster, "/api", token=token)[0] == 200
    claims = claims_of(token)
    assert claims["exp"] - claims["iat"] == 600
    assert request(cluster, "/api", token=sign(cluster, claims, tmp_path))[0] == 200
    past = {**claims, "exp": int(time.time()) - 1}
    assert request(cluster, "/api", token=sign(cluster, past, tmp_path))[0] == 401
    assert review(cluster, sign(cluster, past, tmp_path))["error"] == "service account token has expired"
    # Of another audience, of another account, changed: nobody's.
    other = ask_token(cluster, "finder", audiences=["vault"])
    assert request(cluster, "/api", token=other)[0] == 401
    assert review(cluster, other, audiences=["vault"])["authenticated"]
    stranger = {**claims, "kubernetes.io": {**claims["kubernetes.io"], "serviceaccount": {"name": "finder", "uid": "x"}}}
    assert request(cluster, "/api", token=sign(cluster, stranger, tmp_path))[0] == 401
    head, body, signature = token.split(".")
    assert request(cluster, "/api", token=".".join([head, body, signature[::-1]]))[0] == 401
    short = cluster.kubectl("create", "--raw", "/api/v1/namespaces/default/serviceaccounts/finder/token", "-f", "-",
                            stdin='{"spec":{"expirationSeconds":5}}', check=False)
    assert "may not specify a duration less than 10 minutes" in short.stderr + short.stdout


def test_key_set(cluster, finder):
    token = ask_token(cluster, "finder")
    keys = request(cluster, "/openid/v1/jwks", token=token)[1]["keys"]
    assert keys[0]["alg"] == "ES256" and keys[0]["use"] == "sig"
    configuration = request(cluster, "/.well-known/openid-configuration", token=token)[1]
    assert configuration["issuer"] == claims_of(token)["iss"]
    assert request(cluster, "/openid/v1/jwks")[0] == 401


def test_tokens_kept_in_secrets(cluster, finder):
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "kept", "annotations": {"kubernetes.io/service-account.name": "finder"}}}))
    data = cluster.get("secret", "kept")["data"]
    token = base64.b64decode(data["token"]).decode()
    assert base64.b64decode(data["namespace"]) == b"default"
    assert review(cluster, token)["user"]["username"] == "system:serviceaccount:default:finder"
    cluster.kubectl("delete", "secret", "kept")
    assert request(cluster, "/api", token=token)[0] == 401


def test_can_i(cluster, finder, tmp_path):
    ann = Person(cluster, tmp_path, "ann")
    assert cluster.kubectl("auth", "can-i", "delete", "nodes").strip() == "yes"
    assert ann.kubectl("auth", "can-i", "list", "pods", check=False).stdout.strip().startswith("no")
    who = "--as=system:serviceaccount:default:finder"
    cluster.kubectl("auth", "reconcile", "-f", "-", stdin=json.dumps({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "look", "namespace": "default"},
        "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}]}))
    cluster.kubectl("create", "rolebinding", "look", "--role=look", "--serviceaccount=default:finder")
    assert cluster.kubectl("auth", "can-i", "get", "configmaps", who).strip() == "yes"
    assert cluster.kubectl("auth", "can-i", "get", "secrets", who, check=False).stdout.strip().startswith("no")
    rights = cluster.kubectl("auth", "can-i", "--list", who)
    assert any(line.split()[0] == "configmaps" and "[get]" in line for line in rights.splitlines()[1:])
    # Acting as others is a right too.
    refused = ann.kubectl("get", "pods", "--as=bob", check=False)
    assert 'users "bob" is forbidden: User "ann" cannot impersonate resource "users"' in refused.stderr
    refused = ann.kubectl("get", "pods", "--as=ann", "--as-group=system:masters", check=False)
    assert "cannot impersonate" in refused.stderr
    cluster.kubectl("create", "clusterrole", "as-bob", "--verb=impersonate", "--resource=users", "--resource-name=bob")
    cluster.kubectl("create", "clusterrolebinding", "as-bob", "--clusterrole=as-bob", "--user=ann")
    wait_for(lambda: 'User "bob" cannot list' in ann.kubectl("get", "pods", "--as=bob", check=False).stderr, what="bob")
    whoami = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    out = ann.kubectl("create", "--as=bob", "--raw", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "-f", "-",
                      stdin=json.dumps(whoami))
    assert json.loads(out)["status"]["userInfo"] == {"username": "bob", "groups": ["system:authenticated"]}
