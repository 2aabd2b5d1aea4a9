"""exec, attach, cp and port-forward over WebSocket, as kubectl since 1.31 and the Python and JavaScript clients do."""

import base64
import json
import os
import subprocess
import sys

import pytest

from support.cluster import wait_for
from support.workload import STAY, Space, container, stateful_set



@pytest.fixture(scope="module")
def space(cluster, newest_kubectl):
    cluster.import_image("busybox")
    made = Space(cluster, "websocket", str(newest_kubectl))
    script = f"echo served > /tmp/index.html; httpd -p 8080 -h /tmp; {STAY}"
    reader = container("reader", "echo ready; read line; echo got $line; read line; echo got $line; " + STAY, stdin=True)
    made.apply(stateful_set("web", 1, containers=[container("server", script), reader]))
    made.wait_ready("web-0")
    yield made
    made.close()


@pytest.fixture
def kubectl(space, monkeypatch):
    """kubectl that is told to use WebSocket; the answer is the CompletedProcess."""
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "true")
    monkeypatch.setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", "true")

    def run(*arguments, stdin=None):
        return space.kubectl(*arguments, stdin=stdin, check=False)

    return run


def went_over_websocket(done, protocol):
    """From kubectl's own log (-v=8): the upgrade it asked for was given."""
    return "101 Switching Protocols" in done.stderr and protocol in done.stderr


def test_exec_streams_and_exit_codes(kubectl):
    done = kubectl("exec", "web-0", "-c", "server", "-v=8", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert done.stdout == "out\n" and "err\n" in done.stderr
    assert done.returncode == 7
    assert went_over_websocket(done, "v5.channel.k8s.io"), done.stderr[-3000:]
    assert kubectl("exec", "web-0", "-c", "server", "--", "true").returncode == 0
    missing = kubectl("exec", "web-0", "-c", "server", "--", "no-such-program")
    assert missing.returncode != 0 and "no-such-program" in missing.stderr


def test_the_end_of_stdin_arrives(kubectl):
    text = "line\n" * 200_000
    done = kubectl("exec", "-i", "web-0", "-c", "server", "--", "md5sum", stdin=text)
    assert done.returncode == 0
    import hashlib
    assert done.stdout.split()[0] == hashlib.md5(text.encode()).hexdigest()


def test_large_output_is_whole(kubectl):
    done = kubectl("exec", "web-0", "-c", "server", "--", "sh", "-c", "seq 1 300000")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "300000" and len(done.stdout.splitlines()) == 300_000


def test_cp_both_ways(kubectl, tmp_path):
    data = os.urandom(3_000_000)
    (tmp_path / "there").write_bytes(data)
    to = kubectl("cp", "-c", "server", str(tmp_path / "there"), "web-0:/tmp/copied")
    assert to.returncode == 0, to.stderr
    back = kubectl("cp", "-c", "server", "web-0:/tmp/copied", str(tmp_path / "back"))
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "back").read_bytes() == data


