#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Resets the machine on the first boot, ends on the second. The clock remembers which it is: nothing else outlives
# a reset. On the kernel's command line: hvcgate.reset=panic for a panic, with CPU 0 off, in place of a reboot.

say() { echo "@ $1: $2"; }

date -s 2001-02-03 >/dev/null # so that a clock that does not keep time shows
hwclock -s -u
say year "$(date +%Y)"
say online "$(cat /sys/devices/system/cpu/online)"
say random "$(dd if=/dev/hwrng bs=32 count=1 2>/dev/null | od -An -tx1 | tr -d ' \n')"
say urandom "$(dd if=/dev/urandom bs=32 count=1 2>/dev/null | od -An -tx1 | tr -d ' \n')"
say boot_id "$(cat /proc/sys/kernel/random/boot_id)"
say kernel_base "$(sed -n "s/ T _stext$//p" /proc/kallsyms)"
[ "$(date +%Y)" != 2033 ] || exit 0

date -s 2033-03-03 >/dev/null
hwclock -w -u
if grep -qw hvcgate.reset=panic /proc/cmdline; then
	echo 0 >/sys/devices/system/cpu/cpu0/online
	echo 1 >/proc/sys/kernel/sysrq
	echo c >/proc/sysrq-trigger
else
	reboot -f
fi
sleep 60
exit 1
