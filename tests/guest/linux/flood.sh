#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Reads /dev/hwrng from all CPUs at once, 24 bytes a call, and says how long it took.

say() { echo "@ $1: $2"; }

start=$(cut -d ' ' -f 1 /proc/uptime)
cpu=0
while [ "$cpu" -lt "$(nproc)" ]; do
	taskset "$(printf %x $((1 << cpu)))" dd if=/dev/hwrng of="/tmp/$cpu" bs=4096 count=25 2>/dev/null &
	cpu=$((cpu + 1))
done
wait
say seconds "$start to $(cut -d ' ' -f 1 /proc/uptime)"
say bytes "$(cat /tmp/[0-9] | wc -c)"
say online "$(cat /sys/devices/system/cpu/online)"
