#!/bin/sh
# A stand-in for Consul's cloud auto-join on Kubernetes, which Debian's build of Consul leaves out; not part of Consul.
#
#   consul agent … -retry-join='provider=k8s label_selector="app=consul" namespace="default"'
#
# asks the API with the pod's mounted token for the pods of that label, as that provider does, and hands the addresses of
# those that run and are ready to the real consul, as -retry-join. While there are none it looks again every 30 s (the
# default of -retry-interval) and joins then. All other arguments and commands go to the real consul as they are.
set -u
consul=/usr/bin/consul
account=/var/run/secrets/kubernetes.io/serviceaccount
interval=30

# The value of KEY="…" or KEY=… in the provider's arguments, else the default.
argument() {
  found=$(printf '%s\n' "$1" | sed -n "s/.*\\b$2=\"\\([^\"]*\\)\".*/\\1/p; t; s/.*\\b$2=\\([^ \"]*\\).*/\\1/p")
  printf '%s' "${found:-$3}"
}

# The addresses of the peers, one a line; fails with what the API says.
peers() {
  curl -sS --max-time 10 --cacert "$account/ca.crt" -H "Authorization: Bearer $(cat "$account/token")" -G \
    --data-urlencode "labelSelector=$labels" --data-urlencode "fieldSelector=$fields" \
    "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$namespace/pods" |
    jq -r 'if .kind != "PodList" then error(.message) else .items[] end
           | select(.status.phase == "Running")
           | select(all(.status.conditions[]?; .type != "Ready" or .status == "True"))
           | .status.podIP // empty'
}

join_later() {
  while sleep "$interval"; do
    found=$(peers) && [ -n "$found" ] && "$consul" join $found && return
  done
}

# Takes the provider's arguments out of "$@"; what is left of them stays in order.
provider=
count=$#
[ "${1:-}" = agent ] || count=0
while [ "$count" -gt 0 ]; do
  one=$1
  shift
  count=$((count - 1))
  case "$one" in
    -retry-join=provider=k8s* | --retry-join=provider=k8s*) provider=${one#*=} ;;
    -retry-join | --retry-join)
      case "${1:-}" in
        provider=k8s*)
          provider=$1
          shift
          count=$((count - 1))
          ;;
        *) set -- "$@" "$one" ;;
      esac
      ;;
    *) set -- "$@" "$one" ;;
  esac
done
if [ -n "$provider" ]; then
  labels=$(argument "$provider" label_selector "")
  fields=$(argument "$provider" field_selector "")
  namespace=$(argument "$provider" namespace default)
  if found=$(peers) && [ -n "$found" ]; then
    echo "k8s-join: peers at" $found >&2
    for address in $found; do set -- "$@" "-retry-join=$address"; done
  else
    echo "k8s-join: no peers yet, looking again every $interval s" >&2
    join_later &
  fi
fi
exec "$consul" "$@"
