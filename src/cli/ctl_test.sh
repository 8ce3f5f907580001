#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: ctl_test.sh HVCGATE CTL-STUB
# `hvcgate ctl` as a person and as a program meet it, with VMs that are stubs.
set -eu
. "$(dirname "$0")/../../tests/lib/command.sh"

hvcgate=$(realpath "$1") stub=$(realpath "$2")
tool=$hvcgate
dir=$(mktemp -d)
export HVCGATE_RUNTIME_DIR=$dir/run
cd "$dir"

# The stubs end with their standard input: a pipe that this shell holds open.
mkfifo hold
exec 8<>hold
pids=()
cleanup() {
	exec 8>&-
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$dir"
}
trap cleanup EXIT

start() {
	: >"said.$1" # what an earlier one of this name said is not this one's
	"$stub" "$1" <&8 >"said.$1" 8>&- &
	pids+=($!)
	until [ -s "said.$1" ]; do sleep 0.01; done
}

run 0 ctl list
matches err 'no VM runs'
run 0 ctl list --format json
matches out '"vms": \[\]'
run 2 ctl show web
matches err "no VM 'web'"

start web
start db
run 0 ctl list
matches out '^web +[0-9]+ kvm +2 .* 1234ab00  /etc/hvcgate/\?\[31mweb.yaml$'
matches out '^db '
run 0 ctl list --format json
matches out '"name": "web"'
matches_not out functions

run 0 ctl show web
matches out '^web, process [0-9]+, 2 vCPUs, up '
matches out '^host +kvm, Linux 6.12.1$'
matches out '^handler +ffa at /run/ffa.sock: attached$'
matches out 'requests 5, answered 0'
matches out '^revocable +TRNG_RND$'
matches out '^revoked +nothing$'
matches out '^TRNG_RND +[0-9]+0 +0 +0 +0$'
matches_not out PSCI_VERSION
matches out '^1 functions were not observed'
run 0 ctl show "${pids[0]}" --format json
matches out '"observed": "no"'
matches out '"policy_sha256": "1234ab0'

run 0 ctl top web --count 2
matches out '^TRNG_RND +0 +[0-9]+0 +0$'
matches out '^TRNG_RND +10 +[0-9]+0 +0$'
run 0 ctl top web -n 2 --format json
matches out '"per_second":10,'
[ "$(wc -l <out)" = 2 ] || fail "$what: not two lines"

run 1 ctl deny web PSCI_VERSION
matches err 'PSCI_VERSION is not revocable in this VM; it can lose TRNG_RND; .*revocable: \[PSCI_VERSION\]'
run 1 ctl deny web NOBODY
matches err 'no function of this name'
run 1 ctl deny web PSCI_VERSION --format json
matches out '"error": '
run 0 ctl show web
matches out '^revoked +nothing$'
run 0 ctl deny web TRNG_RND
matches out '^web: TRNG_RND is denied from now on$'
run 0 ctl deny web TRNG_RND
matches out '^web: TRNG_RND was denied already$'
run 0 ctl show web
matches out '^revoked +TRNG_RND$'
run 0 ctl show db
matches out '^revoked +nothing$'

start web # another one of this name
run 2 ctl show web
matches err "2 VMs are named 'web': say the PID"
run 0 ctl deny "${pids[0]}" TRNG_RND --format json
matches out '"already": true'

# A VM that dies: top ends, its socket is cleared away.
: >out
"$hvcgate" ctl top db >out 2>err </dev/null &
top=$!
until [ -s out ]; do sleep 0.01; done
kill -KILL "${pids[1]}"
status=0
wait "$top" || status=$?
what='top of a VM that dies'
[ "$status" = 0 ] || fail "$what: status $status"
matches err 'it is gone'
run 0 ctl list
matches_not out '^db '
[ ! -e "run/${pids[1]}" ] || fail "the dead one's socket is still there"

run 2 ctl
matches err 'list, show, top or deny'
run 2 ctl lst
matches err "did you mean 'hvcgate ctl list'"
run 2 ctl show
matches err 'which VM'
run 2 ctl deny web
matches err 'a VM and a function'
run 2 ctl top web --count 0
matches err 'from 1 to'
run 2 ctl list web
for verb in list show top deny; do
	run 0 ctl "$verb" --help
	matches out "Example: hvcgate ctl $verb"
done
run 0 ctl --help
matches out '  deny +Shut a function off'

verdict
