#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: install.sh BUILD SOURCE
# The examples against an installation, as somebody else builds them: pkg-config, gcc and clang, C and C++, the shared
# library, the static one and the engine's.
set -eu
export LC_ALL=C
build=$1 source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
dest=$dir/dest passed=0

# must WHAT COMMAND...
must() {
	local what=$1
	shift
	"$@" >"$dir/said" 2>&1 || {
		printf 'FAILED %s: %s\n' "$what" "$*" >&2
		cat "$dir/said" >&2
		exit 1
	}
	passed=$((passed + 1))
}

must "install" env DESTDIR="$dest" meson install -C "$build" --no-rebuild --quiet
pc=$(dirname "$(find "$dest" -name hvcgate.pc)")
lib=$(dirname "$pc")
include=$(dirname "$(find "$dest" -path '*/include/hvcgate')")
examples=$(dirname "$(find "$dest" -name freestanding.c)")
export PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_LIBDIR=$pc LD_LIBRARY_PATH=$lib

# Public headers, all of them, and nothing else.
must "installed headers" diff <(cd "$source/include" && ls hvcgate/*.h hvcgate/catalog.def) \
	<(cd "$include" && find . -type f -printf '%P\n' | sort)
must "symbols" "$source/tests/embed/symbols.py" "$include/hvcgate" "$lib/libhvcgate.so" "$lib/libhvcgate-engine.a"

read -ra flags <<<"$(pkg-config --cflags --libs hvcgate)"
read -ra static <<<"$(pkg-config --static --libs hvcgate)"
read -ra engine <<<"$(pkg-config --cflags --libs hvcgate-engine)"
strict=(-Wall -Wextra -Wconversion -Werror -pedantic)
cat "$source/tests/embed/all.cc.in" >"$dir/all.cc"
(cd "$include" && printf '#include <%s>\n' hvcgate/*.h) >"$dir/all.h"

# runs PROGRAM: what the example says is what it says in the tree.
runs() { diff -u "$source/tests/embed/golden/embed.txt" <("$1" "$examples/embed.yaml"); }
without_library() { ! ldd "$1" | grep libhvcgate; }

for cc in gcc clang; do
	command -v "$cc" >/dev/null || continue
	must "$cc: build embed.c" "$cc" -std=c11 "${strict[@]}" "$examples/embed.c" "${flags[@]}" -o "$dir/embed"
	must "$cc: run it" runs "$dir/embed"
	must "$cc: it uses the installed library" grep -q "=> $lib/libhvcgate.so.0 " <(ldd "$dir/embed")
	must "$cc: build freestanding.c" "$cc" -std=c11 -ffreestanding "${strict[@]}" "$examples/freestanding.c" \
		"${engine[@]}" -o "$dir/freestanding"
	must "$cc: run it" "$dir/freestanding"
	must "$cc: it needs no libhvcgate.so" without_library "$dir/freestanding"
done
for cxx in g++ clang++; do
	command -v "$cxx" >/dev/null || continue
	must "$cxx: build" "$cxx" -std=c++17 "${strict[@]}" -I "$dir" "$dir/all.cc" "${flags[@]}" -o "$dir/all"
	must "$cxx: run it" "$dir/all"
done
must "static library: build" gcc -std=c11 "$examples/embed.c" "${flags[0]}" -Wl,-Bstatic \
	"${static[@]}" -Wl,-Bdynamic -o "$dir/embed"
must "static library: run it" runs "$dir/embed"
[ "$passed" -ge 10 ]
echo "$passed passed"
