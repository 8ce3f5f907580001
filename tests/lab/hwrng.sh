#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# In a Linux guest: reads its random number generator until that fails 20 times in a row, or 150 times. Lines are
# "@ read: NUMBER SECONDS ok|failed", seconds since boot.

say() { echo "@ $1: $2"; }

say hwrng "$(cat /sys/class/misc/hw_random/rng_current)"
n=0 bad=0
while [ "$bad" -lt 20 ] && [ "$n" -lt 150 ]; do
	n=$((n + 1)) said=ok
	bytes=$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)
	if [ "$bytes" = 64 ]; then
		bad=0
	else
		bad=$((bad + 1)) said=failed
	fi
	read -r up rest </proc/uptime
	say read "$n $up $said"
	sleep 0.1
done
say end "$rest"
