"""Pod Security Standards on simulated nodes: what a namespace's labels refuse, warn of, and say of pods that are there."""

import json

import pytest

from support.cluster import wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
STRICT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
STRICT_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, home, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("security"), newest_kubectl, 1).up()
    yield made
    made.close()


def namespace(simulated, name, **labels):
    labels = {"pod-security.kubernetes.io/" + key.replace("_", "-"): value for key, value in labels.items()}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    done = simulated.kubectl("apply", "-f", "-", stdin=json.dumps(manifest), check=False)
    if done.returncode == 0:
        wait_for(lambda: simulated.kubectl("-n", name, "get", "serviceaccount", "default"), 30, "the default service account")
    return done


def pod(name, container=None, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": [{"name": "c", "image": "example.invalid/c:1", **({"securityContext": container} if container else {})}],
                     **spec}}


def create(simulated, ns, manifest):
    return simulated.kubectl("-n", ns, "create", "-f", "-", stdin=json.dumps(manifest), check=False)


def test_enforce_refuses_and_says_why(simulated):
    namespace(simulated, "base", enforce="baseline")
    done = create(simulated, "base", pod("host", hostNetwork=True, volumes=[{"name": "v", "hostPath": {"path": "/"}}]))
    assert done.returncode != 0
    assert ('pods "host" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), '
            'hostPath volumes (volume "v")') in done.stderr
    assert create(simulated, "base", pod("plain")).returncode == 0
    namespace(simulated, "strict", enforce="restricted", enforce_version="v1.34")
    done = create(simulated, "strict", pod("plain"))
    assert 'violates PodSecurity "restricted:v1.34": allowPrivilegeEscalation != false (container "c"' in done.stderr
    assert create(simulated, "strict", pod("good", STRICT_CONTAINER, securityContext=STRICT)).returncode == 0


def test_templates_are_warned_of_and_their_pods_refused(simulated):
    namespace(simulated, "sets", enforce="baseline")
    labels = {"app": "x"}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
                  "spec": {"selector": {"matchLabels": labels},
                           "template": {"metadata": {"labels": labels}, "spec": pod("x", hostPID=True)["spec"]}}}
    done = create(simulated, "sets", deployment)
    assert done.returncode == 0
    assert 'Warning: would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)' in done.stderr
    wait_for(lambda: 'violates PodSecurity "baseline:latest"' in simulated.kubectl("-n", "sets", "describe", "rs"), 60,
             "the set's event")
    assert simulated.kubectl("-n", "sets", "get", "pods", "-o", "name") == ""


def test_warn_alone_lets_pods_in(simulated):
    namespace(simulated, "lenient", warn="restricted")
    done = create(simulated, "lenient", pod("a"))
    assert done.returncode == 0 and 'Warning: would violate PodSecurity "restricted:latest"' in done.stderr


def test_labels_are_checked_against_what_runs(simulated):
    namespace(simulated, "later")
    assert create(simulated, "later", pod("b", {"privileged": True})).returncode == 0
    assert create(simulated, "later", pod("a", {"privileged": True})).returncode == 0
    done = simulated.kubectl("label", "namespace", "later", "pod-security.kubernetes.io/enforce=baseline", check=False)
    assert done.returncode == 0
    assert 'existing pods in namespace "later" violate the new PodSecurity enforce level "baseline:latest"' in done.stderr
    assert "Warning: a (and 1 other pod): privileged" in done.stderr
    done = simulated.kubectl("label", "namespace", "later", "pod-security.kubernetes.io/enforce=none", "--overwrite",
                             check=False)
    assert done.returncode != 0
    assert ('metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "none": must be one of privileged, '
            "baseline, restricted") in done.stderr
