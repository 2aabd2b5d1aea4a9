"""What may be wrong with the link of a machine (support/machines.py): packets lost, or let through in one direction only.

Rules stand at the ingress of both ends of the link, so that they meet every packet of the machine and of its pods, ARP
included, and nobody else's.
"""


def _rule(machine, enter, device, verdict):
    """Of everything that comes in at a device of one end."""
    lines = [f"table netdev {machine.port}-faults {{",
             f"chain in {{ type filter hook ingress device {device} priority 0;", verdict, "}", "}"]
    enter("nft", "-f", "-", stdin="\n".join(lines) + "\n")


def _inside(machine):
    return lambda *command, **options: machine.run(list(command), **options)


def block_incoming(machine):
    """Nothing reaches the machine; what it sends arrives."""
    _rule(machine, _inside(machine), "eth0", "drop")


def block_outgoing(machine):
    """Nothing leaves the machine; what is sent to it arrives."""
    _rule(machine, machine.cluster.lan, machine.port, "drop")


def lose(machine, percent):
    """So many of a hundred packets, in each direction."""
    verdict = f"numgen random mod 100 < {percent} drop"
    _rule(machine, _inside(machine), "eth0", verdict)
    _rule(machine, machine.cluster.lan, machine.port, verdict)


def mend(machine):
    for enter in (_inside(machine), machine.cluster.lan):
        enter("nft", "delete", "table", "netdev", f"{machine.port}-faults", check=False)
