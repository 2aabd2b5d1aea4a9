"""A real `stead up` in a network namespace of its own, for tests: no packet can leave it.

A Cluster owns its namespace, data directory and process, and removes all three.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STEAD_BUILD", ROOT / "build" / "release"))
STEAD = BUILD / "src" / "app" / "stead"
IMAGES = ROOT / "build" / "images"
NODE_IP = "192.0.2.10"


class CommandFailed(AssertionError):
    """A command that should have worked did not; its output is the message."""


def run(command, timeout=60, check=True, stdin=None, env=None):
    """Runs a command to its end; returns the CompletedProcess with text output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, input=stdin, env=env)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(condition, timeout=60, what="the condition"):
    """Asks `condition` until it gives something true, and returns that."""
    end = time.monotonic() + timeout
    last = None
    while time.monotonic() < end:
        try:
            last = condition()
            if last:
                return last
        except (CommandFailed, KeyError, IndexError, json.JSONDecodeError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come about in {timeout} s; last: {last}")


class Namespace:
    """A network namespace without uplink, with one address that nodes can take as theirs."""

    def __init__(self, name):
        self.name = name
        run(["ip", "netns", "add", name])
        self.enter = ["nsenter", f"--net=/var/run/netns/{name}"]
        for command in (["lo", "up"],):
            run([*self.enter, "ip", "link", "set", *command])
        run([*self.enter, "ip", "link", "add", "host0", "type", "bridge"])
        run([*self.enter, "ip", "addr", "add", f"{NODE_IP}/24", "dev", "host0"])
        run([*self.enter, "ip", "link", "set", "host0", "addrgenmode", "none"])
        run([*self.enter, "ip", "link", "set", "host0", "up"])

    def run(self, command, **options):
        return run([*self.enter, *command], **options)

    def close(self):
        run(["ip", "netns", "del", self.name], check=False)


class Cluster:
    """`stead up` on one machine."""

    def __init__(self, name, kubectl="kubectl", options=(), data_dir=None):
        self.namespace = Namespace(f"stead-{name}-{os.getpid()}")
        self.data_dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix=f"stead-{name}-"))
        self.kubectl_binary = str(kubectl)
        self.options = list(options)
        self.process = None
        self.ready_line = ""
        self.log_path = self.data_dir.parent / (self.data_dir.name + ".log")

    @property
    def kubeconfig(self):
        return self.data_dir / "kubeconfig"

    def up(self, timeout=60):
        """Starts `stead up` and waits for its ready line."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*self.namespace.enter, STEAD, "up", "--data-dir", self.data_dir, "--node-name", "node1", "--node-ip", NODE_IP,
             *self.options],
            stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        log.close()
        self.ready_line = self._read_line(timeout)
        return self

    def _read_line(self, timeout):
        import selectors
        selector = selectors.DefaultSelector()
        selector.register(self.process.stdout, selectors.EVENT_READ)
        if not selector.select(timeout):
            raise AssertionError(f"stead up printed nothing in {timeout} s; log:\n{self.log()}")
        line = self.process.stdout.readline()
        if not line.startswith("stead: ready"):
            raise AssertionError(f"stead up ended ({self.process.poll()}) instead of getting ready: {line}\n{self.log()}")
        return line.strip()

    def log(self):
        return self.log_path.read_text(errors="replace")[-8000:] if self.log_path.exists() else ""

    def kill(self):
        """kill -9 of `stead up`; pods and containerd live on."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout=30):
        """SIGTERM of `stead up`; pods and containerd live on."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout)

    def down(self):
        """`stead down`: ends everything."""
        return self.stead("down", "--data-dir", self.data_dir, timeout=120)

    def close(self):
        try:
            self.down()
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait(10)
            self.namespace.close()
            shutil.rmtree(self.data_dir, ignore_errors=True)
            self.log_path.unlink(missing_ok=True)

    def stead(self, *arguments, **options):
        return self.namespace.run([STEAD, *arguments], **options)

    def import_image(self, name):
        self.stead("image", "import", "--data-dir", self.data_dir, IMAGES / f"{name}.tar", timeout=120)

    def kubectl(self, *arguments, stdin=None, check=True, timeout=60, binary=None):
        """Runs kubectl; returns its standard output (with check=False: the CompletedProcess)."""
        done = self.namespace.run([binary or self.kubectl_binary, "--kubeconfig", self.kubeconfig, *arguments],
                                  stdin=stdin, check=check, timeout=timeout)
        return done.stdout if check else done

    def get(self, *arguments):
        """An object or list as parsed JSON."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def exec(self, pod, *command, container=None, timeout=60):
        where = ["-c", container] if container else []
        return self.kubectl("exec", pod, *where, "--", *command, timeout=timeout)

    def wait_ready(self, *pods, timeout=60):
        for pod in pods:
            wait_for(lambda: self.is_ready(pod), timeout, f"pod {pod} Ready")

    def is_ready(self, pod):
        status = self.get("pod", pod).get("status", {})
        return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))

    def curl(self, url, timeout=5):
        return self.namespace.run(["curl", "-sS", "--max-time", str(timeout), url], timeout=timeout + 5).stdout
