"""kubectl debug: a container beside those of a running pod (KEP-277), real."""

import json

import pytest

from support.cluster import wait_for
from support.workload import IMAGE, Space, container


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    made = Space(cluster, "debug")
    yield made
    made.close()


def pod(name):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container()]}}


def state(space, name, ephemeral):
    for each in space.get("pod", name)["status"].get("ephemeralContainerStatuses", []):
        if each["name"] == ephemeral:
            return each["state"]
    return {}


def test_looks_into_a_running_pod(space):
    space.apply(pod("web"))
    space.wait_ready("web")
    space.kubectl("debug", "web", f"--image={IMAGE}", "-c", "look", "--target=main", "--", "sh", "-c", "ps; hostname; exit 3")
    ended = wait_for(lambda: state(space, "web", "look").get("terminated"), 60, "the look's end")
    assert ended["exitCode"] == 3
    told = space.kubectl("logs", "web", "-c", "look")
    # The processes of the container that it was aimed at, and the pod's own name.
    assert "sleep 100000" in told and told.splitlines()[-1] == "web"
    now = space.get("pod", "web")
    assert now["status"]["phase"] == "Running" and now["status"]["containerStatuses"][0]["restartCount"] == 0
    assert "Ephemeral Containers:" in space.kubectl("describe", "pod", "web")


def test_a_second_one_can_be_entered_and_ends_with_the_pod(space):
    space.kubectl("debug", "web", f"--image={IMAGE}", "-c", "stay", "--", "sleep", "100000")
    wait_for(lambda: state(space, "web", "stay").get("running"), 60, "a running container")
    assert space.exec("web", "echo here", container="stay").strip() == "here"
    assert set(state(space, "web", "look")) == {"terminated"}
    space.kubectl("delete", "pod", "web")
    assert not space.exists("pod", "web")


def test_what_was_added_stays_as_it_is(space):
    space.apply(pod("kept"))
    space.wait_ready("kept")
    path = f"/api/v1/namespaces/{space.name}/pods/kept/ephemeralcontainers"
    shown = json.loads(space.kubectl("get", "--raw", path))
    assert shown["kind"] == "Pod"
    shown["spec"]["ephemeralContainers"] = [{"name": "main", "image": IMAGE}]
    refused = space.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(shown), check=False)
    assert 'spec.ephemeralContainers[0].name: Duplicate value: \\"main\\"' in refused.stderr + refused.stdout \
        or 'spec.ephemeralContainers[0].name: Duplicate value: "main"' in refused.stderr + refused.stdout
    # Only that list is written here, and only here is it written.
    shown["spec"]["ephemeralContainers"] = [{"name": "e", "image": IMAGE, "command": ["true"]}]
    shown["metadata"]["labels"] = {"unseen": "yes"}
    written = json.loads(space.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(shown)))
    assert "labels" not in written["metadata"] and written["spec"]["ephemeralContainers"][0]["name"] == "e"
    change = [{"op": "remove", "path": "/spec/ephemeralContainers/0"}]
    refused = space.kubectl("patch", "pod", "kept", "--type=json", "-p", json.dumps(change), check=False)
    assert "pod updates may not change fields other than" in refused.stderr
