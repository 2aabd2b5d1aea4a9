"""What every kind owes to people: listed, explained, made with kubectl, described; quotas, limits and evictions obeyed."""

import concurrent.futures
import json

import pytest

from support.cluster import wait_for
from support.simulated import Simulated
from support.workload import IMAGE, STAY, Space, container

NEEDS_CONTAINERS = False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, home, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("kinds"), newest_kubectl, 2).up()
    yield made
    made.close()


@pytest.fixture(scope="module")
def space(cluster, any_kubectl):
    return Space(cluster, "kinds-" + ("old" if "1.20" in any_kubectl else "current"), any_kubectl)


def refused(space, *objects):
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    done = space.kubectl("create", "-f", "-", stdin=document, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def pod(name, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container()], **spec}}


def deployment(name, replicas):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"terminationGracePeriodSeconds": 0, "containers": [container()]}}}}


def test_api_resources(space):
    rows = {line.split()[0] for line in space.kubectl("api-resources", "--no-headers").splitlines()}
    wanted = {"daemonsets", "jobs", "cronjobs", "poddisruptionbudgets", "resourcequotas", "limitranges", "podtemplates",
              "replicationcontrollers", "horizontalpodautoscalers", "networkpolicies", "csidrivers", "csinodes",
              "csistoragecapacities", "volumeattachments", "runtimeclasses", "events", "leases", "endpointslices"}
    assert wanted <= rows
    groups = space.kubectl("api-versions").split()
    assert {"batch/v1", "batch/v1beta1", "policy/v1", "policy/v1beta1", "autoscaling/v1", "autoscaling/v2",
            "events.k8s.io/v1", "node.k8s.io/v1"} <= set(groups)


@pytest.mark.parametrize("kind", ["job", "cronjob", "daemonset", "pdb", "quota", "limits", "rc", "netpol", "hpa",
                                  "runtimeclass", "csidriver"])
def test_explain(space, kind):
    assert "apiVersion" in space.kubectl("explain", kind, "--recursive")


def test_quota(space):
    space.kubectl("create", "quota", "small", "--hard=pods=2,count/configmaps=4,services=1")
    wait_for(lambda: space.get("quota", "small")["status"].get("used", {}).get("pods") == "0", 30, "the first count")
    space.apply(pod("q1"), pod("q2"))
    error = refused(space, pod("q3"))
    assert 'pods "q3" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2' in error
    wait_for(lambda: space.get("quota", "small")["status"]["used"]["pods"] == "2", 30, "both counted")
    assert "pods" in space.kubectl("describe", "quota", "small")
    space.kubectl("delete", "pod", "q1", "q2")
    space.apply(pod("q3"))
    space.kubectl("delete", "pod", "q3")
    space.kubectl("delete", "quota", "small")


def test_quota_is_exact_when_many_ask_at_once(space):
    space.kubectl("create", "quota", "exact", "--hard=secrets=5")
    before = len(space.get("secrets")["items"])

    def create(number):
        return space.kubectl("create", "secret", "generic", f"s{number}", check=False).returncode == 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(create, range(16)))
    assert made + before == 5
    for number in range(16):
        space.kubectl("delete", "secret", f"s{number}", "--ignore-not-found", "--wait=false")
    space.kubectl("delete", "quota", "exact")


