"""What the server leaves on disk: encrypted Secrets, and the audit log. On simulated nodes, on loopback."""

import base64
import json
import os
import shutil
import subprocess

import pytest

from support.cluster import STEAD, run, wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
HIDDEN, PLAIN = "rosebud-4711", "rosebud-4712"
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: None
  resources: [{group: "", resources: [events]}]
- level: Metadata
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    folder = tmp_path_factory.mktemp("rest")
    made = Simulated(folder, newest_kubectl, 1)
    (folder / "policy.yaml").write_text(POLICY)
    made.audit_log = folder / "data" / "audit.log"
    made.options += ["--audit-log-path", str(made.audit_log), "--audit-policy-file", str(folder / "policy.yaml")]
    yield made.up()
    made.close()


def secret(simulated, name):
    return base64.b64decode(json.loads(simulated.kubectl("get", "secret", name, "-o", "json"))["data"]["word"]).decode()


def stored(simulated):
    """Everything in the store's files."""
    return b"".join(path.read_bytes() for path in sorted((simulated.directory / "data").glob("store.db*")))


def events(simulated):
    return [json.loads(line) for line in simulated.audit_log.read_text().splitlines()]


def test_secrets_are_encrypted_at_rest(simulated):
    simulated.kubectl("create", "secret", "generic", "one", f"--from-literal=word={HIDDEN}")
    simulated.kubectl("create", "configmap", "one", f"--from-literal=word={PLAIN}")
    assert secret(simulated, "one") == HIDDEN
    assert PLAIN.encode() in stored(simulated)
    for form in (HIDDEN.encode(), base64.b64encode(HIDDEN.encode())):
        assert form not in stored(simulated)
    keys = simulated.directory / "data" / "pki" / "encryption.keys"
    assert keys.stat().st_mode & 0o777 == 0o600
    simulated.stop()
    simulated.up()
    assert secret(simulated, "one") == HIDDEN


def test_keys_are_exchanged(simulated):
    keys = simulated.directory / "data" / "pki" / "encryption.keys"
    old = keys.read_text()
    name = old.split()[0]
    simulated.stop()
    keys.write_text(f"second {base64.b64encode(os.urandom(32)).decode()}\n{old}")
    simulated.up()
    assert secret(simulated, "one") == HIDDEN
    simulated.kubectl("replace", "-f", "-", stdin=simulated.kubectl("get", "secrets", "-A", "-o", "json"))
    simulated.kubectl("label", "secret", "one", "written=again")
    assert b"k8s:enc:aesgcm:v1:second:" in stored(simulated)
    # Without a key that something is encrypted with, the server says so instead of losing it.
    simulated.stop()
    both = keys.read_text()
    keys.write_text(old)
    refused = subprocess.run([*simulated.user, STEAD, "up", "--data-dir", simulated.directory / "data", *simulated.options],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0
    assert 'is encrypted with the key "second", which is not among the encryption keys' in refused.stderr
    keys.write_text(both)
    simulated.up()
    assert secret(simulated, "one") == HIDDEN and name != "second"


def test_the_audit_log_says_who_asked_for_what(simulated):
    simulated.write_credentials()
    answer = run(simulated.curl("-D", "-", "-A", "my-agent", simulated.url + "/api/v1/namespaces/default/secrets/one")).stdout
    identity = next(line.split()[1] for line in answer.splitlines() if line.lower().startswith("audit-id:"))
    found = wait_for(lambda: [event for event in events(simulated) if event["auditID"] == identity], 10, "the event")
    assert len(found) == 1
    event = found[0]
    assert (event["kind"], event["apiVersion"], event["level"], event["stage"], event["verb"]) == (
        "Event", "audit.k8s.io/v1", "Metadata", "ResponseComplete", "get")
    assert event["user"]["username"] == "kubernetes-admin" and "system:masters" in event["user"]["groups"]
    assert event["objectRef"] == {"resource": "secrets", "namespace": "default", "name": "one", "apiVersion": "v1"}
    assert event["responseStatus"]["code"] == 200 and event["userAgent"] == "my-agent"
    assert event["sourceIPs"] == ["127.0.0.1"] and event["requestURI"] == "/api/v1/namespaces/default/secrets/one"
    assert "impersonatedUser" not in event


def test_refusals_are_recorded_and_secrets_are_not(simulated):
    simulated.refused("get", "nodes", "--as=eve", "--as-group=strangers")
    refused = wait_for(lambda: [event for event in events(simulated)
                                if event.get("impersonatedUser", {}).get("username") == "eve"
                                and event.get("objectRef", {}).get("resource") == "nodes"], 10, "eve's event")
    assert refused[0]["responseStatus"]["code"] == 403 and refused[0]["user"]["username"] == "kubernetes-admin"
    run(["curl", "-sS", "-k", "-H", "Authorization: Bearer nobody", simulated.url + "/api"])
    wait_for(lambda: [event for event in events(simulated) if event["responseStatus"]["code"] == 401], 10, "the refused token")
    # A watch is recorded when it ends, and only then, by this policy.
    run(simulated.curl(simulated.url + "/api/v1/pods?watch=1&timeoutSeconds=1"))
    watches = wait_for(lambda: [event for event in events(simulated) if event["verb"] == "watch"
                                and "timeoutSeconds=1" in event["requestURI"]], 10, "the watch")
    assert [event["stage"] for event in watches] == ["ResponseComplete"]
    simulated.kubectl("get", "events")
    text = simulated.audit_log.read_text()
    assert HIDDEN not in text and base64.b64encode(HIDDEN.encode()).decode() not in text
    assert not [event for event in events(simulated) if event.get("objectRef", {}).get("resource") == "events"]
    assert not [event for event in events(simulated) if event["requestURI"].startswith("/readyz")]
    assert simulated.audit_log.stat().st_mode & 0o777 == 0o600


def test_a_wrong_policy_is_refused(simulated, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("level: Metadata", "level: RequestResponse"))
    tmp_path.chmod(0o755)
    policy.chmod(0o644)
    done = run([STEAD, "up", "--runtime", "simulated", "--data-dir", tmp_path / "data", "--port", "0", "--audit-log-path",
                tmp_path / "log", "--audit-policy-file", policy], check=False)
    assert done.returncode != 0
    assert 'rules[1].level: "RequestResponse" is not supported: None or Metadata' in done.stderr
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
