"""The MongoDB document (004_9215a35d620cfaba.txt): its steps in its order, with a stand-in for mongod, and then the same
pattern with a store that replicates. What was corrected in its manifests: examples/mongodb/README.md."""

import json
import re

import pytest

from support.cluster import ROOT, wait_for

EXAMPLE = ROOT / "examples" / "mongodb"
PODS = ["mongo-0", "mongo-1", "mongo-2"]

SET_AS_PRINTED = """
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: mongo
spec:
  serviceName: "mongo"
  replicas: 3
  template:
    metadata:
      labels:
        app: mongo
    spec:
      containers:
      - name: mongodb
        image: mongo:3.4.1
        command:
        - mongod
        - --replSet
        - rs0
        ports:
        - containerPort: 27017
name: peer
"""

SERVICE_AS_PRINTED = """
apiVersion: v1
kind: Service
metadata:
  name: mongo
spec:
  ports:
  - port: 27017
    name: peer
  clusterIP: None
  selector:
app: mongo
"""

SCRIPT_AS_PRINTED = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: mongo-init
data:
  init.sh: |
    until ping -c 1 ${HOSTNAME}.mongo; do
      echo "waiting for DNS (${HOSTNAME}.mongo)..."
sleep 2 done
    until /usr/bin/mongo --eval 'printjson(db.serverStatus())'; do
"""

CLAIM_TEMPLATE_AS_PRINTED = """
  volumeClaimTemplates:
  - metadata:
    name: database
    annotations:
      volume.alpha.kubernetes.io/storage-class: anything
    spec:
      accessModes: [ "ReadWriteOnce" ]
      resources:
      requests:
      storage: 100Gi
"""


@pytest.fixture(scope="module", autouse=True)
def images(cluster, leaves_nothing):
    for name in ("mongodb", "redis", "busybox"):
        cluster.import_image(name)


def refused(cluster, manifest, *words):
    done = cluster.kubectl("apply", "-f", "-", stdin=manifest, check=False)
    assert done.returncode != 0, done.stdout
    for word in words:
        assert word in done.stderr, done.stderr


def mongo(cluster, pod, call, host=None):
    where = [f"--host={host}"] if host else []
    return cluster.exec(pod, "/usr/bin/mongo", *where, "--eval", call, container="mongodb")


def set_members(cluster, through="mongo-0"):
    return re.findall(r'"name" : "([^"]+)"', mongo(cluster, through, "printjson(rs.status())", "mongo-0.mongo:27017"))


def test_manifests_as_printed_are_refused(cluster):
    refused(cluster, SET_AS_PRINTED, 'unknown field "name"')
    refused(cluster, SET_AS_PRINTED.replace("name: peer\n", ""), "spec.selector")
    refused(cluster, SERVICE_AS_PRINTED, 'unknown field "app"')
    refused(cluster, SCRIPT_AS_PRINTED, "yaml")
    simple = (EXAMPLE / "mongo-simple.yaml").read_text()
    refused(cluster, simple + CLAIM_TEMPLATE_AS_PRINTED, 'unknown field "spec.volumeClaimTemplates[0].name"')
    assert "No resources found" in cluster.kubectl("get", "statefulsets,configmaps", "-l", "app=mongo", check=False).stderr


def test_pods_come_up_one_at_a_time_with_their_names(cluster):
    cluster.kubectl("apply", "-f", str(EXAMPLE / "mongo-simple.yaml"))
    cluster.wait_ready(*PODS)
    found = {pod["metadata"]["name"]: pod for pod in cluster.get("pods")["items"]}
    assert sorted(found) == PODS
    for lower, higher in zip(PODS, PODS[1:]):
        ready = {each["type"]: each for each in found[lower]["status"]["conditions"]}["Ready"]
        assert ready["lastTransitionTime"] <= found[higher]["metadata"]["creationTimestamp"]
    assert "not MongoDB" in cluster.exec("mongo-0", "mongod", "--version")


def test_the_service_may_come_after_the_set(cluster):
    cluster.kubectl("apply", "-f", str(EXAMPLE / "mongo-service.yaml"))
    addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in cluster.get("pods")["items"]}
    asked = lambda name: cluster.exec("mongo-0", "nslookup", name)
    wait_for(lambda: all(each in asked("mongo.default.svc.cluster.local") for each in addresses.values()), 30, "all addresses")
    for pod, address in addresses.items():
        answer = asked(f"{pod}.mongo.default.svc.cluster.local")
        assert address in answer and not [other for other in addresses.values() if other != address and f"{other}\n" in answer + "\n"]
        # The short name, by the search path.
        assert f"({address})" in cluster.exec("mongo-1", "ping", "-c", "1", f"{pod}.mongo").splitlines()[0]


def test_initiate_by_hand(cluster):
    assert "no replset config has been received" in mongo(cluster, "mongo-0", "rs.status()")
    typed = """rs.initiate( {
_id: "rs0",
      members:[ { _id: 0, host: "mongo-0.mongo:27017" } ]
     });
