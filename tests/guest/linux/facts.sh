#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# What a guest can tell about itself, a line each: "@ NAME: VALUE". guest.py reads them.

say() { echo "@ $1: $2"; }
# file NAME PATH: the first line of PATH, if there is such a file.
file() { [ ! -e "$2" ] || say "$1" "$(head -n 1 "$2" | tr -d '\0')"; }

say kernel "$(uname -r)"
file online /sys/devices/system/cpu/online
file present /sys/devices/system/cpu/present
file method /proc/device-tree/psci/method
file model /proc/device-tree/model
for name in state mem_sleep; do
	file "power/$name" "/sys/power/$name"
done
file rng_current /sys/class/misc/hw_random/rng_current
file rng_available /sys/class/misc/hw_random/rng_available
say trng_module "$(grep -c '^arm_smccc_trng ' /proc/modules)"
for path in /sys/devices/soc0/*; do
	[ ! -f "$path" ] || file "soc0/${path##*/}" "$path"
done
for path in /sys/devices/system/cpu/vulnerabilities/*; do
	file "vulnerability/${path##*/}" "$path"
done
say memory_kib "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
say ram_end "$(sed -n "s/^[0-9a-f]*-\([0-9a-f]*\) : System RAM/\1/p" /proc/iomem | tail -n 1)"
say features "$(sed -n 's/^Features[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *//' | tr '\n' '|')"
# GICv3, or GIC-0 for version 2
say gic "$(grep -o 'GIC[v-][0-9]' /proc/interrupts | sort -u)"
dmesg | sed -n 's/^\[[^]]*\] *//; /^psci: /p; /^smccc: /p; /SMCCC/p; /[sS]oftware [sS]tep/p; /ctx:/p' | while read -r line; do
	say dmesg "$line"
done
# Nothing in the kernel's log may look like an accident.
say accidents "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|Unhandled|rcu:.*stall|failed to (come online|boot)')"
