#!/usr/bin/env bash
# Formats all sources; with --check only tells which are not (exit 1).
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find src bench examples tests cmake \( -name '*.cc' -o -name '*.h' \) | sort)
if [ "${1:-}" = --check ]; then
  clang-format --dry-run -Werror "${files[@]}" && echo "format: ${#files[@]} files are fine"
else
  clang-format -i "${files[@]}"
fi
