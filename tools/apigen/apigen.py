#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns api/ into C++: apigen.py --api DIR --out DIR writes kinds/tables/*.cc and kinds/views/*.h below the latter."""

from __future__ import annotations

import argparse
import pathlib
import sys

import linker
import parser
import tables
import views
from model import Api, ApiError


def load(root: pathlib.Path) -> Api:
    api = Api()
    for path in sorted(root.rglob("*.api")):
        parser.parse_file(api, str(path.relative_to(root)), path.read_text())
    linker.link(api)
    return api


def write(path: pathlib.Path, text: str) -> None:
    """Leaves a file alone that is already right, so that nothing is compiled again."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--api", type=pathlib.Path, required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    try:
        api = load(options.api)
    except ApiError as error:
        print(error, file=sys.stderr)
        return 1
    for package in api.packages.values():
        write(options.out / "kinds/tables" / (package.name.replace(".", "_") + ".cc"), tables.PackageWriter(package).write())
        if views.wanted(package):
            write(options.out / "kinds/views" / views.file_name(package), views.write(package))
    write(options.out / "kinds/tables/index.cc", tables.write_index(api))
    return 0


if __name__ == "__main__":
    sys.exit(main())
