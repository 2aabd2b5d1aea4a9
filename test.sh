#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. --long runs the full counts (random runs, crash points).
set -euo pipefail
cd "$(dirname "$0")"
long=0
for argument in "$@"; do
  case "$argument" in
    --long) long=1 ;;
    *) echo "usage: ./test.sh [--long]" >&2; exit 2 ;;
  esac
done
export STEAD_LONG=$long
tools/install_packages.sh
# Large, and only one test wants it.
tools/install_packages.sh chromium || echo "chromium could not be installed: no browser looks at the Consul UI"
cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }
rm -f build.log
cmake --build --preset release -- -k 0
status=0
tools/format.sh --check || status=1
tools/tidy.sh --at-most 16 || status=1
ctest --preset release --label-exclude fuzz || status=1
# A minute for each parser that everybody's bytes meet; less for the others. Those of whole requests and definitions
# (a few hundred inputs a second) have their hour with --long.
named='json|yaml|protobuf|patch|selector|quantity|target|http2|message'
STEAD_FUZZ_SECONDS=60 ctest --preset release -j 2 --tests-regex "^fuzz\\.($named)_fuzz$" || status=1
STEAD_FUZZ_SECONDS=20 ctest --preset release -j 2 --label-regex fuzz --exclude-regex "^fuzz\\.($named|api|custom_kind)_fuzz$" || status=1
tools/build_images.sh
tools/old_kubectl.sh || echo "Debian's kubectl could not be fetched: its tests skip"
tools/newer_clients.sh
# Two modules at a time: each has its clusters to itself, and mostly waits.
/usr/bin/python3 -m pytest -q -p no:cacheprovider -n 2 --dist loadfile tests || status=1
[ "$long" = 0 ] || tests/mutants/run.py || status=1
[ "$long" = 0 ] || { tools/install_packages.sh clang-16 libclang-rt-16-dev && tools/fuzz.sh 3600; } || status=1
exit $status
