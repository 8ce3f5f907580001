#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Lets every CPU sleep, for short and for long, and says how often it was in each of its idle states.

cpus=/sys/devices/system/cpu
say() { echo "@ $1: $2"; }
mask() { printf %x $((1 << $1)); }
# column CPU FILE: of each state of the CPU, in a line
column() { for state in "$cpus/cpu$1"/cpuidle/state*; do cat "$state/$2"; done | tr '\n' ' ' | sed 's/ $//'; }

say driver "$(cat "$cpus/cpuidle/current_driver")"
count=$(nproc)
cpu=0
while [ "$cpu" -lt "$count" ]; do
	# shellcheck disable=SC2016  # expanded by the shell that it starts
	taskset "$(mask "$cpu")" sh -c '
		n=0
		while [ "$n" -lt 100 ]; do
			usleep 100
			usleep 5000
			n=$((n + 1))
		done
		sleep 1' &
	cpu=$((cpu + 1))
done
wait
if [ -e "$cpus/cpu0/cpuidle/state0" ]; then
	cpu=0
	while [ "$cpu" -lt "$count" ]; do
		say states "$(column "$cpu" name)"
		say usage "$(column "$cpu" usage)"
		cpu=$((cpu + 1))
	done
fi
say online "$(cat "$cpus/online")"
# Every CPU still does work.
cpu=0 worked=''
while [ "$cpu" -lt "$count" ]; do
	worked="$worked $(taskset "$(mask "$cpu")" sha256sum /bin/busybox | cut -c 1-8)"
	cpu=$((cpu + 1))
done
say worked "$(echo "$worked" | tr ' ' '\n' | sed '/^$/d' | sort | uniq -c | wc -l)"
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall')"
