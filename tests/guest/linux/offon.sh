#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Takes each CPU off and on 20 times while another is loaded.

rounds=20
cpus=/sys/devices/system/cpu
say() { echo "@ $1: $2"; }
# mask CPU: for taskset; that of Debian 11's busybox knows no lists.
mask() { printf %x $((1 << $1)); }

# put CPU 0|1: takes it off or on; counts in `bad` what did not come out right.
put() {
	echo "$2" >"$cpus/cpu$1/online" || bad=$((bad + 1))
	[ "$(cat "$cpus/cpu$1/online")" = "$2" ] || bad=$((bad + 1))
}

count=$(nproc)
cpu=0
while [ "$cpu" -lt "$count" ]; do
	other=$(((cpu + 1) % count))
	taskset "$(mask "$other")" sh -c 'while :; do :; done' &
	job=$!
	round=0 bad=0
	while [ "$round" -lt "$rounds" ]; do
		put "$cpu" 0
		put "$cpu" 1
		round=$((round + 1))
	done
	say "allowed$other" "$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$job/status")"
	kill "$job"
	say "cpu$cpu" "$round times, $bad bad"
	cpu=$((cpu + 1))
done
say online "$(cat "$cpus/online")"
# Every CPU still does work, and answers interrupts from the others.
cpu=0 worked=''
while [ "$cpu" -lt "$count" ]; do
	worked="$worked $(taskset "$(mask "$cpu")" sha256sum /bin/busybox | cut -c 1-8)"
	cpu=$((cpu + 1))
done
say worked "$(echo "$worked" | tr ' ' '\n' | sed '/^$/d' | sort | uniq -c | wc -l)"
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall|failed to (come online|boot|unplug)|did not die')"