def test_limit_range(space):
    limits = {"type": "Container", "default": {"cpu": "200m"}, "defaultRequest": {"cpu": "100m"}, "max": {"cpu": "500m"}}
    space.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "sizes"}, "spec": {"limits": [limits]}})
    space.apply(pod("limited"))
    given = space.get("pod", "limited")
    assert given["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "200m"}, "requests": {"cpu": "100m"}}
    assert "LimitRanger plugin set" in given["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    error = refused(space, pod("greedy", containers=[container(resources={"limits": {"cpu": "2"}})]))
    assert "maximum cpu usage per Container is 500m, but limit is 2" in error
    assert "Container" in space.kubectl("describe", "limits", "sizes")
    space.kubectl("delete", "pod", "limited")
    space.kubectl("delete", "limits", "sizes")


def test_disruption_budget_and_drain(space):
    space.apply(deployment("guarded", 2))
    space.kubectl("create", "pdb", "guarded", "--selector=app=guarded", "--min-available=2")
    wait_for(lambda: space.get("pdb", "guarded")["status"].get("currentHealthy") == 2, 90, "two healthy pods")
    assert space.get("pdb", "guarded")["status"]["disruptionsAllowed"] == 0
    node = space.get("pods", "-l", "app=guarded")["items"][0]["spec"]["nodeName"]
    stuck = space.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force",
                          "--pod-selector=app=guarded", "--timeout=10s", check=False)
    if stuck.returncode != 0 and "unknown flag" in stuck.stderr:
        stuck = space.kubectl("drain", node, "--ignore-daemonsets", "--delete-local-data", "--force",
                              "--pod-selector=app=guarded", "--timeout=10s", check=False)
    assert stuck.returncode != 0
    assert "Cannot evict pod as it would violate the pod's disruption budget" in stuck.stderr + stuck.stdout
    space.kubectl("uncordon", node)
    name = space.get("pods", "-l", "app=guarded")["items"][0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": space.name}}
    path = f"/api/v1/namespaces/{space.name}/pods/{name}/eviction"
    denied = space.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction), check=False)
    assert denied.returncode != 0
    space.kubectl("delete", "pdb", "guarded")
    space.kubectl("create", "pdb", "guarded", "--selector=app=guarded", "--min-available=1")
    wait_for(lambda: space.get("pdb", "guarded")["status"].get("disruptionsAllowed") == 1, 60, "one may go")
    granted = space.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    assert json.loads(granted)["status"] == "Success"
    wait_for(lambda: name not in space.pods(), 60, "the evicted pod's end")
    wait_for(lambda: space.get("pdb", "guarded")["status"].get("disruptionsAllowed") == 1, 60, "one may go again")
    space.kubectl("drain", node, "--ignore-daemonsets", "--force", "--pod-selector=app=guarded", "--timeout=120s",
                  timeout=150)
    pods = space.get("pods", "-l", "app=guarded")["items"]
    assert all(each["spec"].get("nodeName") != node for each in pods if "deletionTimestamp" not in each["metadata"])
    space.kubectl("uncordon", node)
    space.kubectl("delete", "deployment,pdb", "guarded")


def test_every_cause_is_told(space):
    """A refused object is told all that is wrong with it at once, each with its path, value and rule."""
    error = refused(space, pod("Wrong_Name", restartPolicy="Sometimes", os={"name": "plan9"}, containers=[
        container(name="c", ports=[{"containerPort": 70000}], volumeMounts=[{"name": "v", "mountPath": "/v"}],
                  resources={"claims": [{"name": "gpu"}]})]))
    for cause in ('metadata.name: Invalid value: "Wrong_Name": a lowercase RFC 1123 subdomain',
                  "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535",
                  'spec.containers[0].volumeMounts[0].name: Not found: "v"',
                  'spec.containers[0].resources.claims[0]: Not found: "gpu": must be one of the names in',
                  'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
                  'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'):
        assert cause in error, error


def test_warnings(space):
    odd = pod("odd", containers=[container(env=[{"name": "A", "value": "x"}, {"name": "A", "value": "z"}])])
    made = space.kubectl("create", "-f", "-", stdin=json.dumps(odd), check=False)
    assert made.returncode == 0, made.stderr
    assert 'Warning: spec.containers[0].env[1]: hides previous definition of "A"' in made.stderr
    plain = space.kubectl("create", "-f", "-", stdin=json.dumps(pod("plain")), check=False)
    assert plain.returncode == 0 and "Warning" not in plain.stderr, plain.stderr
    space.kubectl("delete", "pod", "odd", "plain")


