#!/usr/bin/python3
"""A dynamic provisioner outside the cluster's own program: an API client, and nothing else.

It makes a directory for each claim whose class names this provisioner, and a PersistentVolume for it; it removes both
once the claim is gone and the class said Delete. Claims of other classes are not its concern. Only Python's own
library is needed; a kubeconfig is read through `kubectl config view`, and in a pod the mounted token serves.

    provisioner.py --name examples.stead.dev/datera --root /srv/datera --node node1 --kubeconfig FILE
    provisioner.py --name examples.stead.dev/datera --root /srv/datera --shared --kubeconfig FILE
    provisioner.py --name examples.stead.dev/nfs --root /exports --nfs-server 192.0.2.7 --nfs-path /exports --kubeconfig FILE

With --nfs-server the volumes are of type nfs and any node may mount them; without, they are directories of one node, or
with --shared of all: each has the storage system's root mounted at the same place.
The one parameter that classes may have is `folder`, a directory below the root.
"""

import argparse
import base64
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
ASKED = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
SELECTED_NODE = "volume.kubernetes.io/selected-node"
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
TIMEOUT_SECONDS = 30
WATCH_SECONDS = 300


class ApiError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """The API server: one connection per call, one more per watch."""

    def __init__(self, kubeconfig):
        self.headers = {"Content-Type": "application/json"}
        if kubeconfig is None and ACCOUNT.exists():
            self._use_account()
        else:
            self._use_kubeconfig(kubeconfig)

    def _use_account(self):
        self.address = (os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"]))
        self.tls = ssl.create_default_context(cafile=ACCOUNT / "ca.crt")

    def _use_kubeconfig(self, path):
        where = ["--kubeconfig", str(path)] if path else []
        text = subprocess.run(["kubectl", "config", "view", "--raw", "--flatten", "--minify", "-o", "json", *where],
                              check=True, capture_output=True, text=True).stdout
        config = json.loads(text)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        server = urllib.parse.urlsplit(cluster["server"])
        self.address = (server.hostname, server.port or 443)
        self.tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        if "token" in user:
            self.headers["Authorization"] = f"Bearer {user['token']}"
        if "client-certificate-data" in user:
            # The ssl module reads certificates from files only.
            with tempfile.NamedTemporaryFile(mode="wb") as pair:
                pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
                pair.flush()
                self.tls.load_cert_chain(pair.name)

    def open(self, method, path, body=None, timeout=TIMEOUT_SECONDS):
        """Sends a request; returns the answer with its body still to be read. ApiError unless it is a success."""
        headers = dict(self.headers)
        if (ACCOUNT / "token").exists() and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {(ACCOUNT / 'token').read_text().strip()}"  # rotated: read each time
        connection = http.client.HTTPSConnection(*self.address, context=self.tls, timeout=timeout)
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        if answer.status >= 300:
            text = answer.read().decode(errors="replace")
            connection.close()
            try:
                raise ApiError(answer.status, json.loads(text)["message"])
            except (ValueError, KeyError):
                raise ApiError(answer.status, text) from None
        return answer

    def call(self, method, path, body=None):
        with self.open(method, path, body) as answer:
            return json.loads(answer.read())


class Mirror:
    """A live copy of one resource, kept by list and watch on a thread of its own; `changed` is set at each change."""

    def __init__(self, api, path, changed):
        self.api, self.path, self.changed = api, path, changed
        self.objects, self.lock, self.listed = {}, threading.Lock(), threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def all(self):
        with self.lock:
            return list(self.objects.values())

    def get(self, name):
        with self.lock:
            return next((each for each in self.objects.values() if each["metadata"]["name"] == name), None)

    def _run(self):
        wait = 0.2
        while True:
            try:
                self._follow()
                wait = 0.2
            except (OSError, http.client.HTTPException, ApiError, ValueError) as error:
                print(f"{self.path}: {error}; again in {wait:.1f} s", file=sys.stderr, flush=True)
                threading.Event().wait(wait)
                wait = min(wait * 2, 30)

    def _follow(self):
        listed = self.api.call("GET", self.path)
        with self.lock:
            self.objects = {each["metadata"]["uid"]: each for each in listed.get("items") or []}
        self.listed.set()
        self.changed.set()
        version = listed["metadata"]["resourceVersion"]
        query = f"{self.path}?watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
        with self.api.open("GET", query, timeout=WATCH_SECONDS + TIMEOUT_SECONDS) as lines:
            for line in lines:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                found = event["object"]
                with self.lock:
                    if event["type"] == "DELETED":
                        self.objects.pop(found["metadata"]["uid"], None)
                    elif event["type"] != "BOOKMARK":
                        self.objects[found["metadata"]["uid"]] = found
                self.changed.set()


def annotations(thing):
    return thing["metadata"].get("annotations") or {}


def class_of(claim):
    return annotations(claim).get(CLASS_ANNOTATION, claim["spec"].get("storageClassName", ""))


class Provisioner:
    def __init__(self, api, options):
        self.api, self.options = api, options
        self.root = pathlib.Path(options.root).resolve()
        self.changed = threading.Event()
        self.claims = Mirror(api, "/api/v1/persistentvolumeclaims", self.changed)
        self.volumes = Mirror(api, "/api/v1/persistentvolumes", self.changed)
        self.classes = Mirror(api, "/apis/storage.k8s.io/v1/storageclasses", self.changed)
        self.told = {}  # claim's uid: what its last event said

    def run(self):
        for mirror in (self.claims, self.volumes, self.classes):
            mirror.listed.wait()
        print(f"serving {self.options.name} from {self.root}", flush=True)
        failed = False
        while True:
            # A failure is looked at again after a while; anything else only when something changed.
            self.changed.wait(5 if failed else None)
            self.changed.clear()
            failed = not all([self._try(self.provision, claim) for claim in self.claims.all() if self.is_ours(claim)])
            failed |= not all([self._try(self.remove, volume) for volume in self.volumes.all() if self.is_to_go(volume)])
            known = {claim["metadata"]["uid"] for claim in self.claims.all()}
            self.told = {uid: text for uid, text in self.told.items() if uid in known}

    @staticmethod
    def _try(action, thing):
        try:
            action(thing)
            return True
        except (OSError, http.client.HTTPException, ApiError) as error:
            print(f"{thing['metadata']['name']}: {error}", file=sys.stderr, flush=True)
            return False

    def is_ours(self, claim):
        """Whether the claim waits for a volume that we are asked to make."""
        if claim["spec"].get("volumeName") or "deletionTimestamp" in claim["metadata"]:
            return False
        if self.options.name not in [annotations(claim).get(key) for key in ASKED]:
            return False
        storage_class = self.classes.get(class_of(claim))
        if storage_class is None or storage_class["provisioner"] != self.options.name:
            return False
        delayed = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        return not delayed or SELECTED_NODE in annotations(claim)

    def provision(self, claim):
        name = f"pvc-{claim['metadata']['uid']}"
        if self.volumes.get(name):
            return
        storage_class = self.classes.get(class_of(claim))
        obstacle = self.obstacle(claim, storage_class)
        if obstacle:
            return self.tell(claim, "Warning", "ProvisioningFailed",
                             f'failed to provision volume with StorageClass "{class_of(claim)}": {obstacle}')
        folder = (storage_class.get("parameters") or {}).get("folder", "")
        directory = self.root / folder / name
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o777)
        try:
            self.api.call("POST", "/api/v1/persistentvolumes", self.volume(claim, storage_class, name, directory))
        except ApiError as error:
            if error.code != 409:
                raise
        self.tell(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")

    def obstacle(self, claim, storage_class):
        unknown = sorted(set(storage_class.get("parameters") or {}) - {"folder"})
        if unknown:
            return f'parameter "{unknown[0]}" is not known; there is: folder'
        folder = pathlib.PurePosixPath((storage_class.get("parameters") or {}).get("folder", ""))
        if folder.is_absolute() or ".." in folder.parts:
            return f'parameter folder: "{folder}" must stay below the root'
        if claim["spec"].get("selector"):
            return "claim.Spec.Selector is not supported"
        if claim["spec"].get("volumeMode") == "Block":
            return "block volumes are not supported"
        return ""

    def volume(self, claim, storage_class, name, directory):
        spec = {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": class_of(claim),
            "mountOptions": storage_class.get("mountOptions") or [],
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": claim["metadata"]["namespace"],
                         "name": claim["metadata"]["name"], "uid": claim["metadata"]["uid"]},
        }
        if self.options.nfs_server:
            below = directory.relative_to(self.root)
            spec["nfs"] = {"server": self.options.nfs_server, "path": str(pathlib.PurePosixPath(self.options.nfs_path) / below)}
        else:
            spec["hostPath"] = {"path": str(directory), "type": "Directory"}
        if not self.options.nfs_server and not self.options.shared:
            node = annotations(claim).get(SELECTED_NODE, self.options.node)
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}}
        return {"apiVersion": "v1", "kind": "PersistentVolume",
                "metadata": {"name": name, "annotations": {PROVISIONED_BY: self.options.name}}, "spec": spec}

    def is_to_go(self, volume):
        return (annotations(volume).get(PROVISIONED_BY) == self.options.name
                and volume.get("status", {}).get("phase") == "Released"
                and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete")

    def remove(self, volume):
        spec = volume["spec"]
        if "nfs" in spec:
            directory = self.root / pathlib.PurePosixPath(spec["nfs"]["path"]).relative_to(self.options.nfs_path)
        else:
            directory = pathlib.Path(spec["hostPath"]["path"])
        if self.root not in directory.resolve().parents:
            raise OSError(f"{directory} is not below {self.root}: left alone")
        shutil.rmtree(directory, ignore_errors=True)
        try:
            self.api.call("DELETE", f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
        except ApiError as error:
            if error.code != 404:
                raise

    def tell(self, claim, kind, reason, message):
        if self.told.get(claim["metadata"]["uid"]) == message:
            return
        print(f"{claim['metadata']['namespace']}/{claim['metadata']['name']}: {message}", flush=True)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                 **{key: claim["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}}
        event = {"apiVersion": "v1", "kind": "Event", "type": kind, "reason": reason, "message": message, "count": 1,
                 "metadata": {"generateName": f"{claim['metadata']['name']}-", "namespace": claim["metadata"]["namespace"]},
                 "involvedObject": about, "firstTimestamp": now, "lastTimestamp": now,
                 "source": {"component": self.options.name}, "reportingComponent": self.options.name}
        self.api.call("POST", f"/api/v1/namespaces/{claim['metadata']['namespace']}/events", event)
        self.told[claim["metadata"]["uid"]] = message


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", required=True, help="the provisioner that classes name")
    parser.add_argument("--root", required=True, help="the directory below which volumes are made")
    parser.add_argument("--node", default=os.uname().nodename, help="the node that has the root (default: this host's name)")
    parser.add_argument("--shared", action="store_true", help="every node has the root")
    parser.add_argument("--nfs-server", help="make volumes of type nfs of this server")
    parser.add_argument("--nfs-path", default="/", help="the server's name of the root")
    parser.add_argument("--kubeconfig", help="default: the pod's own account, or kubectl's")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Provisioner(Api(options.kubeconfig), options).run()


if __name__ == "__main__":
    main()
