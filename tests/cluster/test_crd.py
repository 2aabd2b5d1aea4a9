"""CustomResourceDefinitions with kubectl: made, discovered, explained, validated, printed, scaled, applied and deleted."""

import json

import pytest

from support.cluster import run, wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, kind: CronTab, shortNames: [ct], categories: [all, tables]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
    selectableFields: [{jsonPath: .spec.mode}]
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec, description: When it runs.}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        description: A table of what runs when.
        required: [spec]
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$', description: The times.}
              image: {type: string, default: 'busybox', maxLength: 20}
              replicas: {type: integer, minimum: 1, maximum: 10, default: 1}
              mode: {type: string, enum: [Fast, Slow], default: Slow}
              port: {x-kubernetes-int-or-string: true}
              until: {type: string, format: date-time, nullable: true}
              extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, additionalProperties: {type: string}}
              inside:
                type: object
                x-kubernetes-embedded-resource: true
                properties: {spec: {type: object, properties: {a: {type: string}}}}
              retry: {type: object, default: {}, required: [times], properties: {times: {type: integer, default: 3}}}
              steps:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, seconds: {type: number, default: 1.5}}
          status:
            type: object
            properties:
              replicas: {type: integer}
              selector: {type: string}
              conditions:
                type: array
                items: {type: object, properties: {type: {type: string}, status: {type: string}}}
  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
