"""Pods resized in place (KEP-1287): the pods/resize subresource, what the kernel holds containers to, what is told."""

import json

import pytest

from support.cluster import wait_for
from support.workload import Space, container, is_ready

MEMORY_LIMIT = ("cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max")
SHARES = "cat /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/cpu.weight"
QUOTA = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max"


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    made = Space(cluster, "resize")
    yield made
    made.close()


def resources(cpu="100m", memory="64Mi", cpu_limit="200m", memory_limit="64Mi"):
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu_limit, "memory": memory_limit}}


def pod(name, *containers, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": list(containers), **spec}}


def resize(space, name, wanted, check=True):
    """PUTs pods/NAME/resize: old kubectls can, and it says all that there is to say."""
    path = f"/api/v1/namespaces/{space.name}/pods/{name}/resize"
    asked = json.loads(space.kubectl("get", "--raw", path))
    del asked["metadata"]["resourceVersion"]
    asked["spec"]["containers"][0]["resources"] = wanted
    return space.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(asked), check=check)


def status(space, name):
    found = space.get("pod", name)
    return found, found["status"]["containerStatuses"][0]


def condition(space, name, kind):
    for each in space.get("pod", name)["status"]["conditions"]:
        if each["type"] == kind:
            return each
    return None


def wait_resized(space, name, wanted, restarts=0):
    def done():
        found, container_status = status(space, name)
        types = {each["type"] for each in found["status"]["conditions"]}
        return (container_status.get("resources") == wanted and not types & {"PodResizePending", "PodResizeInProgress"}
                and container_status["restartCount"] == restarts and is_ready(found))
    wait_for(done, 60, f"{name} with {wanted}")


def events(space, name):
    items = space.get("events", "--field-selector", f"involvedObject.name={name}")["items"]
    return {each["reason"]: each for each in items}


def test_running_containers_are_resized_without_a_restart(space):
    space.apply(pod("web", container(resources=resources())))
    space.wait_ready("web")
    before = space.get("pod", "web")["metadata"]["generation"]
    bigger = resources("200m", "96Mi", "400m", "128Mi")
    resize(space, "web", bigger)
    wait_resized(space, "web", bigger)
    found, container_status = status(space, "web")
    assert container_status["allocatedResources"] == bigger["requests"]
    assert found["metadata"]["generation"] == before + 1
    wait_for(lambda: space.get("pod", "web")["status"]["observedGeneration"] == before + 1, 20, "the generation observed")
    # What the kernel holds it to.
    assert space.exec("web", MEMORY_LIMIT).strip() == str(128 << 20)
    assert space.exec("web", QUOTA).strip() == "40000"
    assert space.exec("web", SHARES).strip() in ("204", "8", "27")
    told = wait_for(lambda: events(space, "web").get("ResizeCompleted"), 20, "an event")
    assert '"cpu":"400m"' in told["message"] and told["type"] == "Normal"


def test_what_it_uses_cannot_be_taken_away(space):
    wanted = resources("200m", "10Ki", "400m", "10Ki")
    resize(space, "web", wanted)
    def refused():
        told = condition(space, "web", "PodResizeInProgress")
        return told and told.get("reason") == "Error" and "below current usage" in told["message"]
    wait_for(refused, 60, "an error")
    assert status(space, "web")[1]["resources"]["limits"]["memory"] == "128Mi"
    back = resources("200m", "64Mi", "400m", "96Mi")
    resize(space, "web", back)
    wait_resized(space, "web", back)
    assert space.exec("web", MEMORY_LIMIT).strip() == str(96 << 20)


def test_a_node_without_room_defers_or_refuses(space):
    never = resources("1000", "64Mi", "1000", "96Mi")
    resize(space, "web", never)
    told = wait_for(lambda: condition(space, "web", "PodResizePending"), 60, "a condition")
    assert told["reason"] == "Infeasible" and "Node didn't have enough capacity: cpu" in told["message"]
    assert told["observedGeneration"] == space.get("pod", "web")["metadata"]["generation"]
    capacity = int(space.get("nodes")["items"][0]["status"]["allocatable"]["cpu"])
    # All but a little is another's.
    rest = f"{capacity * 1000 - 400}m"
    space.apply(pod("big", container(resources={"requests": {"cpu": rest}})))
    resize(space, "web", resources("200m", "64Mi", "400m", "96Mi"))
    space.wait_ready("big")
    resize(space, "web", resources("600m", "64Mi", "600m", "96Mi"))
    told = wait_for(lambda: (condition(space, "web", "PodResizePending") or {}).get("reason") == "Deferred", 60, "deferral")
    assert status(space, "web")[1]["allocatedResources"]["cpu"] == "200m"
    space.kubectl("delete", "pod", "big")
    wait_resized(space, "web", resources("600m", "64Mi", "600m", "96Mi"))
    assert {"ResizeInfeasible", "ResizeDeferred", "ResizeStarted"} <= set(events(space, "web"))


