#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: symbols.py HEADERS LIBHVCGATE.SO LIBHVCGATE-ENGINE.A [PAGE]

The shared library exports what the headers declare as HVC_API, no more and no less; the engine's archive likewise what
of it is the engine's, and wants four memory functions. PAGE, the manual page, names each function."""
import os
import re
import subprocess
import sys

headers, shared, engine = sys.argv[1:4]
page = sys.argv[4] if len(sys.argv) > 4 else None
MEMORY = {"memcpy", "memmove", "memset", "memcmp"}
# Of the hosted library alone.
HOSTED = {"policy.h", "kvm.h", "handler.h"}


def declared(path):
    text = open(path).read()
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    text = re.sub(r"^#[^\n]*", " ", text, flags=re.M)
    names = re.findall(r"\bHVC_API\b[^;]*?\b(hvc_\w+)\s*\(", text)
    if len(names) != len(re.findall(r"\bHVC_API\b", text)):
        sys.exit(f"symbols: {path}: an HVC_API that is no function named hvc_*")
    return set(names)


def names(*command):
    said = subprocess.run(["nm", *command], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in said.splitlines()]
    # A version node is an absolute symbol.
    return {row[-1].split("@")[0] for row in rows if len(row) >= 2 and row[-2] != "A"}


failed = 0


def same(what, have, want, more, less):
    global failed
    for name in sorted(have - want):
        print(f"FAILED: {what}: {name}: {more}", file=sys.stderr)
    for name in sorted(want - have):
        print(f"FAILED: {what}: {name}: {less}", file=sys.stderr)
    failed += len(have ^ want)


by_header = {name: declared(os.path.join(headers, name)) for name in os.listdir(headers) if name.endswith(".h")}
everything = set().union(*by_header.values())
of_engine = set().union(*(found for name, found in by_header.items() if name not in HOSTED))
if len(everything) < 60 or len(everything) == len(of_engine):
    sys.exit("symbols: the headers were not understood")

more = "exported, but no header declares it HVC_API (make it static, or declare it)"
less = "declared HVC_API, but not exported (is its file in a meson.build?)"
same(os.path.basename(shared), names("-D", "--defined-only", shared), everything, more, less)
same(os.path.basename(engine), names("-g", "--defined-only", engine), of_engine, more, less)
for name in sorted(names("-g", "--undefined-only", engine) - MEMORY):
    print(f"FAILED: {os.path.basename(engine)} wants {name}: the engine is freestanding", file=sys.stderr)
    failed += 1

if page:
    named = set(re.findall(r"\*(hvc_\w+)\*\(\)", open(page).read()))
    same(os.path.basename(page), named, everything, "named, but no header declares it", "declared HVC_API, but not named there")

dynamic = subprocess.run(["readelf", "-d", shared], capture_output=True, text=True, check=True).stdout
soname = re.search(r"\(SONAME\).*\[(.*)\]", dynamic)
if soname is None or soname[1] != "libhvcgate.so.0":
    print(f"FAILED: the soname is {soname and soname[1]}, not libhvcgate.so.0", file=sys.stderr)
    failed += 1
print(f"{len(everything)} functions, {len(of_engine)} of them the engine's; {failed} failed")
sys.exit(1 if failed else 0)