"""
    assert '"ok" : 1' in cluster.kubectl("exec", "-it", "mongo-0", "--", "mongo", stdin=typed)
    assert set_members(cluster, "mongo-2") == ["mongo-0.mongo:27017"]
    cluster.kubectl("delete", "-f", str(EXAMPLE / "mongo-simple.yaml"))
    wait_for(lambda: not cluster.get("pods")["items"], 60, "the end of the simple set")


def test_without_its_script_the_pod_waits_and_says_so(cluster):
    cluster.kubectl("apply", "-f", str(EXAMPLE / "mongo.yaml"))
    wait_for(lambda: 'configmap "mongo-init" not found' in cluster.kubectl("describe", "pod", "mongo-0"), 30, "FailedMount")
    assert [pod["metadata"]["name"] for pod in cluster.get("pods")["items"]] == ["mongo-0"]


def test_the_script_of_the_config_map_forms_the_set(cluster):
    cluster.kubectl("apply", "-f", str(EXAMPLE / "mongo-init.yaml"))
    cluster.wait_ready(*PODS, timeout=150)
    wait_for(lambda: sorted(set_members(cluster)) == [f"{pod}.mongo:27017" for pod in PODS], 60, "three members")
    first = cluster.kubectl("logs", "mongo-0", "-c", "init-mongo")
    assert first.index("connected to local.") < first.index("connected to remote.") < first.index("initializing replica set") < first.index("initialized")
    second = cluster.kubectl("logs", "mongo-1", "-c", "init-mongo")
    assert "adding self to mongo-0" in second and "initializing replica set" not in second
    # The script sleeps for ever: its container must not end, nor restart.
    statuses = [each for pod in PODS for each in cluster.get("pod", pod)["status"]["containerStatuses"]]
    assert all("running" in each["state"] and each["restartCount"] == 0 for each in statuses) and len(statuses) == 6


def test_claims_of_the_template(cluster):
    claims = {each["metadata"]["name"]: each for each in cluster.get("pvc")["items"]}
    assert sorted(claims) == [f"database-{pod}" for pod in PODS]
    for each in claims.values():
        assert each["status"]["phase"] == "Bound" and each["status"]["capacity"] == {"storage": "100Gi"}
        # The alpha annotation means nothing any more: the default class it is.
        assert each["spec"]["storageClassName"] == "standard"


def test_the_probe(cluster):
    found = cluster.get("pod", "mongo-0")["spec"]["containers"][0]["livenessProbe"]
    assert (found["initialDelaySeconds"], found["timeoutSeconds"], found["periodSeconds"], found["failureThreshold"]) == (10, 10, 10, 3)
    restarts = lambda: cluster.get("pod", "mongo-2")["status"]["containerStatuses"]
    # Three failures, ten seconds apart, with the program the probe runs gone.
    cluster.exec("mongo-2", "mv", "/usr/bin/mongo", "/usr/bin/mongo.gone", container="mongodb")
    wait_for(lambda: {each["name"]: each["restartCount"] for each in restarts()} == {"mongodb": 1, "init-mongo": 0}, 90, "a restart")
    told = cluster.kubectl("describe", "pod", "mongo-2")
    assert "Liveness probe" in told and "Unhealthy" in told
    cluster.wait_ready("mongo-2")


def test_a_lost_pod_comes_back_to_its_name_and_data(cluster):
    before = cluster.get("pod", "mongo-0")["metadata"]["uid"]
    cluster.kubectl("delete", "pod", "mongo-0")
    cluster.wait_ready("mongo-0")
    assert cluster.get("pod", "mongo-0")["metadata"]["uid"] != before
    wait_for(lambda: sorted(set_members(cluster, "mongo-1")) == [f"{pod}.mongo:27017" for pod in PODS], 60, "three members")


def test_deletion_goes_from_the_highest_and_keeps_the_claims(cluster):
    cluster.kubectl("delete", "-f", str(EXAMPLE / "mongo.yaml"), "-f", str(EXAMPLE / "mongo-init.yaml"), "-f",
                    str(EXAMPLE / "mongo-service.yaml"), timeout=120)
    wait_for(lambda: not cluster.get("pods")["items"], 90, "the end of all pods")
    assert len(cluster.get("pvc")["items"]) == 3
    cluster.kubectl("delete", "pvc", *(f"database-{pod}" for pod in PODS))
    wait_for(lambda: not cluster.get("pv")["items"], 30, "the end of the volumes")


def redis(cluster, pod, *command):
    return cluster.exec(pod, "redis-cli", *command, container="redis").strip()


def followers(cluster):
    return redis(cluster, "redis-0", "info", "replication").count("state=online")


def test_the_same_pattern_with_a_store_that_replicates(cluster):
    cluster.kubectl("apply", "-f", str(ROOT / "examples" / "redis" / "redis.yaml"))
    cluster.wait_ready("redis-0", "redis-1", "redis-2", timeout=120)
    wait_for(lambda: followers(cluster) == 2, 60, "two replicas")
    assert redis(cluster, "redis-0", "set", "capital", "Den Bosch") == "OK"
    assert redis(cluster, "redis-0", "wait", "2", "10000") == "2"
    for pod in ("redis-1", "redis-2"):
        assert redis(cluster, pod, "get", "capital") == "Den Bosch"
    assert "READONLY" in redis(cluster, "redis-1", "set", "capital", "Utrecht")


def test_its_pods_rejoin_with_their_data(cluster):
    for pod in ("redis-2", "redis-0"):
        uid = cluster.get("pod", pod)["metadata"]["uid"]
        cluster.kubectl("delete", "pod", pod)
        wait_for(lambda: cluster.get("pod", pod)["metadata"]["uid"] != uid and cluster.is_ready(pod), 90, f"{pod} back")
        wait_for(lambda: followers(cluster) == 2, 60, "two replicas")
        for each in ("redis-0", "redis-1", "redis-2"):
            assert redis(cluster, each, "get", "capital") == "Den Bosch"
    assert redis(cluster, "redis-0", "incr", "counter") == "1" and redis(cluster, "redis-0", "wait", "2", "10000") == "2"
    assert redis(cluster, "redis-2", "get", "counter") == "1"


def test_it_leaves_what_policy_says(cluster, leaves_nothing):
    cluster.kubectl("delete", "-f", str(ROOT / "examples" / "redis" / "redis.yaml"), timeout=120)
    wait_for(lambda: not cluster.get("pods")["items"], 60, "the end of all pods")
    assert len(cluster.get("pvc")["items"]) == 3
    cluster.kubectl("delete", "pvc", "--all")
    leaves_nothing()