def test_node_ports_of_services(space):
    """One number for both protocols of a port, asked for or given; a port for health checks of local balancers."""
    ports = [{"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol} for protocol in ("TCP", "UDP")]
    given = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"},
             "spec": {"type": "NodePort", "selector": {"app": "dns"}, "ports": ports}}
    space.apply(given)
    first = [port["nodePort"] for port in space.get("service", "dns")["spec"]["ports"]]
    assert len(set(first)) == 1
    space.kubectl("delete", "service", "dns")
    asked = {**given, "spec": {**given["spec"], "ports": [{**port, "nodePort": first[0]} for port in ports]}}
    space.apply(asked)
    assert [port["nodePort"] for port in space.get("service", "dns")["spec"]["ports"]] == first
    balancer = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    space.kubectl("patch", "service", "dns", "--type=merge", "-p", json.dumps({"spec": balancer}))
    assert 30000 <= space.get("service", "dns")["spec"]["healthCheckNodePort"] <= 32767
    families = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "both"},
                "spec": {"ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}]}}
    assert "spec.ipFamilyPolicy: Invalid value" in refused(space, families)
    space.kubectl("delete", "service", "dns")


def test_replication_controller(space):
    controller = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "elder"},
                  "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "elder"}},
                                                       "spec": pod("elder")["spec"]}}}
    space.apply(controller)
    wait_for(lambda: space.get("rc", "elder")["status"].get("readyReplicas") == 1, 60, "a ready pod")
    space.kubectl("scale", "rc/elder", "--replicas=2")
    wait_for(lambda: space.get("rc", "elder")["status"].get("readyReplicas") == 2, 60, "two ready pods")
    assert "replicationcontroller/elder" in space.kubectl("get", "all")
    assert "2 current / 2 desired" in space.kubectl("describe", "rc", "elder")
    space.kubectl("expose", "rc", "elder", "--port=80")
    space.kubectl("delete", "rc,service", "elder")
    wait_for(lambda: not space.get("pods", "-l", "app=elder")["items"], 60, "no pods")


def test_autoscaler_in_both_versions(space):
    space.apply(deployment("busy", 1))
    space.kubectl("autoscale", "deployment", "busy", "--min=1", "--max=3", "--cpu-percent=50")
    old = space.get("horizontalpodautoscalers.v1.autoscaling", "busy")["spec"]
    assert old["targetCPUUtilizationPercentage"] == 50 and old["maxReplicas"] == 3
    new = space.get("horizontalpodautoscalers.v2.autoscaling", "busy")["spec"]
    assert new["metrics"] == [{"type": "Resource", "resource": {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]
    assert space.column("hpa", "REFERENCE")["busy"].startswith("Deployment/busy")
    assert "Deployment/busy" in space.kubectl("describe", "hpa", "busy")
    space.kubectl("delete", "hpa,deployment", "busy")


def test_kinds_that_are_kept(space):
    """Stored and shown; nobody acts on them here."""
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "closed"},
              "spec": {"podSelector": {"matchLabels": {"app": "x"}}}}
    template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "shape"},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]}}
    space.apply(policy, template)
    assert space.get("netpol", "closed")["spec"]["policyTypes"] == ["Ingress"]
    assert space.column("netpol", "POD-SELECTOR")["closed"] == "app=x"
    assert "app=x" in space.kubectl("describe", "netpol", "closed")
    assert space.get("podtemplate", "shape")["template"]["spec"]["restartPolicy"] == "Always"
    bad = {**policy, "metadata": {"name": "bad"}, "spec": {"podSelector": {}, "ingress": [{"from": [
        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]}]}}
    assert "must be a strict subset of `cidr`" in refused(space, bad)


def test_events_have_two_faces(space):
    space.apply(pod("told"))
    wait_for(lambda: [each for each in space.get("events")["items"] if each["involvedObject"]["name"] == "told"], 60,
             "an event")
    face = space.get("events.v1.events.k8s.io")["items"]
    about = [each for each in face if each["regarding"]["name"] == "told"]
    assert about and "note" in about[0] and "message" not in about[0]
    space.kubectl("delete", "pod", "told")


def test_run_and_set(space):
    space.kubectl("run", "once", f"--image={IMAGE}", "--restart=Never", "--", "/bin/sh", "-c", STAY)
    space.wait_ready("once")
    space.kubectl("delete", "pod", "once", "--grace-period=0", "--force")
    space.apply(deployment("shaped", 1))
    space.kubectl("set", "resources", "deployment/shaped", "--requests=cpu=10m")
    space.kubectl("set", "env", "deployment/shaped", "A=b")
    space.kubectl("set", "image", "deployment/shaped", f"main={IMAGE}")
    space.kubectl("rollout", "status", "deployment/shaped", "--timeout=90s")
    space.kubectl("delete", "deployment", "shaped")
