"""The official Python client, unmodified: lists, watches that reconnect, patches, informers, leader election, streams."""

import datetime
import json
import subprocess
import sys
import threading

import pytest

from support.cluster import wait_for
from support.simulated import Simulated
from support.workload import STAY, Space, container

kubernetes = pytest.importorskip("kubernetes", reason="SKIPPED LOUDLY: python3-kubernetes is not installed")

from kubernetes import client, config, dynamic, utils, watch  # noqa: E402
from kubernetes.client.rest import ApiException  # noqa: E402

NEEDS_CONTAINERS = False
GROUPS = [client.CoreV1Api, client.AppsV1Api, client.BatchV1Api, client.AutoscalingV1Api, client.PolicyV1Api, client.NetworkingV1Api,
          client.DiscoveryV1Api, client.StorageV1Api, client.RbacAuthorizationV1Api, client.SchedulingV1Api, client.CoordinationV1Api]
SET = {
    "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web", "labels": {"tier": "back"}},
    "spec": {"serviceName": "web", "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
             "template": {"metadata": {"labels": {"app": "web"}},
                          "spec": {"containers": [{"name": "main", "image": "example.invalid/web:1",
                                                   "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}}}}


class Api(Simulated):
    """A simulated cluster and clients of it."""

    def connect(self):
        config.load_kube_config(str(self.directory / "data" / "kubeconfig"))
        self.client = client.ApiClient()
        self.core = client.CoreV1Api(self.client)
        self.apps = client.AppsV1Api(self.client)
        return self

    def restart(self):
        assert self.stop() == 0
        return self.up()


@pytest.fixture(scope="module")
def api(tmp_path_factory, newest_kubectl):
    made = Api(tmp_path_factory.mktemp("clients"), newest_kubectl, 2).up()
    try:
        made.connect()
        made.apps.create_namespaced_stateful_set("default", SET)
        wait_for(lambda: made.apps.read_namespaced_stateful_set("web", "default").status.ready_replicas == 2, 60, "two pods Ready")
        yield made
    finally:
        made.close()


def config_map(name, **data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"made": "here"}), data=data)


def test_a_new_object_shows_its_status(api):
    """Programs read on from it without asking whether it is there."""
    made = api.apps.create_namespaced_stateful_set("default", {**SET, "metadata": {"name": "new"}}, dry_run="All")
    assert made.status.replicas == 0 and made.status.available_replicas == 0 and made.status.ready_replicas is None


def code(call, *arguments, **options):
    with pytest.raises(ApiException) as raised:
        call(*arguments, **options)
    status = json.loads(raised.value.body)
    assert status["kind"] == "Status" and status["status"] == "Failure" and status["code"] == raised.value.status
    return status["code"], status["reason"]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_everything_listed_is_understood(api, group):
    """The client's models check what they are given: required fields, types, times."""
    listers = [name for name in dir(group) if name.startswith("list_") and not name.endswith("_with_http_info")
               and ("_for_all_namespaces" in name or "_namespaced_" not in name)]
    assert listers
    for name in listers:
        found = getattr(group(api.client), name)()
        assert found.kind.endswith("List") and found.metadata.resource_version, name
    if group is client.CoreV1Api:
        pod = next(pod for pod in group(api.client).list_pod_for_all_namespaces().items if pod.metadata.name == "web-0")
        assert isinstance(pod.metadata.creation_timestamp, datetime.datetime) and pod.status.phase == "Running"


def test_errors_are_statuses(api):
    assert code(api.core.read_namespaced_pod, "nope", "default") == (404, "NotFound")
    assert code(api.core.create_namespaced_config_map, "nowhere", config_map("x")) == (404, "NotFound")
    assert code(api.core.create_namespaced_config_map, "default", config_map("Not_Valid")) == (422, "Invalid")
    api.core.create_namespaced_config_map("default", config_map("once"))
    assert code(api.core.create_namespaced_config_map, "default", config_map("once")) == (409, "AlreadyExists")
    stale = api.core.read_namespaced_config_map("once", "default")
    api.core.patch_namespaced_config_map("once", "default", {"data": {"a": "1"}})
    stale.data = {"a": "2"}
    assert code(api.core.replace_namespaced_config_map, "once", "default", stale) == (409, "Conflict")
    gone = api.core.delete_namespaced_config_map("once", "default", body=client.V1DeleteOptions(propagation_policy="Background"))
    assert gone.status == "Success"


def test_lists_in_pages_are_of_one_moment(api):
    for i in range(7):
        api.core.create_namespaced_config_map("default", config_map(f"page-{i}"))
    first = api.core.list_namespaced_config_map("default", label_selector="made=here", limit=3)
    assert first.metadata.remaining_item_count in (None, 4)  # not counted where a selector is given
    api.core.delete_namespaced_config_map("page-6", "default")
    api.core.create_namespaced_config_map("default", config_map("page-7"))
    names, page = [], first
    while True:
        names += [item.metadata.name for item in page.items]
        assert page.metadata.resource_version == first.metadata.resource_version
        if not page.metadata._continue:
            break
        page = api.core.list_namespaced_config_map("default", label_selector="made=here", limit=3, _continue=page.metadata._continue)
    assert names == [f"page-{i}" for i in range(7)]
    api.core.delete_collection_namespaced_config_map("default", label_selector="made=here")
    assert api.core.list_namespaced_config_map("default", label_selector="made=here").items == []


def test_watch_goes_on_where_it_ended(api):
    """Each stream is cut by its timeout; the watch asks on from the last version it saw."""
    start = api.core.list_namespaced_config_map("default").metadata.resource_version
    seen, watcher = [], watch.Watch()
    for turn in range(3):
        for name in (f"w-{turn}-a", f"w-{turn}-b"):
            api.core.create_namespaced_config_map("default", config_map(name))
        for event in watcher.stream(api.core.list_namespaced_config_map, "default", timeout_seconds=1,
                                    resource_version=watcher.resource_version or start):
            seen.append((event["type"], event["object"].metadata.name))
    assert seen == [("ADDED", f"w-{turn}-{which}") for turn in range(3) for which in "ab"]
    assert code(api.core.list_namespaced_config_map, "default", resource_version="x") == (400, "BadRequest")


class Informer(threading.Thread):
    """A reflector as in client-go, of the client's own list and watch: relists when the server says 410 or is away."""

    def __init__(self, core):
        super().__init__(daemon=True)
        self.core, self.store, self.lists, self.ended, self.problem = core, {}, 0, threading.Event(), None

    def run(self):
        try:
            while not self.ended.is_set():
                self.turn()
        except BaseException as problem:  # told by the test
            self.problem = problem

    def turn(self):
        try:
            found = self.core.list_namespaced_config_map("default", label_selector="made=here")
        except Exception as problem:
            assert "refused" in str(problem) or "reset" in str(problem) or "aborted" in str(problem), problem
            self.ended.wait(0.1)
            return
        self.lists += 1
        self.store = {item.metadata.name: item for item in found.items}
        version = found.metadata.resource_version
        while not self.ended.is_set():
            watcher = watch.Watch()
            try:
                for event in watcher.stream(self.core.list_namespaced_config_map, "default", label_selector="made=here",
                                            resource_version=version, allow_watch_bookmarks=True, timeout_seconds=2):
                    if event["type"] == "BOOKMARK":
                        version = event["raw_object"]["metadata"]["resourceVersion"]
                        continue
                    item = event["object"]
                    version = item.metadata.resource_version
                    if event["type"] == "DELETED":
                        self.store.pop(item.metadata.name)
                    else:
                        self.store[item.metadata.name] = item
            except ApiException as problem:
                assert problem.status == 410, problem
                return
            except Exception:  # the connection is gone
                return


def test_informer_follows_through_a_restart(api):
    informer = Informer(api.core)
    informer.start()

    def same():
        assert informer.problem is None, informer.problem
        listed = {item.metadata.name: item.data for item in
                  api.core.list_namespaced_config_map("default", label_selector="made=here").items}
        return informer.lists and {name: item.data for name, item in informer.store.items()} == listed

    api.core.create_namespaced_config_map("default", config_map("informed", a="1"))
    wait_for(same, 20, "the informer's first state")
    api.core.patch_namespaced_config_map("informed", "default", {"data": {"a": "2"}})
    wait_for(lambda: informer.store["informed"].data == {"a": "2"}, 20, "the change")
    api.restart()
    api.core.create_namespaced_config_map("default", config_map("after-restart"))
    api.core.delete_namespaced_config_map("informed", "default")
    wait_for(lambda: same() and "after-restart" in informer.store, 30, "the state after the restart")
    informer.ended.set()
    informer.join(20)
    assert informer.problem is None and not informer.is_alive()


def test_patches_of_each_type(api):
    strategic = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "B", "value": "3"}]}]}}}}
    env = lambda found: {each.name: each.value for each in found.spec.template.spec.containers[0].env}
    assert env(api.apps.patch_namespaced_stateful_set("web", "default", strategic)) == {"A": "1", "B": "3"}
    operations = [{"op": "test", "path": "/spec/replicas", "value": 2},
                  {"op": "replace", "path": "/spec/template/spec/containers/0/env/0/value", "value": "9"}]
    assert env(api.apps.patch_namespaced_stateful_set("web", "default", operations)) == {"A": "9", "B": "3"}
    operations[0]["value"] = 5
    assert code(api.apps.patch_namespaced_stateful_set, "web", "default", operations)[0] == 422
    sets = dynamic.DynamicClient(api.client).resources.get(api_version="apps/v1", kind="StatefulSet")
    merged = sets.patch({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.invalid/web:2"}]}}}}, "web", "default",
                        content_type="application/merge-patch+json")
    containers = merged.to_dict()["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "example.invalid/web:2" and "env" not in containers[0]  # lists are replaced


def apply(api, manager, body, force=False):
    query = [("fieldManager", manager)] + ([("force", "true")] if force else [])
    found = api.client.call_api("/api/v1/namespaces/default/configmaps/applied", "PATCH", query_params=query, body=json.dumps(body),
                                header_params={"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"},
                                response_type="V1ConfigMap", auth_settings=["BearerToken"], _return_http_data_only=True)
    return found


def test_apply_by_two_managers(api):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}
    made = apply(api, "first", body)
    assert made.data == {"a": "1"} and made.metadata.managed_fields[0].operation == "Apply"
    assert code(apply, api, "second", {**body, "data": {"a": "2"}}) == (409, "Conflict")
    assert apply(api, "second", {**body, "data": {"a": "2"}}, force=True).data == {"a": "2"}
    assert apply(api, "first", {**body, "data": {"b": "1"}}).data == {"a": "2", "b": "1"}


def test_scale_and_status(api):
    def scaled():
        scale = api.apps.read_namespaced_stateful_set_scale("web", "default")
        assert (scale.spec.replicas, scale.status.selector) == (2, "app=web")
        scale.spec.replicas = 3
        try:
            return api.apps.replace_namespaced_stateful_set_scale("web", "default", scale).spec.replicas == 3
        except ApiException as problem:
            assert problem.status == 409  # its status changed in between
            return None

    wait_for(scaled, 20, "the scale")
    wait_for(lambda: api.apps.read_namespaced_stateful_set_status("web", "default").status.ready_replicas == 3, 60, "three pods Ready")
    api.apps.patch_namespaced_stateful_set_scale("web", "default", {"spec": {"replicas": 2}})
    evicted = client.V1Eviction(metadata=client.V1ObjectMeta(name="web-0"))
    uid = api.core.read_namespaced_pod("web-0", "default").metadata.uid
    api.core.create_namespaced_pod_eviction("web-0", "default", evicted)
    wait_for(lambda: next((pod for pod in api.core.list_namespaced_pod("default").items if pod.metadata.name == "web-0"
                           and pod.metadata.uid != uid), None), 60, "another web-0")


def test_manifests_from_yaml(api, tmp_path):
    (tmp_path / "all.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: from-yaml}\nspec: {clusterIP: None, ports: [{port: 80}]}\n"
                                       "---\napiVersion: v1\nkind: Secret\nmetadata: {name: from-yaml}\nstringData: {a: b}\n")
    utils.create_from_yaml(api.client, str(tmp_path / "all.yaml"))
    assert api.core.read_namespaced_secret("from-yaml", "default").data == {"a": "Yg=="}
    assert api.core.read_namespaced_service("from-yaml", "default").spec.cluster_ip == "None"


def test_dynamic_client(api):
    dynamic_client = dynamic.DynamicClient(api.client)
    assert dynamic_client.version["kubernetes"]["gitVersion"].startswith("v1.35")
    budgets = dynamic_client.resources.get(api_version="policy/v1", kind="PodDisruptionBudget")
    assert budgets.namespaced and "status" in budgets.subresources
    maps = dynamic_client.resources.get(api_version="v1", kind="ConfigMap")
    made = maps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"a": "1"}}, "default")
    seen = [event["type"] for event in maps.watch("default", field_selector="metadata.name=dynamic", timeout=1)]
    assert seen == ["ADDED"]
    made = maps.replace({**made.to_dict(), "data": {"a": "2"}}, namespace="default")
    assert maps.get("dynamic", "default").data.a == "2"
    maps.delete("dynamic", "default")
    with pytest.raises(dynamic.exceptions.NotFoundError):
        maps.get("dynamic", "default")


