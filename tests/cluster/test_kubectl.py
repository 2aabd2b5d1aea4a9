"""Each kubectl, unmodified: what people type, and what they see."""

import re
import subprocess
import time

import pytest

from support.cluster import run, wait_for
from support.workload import STAY, Space, container, headless_service, stateful_set

PORT = 8080


def web(replicas=2, **spec):
    """A set with a web server and a claim."""
    script = f"hostname > /data/index.html; httpd -p {PORT} -h /data; echo started on $HOSTNAME; {STAY}"
    server = container("server", script, ports=[{"containerPort": PORT, "name": "http"}],
                       volumeMounts=[{"name": "data", "mountPath": "/data"}])
    return stateful_set(replicas=replicas, containers=[server], claims=["data"], **spec)


@pytest.fixture(scope="module")
def space(cluster, any_kubectl):
    cluster.import_image("busybox")
    made = Space(cluster, "old" if "1.20" in any_kubectl else "current", any_kubectl)
    made.apply(headless_service(port=PORT), web())
    made.wait_ready("web-0", "web-1")
    yield made
    made.close()


@pytest.fixture
def follow(space):
    """Starts kubectl in the background; ends it after the test."""
    started = []

    def start(*arguments):
        command = [*space.cluster.namespace.enter, space.binary, "--kubeconfig", str(space.cluster.kubeconfig), "-n", space.name]
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def old(space):
    return "1.20" in space.binary


def titles(space, *what):
    return re.split(r"\s{2,}", space.kubectl("get", *what).splitlines()[0].strip())


def fails(space, *arguments, stdin=None):
    done = space.kubectl(*arguments, check=False, stdin=stdin)
    assert done.returncode != 0, done.stdout
    return done.stderr


COLUMNS = {
    "pods": ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
    "pods -o wide": ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
    "pods --show-labels": ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "LABELS"],
    "pods -L app": ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "APP"],
    "pods -A": ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"],
    "statefulsets": ["NAME", "READY", "AGE"],
    "sts -o wide": ["NAME", "READY", "AGE", "CONTAINERS", "IMAGES"],
    "services": ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
    "svc -o wide": ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"],
    "endpoints": ["NAME", "ENDPOINTS", "AGE"],
    "endpointslices": ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"],
    "pvc": ["NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "VOLUMEATTRIBUTESCLASS", "AGE"],
    "pv": ["NAME", "CAPACITY", "ACCESS MODES", "RECLAIM POLICY", "STATUS", "CLAIM", "STORAGECLASS",
           "VOLUMEATTRIBUTESCLASS", "REASON", "AGE"],
    "nodes": ["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
    "nodes -o wide": ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION",
                      "CONTAINER-RUNTIME"],
    "namespaces": ["NAME", "STATUS", "AGE"],
    "configmaps": ["NAME", "DATA", "AGE"],
    "storageclasses": ["NAME", "PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE", "ALLOWVOLUMEEXPANSION", "AGE"],
    "controllerrevisions": ["NAME", "CONTROLLER", "REVISION", "AGE"],
    "events": ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
}


@pytest.mark.parametrize("what", COLUMNS)
def test_columns(space, what):
    assert titles(space, *what.split()) == COLUMNS[what]


def test_rows(space):
    pod = space.get("pod", "web-0")
    rows = [line.split() for line in space.kubectl("get", "pods", "-o", "wide", "--no-headers").splitlines()]
    assert [row[:4] for row in rows] == [["web-0", "1/1", "Running", "0"], ["web-1", "1/1", "Running", "0"]]
    assert rows[0][5:] == [pod["status"]["podIP"], "node1", "<none>", "<none>"]
    assert re.fullmatch(r"\d+[sm]|\d+m\d+s", rows[0][4])
    assert space.kubectl("get", "sts", "-o", "wide", "--no-headers").split()[:2] == ["web", "2/2"]
    assert space.kubectl("get", "sts", "-o", "wide", "--no-headers").split()[3:] == ["server", "busybox:1.36"]
    assert space.kubectl("get", "pods", "-l", "app=nothing", check=False).stderr.startswith("No resources found")
    node = space.kubectl("get", "nodes", "--no-headers").split()
    assert node[:2] == ["node1", "Ready"] and node[4].startswith("v1.35")


