"""`stead why KIND/NAME`: the chain of causes down to what can be mended, on a real cluster."""

import json

import pytest

from support.cluster import wait_for

SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME}
spec:
  serviceName: NAME
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "COMMAND"]MORE}
REST
"""


@pytest.fixture(scope="module", autouse=True)
def images(cluster):
    cluster.import_image("busybox")


def make_set(cluster, name, command="sleep 1000", more="", rest=""):
    cluster.kubectl("create", "service", "clusterip", name, "--clusterip=None")
    text = SET.replace("NAME", name).replace("COMMAND", command).replace("MORE", more).replace("REST", rest)
    cluster.kubectl("create", "-f", "-", stdin=text)


def wait_why(cluster, what, *texts):
    """Until the screen holds all the texts; returns it."""
    def told():
        screen = cluster.stead("why", "--data-dir", cluster.data_dir, what).stdout
        missing = [text for text in texts if text not in screen]
        if missing:
            raise KeyError(f"{missing} not in:\n{screen}")
        return screen
    return wait_for(told, 60, f"why {what}")


def test_a_ready_pod_has_no_causes(cluster):
    cluster.kubectl("run", "fine", "--image=busybox", "--image-pull-policy=IfNotPresent", "--", "sleep", "1000")
    cluster.wait_ready("fine")
    assert wait_why(cluster, "pod/fine", "is Ready") == "pod default/fine is Ready\n"


def test_a_set_leads_to_its_claim_and_class(cluster):
    make_set(cluster, "claims", rest="""
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], storageClassName: datera, resources: {requests: {storage: 1Gi}}}
""")
    screen = wait_why(cluster, "sts/claims", "0 of 2 pods are Ready", "pod default/claims-0 is Pending", "claims-1 and those behind it wait",
                      "claim default/data-claims-0 is Pending", "its storage class datera does not exist", "To mend it:")
    lines = screen.splitlines()
    order = [next(i for i, line in enumerate(lines) if text in line) for text in
             ("statefulset default/claims", "pod default/claims-0", "claim default/data-claims-0", "storage class datera")]
    assert order == sorted(order)
    wait_why(cluster, "pvc/data-claims-0", "its storage class datera does not exist", "kubectl apply -f CLASS.yaml")


def test_a_set_leads_to_its_probe(cluster):
    make_set(cluster, "probed", more=', readinessProbe: {exec: {command: [sh, -c, "echo no leader yet; exit 1"]}, periodSeconds: 1}')
    wait_why(cluster, "statefulset/probed", "pod default/probed-0 is not Ready", "its readiness probe does not succeed", "no leader yet",
             "kubectl logs probed-0 -c c")


def test_a_crash_loop_tells_its_last_words(cluster):
    make_set(cluster, "crashing", command="echo first; echo cannot open /data; exit 7")
    wait_why(cluster, "pod/crashing-0", "ended with exit code 7", "its last words: cannot open /data", "kubectl logs crashing-0 -c c")


def test_an_image_and_a_map_that_are_missing(cluster):
    cluster.kubectl("run", "unpulled", "--image=nowhere.invalid/none:1")
    wait_why(cluster, "pod/unpulled", "the image nowhere.invalid/none:1 cannot be had", "stead image import FILE.tar")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "unmapped"}, "spec": {
        "containers": [{"name": "c", "image": "busybox", "envFrom": [{"secretRef": {"name": "keys"}}]}],
        "volumes": [{"name": "v", "configMap": {"name": "settings"}}]}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    wait_why(cluster, "pod/unmapped", "the configMap settings does not exist", "the secret keys does not exist",
             "kubectl create configmap settings")


def test_anti_affinity_on_one_node(cluster):
    make_set(cluster, "apart")
    cluster.kubectl("patch", "sts", "apart", "-p", json.dumps({"spec": {"template": {"spec": {"affinity": {"podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "apart"}}, "topologyKey": "kubernetes.io/hostname"}]}}}}}}))
    wait_why(cluster, "sts/apart", "pod default/apart-1 is Pending", "didn't match pod anti-affinity rules", "kubectl edit statefulset/apart")


def test_a_service_without_pods(cluster):
    cluster.kubectl("create", "service", "clusterip", "empty", "--tcp=80")
    wait_why(cluster, "svc/empty", "has no ready endpoint", "no pod has the labels app=empty")


def test_what_cannot_be_explained(cluster):
    for what, text in (("pod/none", 'pods "none" not found in the namespace default'), ("widget/x", 'nothing is known of the kind "widget"'),
                       ("pod", '"pod" is not KIND/NAME'), ("pod/../x", "names hold lower case letters")):
        done = cluster.stead("why", "--data-dir", cluster.data_dir, what, check=False)
        assert done.returncode == 1 and text in done.stderr, done
    done = cluster.stead("why", "--data-dir", "/nonexistent/stead", "pod/x", check=False)
    assert done.returncode == 1 and "no cluster in /nonexistent/stead" in done.stderr