TABLE = """
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: one}
spec:
  cronSpec: "* * * * */5"
  steps: [{name: a}, {name: b, seconds: 2}]
  extra: {anything: {goes: [1, two]}}
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("crd"), newest_kubectl, 1).up()
    yield made
    made.close()


@pytest.fixture
def crontabs(simulated):
    simulated.kubectl("apply", "-f", "-", stdin=DEFINITION)
    simulated.kubectl("wait", "--for=condition=Established", "crd/crontabs.stable.example.com", "--timeout=30s")
    yield simulated
    simulated.kubectl("delete", "crd", "crontabs.stable.example.com", "--ignore-not-found", "--timeout=60s")


def get(simulated, *arguments):
    return json.loads(simulated.kubectl("get", *arguments, "-o", "json"))


def test_a_definition_is_discovered_and_explained(crontabs):
    resources = crontabs.kubectl("api-resources", "--api-group=stable.example.com")
    assert "crontabs" in resources and "ct" in resources and "CronTab" in resources
    assert "The times." in crontabs.kubectl("explain", "crontab.spec.cronSpec")
    everything = crontabs.kubectl("explain", "crontab", "--recursive", "--api-version=stable.example.com/v1")
    assert "steps" in everything and "seconds" in everything and "metadata" in everything
    definition = get(crontabs, "crd", "crontabs.stable.example.com")
    assert definition["spec"]["names"]["singular"] == "crontab" and definition["spec"]["names"]["listKind"] == "CronTabList"
    assert definition["status"]["storedVersions"] == ["v1"]
    assert {(c["type"], c["status"]) for c in definition["status"]["conditions"]} >= {
        ("NamesAccepted", "True"), ("Established", "True")}


def test_instances_get_defaults_and_columns(crontabs):
    crontabs.kubectl("apply", "-f", "-", stdin=TABLE)
    made = get(crontabs, "ct", "one")
    assert made["spec"]["retry"] == {"times": 3} and made["spec"]["image"] == "busybox" and made["spec"]["replicas"] == 1 and made["spec"]["mode"] == "Slow"
    assert made["spec"]["steps"] == [{"name": "a", "seconds": 1.5}, {"name": "b", "seconds": 2}]
    assert made["spec"]["extra"] == {"anything": {"goes": [1, "two"]}}
    assert made["metadata"]["generation"] == 1
    lines = crontabs.kubectl("get", "crontabs").splitlines()
    assert lines[0].split() == ["NAME", "SPEC", "REPLICAS", "READY", "AGE"], lines
    assert lines[1].startswith("one") and "* * * * */5" in lines[1] and " 1 " in lines[1]
    assert "crontab.stable.example.com/one" in crontabs.kubectl("get", "tables", "-o", "name")
    assert crontabs.kubectl("get", "ct", "--field-selector", "spec.mode=Slow", "-o", "name").strip().endswith("/one")
    assert crontabs.kubectl("get", "ct", "--field-selector", "spec.mode=Fast", "-o", "name").strip() == ""


@pytest.mark.parametrize("change, said", [
    ('cronSpec: "* * * * */5"', None),
    ('cronSpec: "daily"', "spec.cronSpec: Invalid value: \"daily\": spec.cronSpec in body should match"),
    ('cronSpec: 5', "spec.cronSpec: Invalid value: 5: spec.cronSpec in body must be of type string: 5"),
    ('replicas: 0', "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1"),
    ('replicas: 11', "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10"),
    ('replicas: 1.5', "spec.replicas: Invalid value: 1.5: spec.replicas in body must be of type integer"),
    ('mode: Medium', 'spec.mode: Unsupported value: "Medium": supported values: "Fast", "Slow"'),
    ('image: a-name-of-more-than-twenty', "spec.image: Too long: may not be more than 20 bytes"),
    ('until: tomorrow', 'spec.until in body must be of type date-time: "tomorrow"'),
    ('steps: [{seconds: 1}]', "spec.steps[0].name: Required value"),
    ('steps: [{name: a}, {name: a}]', "spec.steps[1]: Duplicate value"),
    ('labels: {a: 1}', "spec.labels"),
    ('inside: {apiVersion: v1}', "spec.inside.kind: Required value: must not be empty"),
    ('inside: {apiVersion: v1, kind: Pod, metadata: {labels: {a: b c}}}', 'spec.inside.metadata.labels: Invalid value: "b c"'),
])
def test_what_breaks_the_schema_is_refused_with_its_path(crontabs, change, said):
    key = change.split(":")[0]
    spec = change if key == "cronSpec" else 'cronSpec: "* * * * */5", ' + change
    body = f"apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {{name: bad}}\nspec: {{{spec}}}\n"
    if said is None:
        crontabs.kubectl("create", "--validate=false", "-f", "-", stdin=body)
        return
    answer = crontabs.refused("create", "--validate=false", "-f", "-", stdin=body)
    assert 'The CronTab "bad" is invalid' in answer and said in answer, answer


def test_unknown_fields_are_pruned_warned_of_or_refused(crontabs):
    body = TABLE.replace("cronSpec:", "unheard: of\n  cronSpec:")
    assert 'unknown field "spec.unheard"' in crontabs.refused("create", "--validate=strict", "-f", "-", stdin=body)
    crontabs.kubectl("create", "--validate=false", "-f", "-", stdin=body)
    assert "unheard" not in get(crontabs, "ct", "one")["spec"]
    crontabs.kubectl("delete", "ct", "one")
    body = TABLE.replace("cronSpec:", "inside: {apiVersion: v1, kind: Pod, metadata: {name: x, odd: y}, spec: {a: b, c: d}}\n  cronSpec:")
    said = crontabs.refused("create", "--validate=strict", "-f", "-", stdin=body)
    assert 'unknown field "spec.inside.metadata.odd"' in said and 'unknown field "spec.inside.spec.c"' in said, said
    crontabs.kubectl("create", "--validate=false", "-f", "-", stdin=body)
    assert get(crontabs, "ct", "one")["spec"]["inside"] == {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"a": "b"}}


def test_status_scale_and_generation(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    crontabs.kubectl("patch", "ct", "one", "--subresource=status", "--type=merge", "-p",
                     '{"status":{"replicas":1,"selector":"app=x","conditions":[{"type":"Ready","status":"True"}]},"spec":{"replicas":9}}')
    made = get(crontabs, "ct", "one")
    assert made["status"]["replicas"] == 1 and made["spec"]["replicas"] == 1 and made["metadata"]["generation"] == 1
    crontabs.kubectl("scale", "ct", "one", "--replicas=3")
    made = get(crontabs, "ct", "one")
    assert made["spec"]["replicas"] == 3 and made["metadata"]["generation"] == 2
    scale = json.loads(crontabs.kubectl("get", "--raw",
                                        "/apis/stable.example.com/v1/namespaces/default/crontabs/one/scale"))
    assert scale["spec"]["replicas"] == 3 and scale["status"] == {"replicas": 1, "selector": "app=x"}
    assert "True" in crontabs.kubectl("get", "ct", "one")
    crontabs.kubectl("patch", "ct", "one", "--type=merge", "-p", '{"status":{"replicas":7}}')
    assert get(crontabs, "ct", "one")["status"]["replicas"] == 1


def test_other_versions_are_the_same_object(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    old = get(crontabs, "crontabs.v1beta1.stable.example.com", "one")
    assert old["apiVersion"] == "stable.example.com/v1beta1" and old["spec"]["image"] == "busybox"
    crontabs.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin="""
