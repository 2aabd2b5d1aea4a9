#!/usr/bin/env bash
# Runs clang-tidy on the sources that changed since REV (default: the last commit and what is not committed yet).
#   tools/tidy.sh [--at-most N] [REV]     needs a configured build: cmake --preset dev or release
# With --at-most, only the N files with the most changed lines: a check costs some seconds a file.
set -euo pipefail
cd "$(dirname "$0")/.."
at_most=100000
if [ "${1:-}" = --at-most ]; then at_most=$2; shift 2; fi
base=${1:-HEAD~1}
build=
for candidate in build/dev build/release; do
  [ -z "$build" ] && [ -f "$candidate/compile_commands.json" ] && build=$candidate
done
[ -n "$build" ] || { echo "tools/tidy.sh: configure a build first (cmake --preset dev)" >&2; exit 2; }
git rev-parse -q --verify "$base" > /dev/null || { echo "tidy: no $base to compare with; nothing checked"; exit 0; }
mapfile -t files < <(git diff --numstat --diff-filter=d "$base" -- 'src/*.cc' | grep -v '_fuzz\.cc$' | sort -rn | cut -f3)
[ ${#files[@]} -gt 0 ] || { echo "tidy: no source changed since $base"; exit 0; }
checked=("${files[@]:0:$at_most}")
printf '%s\0' "${checked[@]}" |
  xargs -0 -P2 -n4 clang-tidy -quiet -p "$build" --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings generated' >&2)
echo "tidy: ${#checked[@]} of ${#files[@]} changed files are clean"
