"""Rules in CEL with kubectl: ValidatingAdmissionPolicies, conditions of webhooks, and rules of CustomResourceDefinitions."""

import json

import pytest

from support.cluster import wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  matchConditions: [{name: not-exempt, expression: "!has(object.metadata.labels) || !('exempt' in object.metadata.labels)"}]
  variables:
  - {name: most, expression: "params == null ? 3 : int(params.data.most)"}
  validations:
  - expression: object.spec.replicas <= variables.most
    messageExpression: "'at most ' + string(variables.most) + ' replicas, not ' + string(object.spec.replicas)"
    reason: Forbidden
  - {expression: "!object.metadata.name.startsWith('bad')", message: the name is bad}
  auditAnnotations: [{key: replicas, valueExpression: "'asked for ' + string(object.spec.replicas)"}]
"""
BINDING = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %s}
spec:
  policyName: replicas
  validationActions: [%s]
  matchResources: {namespaceSelector: {matchLabels: {policed: "%s"}}}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rings.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: rings, kind: Ring}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: self.low <= self.high, messageExpression: "'low is above high, in ' + self.unit", fieldPath: .low}
            - {rule: has(self.id) == has(oldSelf.id), message: id stays as it is}
            properties:
              low: {type: integer, default: 0}
              high: {type: integer, default: 9}
              unit: {type: string, maxLength: 5, default: m}
              id: {type: string, maxLength: 20, x-kubernetes-validations: [{rule: self == oldSelf, message: id is immutable}]}
              members:
                type: array
                maxItems: 10
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  x-kubernetes-validations: [{rule: "self.weight < 100 || self.name == 'heavy'"}]
                  properties: {name: {type: string, maxLength: 20}, weight: {type: integer, default: 1}}
          status:
            type: object
            x-kubernetes-validations: [{rule: self.ready >= 0}]
            properties: {ready: {type: integer}}
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, newest_kubectl):
    directory = tmp_path_factory.mktemp("policies")
    made = Simulated(directory, newest_kubectl, 1)
    made.audit_log = directory / "data" / "audit.log"
    made.options += ["--audit-log-path", str(made.audit_log)]
    made.up()
    yield made
    made.close()


def deployment(name, replicas, labels=None):
    return json.dumps({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels or {}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                 "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})


@pytest.fixture(scope="module")
def policed(simulated):
    for name in ("strict", "gentle"):
        simulated.kubectl("create", "namespace", name)
        simulated.kubectl("label", "namespace", name, f"policed={name}")
    simulated.kubectl("apply", "-f", "-", stdin=POLICY)
    simulated.kubectl("apply", "-f", "-", stdin=BINDING % ("deny", "Deny", "strict"))
    simulated.kubectl("apply", "-f", "-", stdin=BINDING % ("warn", "Warn, Audit", "gentle"))
    return simulated


def test_policies_are_shown(policed):
    table = policed.kubectl("get", "validatingadmissionpolicy").splitlines()
    assert table[0].split() == ["NAME", "VALIDATIONS", "PARAMKIND", "AGE"], table
    assert table[1].split()[:3] == ["replicas", "2", "v1/ConfigMap"], table
    table = policed.kubectl("get", "validatingadmissionpolicybinding").splitlines()
    assert table[0].split() == ["NAME", "POLICYNAME", "PARAMREF", "AGE"] and table[1].split()[:3] == ["deny", "replicas", "<unset>"]
    assert "messageExpression" in policed.kubectl("explain", "validatingadmissionpolicy.spec.validations")
    made = json.loads(policed.kubectl("get", "validatingadmissionpolicy", "replicas", "-o", "json"))
    assert made["spec"]["failurePolicy"] == "Fail" and made["spec"]["matchConstraints"]["matchPolicy"] == "Equivalent"
    assert made["spec"]["matchConstraints"]["resourceRules"][0]["scope"] == "*"
    assert made["status"] == {"observedGeneration": 1, "typeChecking": {}}


def test_a_policy_refuses(policed):
    said = policed.refused("create", "-n", "strict", "-f", "-", stdin=deployment("big", 5))
    assert 'Error from server (Forbidden)' in said and (
        "deployments.apps \"big\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'deny' denied request: "
        "at most 3 replicas, not 5") in said, said
    said = policed.refused("create", "-n", "strict", "-f", "-", stdin=deployment("bad", 1))
    assert "denied request: the name is bad" in said, said
    policed.kubectl("create", "-n", "strict", "-f", "-", stdin=deployment("fine", 3))
    assert "at most 3" in policed.refused("patch", "-n", "strict", "deployment", "fine", "--type=merge", "-p", '{"spec":{"replicas":4}}')
    policed.kubectl("create", "-n", "strict", "-f", "-", stdin=deployment("exempt", 9, {"exempt": "yes"}))
    policed.kubectl("create", "-n", "default", "-f", "-", stdin=deployment("elsewhere", 9))


def test_a_binding_with_parameters(policed):
    policed.kubectl("create", "-n", "strict", "configmap", "limits", "--from-literal=most=1")
    policed.kubectl("patch", "validatingadmissionpolicybinding", "deny", "--type=merge", "-p",
                    '{"spec":{"paramRef":{"name":"limits","parameterNotFoundAction":"Deny"}}}')
    try:
        said = policed.refused("create", "-n", "strict", "-f", "-", stdin=deployment("two", 2))
        assert "at most 1 replicas, not 2" in said, said
        policed.kubectl("delete", "-n", "strict", "configmap", "limits")
        said = policed.refused("create", "-n", "strict", "-f", "-", stdin=deployment("one", 1))
        assert "failed to configure binding: no params found" in said, said
    finally:
        policed.kubectl("patch", "validatingadmissionpolicybinding", "deny", "--type=json", "-p",
                        '[{"op":"remove","path":"/spec/paramRef"}]')


def test_a_binding_may_only_warn(policed):
    done = policed.kubectl_result("create", "-n", "gentle", "-f", "-", stdin=deployment("big", 5))
    assert done.returncode == 0, done.stderr
    assert ("Warning: Validation failed for ValidatingAdmissionPolicy 'replicas' with binding 'warn': at most 3 replicas, "
            "not 5") in done.stderr, done.stderr

    def recorded():
        # The last line may be half written.
        lines = policed.audit_log.read_text().split("\n")[:-1]
        return [event for event in map(json.loads, lines)
                if event["verb"] == "create" and event.get("objectRef", {}).get("resource") == "deployments"
                and event["objectRef"].get("namespace") == "gentle" and event["stage"] == "ResponseComplete"]
    told = wait_for(recorded, what="the request is in the audit log")[-1]["annotations"]
    assert told["replicas/replicas"] == "asked for 5"
    failure = json.loads(told["validation.policy.admission.k8s.io/validation_failure"])[0]
    assert failure["binding"] == "warn" and failure["expressionIndex"] == 0 and failure["validationActions"] == ["Warn", "Audit"]


@pytest.mark.parametrize("change, said", [
    (("<= variables.most", "<= variables.least"), "spec.validations[0].expression: Invalid value"),
    (("int(params.data.most)", "int(params.data.most"), "compilation failed: ERROR: <input>:1:"),
    (("reason: Forbidden", "reason: Because"), 'spec.validations[0].reason: Unsupported value: "Because"'),
])
def test_a_policy_that_makes_no_sense_is_refused(policed, change, said):
    answer = policed.refused("create", "--validate=false", "-f", "-", stdin=POLICY.replace(*change))
    assert 'The ValidatingAdmissionPolicy "replicas" is invalid' in answer and said in answer, answer


def test_conditions_of_webhooks(simulated):
    def webhook(expression):
        return json.dumps({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "some"},
            "webhooks": [{"name": "some.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                          "clientConfig": {"url": "https://127.0.0.1:1/"},
                          "matchConditions": [{"name": "chosen", "expression": expression}],
                          "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]}]})
    said = simulated.refused("create", "-f", "-", stdin=webhook("object."))
    assert "webhooks[0].matchConditions[0].expression: Invalid value" in said and "compilation failed" in said, said
    simulated.kubectl("create", "-f", "-", stdin=webhook("object.metadata.name == 'chosen'"))
    try:
        simulated.kubectl("create", "configmap", "free")
        assert 'failed calling webhook "some.example.com"' in simulated.refused("create", "configmap", "chosen")
        simulated.kubectl("replace", "-f", "-", stdin=webhook("object.gone == 1"))
        said = simulated.refused("create", "configmap", "broken")
        assert 'configmaps "broken" is forbidden' in said and "no such key: gone" in said, said
    finally:
        simulated.kubectl("delete", "validatingwebhookconfiguration", "some")


def ring(**spec):
    return json.dumps({"apiVersion": "example.com/v1", "kind": "Ring", "metadata": {"name": "one"}, "spec": spec})


def test_rules_of_a_definition(simulated):
    done = simulated.kubectl("apply", "-f", "-", stdin=DEFINITION, check=False)
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    simulated.kubectl("wait", "--for=condition=Established", "crd/rings.example.com", "--timeout=30s")
    said = simulated.refused("create", "-f", "-", stdin=ring(low=10))
    assert 'The Ring "one" is invalid: spec.low: Invalid value: "object": low is above high, in m' in said, said
    said = simulated.refused("create", "-f", "-", stdin=ring(members=[{"name": "a"}, {"name": "b", "weight": 100}]))
    assert "spec.members[1]: Invalid value: \"object\": failed rule: self.weight < 100 || self.name == 'heavy'" in said, said
    simulated.kubectl("apply", "-f", "-", stdin=ring(id="x", members=[{"name": "heavy", "weight": 100}]))
    said = simulated.refused("apply", "-f", "-", stdin=ring(id="y"))
    assert 'spec.id: Invalid value: "string": id is immutable' in said, said
    said = simulated.refused("patch", "ring", "one", "--type=json", "-p", '[{"op":"remove","path":"/spec/id"}]')
    assert 'spec: Invalid value: "object": id stays as it is' in said, said
    said = simulated.refused("patch", "ring", "one", "--subresource=status", "--type=merge", "-p", '{"status":{"ready":-1}}')
    assert 'status: Invalid value: "object": failed rule: self.ready >= 0' in said, said


def test_a_stricter_rule_lets_other_changes_pass(simulated):
    stricter = DEFINITION.replace("self.weight < 100 || self.name == 'heavy'", "self.weight < 50")
    simulated.kubectl("apply", "-f", "-", stdin=stricter)
    done = simulated.kubectl_result("patch", "ring", "one", "--type=merge", "-p", '{"spec":{"high":8}}')
    assert done.returncode == 0, done.stderr
    said = simulated.refused("patch", "ring", "one", "--type=merge", "-p", '{"spec":{"members":[{"name":"heavy","weight":99}]}}')
    assert "spec.members[0]" in said and "failed rule: self.weight < 50" in said, said


@pytest.mark.parametrize("change, said", [
    (("self.low <= self.high", "self.gone == 1"), "undefined field 'gone'"),
    (("self.low <= self.high", "self.low"), "must evaluate to a bool"),
    (("list-type: map", "list-type: atomic"), "oldSelf cannot be used on the uncorrelatable portion"),
])
def test_a_rule_that_makes_no_sense_is_refused(simulated, change, said):
    definition = DEFINITION.replace("self.weight < 100 ||", "self.weight == oldSelf.weight ||").replace(*change)
    definition = definition.replace("rings", "rungs").replace("Ring", "Rung")
    if "atomic" in change[1]:
        definition = definition.replace("                x-kubernetes-list-map-keys: [name]\n", "")
    answer = simulated.refused("create", "--validate=false", "-f", "-", stdin=definition)
    assert "x-kubernetes-validations[0].rule: Invalid value" in answer and said in answer, answer
