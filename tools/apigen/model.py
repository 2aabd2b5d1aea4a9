# SPDX-License-Identifier: Apache-2.0
"""What the declarations say, after parsing and linking: packages of messages, enums and kinds."""

from __future__ import annotations

from dataclasses import dataclass, field

SCALARS = {
    "string": "kString", "bool": "kBool", "int32": "kInt32", "int64": "kInt64", "double": "kDouble",
    "bytes": "kBytes", "Time": "kTime", "MicroTime": "kMicroTime", "Duration": "kDuration",
    "Quantity": "kQuantity", "IntOrString": "kIntOrString", "Raw": "kRaw",
}


class ApiError(Exception):
    """A mistake in a declaration; the text begins with file and line."""


@dataclass
class Type:
    kind: str  # a scalar's name, "list", "map", "enum" or "message"
    element: "Type | None" = None
    name: str = ""  # as written, for an enum or a message
    message: "Message | None" = None
    enum: "list[str] | None" = None


@dataclass
class Field:
    name: str
    number: int
    type: Type
    where: str
    doc: str = ""
    embedded: int = 0  # numbers of the embedded messages that hold it on the protobuf wire, 8 bits each, outermost low
    spread: bool = False
    pointer: bool = False
    required: bool = False
    always: bool = False
    optional: bool = False
    immutable: bool = False
    atomic: bool = False
    list_type: str = ""
    keys: tuple[str, ...] = ()
    merge: bool = False
    retain_keys: bool = False
    replace: bool = False
    merge_key: str = ""
    default: object = None
    has_default: bool = False
    minimum: int | None = None
    maximum: int | None = None
    format: str = ""
    package: str = ""  # where unqualified names in `type` are looked up when the message's own package lacks them


@dataclass
class Kind:
    resource: str
    short_names: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    namespaced: bool = True
    subresources: list[str] = field(default_factory=list)
    generation: bool = False
    name_format: str = "dns1123Subdomain"
    served: bool = True
    deprecation: str = ""
    hub: str = ""  # the package in whose form objects are stored, where it is not the package's own hub


@dataclass
class Message:
    package: str
    name: str
    where: str
    doc: str = ""
    atomic: bool = False
    typed: bool = False  # apiVersion and kind are members of it
    like: str = ""
    without: list[str] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    kind: Kind | None = None
    index: int = -1

    @property
    def full_name(self) -> str:
        return f"{self.package}.{self.name}"


@dataclass
class Package:
    name: str  # "apps.v1"
    group: str = ""
    version: str = ""
    prefix: str = ""  # of OpenAPI definitions: "io.k8s.api.apps.v1"
    hub: str = ""  # for an old version: the package whose form is stored
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Api:
    packages: dict[str, Package] = field(default_factory=dict)

    def messages(self):
        for package in self.packages.values():
            yield from package.messages.values()
