"""The outside provisioner of examples/provisioner beside a cluster: a process of its own in the cluster's namespace."""

import subprocess

from support.cluster import ROOT, wait_for

PROGRAM = ROOT / "examples" / "provisioner" / "provisioner.py"


class Provisioner:
    def __init__(self, cluster, name, root, *options):
        self.log_path = root.parent / (root.name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*cluster.namespace.enter, "/usr/bin/python3", str(PROGRAM), "--name", name, "--root", str(root), "--node", "node1",
                 "--kubeconfig", str(cluster.kubeconfig), *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(lambda: f"serving {name}" in self.log(), 30, f"provisioner {name}")

    def log(self):
        return self.log_path.read_text()

    def close(self):
        self.process.terminate()
        self.process.wait(10)
