#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: tool_test.sh GOLDEN TABLES
#
# What the tool that holds golden answers against the engine must notice, and what it must refuse.

set -eu
. "$(dirname "$0")/../lib/command.sh"

tool=$(realpath "$1") tables=$(realpath "$2")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

table=$dir/tables/hvcgate-1@1.txt
fresh() {
	rm -rf "$dir/tables"
	cp -r "$tables" "$dir/tables"
}

# A function that guests of a closed profile would come to see, or no longer see, or that answers otherwise.
fresh
sed -i '0,/^PSCI_SYSTEM_RESET2\/64 /{/^PSCI_SYSTEM_RESET2\/64 /d}' "$table"
run 1 --check "$dir/tables" hvcgate-1
says err 'recorded: (nothing)'
says err 'now:      PSCI_SYSTEM_RESET2/64 a: '
says err 'hvcgate-1@1 is closed'
says err "--print hvcgate-1@1 | diff $dir/tables/hvcgate-1@1.txt -"
fresh
sed -i '0,/^PSCI_SYSTEM_OFF\/32 /s//PSCI_CPU_FREEZE\/32 *: cpu-freeze\n&/' "$table"
run 1 --check "$dir/tables" hvcgate-1
says err 'recorded: PSCI_CPU_FREEZE/32 *: cpu-freeze'
says err 'now:      (nothing)'
fresh
sed -i '0,/^PSCI_VERSION\/32 \*: x0=0x10001/s//PSCI_VERSION\/32 *: x0=0x10000/' "$table"
run 1 --check "$dir/tables" hvcgate-1
says err 'recorded: PSCI_VERSION/32 *: x0=0x10000'
says err 'now:      PSCI_VERSION/32 *: x0=0x10001'

# A table that is gone, and one whose profile is.
fresh
rm "$table"
cp "$dir/tables/linux-6.1@1.txt" "$dir/tables/linux-6.1@7.txt"
run 1 --check "$dir/tables"
says err 'hvcgate-1@1 has no table; record it'
says err 'there is no profile linux-6.1@7 any more'

# Closed tables are never written again.
fresh
echo '# changed' >>"$table"
cp "$table" before
run 2 --update hvcgate-1 "$dir/tables"
says err 'hvcgate-1@1 is closed: its table is never changed'
cmp -s "$table" before || fail 'the table of a closed profile was written'

run 2 --check
says err 'usage: '
run 2 --print hvcgate-9
says err "unknown profile 'hvcgate-9'"
run 0 --print hvcgate-1
cmp -s out "$tables/hvcgate-1@1.txt" || fail 'what is printed is not what is recorded'
verdict
