#!/usr/bin/env bash
# From a fresh Debian 12 machine to a running StatefulSet: installs packages, builds, starts Stead, runs the terra10
# example, shows it working. Safe to run again. Leaves the cluster running.
#
#   ./quickstart.sh              uses this machine's network; data in /var/lib/stead
#   ./quickstart.sh --isolated   in a network namespace without uplink; data in build/quickstart
set -euo pipefail
cd "$(dirname "$0")"

isolated=
case "${1:-}" in
  '') ;;
  --isolated) isolated=1 ;;
  *) echo "usage: ./quickstart.sh [--isolated]" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || { echo "quickstart.sh: run it as root: it starts containers" >&2; exit 1; }

say() { printf '\n== %s\n' "$*"; }

say "packages"
tools/install_packages.sh

say "build"
cmake --preset release > /dev/null
cmake --build --preset release --target stead terra10
tools/build_images.sh terra10 busybox
stead=$PWD/build/release/src/app/stead

data=/var/lib/stead
enter=()
node_ip=()
if [ -n "$isolated" ]; then
  data=$PWD/build/quickstart
  namespace=stead-quickstart
  if [ ! -e "/var/run/netns/$namespace" ]; then
    ip netns add "$namespace"
    in_namespace() { nsenter --net="/var/run/netns/$namespace" "$@"; }
    in_namespace ip link set lo up
    in_namespace ip link add host0 type bridge
    in_namespace ip addr add 192.0.2.10/24 dev host0
    in_namespace ip link set host0 up
  fi
  enter=(nsenter "--net=/var/run/netns/$namespace")
  node_ip=(--node-ip 192.0.2.10)
fi
mkdir -p "$data"

say "stead up"
if "${enter[@]}" "$stead" status --data-dir "$data" > /dev/null 2>&1; then
  echo "already running"
else
  setsid "${enter[@]}" "$stead" up --data-dir "$data" "${node_ip[@]}" > "$data/up.out" 2> "$data/up.log" < /dev/null &
  pid=$!
  until grep -q '^stead: ready' "$data/up.out"; do
    kill -0 "$pid" 2> /dev/null || { cat "$data/up.log" >&2; exit 1; }
    sleep 0.05
  done
  cat "$data/up.out"
fi

k() { "${enter[@]}" kubectl --kubeconfig "$data/kubeconfig" "$@"; }
show() { printf '\n$ kubectl %s\n' "$*"; k "$@"; }

say "the terra10 example"
for image in terra10 busybox; do
  "${enter[@]}" "$stead" image import --data-dir "$data" "build/images/$image.tar"
done
show apply -f examples/terra10/terra10-service-headless.yaml
show apply -f examples/terra10/terra10-statefulset.yaml
for pod in 0 1; do
  until k get pod "terra10-$pod" > /dev/null 2>&1; do sleep 0.05; done
  k wait --for=condition=Ready --timeout=60s "pod/terra10-$pod" > /dev/null
done
show get statefulsets,pods -o wide
show get pvc,pv
address=$(k get pod terra10-0 -o 'jsonpath={.status.podIP}')
order="http://$address:8090?name=Luc&from=DenBosch&to=Mars"
printf '\n$ curl %s\n' "'$order'"
"${enter[@]}" curl -sS "$order"
printf '\n$ curl http://%s:8092\n' "$address"
"${enter[@]}" curl -sS "http://$address:8092"

prefix=
[ -z "$isolated" ] || prefix="nsenter --net=/var/run/netns/$namespace "
cat <<EOF

It runs. Next you could type:

  export KUBECONFIG=$data/kubeconfig
  ${prefix}kubectl get pods -w
  ${prefix}kubectl scale statefulset terra10 --replicas=3
  ${prefix}kubectl exec terra10-0 -c terra10-transporter -- hostname -f
  ${prefix}kubectl delete pod terra10-1        # comes back with its name and data
  ${prefix}$stead status --data-dir $data
  ${prefix}$stead down --data-dir $data        # ends everything; data stays in $data
EOF
