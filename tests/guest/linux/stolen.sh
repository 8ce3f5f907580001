#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Calls that wait, the steal time that Linux then shows, and CPU 1 off and on.

say() { echo "@ $1: $2"; }
# Of all CPUs, in hundredths of a second.
steal() { awk '/^cpu / { print $9 }' /proc/stat; }

before=$(steal) round=0
say before "$before"
while [ "$round" -lt 20 ] && [ "$(steal)" -le $((before + 10)) ]; do
	/hvcgate/ptp 1000
	round=$((round + 1))
done
say after "$(steal)"
echo 0 >/sys/devices/system/cpu/cpu1/online
echo 1 >/sys/devices/system/cpu/cpu1/online
taskset 2 /hvcgate/ptp 10
say after_hotplug "$(steal)"
dmesg | sed -n 's/^\[[^]]*\] *//; /arm-pv/p' | while read -r line; do
	say dmesg "$line"
done
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall')"