def test_get_in_other_forms(space):
    assert space.kubectl("get", "pods", "-o", "name") == "pod/web-0\npod/web-1\n"
    assert space.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.name}") == "web-0 web-1"
    assert space.kubectl("get", "pod", "web-0", "-o", "custom-columns=A:.metadata.name,B:.spec.nodeName") == "A       B\nweb-0   node1\n"
    text = space.kubectl("get", "sts", "web", "-o", "yaml")
    assert text.startswith("apiVersion: apps/v1\nkind: StatefulSet\n" if not old(space) else "apiVersion: apps/v1\n")
    assert "podManagementPolicy: OrderedReady" in text and "revisionHistoryLimit: 10" in text
    both = space.kubectl("get", "sts,svc", "-o", "name")
    assert both == "statefulset.apps/web\nservice/web\n"
    assert space.kubectl("get", "pods", "--sort-by=.metadata.name", "--field-selector=metadata.name=web-1", "-o", "name") == "pod/web-1\n"
    assert space.kubectl("get", "all").count("/web") >= 3


def test_applying_again_changes_nothing(space):
    plain = (headless_service("plain"), stateful_set("plain", 0))
    space.apply(*plain)
    assert space.apply(*plain) == "service/plain unchanged\nstatefulset.apps/plain unchanged\n"
    # Claim templates are an atomic list, which the server adds defaults to: kubectl sends them again each time.
    before = space.get("sts", "web")["metadata"]
    assert space.apply(web()) == "statefulset.apps/web configured\n"
    after = space.get("sts", "web")["metadata"]
    assert (after["generation"], after["resourceVersion"]) == (before["generation"], before["resourceVersion"])
    text = space.kubectl("get", "svc", "web", "-o", "yaml")
    assert space.kubectl("diff", "-f", "-", stdin=text, check=False).returncode == 0
    changed = space.kubectl("diff", "-f", "-", stdin=text.replace("sessionAffinity: None", "sessionAffinity: ClientIP"), check=False)
    assert changed.returncode == 1 and "sessionAffinity: ClientIP" in changed.stdout
    space.kubectl("delete", "sts,svc", "plain")


def test_apply_prunes_what_left_the_manifest(space):
    settings = lambda data: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}
    assert space.apply(settings({"a": "1", "b": "2"})) == "configmap/settings created\n"
    space.kubectl("patch", "configmap", "settings", "-p", '{"data":{"c":"3"}}')
    assert space.apply(settings({"a": "4"})) == "configmap/settings configured\n"
    assert space.get("configmap", "settings")["data"] == {"a": "4", "c": "3"}


def test_watch(space, follow):
    watcher = follow("get", "pods", "-w")
    assert watcher.stdout.readline().split() == COLUMNS["pods"]
    assert [watcher.stdout.readline().split()[0] for _ in range(2)] == ["web-0", "web-1"]
    space.kubectl("delete", "pod", "web-1")
    seen = []
    while not seen or seen[-1] != ["web-1", "1/1", "Running"] or ["web-1", "0/1", "Pending"] not in seen:
        seen.append(watcher.stdout.readline().split()[:3])
        assert len(seen) < 30, seen
    assert ["web-1", "1/1", "Terminating"] in seen and ["web-1", "0/1", "ContainerCreating"] in seen
    space.wait_ready("web-1")


