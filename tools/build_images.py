#!/usr/bin/env python3
"""Builds image archives for the examples and tests, from Debian's packages and this repository; no registry is asked.

    tools/build_images.sh            all of them, into build/images/NAME.tar
    tools/build_images.sh busybox    some of them

Each is a docker-archive for `stead image import`, the same bytes from the same input, and left alone while its input
stays the same (NAME.tar.input says of what it was made). Programs come as files of .deb packages, with the shared
libraries that they name and nothing else, on top of busybox. Packages of another Debian suite than this machine's
are fetched with an apt configuration of their own below build/images/apt; the machine's is not touched.
DEBIAN_MIRROR overrides http://deb.debian.org/debian.
"""

import hashlib
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "images"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The document's manifests name the command `consul agent …`, others only `agent …` and rely on the image for
# directories. What is no program here is a subcommand of consul.
CONSUL_ENTRYPOINT = """#!/bin/sh
case "${1:-agent}" in
  -*) set -- agent "$@" ;;
esac
if [ "${1:-agent}" = agent ]; then
  [ $# -gt 0 ] && shift
  exec consul agent -data-dir=/consul/data -config-dir=/consul/config "$@"
fi
command -v "$1" > /dev/null && exec "$@"
exec consul "$@"
"""

IMAGES = {
    "busybox": {"tags": ["busybox:latest", "busybox:1.28", "busybox:1.28.4", "busybox:1.35", "busybox:1.36"], "cmd": ["sh"]},
    "flock": {
        "tags": ["stead-tests/flock:1"],
        "suite": "bookworm",
        "packages": {"util-linux": ["usr/bin/flock"]},
        "cmd": ["sh"],
    },
    "terra10": {
        "variants": [
            {"tags": ["lgorissen/terra10-transporter:podname"], "entrypoint": ["/terra10", "transporter"]},
            {"tags": ["lgorissen/terra10-monitor:latest"], "entrypoint": ["/terra10", "monitor"]},
        ],
        "built": {"terra10": "examples/terra10"},
    },
    "consul": {
        "tags": ["consul:1.8.7", "consul:1.0.2", "consul:latest"],
        "suite": "bullseye",
        # The copied one stands before consul itself: see examples/consul/auto-join/README.md.
        "packages": {"consul": ["usr/bin/consul"], "curl": ["usr/bin/curl"], "jq": ["usr/bin/jq"]},
        "copied": {"usr/local/bin/consul": "examples/consul/auto-join/k8s-join.sh"},
        "files": {"usr/local/bin/docker-entrypoint.sh": CONSUL_ENTRYPOINT},
        "directories": ["consul/data", "consul/config"],
        "entrypoint": ["docker-entrypoint.sh"],
        "cmd": ["agent", "-dev", "-client=0.0.0.0"],
    },
    # A stand-in: see examples/mongodb/README.md.
    "mongodb": {
        "tags": ["mongo:3.4.1"],
        "suite": "bookworm",
        "packages": {"bash": ["bin/bash"]},
        "copied": {"usr/bin/mongod": "examples/mongodb/mongod.sh", "usr/bin/mongo": "examples/mongodb/mongo.sh"},
        "directories": ["data/db"],
        "cmd": ["mongod"],
    },
    "tar": {
        "tags": ["stead-tests/tar:1"],
        "suite": "bookworm",
        "packages": {"tar": ["bin/tar"]},
        "cmd": ["sh"],
    },
    "redis": {
        "tags": ["redis:latest", "redis:7", "redis:7.0"],
        "suite": "bookworm",
        "packages": {
            "redis-server": ["usr/bin/redis-server"],
            "redis-tools": ["usr/bin/redis-cli", "usr/bin/redis-check-rdb"],
        },
        "directories": ["data"],
        "workdir": "/data",
        "cmd": ["redis-server", "--protected-mode", "no"],
    },
    "etcd": {
        "tags": ["quay.io/coreos/etcd:v3.4.23", "etcd:latest"],
        "suite": "bookworm",
        "packages": {"etcd-server": ["usr/bin/etcd"], "etcd-client": ["usr/bin/etcdctl"]},
        "cmd": ["etcd"],
    },
}


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


