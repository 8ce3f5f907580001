#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: cycle.py HVCGATE [--times N] [--sleeps N] [OPTION of hvcgate run...] | HVCGATE --prove

Runs the guest `cycle`: four CPUs, each taken off and on by the others, and put to sleep and woken, N times. None is
lost, and each starts with documented values in every register it has, all of which it had spoiled before.
--prove: monitors that leave one register as it was must fail.
"""

import argparse
import os

import machine
from machine import Elf, Machine, Place, check, finish

CPUS = 4


def judge(guest, status, times, sleeps):
    found = guest.said(r"cycle: 4 CPUs, (\d+) times off and on each, (\d+) sleeps, (\d+) starts, (\d+) calls, (\d+) wrong, (\d+) early")
    spoiled = guest.said(r"cycle: (\d+) registers, (\d+) writable, (\d+) spoiled each time")
    if status != 0 or guest.lines[-1] != "PASS" or found is None or spoiled is None:
        return [f"ends with status {status}"]
    print(guest.lines[-3], guest.lines[-2], sep="\n")
    bad = []
    if list(map(int, found[:3])) != [times, sleeps * CPUS, (times + sleeps + 1) * CPUS] or found[4:] != ("0", "0"):
        bad.append(f"counts {found}")
    if int(spoiled[2]) < 60:
        bad.append(f"only {spoiled[2]} registers were spoiled")
    calls = {row["function"]: row["calls"] for row in guest.summary["functions"]}
    if calls["PSCI_CPU_OFF"] != times * CPUS + 1 or calls["PSCI_CPU_SUSPEND"] != sleeps * CPUS:
        bad.append(f"{calls['PSCI_CPU_OFF']} CPU_OFF, {calls['PSCI_CPU_SUSPEND']} CPU_SUSPEND")
    return bad


def start(place, times, sleeps, options=(), **more):
    return Machine(place, "cycle", "--smp", str(CPUS), "--mem", "128M", *options,
                   append=f"cpus={CPUS} times={times} sleeps={sleeps}", **more)


def prove():
    nop, ret = 0xD503201F, 0xD65F03C0
    elf = Elf(machine.built("src", "el2", "monitor.elf"))
    breaks = {
        "tpidr_el0 (S3_3_C13_C0_2)": (elf.find(0xD51BD05F)[-1], nop, []),
        "mdscr_el1 (S2_0_C0_C2_2)": (elf.find(0xD510025F)[-1], nop, []),
        "icc_pmr_el1 (S3_0_C4_C6_0)": (elf.find(0xD518461F)[-1], nop, []),
        "a vector register": (elf.address("el2_clear_fp") + 4, nop, []),
        "a long vector": (elf.address("el2_clear_sve"), ret, ["--cpu", "max"]),
    }
    for name, (at, word, options) in breaks.items():
        with Place() as place:
            monitor = elf.patched(os.path.join(place.top, "monitor.elf"), at, [word])
            guest = start(place, 1, 2, options, monitor=monitor, timeout=30)
            bad = judge(guest, guest.end(), 1, 2)
            print(f"a monitor that leaves {name}: {next((line for line in guest.lines if 'FAIL:' in line), bad)}")
            named = "(" not in name or any(name[name.index("(") + 1:-1] in line for line in guest.lines)
            if not check(bad and named, f"a monitor that leaves {name} fails"):
                guest.tell()
    finish("cycle --prove")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hvcgate")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--sleeps", type=int, default=40)
    parser.add_argument("--prove", action="store_true")
    arguments, options = parser.parse_known_args()
    if arguments.prove:
        prove()
    with Place() as place:
        guest = start(place, arguments.times, arguments.sleeps, options)
        bad = judge(guest, guest.end(), arguments.times, arguments.sleeps)
        if not check(not bad, "; ".join(bad)):
            guest.tell()
    finish("cycle")


main()
