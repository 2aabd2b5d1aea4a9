"""`stead up --runtime simulated` as a plain process on loopback, for tests that need no containers."""

import base64
import json
import os
import pathlib
import signal
import socket
import subprocess

from support.cluster import STEAD, run


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Simulated:
    """The process, its data directory and kubectl on it. Runs as `nobody` when the tests are root."""

    def __init__(self, directory, kubectl, nodes):
        self.directory = directory
        self.kubectl_binary = str(kubectl)
        self.user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        if self.user:
            os.chown(directory, 65534, 65534)
        self.options = ["--runtime", "simulated", "--simulated-nodes", str(nodes), "--port", str(free_port())]

    def _open_the_way(self):
        # Every start of pytest closes the directory above all of its own.
        for parent in list(self.directory.parents)[:3] if self.user else []:
            if parent.stat().st_uid == 0 and parent != pathlib.Path("/tmp"):
                parent.chmod(parent.stat().st_mode | 0o011)

    def up(self):
        self._open_the_way()
        with open(self.directory / "log", "w") as log:
            self.process = subprocess.Popen([*self.user, STEAD, "up", "--data-dir", self.directory / "data", *self.options],
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("stead: ready"), (line, (self.directory / "log").read_text())
        return self

    @property
    def url(self):
        return self._cluster()["server"]

    def _cluster(self):
        return json.loads(self.kubectl("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]

    def credentials(self):
        """The kubeconfig's certificates and key, in base64, by the names that files would have."""
        user = json.loads(self.kubectl("config", "view", "--raw", "-o", "json"))["users"][0]["user"]
        return {"ca.crt": self._cluster()["certificate-authority-data"], "admin.crt": user["client-certificate-data"],
                "admin.key": user["client-key-data"]}

    def write_credentials(self):
        for name, data in self.credentials().items():
            (self.directory / name).write_bytes(base64.b64decode(data))

    def curl(self, *arguments):
        """A curl command with the administrator's certificate, after write_credentials()."""
        files = [str(self.directory / name) for name in ("ca.crt", "admin.crt", "admin.key")]
        return ["curl", "-sS", "--max-time", "30", "--cacert", files[0], "--cert", files[1], "--key", files[2], *arguments]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def kubectl(self, *arguments, stdin=None, check=True, timeout=60, binary=None):
        """Runs kubectl; returns its standard output (with check=False: the CompletedProcess)."""
        done = run([binary or self.kubectl_binary, "--kubeconfig", self.directory / "data" / "kubeconfig", *arguments],
                   stdin=stdin, check=check, timeout=timeout)
        return done.stdout if check else done

    def kubectl_result(self, *arguments, stdin=None):
        return run([self.kubectl_binary, "--kubeconfig", self.directory / "data" / "kubeconfig", *arguments],
                   stdin=stdin, check=False)

    def refused(self, *arguments, stdin=None):
        """What kubectl says, which must fail."""
        done = self.kubectl_result(*arguments, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def items(self, kind):
        return json.loads(self.kubectl("get", kind, "-o", "json"))["items"]

    def ready_pods(self):
        return {pod["metadata"]["name"]: pod for pod in self.items("pods")
                if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))}