class Layer:
    """Files of an image; written in order of their names, owned by root, without times."""

    def __init__(self):
        self.entries = {}

    def directory(self, name, mode=0o755):
        if name and name not in self.entries:
            self.directory(os.path.dirname(name))
            self.entries[name] = ("directory", mode, None)

    def file(self, name, content, mode=0o644):
        self.directory(os.path.dirname(name))
        self.entries[name] = ("file", mode, content)

    def link(self, name, target):
        self.directory(os.path.dirname(name))
        self.entries[name] = ("link", 0o777, target)

    def bytes(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name, (kind, mode, value) in sorted(self.entries.items()):
                info = tarfile.TarInfo(name)
                info.mode = mode
                if kind == "directory":
                    info.type = tarfile.DIRTYPE
                    tar.addfile(info)
                elif kind == "link":
                    info.type, info.linkname = tarfile.SYMTYPE, value
                    tar.addfile(info)
                else:
                    info.size = len(value)
                    tar.addfile(info, io.BytesIO(value))
        return out.getvalue()


def add_base(layer):
    """busybox with all its applets, and the files that the C library looks for."""
    busybox = pathlib.Path("/bin/busybox")
    content = busybox.read_bytes()
    if interpreter_and_needed(content)[0]:
        sys.exit("/bin/busybox is not static: install busybox-static")
    layer.file("bin/busybox", content, 0o755)
    for applet in run(str(busybox), "--list").decode().split():
        if applet != "busybox":
            layer.link(f"bin/{applet}", "busybox")
    layer.directory("root", 0o700)
    for name in ("proc", "sys", "dev", "etc", "var/log", "var/run"):
        layer.directory(name)
    for name in ("tmp", "var/tmp"):
        layer.directory(name, 0o1777)
    layer.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    layer.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    layer.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")


class Suite:
    """A Debian suite behind an apt configuration of its own."""

    def __init__(self, name):
        self.base = OUT / "apt" / name
        for folder in ("lists/partial", "cache/archives/partial", "debs"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        (self.base / "status").touch()
        (self.base / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {name} main\n")
        self.config = self.base / "apt.conf"
        self.config.write_text(
            f'Dir::Etc::sourcelist "{self.base}/sources.list";\nDir::Etc::sourceparts "-";\n'
            f'Dir::State::lists "{self.base}/lists";\nDir::State::status "{self.base}/status";\n'
            f'Dir::Cache "{self.base}/cache";\nAPT::Architecture "{ARCHITECTURE}";\nAPT::Sandbox::User "root";\n'
            'Acquire::Languages "none";\nAcquire::Retries "3";\n'
        )
        run("apt-get", "-qq", "-c", str(self.config), "update")
        self.contents = {}

    def closure(self, packages):
        """The packages and the libraries among what they depend on."""
        out = run(
            "apt-cache", "-c", str(self.config), "depends", "--recurse", "--no-recommends", "--no-suggests",
            "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *packages,
        ).decode()
        names = {line for line in out.splitlines() if re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", line)}
        return sorted(set(packages) | {name for name in names if name.startswith("lib") or name == "zlib1g"})

    def load(self, packages):
        """Downloads what is missing; keeps the files of all, by their path."""
        wanted = self.closure(packages)
        for name in wanted:
            if not list((self.base / "debs").glob(f"{name}_*.deb")):
                run("apt-get", "-qq", "-c", str(self.config), "download", name, cwd=self.base / "debs")
        for name in wanted:
            deb = sorted((self.base / "debs").glob(f"{name}_*.deb"))[-1]
            with tarfile.open(fileobj=io.BytesIO(run("dpkg-deb", "--fsys-tarfile", str(deb)))) as tar:
                for member in tar:
                    path = member.name.removeprefix("./")
                    if member.issym():
                        target = member.linkname
                        joined = target.lstrip("/") if target.startswith("/") else os.path.join(os.path.dirname(path), target)
                        self.contents[path] = os.path.normpath(joined)
                    elif member.isfile() and (self.is_library(path) or "bin/" in path):
                        self.contents[path] = tar.extractfile(member).read()

    @staticmethod
    def is_library(path):
        return ".so" in os.path.basename(path)

    def read(self, path):
        """The content of a file, links followed."""
        content = self.contents[path]
        return content if isinstance(content, bytes) else self.read(content)

    def find_library(self, name):
        for path in sorted(self.contents):
            if os.path.basename(path) == name and self.is_library(path):
                return path
        raise SystemExit(f"no package has the library {name}")


def interpreter_and_needed(content):
    """The dynamic loader and the libraries that an ELF file names."""
    scratch = OUT / ".elf"
    scratch.write_bytes(content)
    text = run("readelf", "-l", "-d", "-W", str(scratch)).decode()
    scratch.unlink()
    loader = re.search(r"program interpreter: (\S+)\]", text)
    return loader and loader.group(1), re.findall(r"\(NEEDED\).*\[(\S+)\]", text)


def add_programs(layer, suite, packages):
    """The programs, their libraries, and the C library's resolver plugins."""
    suite.load(list(packages))
    queue, seen = [], set()

    def need(content):
        loader, libraries = interpreter_and_needed(content)
        if loader:
            layer.file(loader.lstrip("/"), suite.read(suite.find_library(os.path.basename(loader))), 0o755)
        queue.extend(libraries)

    for paths in packages.values():
        for path in paths:
            content = suite.read(path)
            layer.file(path, content, 0o755)
            need(content)
    if queue:
        queue.extend(["libnss_files.so.2", "libnss_dns.so.2"])
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        content = suite.read(suite.find_library(name))
        layer.file(f"usr/lib/{platform.machine()}-linux-gnu/{name}", content, 0o755)
        need(content)


def built_program(target):
    """The newest build of a program of this repository."""
    found = [path for path in (ROOT / "build").glob(f"*/{target}") if path.is_file()]
    if not found:
        sys.exit(f"build {target} first: cmake --build --preset dev --target {os.path.basename(target)}")
    return max(found, key=lambda path: path.stat().st_mtime)


def make_archive(spec, layer_bytes):
    digest = hashlib.sha256(layer_bytes).hexdigest()
    manifest, files = [], {"layer.tar": layer_bytes}
    for number, variant in enumerate(spec.get("variants", [spec])):
        config = {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Env": [PATH], "WorkingDir": spec.get("workdir", "/")},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
        if "entrypoint" in variant:
            config["config"]["Entrypoint"] = variant["entrypoint"]
        if "cmd" in variant:
            config["config"]["Cmd"] = variant["cmd"]
        name = f"config-{number}.json"
        files[name] = json.dumps(config, sort_keys=True).encode()
        manifest.append({"Config": name, "RepoTags": variant["tags"], "Layers": ["layer.tar"]})
    files["manifest.json"] = json.dumps(manifest).encode()
    archive = Layer()
    for name, content in files.items():
        archive.file(name, content)
    return archive.bytes()


def input_of(spec):
    """A digest of all that decides the archive's bytes; packages of a suite count by name, as they rarely change."""
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode())
    for path in (pathlib.Path(__file__), pathlib.Path("/bin/busybox")):
        digest.update(path.read_bytes())
    for source in spec.get("copied", {}).values():
        digest.update((ROOT / source).read_bytes())
    for target in spec.get("built", {}).values():
        digest.update(built_program(target).read_bytes())
    return digest.hexdigest()


def build(name, spec):
    archive, stamp = OUT / f"{name}.tar", OUT / f"{name}.tar.input"
    wanted = input_of(spec)
    if archive.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    layer = Layer()
    add_base(layer)
    for program, target in spec.get("built", {}).items():
        layer.file(program, built_program(target).read_bytes(), 0o755)
    if "packages" in spec:
        add_programs(layer, Suite(spec["suite"]), spec["packages"])
    for program, source in spec.get("copied", {}).items():
        layer.file(program, (ROOT / source).read_bytes(), 0o755)
    for path, content in spec.get("files", {}).items():
        layer.file(path, content.encode(), 0o755)
    for path in spec.get("directories", []):
        layer.directory(path)
    fresh = archive.with_suffix(".new")
    fresh.write_bytes(make_archive(spec, layer.bytes()))
    fresh.rename(archive)
    stamp.write_text(wanted)
    print(f"built {archive.relative_to(ROOT)}: {archive.stat().st_size >> 20} MiB")


def main():
    names = sys.argv[1:] or list(IMAGES)
    for name in names:
        if name not in IMAGES:
            sys.exit(f"no image \"{name}\"; there are: {' '.join(IMAGES)}")
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names:
        build(name, IMAGES[name])


if __name__ == "__main__":
    main()