def test_a_resource_of_ones_own(api):
    definitions = client.ApiextensionsV1Api(api.client)
    try:
        definitions.list_custom_resource_definition()
    except ApiException as problem:
        assert problem.status == 404
        print("SKIPPED LOUDLY: CustomResourceDefinitions are not served", file=sys.stderr)
        pytest.skip("CustomResourceDefinitions are not served")
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}}}
    definitions.create_custom_resource_definition({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "cogs.wheels.example"},
        "spec": {"group": "wheels.example", "scope": "Namespaced", "names": {"plural": "cogs", "singular": "cog", "kind": "Cog"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]}})
    custom = client.CustomObjectsApi(api.client)
    place = ("wheels.example", "v1", "default", "cogs")
    cog = {"apiVersion": "wheels.example/v1", "kind": "Cog", "metadata": {"name": "one"}, "spec": {"size": 3}}

    def created():
        try:
            return custom.create_namespaced_custom_object(*place, cog)
        except ApiException as problem:
            assert problem.status == 404
            return None

    wait_for(created, 20, "the new resource")
    assert code(custom.create_namespaced_custom_object, *place, {**cog, "metadata": {"name": "two"}, "spec": {"size": 0}}) == (422, "Invalid")
    assert custom.patch_namespaced_custom_object(*place, "one", {"spec": {"size": 4}})["spec"]["size"] == 4
    seen = [event["object"]["metadata"]["name"] for event in watch.Watch().stream(custom.list_namespaced_custom_object, *place, timeout_seconds=1)]
    assert seen == ["one"]
    definitions.delete_custom_resource_definition("cogs.wheels.example")


