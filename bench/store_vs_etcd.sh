#!/bin/sh
# Compares the embedded store with Debian's etcd on the same disk, in one run. Usage:
#   bench/store_vs_etcd.sh PATH/TO/store_bench [store_bench options]
# etcd (package etcd-server) runs privately on loopback with its data beside the SQLite file, under $STEAD_BENCH_DIR
# (default: the current directory's file system), and is gone with its data afterwards.
set -eu
store_bench=$1
shift
data=$(mktemp -d "${STEAD_BENCH_DIR:-.}/store-bench.XXXXXX")
etcd_pid=
clean_up() {
  [ -z "$etcd_pid" ] || { kill "$etcd_pid" 2>/dev/null || true; wait "$etcd_pid" 2>/dev/null || true; }
  rm -rf "$data"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
free_ports=$(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in sockets])')
client_port=${free_ports% *}
peer_port=${free_ports#* }
etcd --name bench --data-dir "$data/etcd" --log-level error --logger zap \
  --listen-client-urls "http://127.0.0.1:$client_port" --advertise-client-urls "http://127.0.0.1:$client_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "bench=http://127.0.0.1:$peer_port" >"$data/etcd.log" 2>&1 &
etcd_pid=$!
"$store_bench" --data-dir "$data" --etcd "127.0.0.1:$client_port" "$@"
