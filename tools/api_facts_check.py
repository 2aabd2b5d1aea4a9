#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares api/ with published field tables: api_facts_check.py DIR [--api api].

DIR holds one JSON file per group and version (core_v1.json, apps_v1beta1.json, …), with the fields of each message as the
published type declarations have them. Prints each difference that api/differences.txt does not explain, and each explanation that
explains nothing; exit status 1 if there is any. A line of differences.txt is `package[.Message[.field]]  reason`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "apigen"))

import apigen  # noqa: E402
from model import Field, Message, Type  # noqa: E402

GO_TYPES = {
    "string": "string", "bool": "bool", "int32": "int32", "int64": "int64", "int": "int64", "float64": "double",
    "[]byte": "bytes", "any": "Raw", "runtime.RawExtension": "Raw", "metav1.FieldsV1": "Raw", "FieldsV1": "Raw",
    "JSON": "Raw", "JSONSchemaProps": "Raw", "types.UID": "string", "resource.Quantity": "Quantity", "intstr.IntOrString": "IntOrString",
    "metav1.Time": "Time", "metav1.MicroTime": "MicroTime", "metav1.Duration": "Duration", "Time": "Time", "MicroTime": "MicroTime",
    "Duration": "Duration",
}
IMPORTS = {"v1": "core.v1", "corev1": "core.v1", "core_v1": "core.v1", "apiv1": "core.v1", "api": "core.v1", "metav1": "meta.v1",
           "batchv1": "batch.v1", "authenticationv1": "authentication.v1", "snapshotv1": "volumesnapshot.v1"}


class Facts:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.tables: dict[str, dict | None] = {}

    def table(self, package: str) -> dict | None:
        if package not in self.tables:
            path = self.root / (package.replace(".", "_") + ".json")
            self.tables[package] = json.loads(path.read_text()) if path.exists() else None
        return self.tables[package]

    def type_text(self, package: str, go: str) -> str:
        """A published type in the words of our language."""
        go = go.lstrip("*")
        if go in GO_TYPES:
            return GO_TYPES[go]
        if go.startswith("[]"):
            return f"[{self.type_text(package, go[2:])}]"
        if match := re.fullmatch(r"map\[[\w.]+\](.*)", go):
            return "{" + self.type_text(package, match[1]) + "}"
        home, name = package, go
        if "." in go:
            alias, name = go.rsplit(".", 1)
            home = IMPORTS.get(alias, alias)
        alias_of = ((self.table(home) or {}).get("aliases") or {}).get(name)
        return self.type_text(home, alias_of) if alias_of else f"{home}.{name}"


def our_type_text(type_: Type) -> str:
    if type_.kind == "list":
        return f"[{our_type_text(type_.element)}]"
    if type_.kind == "map":
        return "{" + our_type_text(type_.element) + "}"
    if type_.message:
        return type_.message.full_name
    return "string" if type_.kind == "enum" else type_.kind


def published_fields(facts: Facts, package: str, struct: dict) -> dict[str, tuple[dict, int]]:
    """Name to (field, numbers of the embedded messages it came in, 8 bits each)."""
    table = facts.table(package)
    found = {}
    for field in struct["fields"] or []:
        if not field.get("inline"):
            found[field["name"]] = (field, 0)
        elif field["type"] in table["structs"]:
            for name, (inner, within) in published_fields(facts, package, table["structs"][field["type"]]).items():
                found[name] = (inner, (field.get("proto") or 0) | within << 8)
    return found


def field_differences(facts: Facts, package: str, ours: Field, theirs: dict, embedded: int) -> list[str]:
    strategy = set(theirs.get("patchStrategy", "").split(",")) - {""}
    ours_strategy = {name for name, on in (("merge", ours.merge), ("retainKeys", ours.retain_keys), ("replace", ours.replace)) if on}
    wanted = facts.type_text(package, theirs["type"])
    pairs = [
        ("number", ours.number, theirs.get("proto") or 0),
        ("embedded in", ours.embedded, embedded),
        ("type", our_type_text(ours.type), wanted),
        ("pointer", ours.pointer or (ours.required and theirs["type"].startswith("*")), theirs["type"].startswith("*")),
        ("list type", ours.list_type, theirs.get("listType", "").replace("atomic", "")),
        ("list map keys", list(ours.keys), theirs.get("listMapKeys", [])),
        ("patch strategy", sorted(ours_strategy), sorted(strategy)),
        ("merge key", ours.merge_key, theirs.get("patchMergeKey", "")),
        ("atomic", ours.atomic, theirs.get("mapType") == "atomic" or theirs.get("structType") == "atomic"),
        ("optional", not (ours.required or (ours.always and not ours.optional)),
         bool(theirs.get("optional") or theirs.get("omitempty"))),
    ]
    return [f"{what} is {mine!r}, published {other!r}" for what, mine, other in pairs if mine != other]


def message_differences(facts: Facts, message: Message) -> list[tuple[str, str]]:
    table = facts.table(message.package)
    if table is None:
        return [(message.package, "no table")]
    struct = table["structs"].get(message.name)
    if struct is None:
        return [(message.full_name, "is not published")]
    out = []
    theirs = published_fields(facts, message.package, struct)
    ours = {field.name: field for field in message.fields}
    for name, (field, embedded) in theirs.items():
        where = f"{message.full_name}.{name}"
        if name not in ours:
            out.append((where, "is not declared"))
            continue
        out += [(where, text) for text in field_differences(facts, message.package, ours[name], field, embedded)]
    for name in ours:
        if name not in theirs and not (message.typed and name in ("apiVersion", "kind")):
            out.append((f"{message.full_name}.{name}", "is not published"))
    if message.atomic != (struct.get("structType") == "atomic"):
        out.append((message.full_name, "atomic differs"))
    if message.kind and message.kind.namespaced == bool(struct.get("clusterScoped")):
        out.append((message.full_name, "scope differs"))
    return out


def undeclared(facts: Facts, declared: set[str]) -> list[tuple[str, str]]:
    """Published packages and kinds that api/ does not have at all."""
    packages = {name.rsplit(".", 1)[0] for name in declared}
    out = []
    for path in sorted(facts.root.glob("*.json")):
        package = path.stem.replace("_", ".")
        if package not in packages:
            out.append((package, "is not declared"))
            continue
        for name, struct in facts.table(package)["structs"].items():
            full_name = f"{package}.{name}"
            if struct.get("kind") and not name.endswith("List") and full_name not in declared:
                out.append((full_name, "is not declared"))
    return out


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("tables", type=pathlib.Path)
    arguments.add_argument("--api", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "api")
    options = arguments.parse_args()
    explained = {}
    for line in (options.api / "differences.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            where, _, reason = line.partition(" ")
            explained[where] = reason.strip()
    facts = Facts(options.tables)
    used, bad = set(), 0
    messages = list(apigen.load(options.api).messages())
    differences = undeclared(facts, {message.full_name for message in messages})
    for message in messages:
        differences += message_differences(facts, message)
    for where, text in differences:
        if where in explained:
            used.add(where)
        else:
            print(f"{where}: {text}")
            bad += 1
    for where in explained.keys() - used:
        print(f"{where}: differences.txt explains what is no difference")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