def test_attach_reads_and_writes(space, kubectl):
    command = [*space.cluster.namespace.enter, space.binary, "--kubeconfig", str(space.cluster.kubeconfig), "-n", space.name,
               "attach", "-i", "web-0", "-c", "reader"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write("hello\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() in ("ready", "got hello")
    finally:
        process.kill()
        process.wait(10)
    wait_for(lambda: "got hello" in space.kubectl("logs", "web-0", "-c", "reader"), what="the line in the log")


def test_port_forward_in_a_tunnel(space, kubectl):
    command = [*space.cluster.namespace.enter, space.binary, "--kubeconfig", str(space.cluster.kubeconfig), "-n", space.name,
               "port-forward", "-v=8", "pod/web-0", ":8080"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline()
        port = line.split("127.0.0.1:")[1].split(" ")[0]
        for _ in range(3):
            assert space.cluster.curl(f"http://127.0.0.1:{port}/") == "served\n"
    finally:
        process.kill()
        process.wait(10)


RAW_CLIENT = r'''
import base64, json, os, socket, ssl, struct, sys
host, port, target, protocol, directory = sys.argv[1:6]
context = ssl.create_default_context(cafile=directory + "/ca.crt")
context.load_cert_chain(directory + "/admin.crt", directory + "/admin.key")
raw = context.wrap_socket(socket.create_connection((host, int(port)), 30), server_hostname=host)
raw.settimeout(60)
key = base64.b64encode(os.urandom(16)).decode()
offer = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
raw.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n{offer}\r\n".encode())
buffer = b""
def need(count):
    global buffer
    while len(buffer) < count:
        piece = raw.recv(65536)
        if not piece:
            raise EOFError
        buffer += piece
    taken, buffer = buffer[:count], buffer[count:]
    return taken
head = b""
while not head.endswith(b"\r\n\r\n"):
    head += need(1)
result = {"head": head.decode(), "channels": {}, "close": None}
def send(code, data):
    mask = os.urandom(4)
    size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
    raw.sendall(bytes([0x80 | code]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
if b" 101 " in head:
    text = "base64" in protocol
    stdin = sys.stdin.buffer.read()
    if stdin:
        send(9, b"ping")
        send(1 if text else 2, b"0" + base64.b64encode(stdin) if text else b"\0" + stdin)
        if protocol.startswith("v5"):
            send(2, b"\xff\0")
    try:
        while True:
            first, size = need(2)
            size = struct.unpack("!H", need(2))[0] if size == 126 else struct.unpack("!Q", need(8))[0] if size == 127 else size
            data = need(size)
            if first & 15 == 8:
                result["close"] = struct.unpack("!H", data[:2])[0]
                break
            if first & 15 == 10:
                result["pong"] = data.decode()
                continue
            channel = str(data[0] - 48 if text else data[0])
            body = base64.b64decode(data[1:]) if text else data[1:]
            result["channels"][channel] = result["channels"].get(channel, "") + body.decode()
    except EOFError:
        pass
print(json.dumps(result))
'''


@pytest.fixture
def raw_exec(space, tmp_path):
    """Runs a command over a WebSocket of the given subprotocol, written out byte by byte."""
    config = json.loads(space.kubectl("config", "view", "--raw", "-o", "json"))
    user, server = config["users"][0]["user"], config["clusters"][0]["cluster"]
    for name, data in (("ca.crt", server["certificate-authority-data"]), ("admin.crt", user["client-certificate-data"]),
                       ("admin.key", user["client-key-data"])):
        (tmp_path / name).write_bytes(base64.b64decode(data))
    host, port = server["server"].removeprefix("https://").split(":")

    def run(protocol, command, stdin="", options="stdout=true&stderr=true", verb="exec"):
        words = "".join(f"&command={word}" for word in command)
        target = f"/api/v1/namespaces/{space.name}/pods/web-0/{verb}?container=server&{options}{words}"
        done = space.cluster.namespace.run([sys.executable, "-c", RAW_CLIENT, host, port, target, protocol, str(tmp_path)],
                                           stdin=stdin, timeout=90)
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"])
def test_each_protocol_tells_the_status(raw_exec, protocol):
    seen = raw_exec(protocol, ["sh", "-c", "echo%20out;echo%20err%3E%262;exit%203"])
    assert f"Sec-WebSocket-Protocol: {protocol}" in seen["head"]
    assert seen["channels"]["1"] == "out\n" and seen["channels"]["2"] == "err\n"
    status = json.loads(seen["channels"]["3"])
    assert status["status"] == "Failure" and status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert seen["close"] == 1000
    assert json.loads(raw_exec(protocol, ["true"])["channels"]["3"])["status"] == "Success"


@pytest.mark.parametrize("protocol", ["channel.k8s.io", "base64.channel.k8s.io", ""])
def test_the_first_protocols_tell_failures_as_text(raw_exec, protocol):
    seen = raw_exec(protocol, ["sh", "-c", "echo%20out;exit%203"])
    assert seen["channels"]["1"] == "out\n"
    assert "exit code 3" in seen["channels"]["3"]
    assert "3" not in raw_exec(protocol, ["true"])["channels"]


def test_stdin_and_its_end(raw_exec):
    options = "stdin=true&stdout=true"
    seen = raw_exec("v5.channel.k8s.io", ["cat"], stdin="to the end", options=options)
    assert seen["channels"]["1"] == "to the end" and seen["pong"] == "ping"
    seen = raw_exec("v4.channel.k8s.io", ["head", "-n1"], stdin="a line\nand more", options=options)
    assert seen["channels"]["1"] == "a line\n"


def test_a_terminal(raw_exec):
    seen = raw_exec("v5.channel.k8s.io", ["sh", "-c", "test%20-t%201%26%26echo%20terminal"], options="stdout=true&tty=true")
    assert seen["channels"]["1"] == "terminal\r\n"


def test_unknown_protocols_are_refused(raw_exec):
    assert " 403 " in raw_exec("v9.channel.k8s.io", ["true"])["head"]
