#!/usr/bin/env bash
# timed.sh NAME COMMAND..: runs a part of `make test`, and notes in target/times how many seconds it took.
set -uo pipefail

name=$1
shift
mkdir -p target
"$@"
status=$?
printf '%6d s  %s%s\n' "$SECONDS" "$name" "$([ $status = 0 ] || echo ' (failed)')" >>target/times
exit $status
