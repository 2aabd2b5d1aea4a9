#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the generator accepts and what it refuses, with the place of the mistake."""

from __future__ import annotations

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import linker  # noqa: E402
import parser  # noqa: E402
import tables  # noqa: E402
import views  # noqa: E402
from model import Api, ApiError  # noqa: E402


def load(*texts: str) -> Api:
    api = Api()
    for number, text in enumerate(texts):
        parser.parse_file(api, f"{number}.api", text)
    linker.link(api)
    return api


class Declarations(unittest.TestCase):
    def test_a_field_with_everything(self) -> None:
        api = load('package a.v1\nmessage M "Doc."\n  1 names [N]! merge(key) map(key,port) "The # names."\n'
                   'message N\n  1 key string format path\n  2 port int32? default 3 min 1 max 9  # a comment\n')
        names = api.packages["a.v1"].messages["M"].fields[0]
        self.assertEqual((names.doc, names.keys, names.merge_key, names.required),
                         ("The # names.", ("key", "port"), "key", True))
        port = names.type.element.message.fields[1]
        self.assertEqual((port.default, port.minimum, port.maximum, port.pointer), (3, 1, 9, True))

    def test_an_old_version_is_a_delta(self) -> None:
        api = load('package a.v1\nenum E X Y\nmessage M "Doc."\n  1 a string "A."\n  2 b E\n  3 n N\nmessage N\n  1 x string\n',
                   "package a.v1beta1\nhub a.v1\nmessage M like a.v1.M\n  without b\n  1 a int32\n  4 e E\nmessage N like a.v1.N\n")
        old = api.packages["a.v1beta1"].messages["M"]
        self.assertEqual([field.name for field in old.fields], ["a", "n", "e"])
        self.assertEqual((old.doc, old.fields[0].doc, old.fields[0].type.kind), ("Doc.", "A.", "int32"))
        self.assertEqual(old.fields[1].type.message.package, "a.v1beta1")
        self.assertEqual(old.fields[2].type.enum, ["X", "Y"])

    def test_a_spread_message_keeps_its_number(self) -> None:
        api = load("package a.v1\nmessage M\n  1 a string\n  2 ...N\nmessage N\n  1 b string\n")
        fields = api.packages["a.v1"].messages["M"].fields
        self.assertEqual([(field.name, field.number, field.embedded) for field in fields], [("a", 1, 0), ("b", 1, 2)])
        nested = load("package a.v1\nmessage M\n  2 ...N\nmessage N\n  1 b string\n  3 ...O\nmessage O\n  1 c string\n")
        fields = nested.packages["a.v1"].messages["M"].fields
        self.assertEqual([(field.name, field.number, field.embedded) for field in fields], [("b", 1, 2), ("c", 1, 0x302)])

    def test_an_old_version_may_live_in_another_group(self) -> None:
        current = 'package apps.v1\ngroup "apps"\nversion v1\nkind K\n  resource ks\n  1 a string\n'
        old = 'package extensions.v1beta1\ngroup "extensions"\nversion v1beta1\nkind K like apps.v1.K\n  hub apps.v1\n'
        (message, versions), = tables.resource_rows(load(current, old))
        self.assertEqual(message.full_name, "apps.v1.K")
        self.assertEqual([tables.api_version(package) for package, _ in versions], ["apps/v1", "extensions/v1beta1"])
        with self.assertRaisesRegex(ApiError, "1.api:4: apps.v2 has no current kind K"):
            load(current, old.replace("hub apps.v1", "hub apps.v2"))

    def test_mistakes_are_refused(self) -> None:
        for lines, complaint in (
                ("  1 a string\n  1 b string", "0.api:4: a.v1.M uses number 1 twice"),
                ("  1 a string\n  2 a string", "0.api:4: a.v1.M has two fields a"),
                ("  1 a Nothing", "0.api:3: unknown type Nothing"),
                ("  1 a int32 default x", "0.api:3: default 'x' does not fit int32"),
                ("  1 a int32 default true", "0.api:3: default True does not fit int32"),
                ("  1 a [string] map(name)", "0.api:3: a has no key name"),
                ("  1 a string merge(name)", "0.api:3: a is not a list"),
                ("  1 a string shiny", "0.api:3: unknown modifier shiny"),
                ("  shiny", "0.api:3: unknown line shiny"),
                ("  1 a", "0.api:3: a field needs a number, a name and a type"),
        ):
            with self.assertRaises(ApiError, msg=lines) as caught:
                load(f"package a.v1\nmessage M\n{lines}\n")
            self.assertEqual(str(caught.exception), complaint)
        with self.assertRaisesRegex(ApiError, "default 'Z' is not among"):
            load("package a.v1\nenum E X Y\nmessage M\n  1 a E default Z\n")


class Output(unittest.TestCase):
    def test_names_become_snake_case(self) -> None:
        for name, wanted in (("clusterIPs", "cluster_ips"), ("podCIDR", "pod_cidr"), ("hostPID", "host_pid"),
                             ("setHostnameAsFQDN", "set_hostname_as_fqdn"), ("template", "template_"),
                             ("value", "value_"), ("apiVersion", "api_version"), ("openAPIV3Schema", "open_apiv3_schema")):
            self.assertEqual(views.snake(name), wanted)

    def test_texts_are_pooled_once_and_safe(self) -> None:
        pool = tables.Pool()
        self.assertEqual((pool.add("a"), pool.add("bc"), pool.add("a"), pool.add("")), ("{0, 1}", "{1, 2}", "{0, 1}", "{}"))
        self.assertEqual(tables.c_text('"\\?é'), '"\\"\\\\\\077\\303\\251"')


if __name__ == "__main__":
    unittest.main()
