"""Server-side apply as people use it: kubectl apply --server-side, conflicts, force, diff, and the way over from client-side apply."""

import json

import pytest

from support.simulated import Simulated

NEEDS_CONTAINERS = False
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {app: app}}
spec:
  replicas: 0
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: c
        image: example.invalid/c:1
        ports: [{containerPort: 80}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("apply"), newest_kubectl, 1).up()
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait(10)


@pytest.fixture
def app(simulated):
    yield simulated
    simulated.kubectl("delete", "deployment", "app", "--ignore-not-found", "--wait=false")


def deployment(simulated):
    return json.loads(simulated.kubectl("get", "deployment", "app", "-o", "json", "--show-managed-fields"))


def owners(simulated):
    return {(entry["manager"], entry["operation"], entry.get("subresource", "")): entry
            for entry in deployment(simulated)["metadata"].get("managedFields", [])}


def test_apply_creates_and_an_equal_one_changes_nothing(app):
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP)
    owned = owners(app)[("kubectl", "Apply", "")]
    assert owned["apiVersion"] == "apps/v1" and owned["fieldsType"] == "FieldsV1" and owned["time"]
    containers = owned["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert containers['k:{"name":"c"}']["f:ports"] == {
        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    # Defaults belong to nobody.
    assert "f:strategy" not in owned["fieldsV1"]["f:spec"]
    generation = deployment(app)["metadata"]["generation"]
    applied = owned["time"]
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP)
    assert deployment(app)["metadata"]["generation"] == generation
    assert owners(app)[("kubectl", "Apply", "")]["time"] == applied


def test_a_conflict_names_manager_and_field_and_force_wins(app):
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP)
    app.kubectl("set", "image", "deployment/app", "c=example.invalid/c:2", "--field-manager=painter")
    said = app.refused("apply", "--server-side", "-f", "-", stdin=APP.replace("c:1", "c:3"))
    assert 'Apply failed with 1 conflict: conflict with "painter" using apps/v1: ' in said, said
    assert '.spec.template.spec.containers[name="c"].image' in said
    app.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=APP.replace("c:1", "c:3"))
    assert deployment(app)["spec"]["template"]["spec"]["containers"][0]["image"] == "example.invalid/c:3"
    assert ("painter", "Update", "") not in owners(app)


def test_what_is_no_longer_applied_goes_and_what_others_own_stays(app):
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP)
    app.kubectl("apply", "--server-side", "--field-manager=second", "-f", "-", stdin="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec: {template: {spec: {containers: [{name: c, env: [{name: B, value: "2"}, {name: C, value: "3"}]}]}}}
""")
    app.kubectl("apply", "--server-side", "-f", "-",
                stdin=APP.replace('env: [{name: A, value: "1"}, {name: B, value: "2"}]', "tty: true")
                .replace(", labels: {app: app}}\nspec", "}\nspec"))
    now = deployment(app)
    container = now["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}]
    assert container["tty"] is True
    assert "labels" not in now["metadata"]


def test_client_side_apply_hands_over_to_server_side_apply(app):
    app.kubectl("apply", "-f", "-", stdin=APP)
    assert ("kubectl-client-side-apply", "Update", "") in owners(app)
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP.replace("c:1", "c:2").replace("replicas: 0\n", "paused: true\n"))
    assert ("kubectl-client-side-apply", "Update", "") not in owners(app)
    now = deployment(app)
    assert now["spec"]["template"]["spec"]["containers"][0]["image"] == "example.invalid/c:2"
    # replicas was client-side apply's, is not applied any more, and so gets its default.
    assert now["spec"]["replicas"] == 1
    app.kubectl("apply", "-f", "-", stdin=APP)
    assert '"image":"example.invalid/c:1"' in app.kubectl("apply", "view-last-applied", "deployment", "app", "-o", "json").replace(" ", "")


def test_diff_and_dry_run_leave_no_trace(app):
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP)
    before = deployment(app)["metadata"]["resourceVersion"]
    said = app.refused("diff", "--server-side", "-f", "-", stdin=APP.replace("c:1", "c:9"))
    assert "-        image: example.invalid/c:1" in said.replace("- image", "  image") and "c:9" in said
    app.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=APP.replace("c:1", "c:9"))
    after = deployment(app)
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "example.invalid/c:1"
    assert int(after["metadata"]["resourceVersion"]) >= int(before)


def test_a_configuration_that_cannot_be_merged_is_refused_with_its_path(app):
    app.kubectl("apply", "--server-side", "-f", "-", stdin=APP)
    said = app.refused("apply", "--server-side", "--validate=false", "-f", "-", stdin="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec: {replica: 3, template: {spec: {containers: [{image: x}]}}}
""")
    assert ".spec.replica: field not declared in schema" in said
    assert 'element that omits key field "name"' in said


def test_managed_fields_can_be_reset(app):
    app.kubectl("create", "-f", "-", stdin=APP)
    assert owners(app)
    app.kubectl("patch", "deployment", "app", "--type=merge", "-p", '{"metadata":{"managedFields":[{}]}}')
    remaining = owners(app)
    assert ("kubectl-create", "Update", "") not in remaining
    # Whoever applies next meets what was there as one manager's.
    said = app.refused("apply", "--server-side", "-f", "-", stdin=APP.replace("c:1", "c:2"))
    assert 'conflict with "before-first-apply" using apps/v1' in said
