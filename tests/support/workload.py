"""Manifests of small sets for tests, namespaces to run them in, and what a watch saw of their pods."""

import json
import subprocess
import threading

from support.cluster import wait_for

IMAGE = "busybox:1.36"
# Runs until told to end, and then ends at once.
STAY = "trap 'exit 0' TERM; sleep 100000 & wait"


def container(name="main", script=STAY, image=IMAGE, **fields):
    return {"name": name, "image": image, "command": ["/bin/sh", "-c", script], **fields}


def file_probe(path, period=1, **fields):
    """A probe that succeeds while the container has the file."""
    return {"exec": {"command": ["test", "-e", path]}, "periodSeconds": period, "failureThreshold": 1, **fields}


def headless_service(name="web", port=80):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"clusterIP": "None", "selector": {"app": name}, "ports": [{"name": "http", "port": port}]}}


def stateful_set(name="web", replicas=1, containers=None, claims=(), pod=None, **spec):
    """A set of apps/v1; `pod` adds to the pod's spec, `spec` to the set's."""
    return {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
        "spec": {
            "serviceName": name, "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": containers or [container()], "terminationGracePeriodSeconds": 5, **(pod or {})},
            },
            **({"volumeClaimTemplates": [claim(each) for each in claims]} if claims else {}),
            **spec,
        },
    }


def claim(name, size="1Mi"):
    return {"metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}}


def is_ready(pod):
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_ending(pod):
    return "deletionTimestamp" in pod["metadata"]


class Space:
    """A Kubernetes namespace of a cluster, and kubectl in it."""

    def __init__(self, cluster, name, binary=None):
        self.cluster, self.name, self.binary = cluster, name, binary
        cluster.kubectl("create", "namespace", name)
        wait_for(lambda: self.kubectl("get", "serviceaccount", "default"), 10, "the default service account")

    def close(self, timeout=90):
        self.cluster.kubectl("delete", "namespace", self.name, "--wait=false")
        wait_for(lambda: self.cluster.kubectl("get", "namespace", self.name, check=False).returncode == 1, timeout,
                 f"the end of namespace {self.name}")

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("-n", self.name, *arguments, binary=self.binary, **options)

    def apply(self, *objects):
        document = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def exists(self, *what):
        return self.kubectl("get", *what, check=False).returncode == 0

    def pods(self):
        """The pods by name."""
        return {pod["metadata"]["name"]: pod for pod in self.get("pods")["items"]}

    def exec(self, pod, script, container=None, timeout=60):
        """What a shell script prints in a pod."""
        where = ["-c", container] if container else []
        return self.kubectl("exec", pod, *where, "--", "/bin/sh", "-c", script, timeout=timeout)

    def patch(self, what, change, kind="merge"):
        return self.kubectl("patch", what, "--type", kind, "-p", json.dumps(change))

    def wait_ready(self, *names, timeout=60):
        wait_for(lambda: all(is_ready(self.get("pod", name)) for name in names), timeout, f"{names} Ready")

    def wait_gone(self, *names, timeout=60):
        wait_for(lambda: not set(names) & set(self.pods()), timeout, f"the end of {names}")

    def wait_rolled_out(self, name="web", timeout=90):
        """Until every pod of the set is Ready at its newest revision."""
        def done():
            found = self.get("statefulset", name)
            status = found["status"]
            replicas = found["spec"]["replicas"]
            return (status.get("observedGeneration") == found["metadata"]["generation"]
                    and status.get("readyReplicas", 0) == status.get("updatedReplicas", 0) == replicas
                    and status["currentRevision"] == status["updateRevision"])
        wait_for(done, timeout, f"the roll-out of {name}")

    def column(self, what, title):
        """One column of `kubectl get`, by the names of the rows."""
        head, *rows = self.kubectl("get", what).splitlines() or [title]
        start = head.index(title)
        return {row.split()[0]: row[start:].split("   ")[0].strip() for row in rows}


class PodHistory:
    """Every state of a namespace's pods from now on, in the order in which the API server told them."""

    def __init__(self, space):
        self.events = []
        self.live = dict(space.pods())
        self.start = dict(self.live)
        version = space.get("pods")["metadata"]["resourceVersion"]
        cluster = space.cluster
        path = f"/api/v1/namespaces/{space.name}/pods?watch=1&resourceVersion={version}"
        self.process = subprocess.Popen(
            [*cluster.namespace.enter, cluster.kubectl_binary, "--kubeconfig", str(cluster.kubeconfig), "get", "--raw", path],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append((event["type"], event["object"]))

    def end(self):
        """Stops watching; returns self."""
        self.process.terminate()
        self.process.wait(10)
        self.reader.join(10)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def steps(self):
        """(type, pod, {name: pod} just before it) of every event."""
        live = dict(self.start)
        for kind, pod in self.events:
            yield kind, pod, dict(live)
            name = pod["metadata"]["name"]
            if kind == "DELETED":
                live.pop(name, None)
            else:
                live[name] = pod

    def created(self):
        """(name, {name: pod} just before) of every pod that appeared."""
        return [(pod["metadata"]["name"], live) for kind, pod, live in self.steps() if kind == "ADDED"]

    def ended(self):
        """(name, {name: pod} just before) of every pod that was told to end."""
        found, seen = [], set()
        for kind, pod, live in self.steps():
            identity = pod["metadata"]["uid"]
            if identity not in seen and (kind == "DELETED" or is_ending(pod)):
                seen.add(identity)
                found.append((pod["metadata"]["name"], live))
        return found
