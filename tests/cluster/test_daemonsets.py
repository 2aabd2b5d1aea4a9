"""Daemon sets with real pods, driven by kubectl 1.20 and a current one: roll-out, history, undo, taints."""

import json

import pytest

from support.cluster import wait_for
from support.workload import Space, container


@pytest.fixture(scope="module")
def space(cluster, any_kubectl):
    cluster.import_image("busybox")
    made = Space(cluster, "daemons-" + ("old" if "1.20" in any_kubectl else "current"), any_kubectl)
    yield made
    made.close()


def daemon_set(value="1", version="apps/v1", **spec):
    labels = {"app": "agent"}
    if version == "apps/v1":
        spec["selector"] = {"matchLabels": labels}
    return {"apiVersion": version, "kind": "DaemonSet", "metadata": {"name": "agent"},
            "spec": {"template": {"metadata": {"labels": labels},
                                  "spec": {"terminationGracePeriodSeconds": 1,
                                           "containers": [container(env=[{"name": "V", "value": value}])]}}, **spec}}


def values(space):
    return {pod["spec"]["containers"][0]["env"][0]["value"] for pod in space.get("pods", "-l", "app=agent")["items"]
            if "deletionTimestamp" not in pod["metadata"]}


def rolled_out(space):
    told = space.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    assert told.endswith('daemon set "agent" successfully rolled out\n')


def test_runs_on_the_node(space):
    space.apply(daemon_set())
    rolled_out(space)
    rows = [line.split() for line in space.kubectl("get", "ds", "agent").splitlines()]
    assert rows[0] == ["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE", "SELECTOR", "AGE"]
    assert rows[1][:7] == ["agent", "1", "1", "1", "1", "1", "<none>"]
    assert "daemonset.apps/agent" in space.kubectl("get", "all")
    described = space.kubectl("describe", "ds", "agent")
    assert "Desired Number of Nodes Scheduled: 1" in described and "SuccessfulCreate" in described


def test_updates_and_goes_back(space):
    space.apply(daemon_set("2"))
    rolled_out(space)
    wait_for(lambda: values(space) == {"2"}, 60, "the new template")
    history = space.kubectl("rollout", "history", "daemonset/agent")
    assert [line.split()[0] for line in history.splitlines()[2:] if line.strip()] == ["1", "2"]
    space.kubectl("rollout", "undo", "daemonset/agent")
    wait_for(lambda: values(space) == {"1"}, 60, "the old template")
    rolled_out(space)
    space.kubectl("rollout", "restart", "daemonset/agent")
    rolled_out(space)
    space.kubectl("set", "env", "daemonset/agent", "V=3")
    wait_for(lambda: values(space) == {"3"}, 60, "the value that was set")


def test_leaves_a_node_that_it_does_not_fit(space):
    select = {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}
    space.patch("ds/agent", select)
    wait_for(lambda: not space.get("pods", "-l", "app=agent")["items"], 60, "no pods")
    space.kubectl("label", "node", "node1", "disk=ssd")
    rolled_out(space)
    wait_for(lambda: len(values(space)) == 1, 60, "a pod again")
    space.kubectl("label", "node", "node1", "disk-")
    wait_for(lambda: not space.get("pods", "-l", "app=agent")["items"], 60, "no pods again")
    space.kubectl("delete", "ds", "agent")


def test_old_version(space):
    done = space.kubectl("apply", "-f", "-", stdin=json.dumps(daemon_set(version="extensions/v1beta1")), check=False)
    assert done.returncode == 0, done.stderr
    assert "use apps/v1 DaemonSet" in done.stderr
    stored = space.get("daemonsets.v1.apps", "agent")["spec"]
    assert stored["selector"] == {"matchLabels": {"app": "agent"}} and stored["updateStrategy"] == {"type": "OnDelete"}
    space.kubectl("delete", "daemonsets.v1.apps", "agent")
