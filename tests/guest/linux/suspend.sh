#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Suspends the whole system three times; the clock's alarm wakes it. On a slow machine it may ring before the other
# CPU is off, and Linux then does not suspend (EBUSY): once more, with more time.

alarm=/sys/class/rtc/rtc0/wakealarm
say() { echo "@ $1: $2"; }

say mem_sleep "$(cat /sys/power/mem_sleep)"
round=0
while [ "$round" -lt 3 ]; do
	for patience in 2 5 20; do
		hwclock -s -u
		before=$(date +%s)
		echo 0 >"$alarm"
		echo "+$patience" >"$alarm"
		if echo mem >/sys/power/state; then status=fine; else status=failed; fi
		[ "$status" = failed ] || break
	done
	hwclock -s -u
	say slept "$status, $(($(date +%s) - before)) s"
	round=$((round + 1))
done
say online "$(cat /sys/devices/system/cpu/online)"
say random "$(dd if=/dev/hwrng bs=8 count=1 2>/dev/null | wc -c)"
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall|failed to (come online|boot|unplug)|did not die')"