CANDIDATE = """
import sys, threading
from kubernetes import config
from kubernetes.leaderelection import leaderelection, electionconfig
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
config.load_kube_config(sys.argv[1])
def lead():
    print("leads", flush=True)
    threading.Event().wait()
lock = ConfigMapLock("election", "default", sys.argv[2])
leaderelection.LeaderElection(electionconfig.Config(lock, lease_duration=4, renew_deadline=3, retry_period=1, onstarted_leading=lead,
                                                    onstopped_leading=None)).run()
"""


def test_leader_election(api, tmp_path):
    (tmp_path / "candidate.py").write_text(CANDIDATE)

    def candidate(name):
        return subprocess.Popen([sys.executable, tmp_path / "candidate.py", api.directory / "data" / "kubeconfig", name],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def leader():
        record = api.core.read_namespaced_config_map("election", "default").metadata.annotations["control-plane.alpha.kubernetes.io/leader"]
        return json.loads(record)["holderIdentity"]

    running = [candidate("one")]
    try:
        assert running[0].stdout.readline() == "leads\n"
        running.append(candidate("two"))
        assert leader() == "one"
        running[0].kill()
        assert running[1].stdout.readline() == "leads\n"
        assert leader() == "two"
    finally:
        for process in running:
            process.kill()
            process.wait(10)


STREAMS = """
import sys
from kubernetes import client, config
from kubernetes.stream import portforward, stream
config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
call = core.connect_get_namespaced_pod_exec
print(stream(call, "server", sys.argv[2], command=["echo", "plain"], stdout=True, stderr=True), end="")
shell = stream(call, "server", sys.argv[2], command=["sh"], stdin=True, stdout=True, stderr=True, _preload_content=False)
shell.write_stdin("echo out; echo err >&2; exit 7\\n")
shell.run_forever(timeout=30)
print(repr(shell.read_stdout()), repr(shell.read_stderr()), shell.returncode)
forward = portforward(core.connect_get_namespaced_pod_portforward, "server", sys.argv[2], ports="8080")
socket = forward.socket(8080)
socket.setblocking(True)
socket.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
answer = b""
while piece := socket.recv(4096):
    answer += piece
print(answer.decode().splitlines()[-1])
print(core.read_namespaced_pod_log("server", sys.argv[2], tail_lines=1), end="")
print(core.connect_get_namespaced_pod_proxy("server:8080", sys.argv[2]), end="")
"""


@pytest.fixture(scope="module")
def space(request):
    from conftest import missing_for_containers
    reason = missing_for_containers()
    if reason:
        pytest.skip(f"SKIPPED LOUDLY: {reason}")
    cluster = request.getfixturevalue("cluster")
    cluster.import_image("busybox")
    made = Space(cluster, "clients", cluster.kubectl_binary)
    script = f"mkdir /w; echo served > /w/index.html; httpd -p 8080 -h /w; echo logged; {STAY}"
    made.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server"},
                "spec": {"containers": [container("server", script, readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1})]}})
    made.wait_ready("server")
    return made


def test_exec_and_port_forward(space, tmp_path):
    (tmp_path / "streams.py").write_text(STREAMS)
    done = space.cluster.namespace.run([sys.executable, tmp_path / "streams.py", space.cluster.kubeconfig, space.name])
    assert done.stdout.splitlines() == ["plain", "'out\\n' 'err\\n' 7", "served", "logged", "served"]