def test_describe(space):
    pod = space.kubectl("describe", "pod", "web-0")
    for line in (r"Name: +web-0", r"Node: +node1/192\.0\.2\.10", r"Status: +Running", r"Controlled By: +StatefulSet/web",
                 r"    Image: +busybox:1\.36", r"    Port: +8080/TCP", r"    State: +Running", r"    Restart Count: +0",
                 r"    ClaimName: +data-web-0", r"QoS Class: +BestEffort", r"  Ready +True",
                 r" +Normal +Scheduled ", r" +Normal +Pulled ", r" +Normal +Created ", r" +Normal +Started "):
        assert re.search(f"^{line}", pod, re.M), (line, pod)
    of_set = space.kubectl("describe", "sts", "web")
    for line in (r"Name: +web", r"Replicas: +2 desired \| 2 total", r"Update Strategy: +RollingUpdate",
                 r"Pods Status: +2 Running / 0 Waiting / 0 Succeeded / 0 Failed", r"  Name: +data",
                 r" +Normal +SuccessfulCreate .*create Pod web-0 in StatefulSet web successful"):
        assert re.search(f"^{line}", of_set, re.M), (line, of_set)
    of_claim = space.kubectl("describe", "pvc", "data-web-0")
    for line in (r"Status: +Bound", r"StorageClass: +standard", r"Capacity: +1Mi", r"Access Modes: +RWO", r"(Mounted|Used) By: +web-0"):
        assert re.search(f"^{line}", of_claim, re.M), (line, of_claim)
    node = space.kubectl("describe", "node", "node1")
    for line in (r"Name: +node1", r"  InternalIP: +192\.0\.2\.10", r"  Ready +True +", r" +Kubelet Version: +v1\.35", r"PodCIDR: +10\.42\.",
                 rf"  {space.name} +web-0 ", r"  cpu +"):
        assert re.search(f"^{line}", node, re.M), (line, node)
    service = space.kubectl("describe", "service", "web")
    assert re.search(r"^IP: +None$", service, re.M) and re.search(rf"^Endpoints: +\S+:{PORT}", service, re.M)


