"""Consul servers as the training slides start them, and what their members say."""

from support.workload import headless_service, stateful_set

ANTI_AFFINITY = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
    {"labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["consul"]}]},
     "topologyKey": "kubernetes.io/hostname"}]}}
LEAVE = {"preStop": {"exec": {"command": ["/bin/sh", "-c", "consul leave"]}}}


def consul_objects(replicas=3, affinity=None, lifecycle=None):
    """The service and the set: one command line for all, which names every server, its own too."""
    joins = [f"-retry-join=consul-{i}.consul" for i in range(replicas)]
    server = {"name": "consul", "image": "consul:latest",
              "args": ["agent", "-data-dir=/consul/data", "-client=0.0.0.0", "-server", "-ui",
                       f"-bootstrap-expect={replicas}", *joins]}
    if lifecycle:
        server["lifecycle"] = lifecycle
    made = stateful_set("consul", replicas, [server], pod={"terminationGracePeriodSeconds": 30})
    if affinity:
        made["spec"]["template"]["spec"]["affinity"] = affinity
    return headless_service("consul", 8500), made


class Consul:
    """The servers in a Space."""

    def __init__(self, space):
        self.space = space

    def run(self, pod, *command):
        return self.space.kubectl("exec", pod, "--", *command)

    def members(self, through="consul-0"):
        """Status by name, as one server sees it."""
        rows = [line.split() for line in self.run(through, "consul", "members").splitlines()]
        assert rows[0][:3] == ["Node", "Address", "Status"]
        return {row[0]: row[2] for row in rows[1:]}

    def alive(self, through="consul-0"):
        return sorted(name for name, status in self.members(through).items() if status == "alive")

    def leader(self, through="consul-0"):
        """Its address; empty while nobody leads."""
        return self.run(through, "curl", "-sS", "http://localhost:8500/v1/status/leader").strip().strip('"')

    def put(self, key, value, through="consul-0"):
        return self.run(through, "curl", "-sS", "-X", "PUT", "--data", value, f"http://localhost:8500/v1/kv/{key}") == "true"

    def read(self, key, through="consul-0"):
        return self.run(through, "curl", "-sS", f"http://localhost:8500/v1/kv/{key}?raw")

    def identity(self, pod):
        """Consul's own, kept in its data directory."""
        return self.run(pod, "cat", "/consul/data/node-id")

    def lose(self, *pods):
        """Ends pods together, with no time for their leave."""
        self.space.kubectl("delete", "pod", *pods, "--grace-period=1")

    def delete(self):
        """The end of the set, without waiting until each server has taken its leave."""
        self.space.kubectl("delete", "sts", "consul", "--cascade=orphan")
        self.lose(*self.space.pods())

    def close(self):
        """The end of the namespace, too."""
        self.delete()
        self.space.close()
