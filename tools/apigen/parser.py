# SPDX-License-Identifier: Apache-2.0
"""Reads .api files (the grammar is in api/README.md)."""

from __future__ import annotations

import json
import re

from model import Api, ApiError, Field, Kind, Message, Package, SCALARS, Type

# A text, a comment, or a word; texts inside a word belong to it: {"type":"OnDelete"}.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|#.*|[^\s"#](?:[^\s"]|"(?:[^"\\]|\\.)*")*')


def tokens_of(line: str) -> list[str]:
    return [token for token in TOKEN.findall(line) if not token.startswith("#")]


def is_text(token: str) -> bool:
    return token.startswith('"')


def text_of(token: str) -> str:
    return json.loads(token) if is_text(token) else token


def literal_of(token: str) -> object:
    """A JSON literal, or a bare word for a string."""
    try:
        return json.loads(token)
    except json.JSONDecodeError:
        return token


def parse_type(text: str, where: str) -> Type:
    if text.startswith("[") and text.endswith("]"):
        return Type("list", parse_type(text[1:-1], where))
    if text.startswith("{") and text.endswith("}"):
        return Type("map", parse_type(text[1:-1], where))
    if text in SCALARS:
        return Type(text)
    if not re.fullmatch(r"[\w.]+", text):
        raise ApiError(f"{where}: not a type: {text}")
    return Type("message", name=text)


def arguments_of(token: str) -> tuple[str, ...]:
    return tuple(token[token.index("(") + 1:-1].split(",")) if "(" in token else ()


def parse_field(words: list[str], where: str, package: str) -> Field:
    number = int(words[0])
    if words[1].startswith("..."):
        return Field("", number, parse_type(words[1][3:], where), where, spread=True, package=package)
    if len(words) < 3:
        raise ApiError(f"{where}: a field needs a number, a name and a type")
    written = words[2]
    result = Field(words[1], number, parse_type(written.rstrip("?!"), where), where, package=package)
    result.pointer = written.endswith("?")
    result.required = written.endswith("!")
    rest = words[3:]
    while rest:
        word = rest.pop(0)
        if is_text(word):
            result.doc = text_of(word)
        elif word in ("always", "optional", "immutable", "atomic", "replace"):
            setattr(result, word, True)
        elif word == "retainKeys":
            result.retain_keys = True
        elif word == "set":
            result.list_type = "set"
        elif word.startswith("map("):
            result.list_type, result.keys = "map", arguments_of(word)
        elif word == "merge" or word.startswith("merge("):
            result.merge, result.merge_key = True, "".join(arguments_of(word))
        elif word == "default":
            result.default, result.has_default = literal_of(rest.pop(0)), True
        elif word in ("min", "max"):
            setattr(result, {"min": "minimum", "max": "maximum"}[word], int(rest.pop(0)))
        elif word == "format":
            result.format = rest.pop(0)
        else:
            raise ApiError(f"{where}: unknown modifier {word}")
    return result


def parse_kind_line(kind: Kind, words: list[str], package: Package, message: Message) -> bool:
    """One attribute line of a kind; False when the line is none."""
    word, rest = words[0], words[1:]
    if word == "resource":
        kind.resource, kind.short_names = rest[0], rest[1:]
    elif word == "categories":
        kind.categories = rest
    elif word == "subresources":
        kind.subresources = rest
    elif word == "cluster":
        kind.namespaced = False
    elif word == "generation":
        kind.generation = True
    elif word == "unserved":
        kind.served = False
    elif word == "hub":
        kind.hub = rest[0]
    elif word == "names":
        kind.name_format = rest[0]
    elif word == "deprecated":
        # deprecated 1.8 removed 1.16 use apps/v1 StatefulSet
        kind.deprecation = f"{package.group + '/' if package.group else ''}{package.version} {message.name} is deprecated in v{rest[0]}+"
        if "removed" in rest:
            kind.deprecation += f", unavailable in v{rest[rest.index('removed') + 1]}+"
        if "use" in rest:
            kind.deprecation += f"; use {' '.join(rest[rest.index('use') + 1:])}"
    else:
        return False
    return True


def parse_heading(words: list[str], where: str, package: Package) -> Message:
    message = Message(package.name, words[1], where)
    rest = words[2:]
    while rest:
        word = rest.pop(0)
        if is_text(word):
            message.doc = text_of(word)
        elif word == "like":
            message.like = rest.pop(0)
        elif word in ("atomic", "typed"):
            setattr(message, word, True)
        else:
            raise ApiError(f"{where}: unknown word {word}")
    if words[0] == "kind":
        message.kind, message.typed = Kind(""), True
    if message.name in package.messages:
        raise ApiError(f"{where}: {message.full_name} is declared twice")
    package.messages[message.name] = message
    return message


def parse_file(api: Api, path: str, text: str) -> None:
    package: Package | None = None
    message: Message | None = None
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        words = tokens_of(line)
        if not words:
            continue
        if words[0] == "package":
            package = api.packages.setdefault(words[1], Package(words[1]))
            message = None
        elif package is None:
            raise ApiError(f"{where}: a file begins with its package")
        elif words[0] in ("group", "version", "prefix", "hub") and not line.startswith(" "):
            setattr(package, words[0], text_of(words[1]))
        elif words[0] == "enum":
            package.enums[words[1]] = [text_of(word) for word in words[2:]]
        elif words[0] in ("message", "kind"):
            message = parse_heading(words, where, package)
        elif message is None:
            raise ApiError(f"{where}: unknown declaration {words[0]}")
        elif words[0].isdigit():
            message.fields.append(parse_field(words, where, package.name))
        elif words[0] == "without":
            message.without += words[1:]
        elif not (message.kind and parse_kind_line(message.kind, words, package, message)):
            raise ApiError(f"{where}: unknown line {words[0]}")
