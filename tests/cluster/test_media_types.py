"""The forms of answers that clients may ask for: JSON, YAML, protobuf, Tables, metadata alone, aggregated discovery."""

import gzip
import json
import re
import struct
import subprocess

import pytest

from support.cluster import run, wait_for
from support.simulated import Simulated

NEEDS_CONTAINERS = False
PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.fixture(scope="module")
def api(tmp_path_factory, newest_kubectl):
    made = Simulated(tmp_path_factory.mktemp("media"), newest_kubectl, 1).up()
    made.write_credentials()
    for i in range(3):
        made.kubectl("create", "configmap", f"map-{i}", f"--from-literal=key=value-{i}")
    yield made
    made.close()


MAPS = "/api/v1/namespaces/default/configmaps"


def ask(api, path, accept, *options):
    """Status, content type and body."""
    body = api.directory / "body"
    told = run(api.curl("-H", f"Accept: {accept}", "-o", str(body), "-w", "%{http_code} %{content_type}", *options, api.url + path)).stdout
    code, _, content_type = told.partition(" ")
    return int(code), content_type, body.read_bytes()


def fields(data):
    """The length-delimited fields of a protobuf message."""
    at, found = 0, []

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            varint()
            continue
        assert tag & 7 == 2, tag
        size = varint()
        found.append((tag >> 3, data[at:at + size]))
        at += size
    return found


def envelope(data):
    """apiVersion, kind and the message's bytes."""
    assert data[:4] == b"k8s\0"
    unknown = dict(fields(data[4:]))
    kind = dict(fields(unknown[1]))
    return kind[1].decode(), kind[2].decode(), unknown[2]


def name_of(message):
    return dict(fields(dict(fields(message))[1]))[1].decode()


def test_yaml_and_quality(api):
    code, content_type, body = ask(api, f"{MAPS}/map-0", "application/json;q=0.4, application/yaml;q=0.8")
    assert (code, content_type) == (200, "application/yaml") and b"\nkind: ConfigMap\n" in body


def test_what_is_not_served_is_406_and_415(api):
    code, content_type, body = ask(api, MAPS, "text/html")
    status = json.loads(body)
    assert code == 406 and status["reason"] == "NotAcceptable" and "application/vnd.kubernetes.protobuf" in status["message"]
    code, _, body = ask(api, MAPS, "application/json", "-H", "Content-Type: text/plain", "--data", "x")
    assert code == 415 and json.loads(body)["reason"] == "UnsupportedMediaType"


def test_protobuf_objects_go_out_and_in_again(api):
    code, content_type, body = ask(api, f"{MAPS}/map-1", f"{PROTOBUF},application/json")
    assert (code, content_type) == (200, PROTOBUF)
    api_version, kind, message = envelope(body)
    assert (api_version, kind, name_of(message)) == ("v1", "ConfigMap", "map-1")
    assert (2, b"\n\x03key\x12\x07value-1") in fields(message)
    copy = api.directory / "copy"
    copy.write_bytes(body.replace(b"value-1", b"VALUE-1"))
    code, _, _ = ask(api, f"{MAPS}/map-1", PROTOBUF, "-X", "PUT", "-H", f"Content-Type: {PROTOBUF}", "--data-binary", f"@{copy}")
    assert code == 200
    assert json.loads(api.kubectl("get", "configmap", "map-1", "-o", "json"))["data"] == {"key": "VALUE-1"}


