#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Reads random numbers until there are none any more, and says whether everything else goes on. "revoke: going" and
# "revoke: refused" are what whoever took them away waits for.

say() { echo "@ $1: $2"; }
# What a read of 64 bytes brings.
bytes() { dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c | tr -d ' '; }

reads=0 wrong=0
while [ "$(bytes)" = 64 ]; do
	reads=$((reads + 1))
	[ $reads != 5 ] || echo "revoke: going"
	[ $reads -lt 100000 ] || break
done
echo "revoke: refused"
say reads $reads
# None comes back, on no CPU.
for mask in 1 2 1 2 1 2 1 2; do
	[ "$(taskset $mask dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c | tr -d ' ')" = 0 ] || wrong=$((wrong + 1))
done
say wrong $wrong
# Everything else: CPUs off and on, the clock, the kernel's own random numbers.
echo 0 >/sys/devices/system/cpu/cpu1/online
say without "$(cat /sys/devices/system/cpu/online)"
echo 1 >/sys/devices/system/cpu/cpu1/online
say online "$(cat /sys/devices/system/cpu/online)"
say urandom "$(dd if=/dev/urandom bs=64 count=1 2>/dev/null | wc -c | tr -d ' ')"
before=$(cut -d. -f1 /proc/uptime)
sleep 2
after=$(cut -d. -f1 /proc/uptime)
say clock "$([ $((after - before)) -ge 1 ] && [ $((after - before)) -le 60 ] && echo goes)"
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall')"
