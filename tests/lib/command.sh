# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For tests of a command. Sourced, never run, by who has it in `tool` and is, by the first run, in a directory of its own:
# what the command says goes to files out and err.
failed=0 passed=0 what='' tool=''

pass() { passed=$((passed + 1)); }

# fail TEXT: and goes on.
fail() {
	printf 'FAILED %s\n' "$1" >&2
	sed 's/^/  out: /' out >&2
	sed 's/^/  err: /' err >&2
	failed=$((failed + 1))
}

# run STATUS ARGUMENT...: the command has to end so.
run() {
	local want=$1 status=0
	shift
	what="${tool##*/} $*"
	"$tool" "$@" >out 2>err </dev/null || status=$?
	if [ "$status" = "$want" ]; then
		pass
	else
		fail "$what: status $status, not $want"
	fi
}

# says out|err TEXT: a line of the file has that text; without TEXT the file is empty.
says() {
	if [ $# = 1 ] && [ ! -s "$1" ]; then
		pass
	elif [ $# = 2 ] && grep -qF -- "$2" "$1"; then
		pass
	else
		fail "$what: $1 has not '${2-nothing}'"
	fi
}

# matches out|err EXPRESSION: a line of the file does.
matches() {
	if grep -qE -- "$2" "$1"; then
		pass
	else
		fail "$what: $1 has not '$2'"
	fi
}

# matches_not out|err EXPRESSION: no line does.
matches_not() {
	if grep -qE -- "$2" "$1"; then
		fail "$what: $1 has '$2'"
	else
		pass
	fi
}

# At the end: how it went.
verdict() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}
