#!/usr/bin/env bash
# Runs clang-tidy on the sources that changed since REV (default: the last commit and what is not committed yet).
#   tools/tidy.sh [REV]        needs a configured build: cmake --preset dev or release
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-HEAD~1}
build=
for candidate in build/dev build/release; do
  [ -z "$build" ] && [ -f "$candidate/compile_commands.json" ] && build=$candidate
done
[ -n "$build" ] || { echo "tools/tidy.sh: configure a build first (cmake --preset dev)" >&2; exit 2; }
git rev-parse -q --verify "$base" > /dev/null || { echo "tools/tidy.sh: no $base to compare with; nothing checked"; exit 0; }
mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cc' | grep -v '_fuzz\.cc$')
[ ${#files[@]} -gt 0 ] || { echo "tidy: no source changed since $base"; exit 0; }
clang-tidy -quiet -p "$build" --extra-arg=-Wno-unknown-warning-option "${files[@]}"
echo "tidy: ${#files[@]} files are clean"
