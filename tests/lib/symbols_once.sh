#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: symbols_once.sh ARCHIVE...
#
# No two archives that are linked into one program define the same symbol: the linker would take either, and say nothing.
twice=$(for archive in "$@"; do nm --defined-only -g "$archive" | awk 'NF == 3 { print $3 }' | sort -u; done | sort | uniq -d)
[ -z "$twice" ] || {
	echo "defined in more than one of the archives that the command is linked from:"
	echo "$twice"
	exit 1
}
