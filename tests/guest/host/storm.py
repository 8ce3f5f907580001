#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: storm.py HVCGATE [--calls N] [--high] [--traced] [OPTION of hvcgate run...] | HVCGATE --prove

Runs the guest `storm`: calls from four CPUs with anything in their registers. The monitor's counters must be what
the guest counted, function by function; registers outside the masks and the monitor's memory stay as they were.
--traced: and every call is one record of the trace, or one of those it says were dropped.
--prove: a monitor that counts wrongly, and one that loses a register, must fail.
"""

import argparse
import json
import os
import re

import machine
from machine import HERE, Elf, Machine, Place, check, finish
from observe import ENDED, STOLEN, code_differs, digest, monitor_changes

HIGH = ["--policy", os.path.join(HERE, "high.yaml")]


def counted(lines):
    found = (re.fullmatch(r"storm: count (.*) (\d+)", line) for line in lines)
    return {m[1]: int(m[2]) for m in found if m and int(m[2])}


def differences(guest):
    """Functions whose counter is not what the guest counted. The call that ends the machine is one more."""
    right = counted(guest.lines)
    right["PSCI_SYSTEM_OFF"] = right.get("PSCI_SYSTEM_OFF", 0) + 1
    found = {row["function"]: row["calls"] for row in guest.summary["functions"]}
    found["(unknown functions)"] = guest.summary["unknown_functions"]["calls"]
    return {name: (right.get(name, 0), found.get(name, 0)) for name in {*right, *found}
            if right.get(name, 0) != found.get(name, 0)}


def judge(guest, status, calls):
    """What is wrong, as a list."""
    total = guest.said(r"storm: (\d+) calls, (\d+) starts, (\d+) wrong, PSCI_VERSION 1000[0-9]")
    if total is None or guest.lines[-1] != "PASS" or status != 0:
        return [f"ends with status {status}"]
    made, starts, wrong = map(int, total)
    print(f"storm: {made} calls, {starts} starts of CPUs, {wrong} wrong, {guest.summary['total']['calls'] - 1} counted")
    bad = [f"{name}: {right} calls, {found} counted" for name, (right, found) in sorted(differences(guest).items())]
    if made < calls or starts < 4 or wrong:
        bad.append(f"{made} calls, {starts} starts, {wrong} wrong")
    if guest.summary["total"]["calls"] != made + 1:
        bad.append(f"{made} + 1 calls, {guest.summary['total']['calls']} counted")
    return bad


def traced(guest, path):
    """Sequence numbers of each CPU without a gap but for what was dropped."""
    records = [json.loads(line) for line in open(path)]
    calls = sum(record.get("type") == "call" for record in records)
    total, dropped = guest.summary["total"]["calls"], guest.summary["trace_dropped"]
    print(f"trace: {calls} calls, {dropped} dropped, of {total}")
    check(calls + dropped == total, "each call is a record or dropped")


def storm(arguments, options):
    with Place() as place:
        trace = os.path.join(place.top, "trace.json")
        if arguments.traced:
            options = options + [f"--trace={trace}", "--trace-format", "json"]
        options = options + (HIGH if arguments.high else [])
        append = f"cpus=4 calls={arguments.calls} hint={int(arguments.high)} seed={arguments.seed}"
        guest = Machine(place, "storm", "--smp", "4", "--mem", "128M", *options, append=append, observed=True)
        elf = Elf(machine.built("src", "el2", "monitor.elf"))
        guest.line()  # the monitor is up
        before = guest.memory("monitor")
        status = guest.end()
        after = guest.memory("monitor")
        bad = judge(guest, status, arguments.calls)
        check(not bad, "; ".join(bad[:10]))
        changes = monitor_changes(elf, before, after, ENDED | STOLEN)
        check(changes == [], f"monitor memory changed: {changes[:20]}")
        check(digest(elf, before, ENDED | STOLEN) == digest(elf, after, ENDED | STOLEN) and not code_differs(elf, after), "hash")
        if arguments.traced and not bad:
            traced(guest, trace)
        if machine.failures:
            guest.tell()
    finish("storm")


def prove():
    elf = Elf(machine.built("src", "el2", "monitor.elf"))
    start = elf.address("hvc_call")
    plus_one = [at for at in range(start, start + 0x100, 4) if elf.word(at) & 0xFFFFFC00 == 0x91000400]
    breaks = {
        "counts twice": (plus_one[0], elf.word(plus_one[0]) + 0x400),
        "loses x14 and x15": (elf.find(0xA9473FEE)[0], 0xD503201F),  # ldp x14, x15, [sp, #112]
    }
    for name, (at, word) in breaks.items():
        with Place() as place:
            monitor = elf.patched(os.path.join(place.top, "monitor.elf"), at, [word])
            guest = Machine(place, "storm", "--smp", "4", "--mem", "128M", append="cpus=4 calls=10000", monitor=monitor, timeout=20)
            bad = judge(guest, guest.end(), 10000)
            print(f"a monitor that {name}: {bad[:2]}")
            if not check(bad, f"a monitor that {name} fails"):
                guest.tell()
    finish("storm --prove")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hvcgate")
    parser.add_argument("--calls", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--high", action="store_true")
    parser.add_argument("--traced", action="store_true")
    parser.add_argument("--prove", action="store_true")
    arguments, options = parser.parse_known_args()
    if arguments.prove:
        prove()
    storm(arguments, options)


main()