def test_the_policy_may_ask_for_a_restart(space):
    policy = [{"resourceName": "cpu", "restartPolicy": "NotRequired"},
              {"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    space.apply(pod("restarts", container(resources=resources(), resizePolicy=policy), restartPolicy="OnFailure"))
    space.wait_ready("restarts")
    more_cpu = resources(cpu_limit="300m")
    resize(space, "restarts", more_cpu)
    wait_resized(space, "restarts", more_cpu)
    more_memory = resources(cpu_limit="300m", memory_limit="80Mi")
    resize(space, "restarts", more_memory)
    wait_resized(space, "restarts", more_memory, restarts=1)
    assert space.exec("restarts", MEMORY_LIMIT).strip() == str(80 << 20)


@pytest.mark.parametrize("wanted, why", [
    ({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m"}},
     "resource limits cannot be removed"),
    (resources(cpu="500m"), "must be less than or equal to cpu limit of 200m"),
    (resources(cpu="200m"), "Pod QOS Class may not change as a result of resizing"),
    ({**resources(), "claims": [{"name": "x"}]}, "only cpu and memory resources are mutable"),
])
def test_what_may_not_change_is_refused(space, wanted, why):
    if not space.exists("pod", "kept"):
        space.apply(pod("kept", container(resources=resources())))
    done = resize(space, "kept", wanted, check=False)
    assert done.returncode == 1 and why in done.stderr, done


def test_the_pod_itself_and_quotas_hold(space):
    space.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
                 "spec": {"hard": {"requests.memory": "1Gi"}}})
    done = resize(space, "kept", resources(memory="1100Mi", memory_limit="2Gi"), check=False)
    assert done.returncode == 1 and "exceeded quota: q" in done.stderr
    space.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"},
                 "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}})
    done = resize(space, "kept", resources(cpu_limit="2"), check=False)
    assert done.returncode == 1 and "maximum cpu usage per Container is 1, but limit is 2" in done.stderr
    # Outside the subresource nothing of it may change.
    change = {"spec": {"containers": [{"name": "main", "resources": resources(cpu_limit="300m")}]}}
    done = space.kubectl("patch", "pod", "kept", "-p", json.dumps(change), check=False)
    assert done.returncode == 1 and "pod updates may not change fields other than" in done.stderr


def test_kubectl_patches_the_subresource(space):
    patch = json.dumps({"spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": "250m"}}}]}})
    done = space.kubectl("patch", "pod", "kept", "--subresource=resize", "-p", patch, check=False)
    if "subresource" in done.stderr:
        pytest.skip("this kubectl knows no pods/resize")
    assert done.returncode == 0, done
    wait_resized(space, "kept", resources(cpu_limit="250m"))


def test_a_restarted_node_part_knows_what_it_had_allocated(space, cluster):
    space.kubectl("delete", "resourcequota/q", "limitrange/l")
    space.wait_ready("kept")
    found_quota = space.exec("kept", QUOTA).strip()
    resize(space, "kept", resources("900", "64Mi", "1000", "64Mi"))
    wait_for(lambda: (condition(space, "kept", "PodResizePending") or {}).get("reason") == "Infeasible", 60, "refusal")
    cluster.stop()
    cluster.up()
    wait_for(lambda: is_ready(space.get("pod", "kept")), 60, "the pod as it was")
    found, container_status = status(space, "kept")
    assert container_status["allocatedResources"]["cpu"] == "100m" and container_status["restartCount"] == 0
    assert space.exec("kept", QUOTA).strip() == found_quota
    resize(space, "kept", resources(cpu_limit="300m"))
    wait_resized(space, "kept", resources(cpu_limit="300m"))