def test_edit(space, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/revisionHistoryLimit: 10/revisionHistoryLimit: 9/" "$1"\n')
    editor.chmod(0o755)
    enter = ["env", f"KUBE_EDITOR={editor}", space.binary, "--kubeconfig", str(space.cluster.kubeconfig), "-n", space.name]
    done = space.cluster.namespace.run([*enter, "edit", "sts", "web"])
    assert done.stdout == "statefulset.apps/web edited\n"
    assert space.get("sts", "web")["spec"]["revisionHistoryLimit"] == 9
    editor.write_text("#!/bin/sh\ntrue\n")
    assert "cancelled, no changes made" in space.cluster.namespace.run([*enter, "edit", "sts", "web"]).stderr


def test_scale(space):
    assert space.kubectl("scale", "sts", "web", "--replicas=3", "--current-replicas=2") == "statefulset.apps/web scaled\n"
    space.wait_ready("web-2")
    assert "Expected replicas to be 2, was 3" in fails(space, "scale", "sts", "web", "--replicas=1", "--current-replicas=2")
    space.kubectl("scale", "sts/web", "--replicas=2")
    space.wait_gone("web-2")


def test_rollout(space):
    status = space.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    assert re.search(r"rolling update complete 2 pods at revision web-\w+", status) or "roll out complete" in status, status
    assert space.kubectl("set", "image", "sts/web", "server=busybox:1.35") == "statefulset.apps/web image updated\n"
    status = space.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    assert "complete" in status.splitlines()[-1]
    image = lambda: [pod["spec"]["containers"][0]["image"] for pod in space.pods().values()]
    assert image() == ["busybox:1.35"] * 2
    rows = space.kubectl("rollout", "history", "sts/web").split("\n")
    assert rows[0].startswith("statefulset.apps/web") and rows[1].startswith("REVISION")
    assert [row.split()[0] for row in rows[2:] if row] == ["1", "2"]
    assert "busybox:1.35" in space.kubectl("rollout", "history", "sts/web", "--revision=2")
    assert space.kubectl("rollout", "undo", "sts/web") == "statefulset.apps/web rolled back\n"
    space.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    wait_for(lambda: image() == [space.get("sts", "web")["spec"]["template"]["spec"]["containers"][0]["image"]] * 2, 20, "the old image")
    assert image() == ["busybox:1.36"] * 2
    rows = space.kubectl("rollout", "history", "sts/web").split("\n")
    assert [row.split()[0] for row in rows[2:] if row] == ["2", "3"]
    assert space.kubectl("rollout", "restart", "sts/web") == "statefulset.apps/web restarted\n"
    space.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    space.wait_rolled_out()


def test_exec(space):
    assert space.kubectl("exec", "web-0", "--", "cat", "/data/index.html") == "web-0\n"
    assert space.kubectl("exec", "-i", "web-1", "--", "cat", stdin="over the wire\n") == "over the wire\n"
    done = space.kubectl("exec", "web-0", "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout) == (7, "out\n") and done.stderr.startswith("err\n")
    big = space.kubectl("exec", "web-0", "--", "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    assert len(big) == 3_000_000
    assert "not-there" in fails(space, "exec", "web-0", "--", "not-there")
    assert 'pods "web-9" not found' in fails(space, "exec", "web-9", "--", "true")
    assert "nope" in fails(space, "exec", "web-0", "-c", "nope", "--", "true")


def test_exec_with_a_terminal(space):
    command = " ".join([*space.cluster.namespace.enter, space.binary, "--kubeconfig", str(space.cluster.kubeconfig), "-n", space.name,
                        "exec", "-it", "web-0", "--", "sh"])
    done = subprocess.run(["script", "-qec", f"stty rows 33 cols 77; {command}", "/dev/null"], capture_output=True, text=True, timeout=60,
                          input="tty; stty size; echo $((40+2)); exit 5\n")
    assert "/dev/pts/" in done.stdout and "42" in done.stdout and "33 77" in done.stdout, done.stdout
    assert done.returncode == 5


def test_logs(space, follow):
    assert space.kubectl("logs", "web-0") == "started on web-0\n"
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z started on web-0\n$", space.kubectl("logs", "web-0", "--timestamps"))
    talker = container(script="i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done", name="talker")
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker", "labels": {"talks": "yes"}},
                 "spec": {"containers": [talker, container("quiet", "echo quiet; sleep 1000")], "terminationGracePeriodSeconds": 0}})
    space.wait_ready("talker")
    following = follow("logs", "-f", "talker", "-c", "talker")
    lines = [following.stdout.readline() for _ in range(12)]  # more than two seconds' worth
    assert lines == [f"line {i}\n" for i in range(1, 13)]
    assert len(space.kubectl("logs", "talker", "-c", "talker", "--tail=2").splitlines()) == 2
    assert space.kubectl("logs", "talker", "-c", "quiet") == "quiet\n"
    assert "line 1" not in space.kubectl("logs", "talker", "-c", "talker", "--since=1s").splitlines()
    assert len(space.kubectl("logs", "talker", "-c", "talker", "--limit-bytes=10")) == 10
    assert "quiet" in space.kubectl("logs", "-l", "talks=yes", "--all-containers")
    assert fails(space, "logs", "talker", "-c", "nope")
    space.kubectl("delete", "pod", "talker")
    following.communicate(timeout=20)
    assert following.returncode is not None


def test_logs_of_the_previous_run(space):
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "once-more"},
                 "spec": {"containers": [container(script="echo run $(cat /proc/sys/kernel/random/uuid); sleep 2; exit 1")], "terminationGracePeriodSeconds": 0}})
    wait_for(lambda: space.get("pod", "once-more")["status"]["containerStatuses"][0]["restartCount"] == 1, 30, "a restart")
    first = wait_for(lambda: space.kubectl("logs", "once-more", "--previous"), 10, "the first log")
    second = wait_for(lambda: space.kubectl("logs", "once-more"), 10, "the second log")
    assert first.startswith("run ") and second.startswith("run ") and first != second
    assert "previous terminated container" in fails(space, "logs", "web-0", "--previous")
    space.kubectl("delete", "pod", "once-more")


