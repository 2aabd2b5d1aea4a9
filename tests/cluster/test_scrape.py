"""What monitoring reads: /metrics as Prometheus scrapes it, and the health of the server check by check."""

import re
import subprocess

import pytest

from support.cluster import wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:[0-9.]+(?:e[-+]?[0-9]+)?|\+Inf))(?: [0-9]+)?$')


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("scrape"), newest_kubectl, 2).up()
    made.write_credentials()
    yield made
    made.close()


def scrape(cluster, path="/metrics"):
    """The samples as (name, labels, value), after the form of the whole text was checked."""
    samples, types = [], {}
    for line in cluster.kubectl("get", "--raw", path).splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types, f"{name} twice"
            types[name] = kind
        elif not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            family = re.sub("_(bucket|sum|count)$", "", name) if name not in types else name
            assert family in types, line
            samples.append((name, dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")), float(value)))
    assert len({(name, tuple(sorted(labels.items()))) for name, labels, _ in samples}) == len(samples), "a series twice"
    return samples


def value(samples, metric, /, **labels):
    """The sum of the series with those labels; None if there is none."""
    found = [number for sample, has, number in samples if sample == metric and labels.items() <= has.items()]
    return sum(found) if found else None


def test_requests_are_counted(cluster):
    asked = {"group": "apps", "version": "v1", "resource": "deployments", "subresource": "", "dry_run": "", "component": "apiserver"}
    before = value(scrape(cluster), "apiserver_request_total", verb="POST", code="201", scope="namespace", **asked) or 0
    cluster.kubectl("create", "deployment", "web", "--image=web:1", "--replicas=3")
    cluster.kubectl("create", "deployment", "dry", "--image=web:1", "--dry-run=server")
    assert cluster.kubectl_result("get", "deployment", "missing").returncode == 1
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}')
    cluster.kubectl("get", "--raw", "/apis/apps/v1/nothing-of-the-kind-" + "x" * 50 + "/y", check=False)
    samples = scrape(cluster)
    assert value(samples, "apiserver_request_total", verb="POST", code="201", scope="namespace", **asked) == before + 1
    assert value(samples, "apiserver_request_total", verb="POST", code="201", **{**asked, "dry_run": "All"}) == 1
    assert value(samples, "apiserver_request_total", verb="GET", code="404", scope="resource", **asked) >= 1
    assert value(samples, "apiserver_request_total", verb="APPLY", resource="configmaps", group="", code="201") == 1
    assert value(samples, "apiserver_request_duration_seconds_count", verb="POST", scope="namespace", **asked) >= before + 1
    assert value(samples, "apiserver_request_duration_seconds_bucket", verb="POST", le="+Inf", scope="namespace", **asked) >= before + 1
    assert value(samples, "apiserver_current_inflight_requests", request_kind="readOnly") == 1  # this one
    assert not any("nothing-of-the-kind" in str(labels) for _, labels, _ in samples)  # clients make up no series


def test_watches_are_counted_while_they_last(cluster):
    watch = subprocess.Popen(cluster.curl(cluster.url + "/api/v1/namespaces/default/secrets?watch=1"), stdout=subprocess.DEVNULL)
    running = lambda: value(scrape(cluster), "apiserver_longrunning_requests", verb="WATCH", resource="secrets", scope="namespace")
    try:
        wait_for(lambda: running() == 1, 20, "the watch")
    finally:
        watch.kill()
        watch.wait(10)
    wait_for(lambda: running() == 0, 20, "its end")


def test_objects_controllers_and_scheduler(cluster):
    wait_for(lambda: len(cluster.ready_pods()) == 3, 60, "three pods")
    samples = scrape(cluster)
    assert value(samples, "apiserver_storage_objects", resource="pods") == 3
    assert value(samples, "apiserver_resource_objects", group="apps", resource="deployments") == 1
    assert value(samples, "workqueue_adds_total", name="deployment") > 0 and value(samples, "workqueue_depth", name="deployment") is not None
    assert value(samples, "workqueue_work_duration_seconds_count", name="deployment") > 0
    assert value(samples, "scheduler_schedule_attempts_total", result="scheduled", profile="default-scheduler") >= 3
    cluster.kubectl("run", "nowhere", "--image=web:1", "--overrides", '{"spec":{"nodeSelector":{"no":"where"}}}')
    wait_for(lambda: value(scrape(cluster), "scheduler_pending_pods", queue="unschedulable") == 1, 20, "a pod that waits")
    cluster.kubectl("delete", "pod", "nowhere", "--wait=false")
    wait_for(lambda: value(scrape(cluster), "scheduler_pending_pods", queue="unschedulable") == 0, 20, "none that waits")


def test_the_process_and_its_build(cluster):
    samples = scrape(cluster)
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"):
        assert value(samples, name) > 0, name
    assert value(samples, "kubernetes_build_info", major="1", minor="35", git_version="v1.35.0+stead") == 1


def test_who_may_read_metrics(cluster):
    account = "--as=system:serviceaccount:default:scraper"
    assert "forbidden" in cluster.refused("get", "--raw", "/metrics", account)
    cluster.kubectl("create", "clusterrole", "scraper", "--verb=get", "--non-resource-url=/metrics")
    cluster.kubectl("create", "clusterrolebinding", "scraper", "--clusterrole=scraper", "--serviceaccount=default:scraper")
    assert "apiserver_request_total" in cluster.kubectl("get", "--raw", "/metrics", account)
    assert "process_open_fds" in cluster.kubectl("get", "--raw", "/metrics", "--as=prometheus", "--as-group=system:monitoring")


def test_what_a_node_tells(cluster):
    wait_for(lambda: len(cluster.ready_pods()) == 3, 60, "three pods")
    pods = cluster.ready_pods()
    node = next(iter(pods.values()))["spec"]["nodeName"]
    own = {name for name, pod in pods.items() if pod["spec"]["nodeName"] == node}
    used = scrape(cluster, f"/api/v1/nodes/{node}/proxy/metrics/resource")
    for metric in ("container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "pod_memory_working_set_bytes"):
        assert {labels["pod"] for name, labels, _ in used if name == metric} == own, metric
    assert value(used, "node_cpu_usage_seconds_total") is not None and value(used, "resource_scrape_error") == 0
    contained = scrape(cluster, f"/api/v1/nodes/{node}/proxy/metrics/cadvisor")
    assert value(contained, "container_cpu_usage_seconds_total", cpu="total", namespace="default") is not None
    assert value(scrape(cluster, f"/api/v1/nodes/{node}/proxy/metrics"), "kubelet_running_pods") == len(own)


def test_health_check_by_check(cluster):
    assert cluster.kubectl("get", "--raw", "/readyz") == "ok"
    told = cluster.kubectl("get", "--raw", "/readyz?verbose").splitlines()
    assert "[+]ping ok" in told and "[+]etcd ok" in told and told[-1] == "readyz check passed"
    assert "[+]etcd excluded: ok" in cluster.kubectl("get", "--raw", "/livez?verbose&exclude=etcd")
    assert cluster.kubectl("get", "--raw", "/livez/ping") == "ok"
    assert "NotFound" in cluster.refused("get", "--raw", "/livez/nothing")
