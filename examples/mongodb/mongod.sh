#!/bin/sh
# A STAND-IN for mongod, not MongoDB: answers the few calls that the example's script makes (README.md).
#
#   mongod --replSet NAME      serves port 27017
#   mongod --answer            one call, on standard input and output
members=/data/db/members
mkdir -p /data/db

reply_status() {
  if [ ! -s "$members" ]; then
    echo '{ "ok" : 0, "errmsg" : "no replset config has been received", "code" : 94 }'
    return
  fi
  list=$(sed 's/.*/{ "name" : "&" }/' "$members" | tr '\n' ',')
  echo "{ \"set\" : \"rs0\", \"members\" : [ ${list%,} ], \"ok\" : 1 }"
}

case "$1" in
  --version)
    echo "a stand-in for mongod; this is not MongoDB"
    exit ;;
  --answer)
    read -r call
    case "$call" in
      *db.serverStatus*) echo "{ \"host\" : \"$(hostname)\", \"process\" : \"mongod (stand-in)\", \"ok\" : 1 }" ;;
      *rs.status*) reply_status ;;
      *rs.initiate*)
        if [ -s "$members" ]; then
          echo '{ "ok" : 0, "errmsg" : "already initialized", "code" : 23 }'
        else
          echo "$call" | sed "s/.*host['\"]*: *['\"]\([^'\"]*\)['\"].*/\1/" > "$members"
          echo '{ "ok" : 1 }'
        fi ;;
      *rs.add*)
        host=$(echo "$call" | sed "s/.*rs.add(['\"]\([^'\"]*\)['\"].*/\1/")
        case "$host" in *:*) ;; *) host="$host:27017" ;; esac
        if [ ! -s "$members" ]; then
          reply_status
        else
          grep -qxF "$host" "$members" || echo "$host" >> "$members"
          echo '{ "ok" : 1 }'
        fi ;;
      *) echo '{ "ok" : 0, "errmsg" : "the stand-in does not know this call" }' ;;
    esac
    exit ;;
esac
echo "stand-in for mongod, not MongoDB: serving port 27017"
nc -ll -p 27017 -e "$0" --answer &
trap 'kill $!; exit 0' TERM INT
wait