def test_port_forward(space, follow):
    forward = follow("port-forward", "web-0", f":{PORT}")
    line = forward.stdout.readline()
    found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) -> 8080$", line)
    assert found, line
    for _ in range(3):
        assert space.cluster.curl(f"http://127.0.0.1:{found.group(1)}/") == "web-0\n"
    through_service = follow("port-forward", "svc/web", f":{PORT}")
    port = re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", through_service.stdout.readline()).group(1)
    assert space.cluster.curl(f"http://127.0.0.1:{port}/") in ("web-0\n", "web-1\n")


@pytest.mark.skipif(subprocess.run(["which", "tar"], capture_output=True).returncode != 0, reason="cp needs tar")
def test_cp(space, tmp_path):
    (tmp_path / "there").write_text("there and back\n" * 1000)
    space.kubectl("cp", str(tmp_path / "there"), "web-0:/data/copied")
    assert space.kubectl("exec", "web-0", "--", "sh", "-c", "wc -l < /data/copied").strip() == "1000"
    space.kubectl("cp", "web-0:/data/copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == (tmp_path / "there").read_text()


def test_wait(space):
    assert "pod/web-0 condition met" in space.kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=10s")
    assert "timed out waiting" in fails(space, "wait", "--for=condition=Nope", "pod/web-0", "--timeout=1s")


def test_wait_for_deletion(space, follow):
    waiting = follow("wait", "--for=delete", "pod/web-1", "--timeout=30s")
    time.sleep(0.5)
    assert space.kubectl("delete", "pod", "web-1").startswith('pod "web-1" deleted')
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0 and "pod/web-1 condition met" in out
    wait_for(lambda: space.exists("pod", "web-1"), 10, "web-1")
    space.wait_ready("web-1")


def test_label_and_annotate(space):
    assert "pod/web-0 labeled" in space.kubectl("label", "pod", "web-0", "colour=green")
    assert space.kubectl("get", "pods", "-l", "colour=green", "-o", "name") == "pod/web-0\n"
    assert space.kubectl("get", "pods", "-l", "colour in (red,green),app=web", "-o", "name") == "pod/web-0\n"
    assert space.kubectl("get", "pods", "-l", "!colour", "-o", "name") == "pod/web-1\n"
    assert "overwrite is false" in fails(space, "label", "pod", "web-0", "colour=red")
    space.kubectl("label", "pod", "web-0", "colour=red", "--overwrite")
    space.kubectl("label", "pod", "web-0", "colour-")
    assert "colour" not in space.get("pod", "web-0")["metadata"]["labels"]
    assert "pod/web-0 annotated" in space.kubectl("annotate", "pod", "web-0", "why=because")
    assert space.get("pod", "web-0")["metadata"]["annotations"]["why"] == "because"


def test_explain(space):
    text = space.kubectl("explain", "statefulset.spec.updateStrategy")
    assert re.search(r"KIND: +StatefulSet", text) and "rollingUpdate" in text and "type" in text
    assert "RESOURCE" in text if old(space) else "FIELD: updateStrategy" in text
    assert fails(space, "explain", "statefulset.spec.nope")


def test_api_resources(space):
    rows = {line.split()[0]: line.split() for line in space.kubectl("api-resources").splitlines()[1:]}
    assert {"pods", "services", "configmaps", "secrets", "statefulsets", "persistentvolumeclaims", "nodes", "storageclasses"} <= set(rows)
    assert rows["statefulsets"][1] == "sts" and "true" in rows["statefulsets"] and "StatefulSet" in rows["statefulsets"]
    assert {"v1", "apps/v1"} <= set(space.kubectl("api-versions").split())
    assert "v1.35" in space.kubectl("version", check=False).stdout


def test_create_config_maps_and_secrets(space, tmp_path):
    (tmp_path / "app.conf").write_text("a = 1\n")
    (tmp_path / "binary").write_bytes(b"\xff\x00\xfe")
    assert space.kubectl("create", "configmap", "files", f"--from-file={tmp_path}", "--from-literal=k=v") == "configmap/files created\n"
    made = space.get("configmap", "files")
    assert made["data"] == {"app.conf": "a = 1\n", "k": "v"} and made["binaryData"] == {"binary": "/wD+"}
    assert space.kubectl("get", "configmap", "files", "--no-headers").split()[:2] == ["files", "3"]
    assert space.kubectl("create", "secret", "generic", "word", "--from-literal=w=swordfish") == "secret/word created\n"
    assert space.get("secret", "word")["data"] == {"w": "c3dvcmRmaXNo"}
    described = space.kubectl("describe", "secret", "word")
    assert re.search(r"^w: +9 bytes", described, re.M) and "swordfish" not in described
    assert space.kubectl("get", "secret", "word", "--no-headers").split()[:3] == ["word", "Opaque", "1"]


def test_replace_patch_and_conflict(space):
    space.kubectl("create", "configmap", "fought", "--from-literal=a=1")
    stale = space.kubectl("get", "configmap", "fought", "-o", "yaml")
    space.kubectl("patch", "configmap", "fought", "--type=json", "-p", '[{"op":"add","path":"/data/b","value":"2"}]')
    assert "the object has been modified" in fails(space, "replace", "-f", "-", stdin=stale)
    assert "already exists" in fails(space, "create", "configmap", "fought")
    assert space.kubectl("delete", "configmap", "fought").startswith('configmap "fought" deleted')


def test_errors(space):
    assert 'Error from server (NotFound): pods "nope" not found' in fails(space, "get", "pod", "nope")
    assert 'the server doesn\'t have a resource type "nopes"' in fails(space, "get", "nopes")
    assert 'namespaces "nowhere" not found' in fails(space, "create", "configmap", "x", "-n", "nowhere")
    missing = fails(space, "apply", "-f", "-", stdin="apiVersion: nope/v1\nkind: Nope\nmetadata: {name: x}\n")
    assert 'no matches for kind "Nope" in version "nope/v1"' in missing
    unknown = fails(space, "apply", "-f", "-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndta: {}\n")
    assert "dta" in unknown
    assert "Invalid value" in fails(space, "label", "pod", "web-0", "colour=not/valid") or "invalid label" in fails(
        space, "label", "pod", "web-0", "colour=not/valid")


def test_run_and_attach(space):
    out = space.kubectl("run", "once", "--image=busybox:1.36", "--restart=Never", "--rm", "-i", "--", "cat", stdin="hello\n")
    assert "hello" in out
    # A command that has ended before anybody could attach is still heard.
    quick = space.kubectl("run", "quick", "--image=busybox:1.36", "--restart=Never", "--rm", "-i", "--", "echo", "said")
    assert "said" in quick
    wait_for(lambda: not space.exists("pod", "once") and not space.exists("pod", "quick"), 20, "the end of both")


def test_dry_run_changes_nothing(space):
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dry}\n"
    assert space.kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest) == "configmap/dry created (server dry run)\n"
    assert not space.exists("configmap", "dry")


def test_delete_set_in_the_foreground(space):
    space.apply(headless_service("last"), stateful_set("last", 2))
    space.wait_ready("last-1")
    assert space.kubectl("delete", "sts", "last", "--cascade=foreground" if not old(space) else "--wait=true").startswith(
        'statefulset.apps "last" deleted')
    if not old(space):
        assert not space.exists("pod", "last-0")
    space.wait_gone("last-0", "last-1")


def test_top(space):
    def measured():
        rows = [line.split() for line in space.kubectl("top", "pods", "--no-headers", "-l", "app=web").splitlines()]
        return [row[0] for row in rows] == ["web-0", "web-1"] and rows

    rows = wait_for(measured, 60, "what the pods use")
    assert all(re.fullmatch(r"\d+m", row[1]) and re.fullmatch(r"\d+Mi", row[2]) for row in rows), rows


def test_programs_are_what_they_say(space):
    version = run([space.binary, "version", "--client", "-o", "json"]).stdout
    assert ('"minor": "20"' in version) == old(space)
