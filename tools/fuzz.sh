#!/usr/bin/env bash
# Runs the fuzzers with libFuzzer and sanitizers, one for each core at a time, from the seeds in tests/fuzz. Usage:
#   tools/fuzz.sh SECONDS [NAME…]      # NAME as in tests/fuzz: json_fuzz; all of them unless said
# Inputs that fail are left in build/fuzz/findings. Needs clang-16 and libclang-rt-16-dev.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(find tests/fuzz -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz --target "${names[@]}"
mkdir -p build/fuzz/findings
one() {
  program=$(find build/fuzz/src -type f -name "$1" -perm -u+x | head -1)
  mkdir -p "build/fuzz/corpus/$1"
  "$program" "build/fuzz/corpus/$1" "tests/fuzz/$1" -max_total_time="$2" -rss_limit_mb=4096 -timeout=20 -artifact_prefix="build/fuzz/findings/$1-" \
    > "build/fuzz/findings/$1.log" 2>&1 && echo "$1: nothing found" || { echo "$1: see build/fuzz/findings/$1.log"; return 1; }
}
export -f one
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c "one {} $seconds"
