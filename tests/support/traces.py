"""What a cluster leaves on its machine: taken before and after, the two must be equal."""

import pathlib

FOLDERS = ("pods", "pod-logs", "volumes")


def traces(cluster):
    """Mounts, directories, links, rules and volumes of the cluster, as sets of lines."""
    root = str(cluster.data_dir)
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    folders = [cluster.data_dir / name for name in FOLDERS]
    links = cluster.namespace.run(["ip", "-o", "link"]).stdout.splitlines()
    rules = cluster.namespace.run(["nft", "--stateless", "list", "ruleset"]).stdout.splitlines()
    return {
        "mounts": {mount for mount in mounts if mount.startswith(root + "/")},
        "directories": {str(path) for folder in folders if folder.exists() for path in folder.iterdir()},
        "links": {line.split(": ")[1] for line in links},
        "rules": {line.strip() for line in rules},
        "volumes": set(cluster.kubectl("get", "pv", "-o", "name").split()),
    }


def difference(before, after):
    """What came and what went, by kind; empty when nothing did."""
    return {kind: (sorted(after[kind] - before[kind]), sorted(before[kind] - after[kind]))
            for kind in before if before[kind] != after[kind]}
