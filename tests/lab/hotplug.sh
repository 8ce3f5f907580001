#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# In a Linux guest with two CPUs: what it sees of the policy, and rounds=N times (of its command line) CPU 1 off and on again.
# Lines are "@ NAME: VALUE".

say() { echo "@ $1: $2"; }
cpu1=/sys/devices/system/cpu/cpu1/online
rounds=$(sed -n 's/.*\brounds=\([0-9]*\).*/\1/p' /proc/cmdline)

say kernel "$(uname -r)"
dmesg | sed -n 's/^\[[^]]*\] *//; /^psci: /p; /^smccc: /p' | while read -r line; do
	say dmesg "$line"
done
say trng_module "$(grep -c '^arm_smccc_trng ' /proc/modules)"
round=0 bad=0
while [ "$round" -lt "${rounds:-0}" ]; do
	for state in 0 1; do
		echo $state >$cpu1 || bad=$((bad + 1))
		[ "$(cat $cpu1)" = $state ] || bad=$((bad + 1))
	done
	round=$((round + 1))
	[ $((round % 10)) != 0 ] || say round "$round"
done
say hotplug "$round times, $bad bad"
say online "$(cat /sys/devices/system/cpu/online)"
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall|failed to (come online|boot|unplug)|did not die')"
say end yes
