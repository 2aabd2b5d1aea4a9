#!/usr/bin/env bash
# Installs what tools/packages.txt lists and is missing; does nothing where nothing is. Needs root only if it installs.
# More packages may be given as arguments.
# Packages that would start a service do not: nothing of theirs is wanted but the programs.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
while read -r package _; do
  case "$package" in ''|'#'*) continue ;; esac
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < <(cat tools/packages.txt; [ $# -eq 0 ] || printf '%s\n' "$@")
if ! command -v kubectl >/dev/null 2>&1; then missing+=(kubernetes-client); fi
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing: ${missing[*]}"
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" && made_policy=1
fi
trap '[ -z "$made_policy" ] || rm -f "$policy"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
