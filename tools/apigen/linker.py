# SPDX-License-Identifier: Apache-2.0
"""Makes parsed packages whole: names are resolved, deltas expanded on their hub, spread messages laid flat, rules checked."""

from __future__ import annotations

import copy

from model import Api, ApiError, Field, Message, Type


def resolve(api: Api, type_: Type, message: Message, field: Field) -> None:
    if type_.element:
        resolve(api, type_.element, message, field)
        return
    if type_.kind != "message":
        return
    if "." in type_.name:
        package_name, name = type_.name.rsplit(".", 1)
        candidates = [package_name]
    else:
        # An old version means its own message where it has one, and the hub's where it has none.
        name, candidates = type_.name, [message.package, field.package, api.packages[message.package].hub]
    for candidate in candidates:
        package = api.packages.get(candidate)
        if package and name in package.messages:
            type_.message = package.messages[name]
            return
        if package and name in package.enums:
            type_.kind, type_.enum = "enum", package.enums[name]
            return
    raise ApiError(f"{field.where}: unknown type {type_.name}")


def expand_like(api: Api, message: Message, done: set[str]) -> None:
    if message.full_name in done:
        return
    done.add(message.full_name)
    if not message.like:
        return
    package_name, name = message.like.rsplit(".", 1)
    base = api.packages[package_name].messages.get(name) if package_name in api.packages else None
    if base is None:
        raise ApiError(f"{message.where}: unknown message {message.like}")
    expand_like(api, base, done)
    own = {field.name or field.type.name: field for field in message.fields}
    fields = []
    for inherited in base.fields:
        key = inherited.name or inherited.type.name
        if key in message.without:
            message.without.remove(key)
            continue
        if key in own:
            field = own.pop(key)
            field.doc = field.doc or inherited.doc
            fields.append(field)
        else:
            fields.append(copy.deepcopy(inherited))
    if message.without:
        raise ApiError(f"{message.where}: {message.like} has no {message.without}")
    message.fields = fields + [field for field in message.fields if field in own.values()]
    message.doc = message.doc or base.doc
    message.atomic = message.atomic or base.atomic
    message.typed = message.typed or base.typed
    if message.kind and base.kind:
        deprecation, hub = message.kind.deprecation, message.kind.hub
        served = message.kind.served
        subresources = message.kind.subresources
        message.kind = copy.deepcopy(base.kind)
        message.kind.deprecation, message.kind.hub = deprecation, hub
        message.kind.served = served and base.kind.served
        message.kind.subresources = subresources or base.kind.subresources


def flatten(message: Message, done: set[str]) -> None:
    """Replaces a spread field by the fields of its message; each remembers the number of the message it came in."""
    if message.full_name in done:
        return
    done.add(message.full_name)
    fields = []
    for field in message.fields:
        if not field.spread:
            fields.append(field)
            continue
        flatten(field.type.message, done)
        for inner in field.type.message.fields:
            if inner.embedded > 0xff or field.number > 0xff:
                raise ApiError(f"{field.where}: spread messages nest only twice, with numbers below 256")
            inner = copy.copy(inner)
            inner.embedded = field.number | inner.embedded << 8
            fields.append(inner)
    message.fields = fields


def add_type_fields(message: Message) -> None:
    if not message.typed:
        return
    docs = {"apiVersion": "Group and version of this form.", "kind": "What this document is."}
    have = {field.name for field in message.fields}
    message.fields[:0] = [Field(name, 0, Type("string"), message.where, doc)
                          for name, doc in docs.items() if name not in have]


def check(message: Message) -> None:
    names: set[str] = set()
    numbers: set[tuple[int, int]] = set()
    for field in message.fields:
        if field.name in names:
            raise ApiError(f"{field.where}: {message.full_name} has two fields {field.name}")
        names.add(field.name)
        if field.number:
            if (field.embedded, field.number) in numbers:
                raise ApiError(f"{field.where}: {message.full_name} uses number {field.number} twice")
            numbers.add((field.embedded, field.number))
        check_default(field)
        if field.keys or field.merge:
            element = field.type.element
            if field.type.kind != "list":
                raise ApiError(f"{field.where}: {field.name} is not a list")
            for key in field.keys + ((field.merge_key,) if field.merge_key else ()):
                if not element.message or key not in {inner.name for inner in element.message.fields}:
                    raise ApiError(f"{field.where}: {field.name} has no key {key}")


def check_default(field: Field) -> None:
    if not field.has_default:
        return
    fits = {
        "string": str, "enum": str, "Quantity": str, "bool": bool, "int32": int, "int64": int, "double": float,
        "IntOrString": (int, str), "message": dict, "list": list, "map": dict, "Duration": str,
    }.get(field.type.kind)
    if fits is None or not isinstance(field.default, fits) or (fits is int and isinstance(field.default, bool)):
        raise ApiError(f"{field.where}: default {field.default!r} does not fit {field.type.kind}")
    if field.type.enum is not None and field.default not in field.type.enum:
        raise ApiError(f"{field.where}: default {field.default!r} is not among {field.type.enum}")


def check_hub(api: Api, message: Message) -> None:
    """An old version's kind belongs to a current one of the same name."""
    hub = message.kind.hub if message.kind else ""
    if not hub:
        return
    package = api.packages.get(hub)
    current = package.messages.get(message.name) if package else None
    if not current or not current.kind or current.kind.hub or package.hub:
        raise ApiError(f"{message.where}: {hub} has no current kind {message.name}")


def link(api: Api) -> None:
    done: set[str] = set()
    for message in list(api.messages()):
        expand_like(api, message, done)
    for message in api.messages():
        for field in message.fields:
            resolve(api, field.type, message, field)
    done = set()
    for message in api.messages():
        flatten(message, done)
    for message in api.messages():
        add_type_fields(message)
        check(message)
        check_hub(api, message)
    for index, message in enumerate(api.messages()):
        message.index = index


