#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# Random numbers, and where the kernel was put by some.

say() { echo "@ $1: $2"; }
hex() { od -An -v -tx1 | tr -d ' \n'; }

say online "$(cat /sys/devices/system/cpu/online)"
say random "$(dd if=/dev/hwrng bs=64 count=8 2>/dev/null | hex)"
say urandom "$(dd if=/dev/urandom bs=64 count=1 2>/dev/null | hex)"
say boot_id "$(cat /proc/sys/kernel/random/boot_id)"
say kernel_base "$(sed -n 's/ T _stext$//p' /proc/kallsyms)"