apiVersion: stable.example.com/v1beta1
kind: CronTab
metadata: {name: one}
spec: {mode: Fast}
""")
    assert get(crontabs, "crontabs.v1.stable.example.com", "one")["spec"]["mode"] == "Fast"


def test_server_side_apply_merges_by_the_declared_keys(crontabs):
    crontabs.kubectl("apply", "--server-side", "-f", "-", stdin=TABLE)
    crontabs.kubectl("apply", "--server-side", "--field-manager=second", "-f", "-", stdin="""
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: one}
spec: {steps: [{name: c, seconds: 3}], extra: {more: 1}}
""")
    made = get(crontabs, "ct", "one")
    assert [step["name"] for step in made["spec"]["steps"]] == ["a", "b", "c"]
    assert made["spec"]["extra"] == {"anything": {"goes": [1, "two"]}, "more": 1}
    said = crontabs.refused("apply", "--server-side", "--field-manager=second", "-f", "-",
                            stdin=TABLE.replace("* * * * */5", "1 1 1 1 1"))
    assert 'conflict with "kubectl": .spec.cronSpec' in said
    crontabs.kubectl("apply", "--server-side", "-f", "-", stdin=TABLE.replace("{name: a}, ", ""))
    assert [step["name"] for step in get(crontabs, "ct", "one")["spec"]["steps"]] == ["b", "c"]


def test_kubectl_applies_again_and_sees_the_difference(crontabs):
    whole = TABLE.replace("{name: a}", "{name: a, seconds: 1}")
    crontabs.kubectl("apply", "-f", "-", stdin=whole)
    changed = whole.replace("seconds: 2", "seconds: 3")
    assert "+    seconds: 3" in crontabs.kubectl_result("diff", "-f", "-", stdin=changed).stdout
    assert "configured" in crontabs.kubectl("apply", "-f", "-", stdin=changed)
    assert get(crontabs, "ct", "one")["spec"]["steps"][1] == {"name": "b", "seconds": 3}
    assert "unchanged" in crontabs.kubectl("apply", "-f", "-", stdin=changed)


def test_answers_are_json_whatever_is_preferred(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    crontabs.write_credentials()
    path = crontabs.url + "/apis/stable.example.com/v1/namespaces/default/crontabs"
    protobuf = "Accept: application/vnd.kubernetes.protobuf"
    both = run(crontabs.curl("-H", protobuf + ",application/json", path)).stdout
    assert json.loads(both)["items"][0]["metadata"]["name"] == "one"
    assert json.loads(run(crontabs.curl("-H", protobuf, path)).stdout)["code"] == 406


def test_patches_and_watches(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    said = crontabs.refused("patch", "ct", "one", "--type=strategic", "-p", '{"spec":{"mode":"Fast"}}')
    assert "application/merge-patch+json" in said, said
    assert "metadata.resourceVersion: Invalid value: 0: must be specified for an update" in crontabs.refused(
        "replace", "--raw", "/apis/stable.example.com/v1/namespaces/default/crontabs/one", "-f", "-",
        stdin=json.dumps({"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "one"},
                          "spec": {"cronSpec": "1 1 1 1 1"}}))
    crontabs.kubectl("patch", "ct", "one", "--type=json", "-p", '[{"op":"replace","path":"/spec/mode","value":"Fast"}]')
    watched = crontabs.kubectl("get", "--raw", "/apis/stable.example.com/v1/crontabs?watch=1&timeoutSeconds=1")
    assert [json.loads(line)["object"]["spec"]["mode"] for line in watched.splitlines()] == ["Fast"]


def test_instances_own_and_go_with_their_namespace(crontabs):
    crontabs.kubectl("create", "namespace", "tabs")
    crontabs.kubectl("create", "-n", "tabs", "-f", "-", stdin=TABLE.replace("{name: one}", "{name: one, finalizers: [plain]}"))
    uid = get(crontabs, "-n", "tabs", "ct", "one")["metadata"]["uid"]
    crontabs.kubectl("create", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned", "namespace": "tabs", "ownerReferences": [
            {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "name": "one", "uid": uid}]}}))
    crontabs.kubectl("patch", "-n", "tabs", "ct", "one", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    crontabs.kubectl("delete", "-n", "tabs", "ct", "one")
    crontabs.kubectl("wait", "-n", "tabs", "--for=delete", "configmap/owned", "--timeout=60s")
    crontabs.kubectl("create", "-n", "tabs", "-f", "-", stdin=TABLE)
    crontabs.kubectl("delete", "namespace", "tabs", "--timeout=60s")
    assert get(crontabs, "ct", "-A")["items"] == []


def test_what_is_published_is_what_clients_can_take(crontabs):
    def published(version):
        document = json.loads(crontabs.kubectl("get", "--raw", "/openapi/v2"))
        return document["definitions"].get(f"com.example.stable.{version}.CronTab")
    # Clients of OpenAPI v2 would refuse what a schema does not declare: one that leaves its root open declares nothing.
    assert published("v1beta1") == {"type": "object", "x-kubernetes-group-version-kind": [
        {"group": "stable.example.com", "version": "v1beta1", "kind": "CronTab"}]}
    spec = published("v1")["properties"]["spec"]
    assert spec["properties"]["extra"] == {"x-kubernetes-preserve-unknown-fields": True} and spec["type"] == "object"
    assert spec["properties"]["image"]["default"] == "busybox"
    explained = crontabs.kubectl("explain", "crontabs", "--api-version=stable.example.com/v1")
    assert "APIVersion defines" in explained
    explained = crontabs.kubectl("explain", "crontabs.metadata", "--api-version=stable.example.com/v1")
    assert "Standard object's metadata" in explained and "CreationTimestamp is a timestamp" in explained
    # A version that is no longer served is not published.
    crontabs.kubectl("patch", "crd", "crontabs.stable.example.com", "--type=json", "-p",
                     '[{"op":"replace","path":"/spec/versions/1/served","value":false}]')
    wait_for(lambda: published("v1beta1") is None)
    assert "stable.example.com/v1beta1" not in crontabs.kubectl("get", "--raw", "/openapi/v3")


def test_strict_errors_come_in_the_order_of_the_document(simulated):
    said = simulated.refused("create", "--raw", "/apis/apps/v1/namespaces/default/deployments?fieldValidation=Strict", "-f", "-",
                             stdin='{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},'
                                   '"spec":{"unheard":1,"replicas":2,"replicas":3}}')
    assert 'strict decoding error: unknown field "spec.unheard", duplicate field "spec.replicas"' in said, said


def test_defaults_that_come_later_are_there_for_what_was_stored_before(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    assert "later" not in get(crontabs, "ct", "one")["spec"]
    crontabs.kubectl("patch", "crd", "crontabs.stable.example.com", "--type=json", "-p", json.dumps([
        {"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later",
         "value": {"type": "string", "default": "now"}}]))
    wait_for(lambda: get(crontabs, "ct", "one")["spec"].get("later") == "now")
    assert get(crontabs, "ct")["items"][0]["spec"]["later"] == "now"
    crontabs.kubectl("annotate", "ct", "one", "seen=yes")
    assert get(crontabs, "ct", "one")["spec"]["later"] == "now"


def test_a_quota_counts_instances(crontabs):
    crontabs.kubectl("create", "quota", "tabs", "--hard=count/crontabs.stable.example.com=1")

    def used():
        return get(crontabs, "quota", "tabs")["status"].get("used", {}).get("count/crontabs.stable.example.com")
    wait_for(lambda: used() == "0")
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    wait_for(lambda: used() == "1")
    said = crontabs.refused("create", "-f", "-", stdin=TABLE.replace("{name: one}", "{name: two}"))
    assert ('crontabs.stable.example.com "two" is forbidden: exceeded quota: tabs, requested: count/crontabs.stable.example.com=1, '
            'used: count/crontabs.stable.example.com=1, limited: count/crontabs.stable.example.com=1') in said, said
    crontabs.kubectl("delete", "ct", "one")
    wait_for(lambda: used() == "0")
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    wait_for(lambda: used() == "1")
    # What was defined goes, and with it what is counted.
    crontabs.kubectl("delete", "crd", "crontabs.stable.example.com", "--timeout=60s")
    wait_for(lambda: used() == "0")
    crontabs.kubectl("delete", "quota", "tabs")


def test_conditions_of_others_do_not_end_a_definition(crontabs):
    crontabs.kubectl("patch", "crd", "crontabs.stable.example.com", "--subresource=status", "--type=merge", "-p",
                     '{"status":{"conditions":[{"type":"StatusUpdate","status":"True","reason":"E2E","message":"seen"}]}}')
    conditions = {c["type"]: c["status"] for c in get(crontabs, "crd", "crontabs.stable.example.com")["status"]["conditions"]}
    assert conditions == {"StatusUpdate": "True", "NamesAccepted": "True", "Established": "True"}
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)


def test_a_definition_goes_with_its_instances(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    crontabs.kubectl("delete", "crd", "crontabs.stable.example.com", "--timeout=60s")
    assert "could not find the requested resource" in crontabs.refused("get", "--raw", "/apis/stable.example.com/v1/crontabs")
    assert "crontabs" not in crontabs.kubectl("api-resources")
    crontabs.kubectl("apply", "-f", "-", stdin=DEFINITION)
    assert get(crontabs, "crontabs")["items"] == []


def test_what_was_defined_is_there_after_a_restart(crontabs):
    crontabs.kubectl("create", "-f", "-", stdin=TABLE)
    assert crontabs.stop() == 0
    crontabs.up()
    assert get(crontabs, "ct", "one")["spec"]["cronSpec"] == "* * * * */5"


@pytest.mark.parametrize("change, said", [
    (("name: crontabs.stable", "name: other.stable"), 'must be spec.names.plural+"."+spec.group'),
    (("scope: Namespaced", "scope: Everywhere"), 'spec.scope: Unsupported value: "Everywhere"'),
    (("    storage: true", "    storage: false"), "must have exactly one version marked as storage version"),
    (("cronSpec: {type: string, ", "cronSpec: {"), "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[cronSpec].type: Required value"),
    (("mode: {type: string, enum: [Fast, Slow], default: Slow}", "mode: {type: string, enum: [Fast, Slow], default: Odd}"), "default: Invalid value"),
    (("pattern: '", "pattern: '("), "pattern: Invalid value"),
])
def test_a_definition_that_makes_no_sense_is_refused(simulated, change, said):
    answer = simulated.refused("create", "--validate=false", "-f", "-", stdin=DEFINITION.replace(*change))
    assert "CustomResourceDefinition" in answer and said in answer, answer


def test_a_conversion_webhook_must_be_somewhere(simulated):
    definition = DEFINITION + "  conversion:\n    strategy: Webhook\n    webhook:\n      conversionReviewVersions: [v1]\n"
    assert "conversion.webhook.clientConfig: Required value" in simulated.refused("create", "-f", "-", stdin=definition)