def test_protobuf_lists(api):
    code, content_type, body = ask(api, MAPS, PROTOBUF)
    api_version, kind, message = envelope(body)
    assert (code, content_type, api_version, kind) == (200, PROTOBUF, "v1", "ConfigMapList")
    items = [item for number, item in fields(message) if number == 2]
    assert {"map-0", "map-1", "map-2"} <= {name_of(item) for item in items}
    pods = envelope(ask(api, "/api/v1/pods", PROTOBUF)[2])
    assert pods[1] == "PodList"
    code, content_type, body = ask(api, MAPS, f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")
    assert envelope(body)[:2] == ("meta.k8s.io/v1", "PartialObjectMetadataList")


def test_protobuf_watches(api):
    path = f"{MAPS}?watch=1&timeoutSeconds=600&fieldSelector=metadata.name=map-0"
    output = api.directory / "watch"
    watcher = subprocess.Popen(api.curl("-H", f"Accept: {PROTOBUF};stream=watch, {PROTOBUF}", "--no-buffer", "--max-time", "300",
                                        "-D", str(api.directory / "head"), "-o", str(output), api.url + path))
    try:
        wait_for(lambda: output.exists() and output.stat().st_size > 50, what="the first event")
        api.kubectl("patch", "configmap", "map-0", "-p", '{"data":{"key":"other"}}')
        wait_for(lambda: b"other" in output.read_bytes(), what="the second event")
    finally:
        watcher.kill()
        watcher.wait(10)
    assert "stream=watch" in (api.directory / "head").read_text()
    data, seen = output.read_bytes(), []
    while len(data) >= 4:
        size = struct.unpack("!I", data[:4])[0]
        event = dict(fields(data[4:4 + size]))
        seen.append((event[1].decode(), name_of(envelope(dict(fields(event[2]))[1])[2])))
        data = data[4 + size:]
    assert seen[:2] == [("ADDED", "map-0"), ("MODIFIED", "map-0")]


def test_aggregated_discovery(api):
    for version in ("v2", "v2beta1"):
        accept = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList,application/json"
        code, content_type, body = ask(api, "/apis", accept)
        assert (code, content_type) == (200, f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList")
        groups = {group["metadata"]["name"]: group["versions"] for group in json.loads(body)["items"]}
        plain = json.loads(ask(api, "/apis", "application/json")[2])
        assert set(groups) == {group["name"] for group in plain["groups"]}
        sets = next(each for each in groups["apps"][0]["resources"] if each["resource"] == "statefulsets")
        assert sets["responseKind"] == {"group": "apps", "version": "v1", "kind": "StatefulSet"}
        assert sets["scope"] == "Namespaced" and sets["shortNames"] == ["sts"] and "watch" in sets["verbs"]
        scale = next(each for each in sets["subresources"] if each["subresource"] == "scale")
        assert scale["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        core = json.loads(ask(api, "/api", accept)[2])
        assert [version["version"] for version in core["items"][0]["versions"]] == ["v1"]


def test_documents_that_have_not_changed_are_304(api):
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    for path in ("/apis", "/openapi/v2", "/openapi/v3/api/v1"):
        head = run(api.curl("-H", f"Accept: {accept},application/json", "-D", "-", "-o", "/dev/null", api.url + path)).stdout
        tag = next(line.split(":", 1)[1].strip() for line in head.splitlines() if line.lower().startswith("etag:"))
        code, _, _ = ask(api, path, f"{accept},application/json", "-H", f"If-None-Match: {tag}")
        assert code == 304, path


def test_large_answers_are_compressed_for_who_takes_that(api):
    large = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}, "data": {"text": "lorem ipsum " * 20_000}}
    api.kubectl("create", "-f", "-", stdin=json.dumps(large))
    plain = ask(api, MAPS, "application/json")[2]
    head = api.directory / "head"
    packed = ask(api, MAPS, "application/json", "-H", "Accept-Encoding: gzip", "-D", str(head))[2]
    assert re.search(r"^content-encoding: gzip\r?$", head.read_text(), re.M | re.I) and len(packed) < len(plain) / 4
    assert gzip.decompress(packed) == plain
    small = ask(api, f"{MAPS}/map-0", "application/json", "-H", "Accept-Encoding: gzip", "-D", str(head))[2]
    assert "content-encoding" not in head.read_text().lower() and small == ask(api, f"{MAPS}/map-0", "application/json")[2]
    api.kubectl("delete", "configmap", "large")
