#!/bin/sh
# A STAND-IN for the mongo shell, not MongoDB: sends one call to the stand-in of mongod (README.md).
host=127.0.0.1
call=
while [ $# -gt 0 ]; do
  case "$1" in
    --host=*) host=${1#--host=} ;;
    --host) host=$2; shift ;;
    --eval=*) call=${1#--eval=} ;;
    --eval) call=$2; shift ;;
  esac
  shift
done
# Without --eval the call is read, as from the prompt.
[ -n "$call" ] || call=$(cat)
reply=$(echo "$call" | tr '\n' ' ' | sed 's/$/\n/' | nc -w 5 "${host%:*}" 27017)
[ -n "$reply" ] || { echo "exception: connect failed"; exit 1; }
echo "$reply"
