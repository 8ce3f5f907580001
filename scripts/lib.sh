# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Helpers that the scripts share. Sourced, never run.

set -euo pipefail

# shellcheck disable=SC2034  # used by the scripts that source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
cache=${HVCGATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hvcgate}
progname=$(basename "$0")

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
	bold='' red='' plain=''
fi

# say TEXT: what happens now, for the person who watches.
say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }

# note TEXT: a detail below the last `say`.
note() { printf '    %s\n' "$*" >&2; }

# die TEXT: could not run; exit status 2.
die() {
	printf '%s%s:%s %s\n' "$red" "$progname" "$plain" "$*" >&2
	exit 2
}

# usage: prints the calling script's header comment, up to the first line that is not one.
usage() {
	awk 'NR == 1 || /SPDX-License/ { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

# at_exit COMMAND: run COMMAND when the script ends, however it ends; last one first.
exit_commands=()
at_exit() { exit_commands=("$1" ${exit_commands[@]+"${exit_commands[@]}"}); }
run_exit_commands() {
	local rc=$? cmd
	trap '' INT TERM HUP
	for cmd in ${exit_commands[@]+"${exit_commands[@]}"}; do
		eval "$cmd" || true
	done
	exit "$rc"
}
trap run_exit_commands EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# now_ms, took MS: milliseconds now; seconds since then with one decimal.
now_ms() { date +%s%3N; }
took() {
	local ms=$(($(now_ms) - $1))
	printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# as_root COMMAND...: as root, by sudo only where that is needed.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root for '$*', and there is no sudo: run it as root"
	fi
}

# quietly LABEL COMMAND...: run a command that says much. On a terminal one line shows how long it
# takes and its latest output; its whole output appears only when it fails (and not even then with
# failure_is_fine=true before it, for a caller who has another way).
quietly() {
	local label=$1 log start rc=0 ticker=''
	shift
	log=$(mktemp "${TMPDIR:-/tmp}/hvcgate-log.XXXXXX")
	at_exit "rm -f '$log'"
	start=$(now_ms)
	if [ -t 2 ]; then
		ticker_loop "$label" "$log" "$start" &
		ticker=$!
		at_exit "kill $ticker 2>/dev/null"
	fi
	"$@" </dev/null >"$log" 2>&1 || rc=$?
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || true
		wait "$ticker" 2>/dev/null || true
		printf '\r\033[K' >&2
	fi
	if [ "$rc" -gt 128 ]; then
		exit "$rc"
	elif [ "$rc" != 0 ] && [ "${failure_is_fine:-}" = true ]; then
		note "$label: not to be had"
	elif [ "$rc" != 0 ]; then
		tail -n 80 "$log" | sed 's/^/    | /' >&2
		printf '%s%s:%s %s: failed with status %d after %s\n' "$red" "$progname" "$plain" \
			"$label" "$rc" "$(took "$start")" >&2
	else
		note "$label: $(took "$start")"
	fi
	rm -f "$log"
	return "$rc"
}
ticker_loop() {
	local label=$1 log=$2 start=$3 width text
	trap - EXIT
	trap 'exit 0' TERM
	width=$(stty size <&2 2>/dev/null | cut -d ' ' -f 2) || true
	while sleep 0.5; do
		# shellcheck disable=SC2016  # sed's $
		text=$(tail -c 400 "$log" 2>/dev/null | tr '\r\t' '\n ' | sed -n '/[^ ]/h; ${x;p;}' | tr -cd '[:print:]')
		text="    $label ... $(took "$start")  $text"
		printf '\r\033[K%.*s' "$((${width:-80} - 1))" "$text" >&2
	done
}

# debian_mirror archive|security: the URI from which this machine gets Debian, or the public one.
debian_mirror() {
	local want=$1 label name uri
	case $want in
	archive) label=Debian name=debian ;;
	security) label=Debian-Security name=debian-security ;;
	esac
	# shellcheck disable=SC2016  # apt's variables, not the shell's
	uri=$(apt-get indextargets --format '$(CREATED_BY) $(LABEL) $(REPO_URI)' 2>/dev/null |
		awk -v label="$label" '$1 == "Packages" && $2 == label { print $3; exit }') || true
	if [ -z "$uri" ]; then # lists never fetched: go by what the sources say
		uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
			sed '/^[[:space:]]*#/d' | grep -oE "[a-z+]+:/[^ ]*/$name/?( |\$)" | head -n 1) || true
		uri=${uri% }
	fi
	uri=${uri:-http://deb.debian.org/$name}
	printf '%s\n' "${uri%/}"
}

# apt_acquire_settings: the machine's own settings for fetching (proxies, certificates, retries), as
# apt.conf lines.
apt_acquire_settings() { apt-config dump --no-empty | grep '^Acquire::' | grep -v '^Acquire::IndexTargets' || true; }

# make_cpio TREE: an uncompressed newc archive of TREE on standard output; the same tree, the same bytes.
make_cpio() (
	cd "$1"
	find . -mindepth 1 -exec touch -h -d @0 {} +
	find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible
)
