"""Cloud auto-join of 000_0b1416b809bf1575.txt and 001_7268302e314fad3d.txt: Consul servers that find each other through the
API, with the token mounted in their pods. What finds them is a stand-in, see examples/consul/auto-join/README.md."""

import pytest

from support.cluster import ROOT, wait_for
from support.workload import Space

EXAMPLE = ROOT / "examples" / "consul" / "auto-join"
SERVERS = ["consul-0", "consul-1", "consul-2"]


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("consul")
    return Space(cluster, "one")


def members(space, through="consul-0"):
    """Status of the members that one pod sees, by name; the address tells a new pod from its predecessor."""
    rows = [line.split() for line in space.exec(through, "consul members").splitlines()[1:]]
    return {row[0]: (row[1].partition(":")[0], row[2]) for row in rows}


def addresses(space):
    return {name: (pod["status"].get("podIP"), "alive") for name, pod in space.pods().items()}


def wait_cluster(space):
    """Until every server sees every pod alive, and there is a leader."""
    def done():
        wanted = addresses(space)
        return (all(members(space, through) == wanted for through in wanted)
                and ":8300" in space.exec("consul-0", "curl -sS http://localhost:8500/v1/status/leader"))
    wait_for(done, 120, f"a cluster of {space.name}'s pods")


def test_peers_are_found_through_the_api(space):
    space.kubectl("apply", "-f", str(EXAMPLE / "consul-1.yaml"))
    space.wait_ready(*SERVERS, timeout=120)
    wait_cluster(space)
    # Each finds those before it, and itself if it is ready already.
    found = space.kubectl("logs", "consul-2").partition("peers at ")[2].splitlines()[0].split()
    pods = space.pods()
    assert {pods[name]["status"]["podIP"] for name in SERVERS[:2]} <= set(found)
    assert space.exec("consul-1", "curl -sS -X PUT -d kept http://consul:8500/v1/kv/answer").strip() == "true"


def test_without_the_role_nobody_is_found(space):
    space.kubectl("delete", "rolebinding", "consul")
    space.kubectl("delete", "pod", "consul-2")
    refusal = 'User "system:serviceaccount:one:consul" cannot list resource "pods" in API group "" in the namespace "one"'
    wait_for(lambda: refusal in space.kubectl("logs", "consul-2", check=False).stdout, 60, "the refusal in its log")
    space.kubectl("apply", "-f", str(EXAMPLE / "consul-1.yaml"))
    # Its second look is 30 s after its first. It came back blank, and gets the data from the others.
    wait_cluster(space)
    wait_for(lambda: space.exec("consul-2", "curl -sS 'http://localhost:8500/v1/kv/answer?raw&stale'") == "kept", 60,
             "the data")
