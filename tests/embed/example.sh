#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: example.sh EMBED POLICY EXPECTED
# examples/embed.c says what stands in EXPECTED, and what is wrong with a policy it is given.
set -eu
embed=$1 policy=$2 expected=$3

diff -u "$expected" <("$embed" "$policy") || {
	echo "FAILED: it says something else (+) than $expected" >&2
	exit 1
}
! said=$("$embed" "$policy.nowhere" 2>&1) || {
	echo "FAILED: no policy, and no error" >&2
	exit 1
}
case $said in
*"$policy.nowhere"*EIO*) echo "2 of 2" ;;
*)
	printf 'FAILED: of a policy that is not there it says only:\n%s\n' "$said" >&2
	exit 1
	;;
esac
