#!/usr/bin/env bash
# Unpacks Debian's kubectl (1.20) into build/kubectl-1.20, beside any other that is installed: both packages own
# the same path, so it is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=build/kubectl-1.20
[ -x "$target/usr/bin/kubectl" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && apt-get download -qq kubernetes-client)
mkdir -p "$target"
dpkg -x "$work"/kubernetes-client_*.deb "$target"
