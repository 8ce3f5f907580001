#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: tool_test.sh GOLDEN TABLES
#
# What the tool that holds golden answers against the engine must notice, and what it must refuse.

set -eu
golden=$1 tables=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

fail() {
	echo "FAILED $*"
	cat "$dir/err"
	status=1
}

# run STATUS ARGS...: the tool must end so; what it says is in $dir/err.
run() {
	local wanted=$1 got=0
	shift
	"$golden" "$@" >"$dir/out" 2>"$dir/err" || got=$?
	[ "$got" = "$wanted" ] || fail "$*: status $got, not $wanted"
}

# says TEXT: so it did.
says() {
	grep -qF -- "$1" "$dir/err" || fail "nothing says: $1"
}

table=$dir/tables/hvcgate-1@1.txt
fresh() {
	rm -rf "$dir/tables"
	cp -r "$tables" "$dir/tables"
}

# A function that guests of a closed profile would come to see, or no longer see, or that answers otherwise.
fresh
sed -i '0,/^PSCI_SYSTEM_RESET2\/64 /{/^PSCI_SYSTEM_RESET2\/64 /d}' "$table"
run 1 --check "$dir/tables" hvcgate-1
says 'recorded: (nothing)'
says 'now:      PSCI_SYSTEM_RESET2/64 a: '
says 'hvcgate-1@1 is closed'
says "--print hvcgate-1@1 | diff $dir/tables/hvcgate-1@1.txt -"
fresh
sed -i '0,/^PSCI_SYSTEM_OFF\/32 /s//PSCI_CPU_FREEZE\/32 *: cpu-freeze\n&/' "$table"
run 1 --check "$dir/tables" hvcgate-1
says 'recorded: PSCI_CPU_FREEZE/32 *: cpu-freeze'
says 'now:      (nothing)'
fresh
sed -i '0,/^PSCI_VERSION\/32 \*: x0=0x10001/s//PSCI_VERSION\/32 *: x0=0x10000/' "$table"
run 1 --check "$dir/tables" hvcgate-1
says 'recorded: PSCI_VERSION/32 *: x0=0x10000'
says 'now:      PSCI_VERSION/32 *: x0=0x10001'

# A table that is gone, and one whose profile is.
fresh
rm "$table"
cp "$dir/tables/linux-6.1@1.txt" "$dir/tables/linux-6.1@7.txt"
run 1 --check "$dir/tables"
says 'hvcgate-1@1 has no table; record it'
says 'there is no profile linux-6.1@7 any more'

# Closed tables are never written again.
fresh
echo '# changed' >>"$table"
cp "$table" "$dir/before"
run 2 --update hvcgate-1 "$dir/tables"
says 'hvcgate-1@1 is closed: its table is never changed'
cmp -s "$table" "$dir/before" || fail 'the table of a closed profile was written'

run 2 --check
says 'usage: '
run 2 --print hvcgate-9
says "unknown profile 'hvcgate-9'"
run 0 --print hvcgate-1
cmp -s "$dir/out" "$tables/hvcgate-1@1.txt" || fail 'what is printed is not what is recorded'
exit $status
