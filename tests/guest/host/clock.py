#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: clock.py HVCGATE

The host's clock in a bare-metal guest. First with our process at the other end: the readings hold together. Then with
one that writes anything into the part of the mailbox where the clock is, all the time: every call comes back, CPUs and
monitor go on, and of the monitor's memory nothing changes but what each CPU knows of the clock.
"""

import os
import random

import machine
from machine import Elf, Machine, Place, check, finish
from observe import ENDED, code_differs, monitor_changes

CLOCKS_AT, CLOCKS_BYTES = 2144, 8 * 16 + 8  # struct el2_mailbox, clocks and clock_bound_ns
WORDS = [0, 1, 2, 3, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x3B9ACA00]


def start(place, append, **more):
    return Machine(place, "clock", "--smp", "4", "--mem", "128M", append=append, **more)


def counts(guest):
    found = guest.said(r"clock: (\d+) answered, (\d+) refused")
    return None if found is None else tuple(map(int, found))


def honest():
    with Place() as place:
        guest = start(place, "seconds=2 honest=1")
        status = guest.end()
        answered = counts(guest)
        print(f"honest: answered, refused: {answered}, none off by more than {guest.summary.get('clock_bound_ns')} ns")
        good = check(status == 0 and guest.lines[-1] == "PASS" and answered and answered[0] > 10, "honest")
        good &= check(0 < (guest.summary.get("clock_bound_ns") or 0) <= 10_000_000, "the bound")
        if not good:
            guest.tell()


def scribble(guest, rounds, seed):
    """Numbers that look like answers, and others, into every field."""
    dice = random.Random(seed)
    path = open(os.path.join(guest.directory, "shared")).read()
    with open(path, "r+b", buffering=0) as file:
        for _ in range(rounds):
            at = CLOCKS_AT + 4 * dice.randrange(CLOCKS_BYTES // 4)
            file.seek(at)
            file.write((dice.choice(WORDS) if dice.random() < 0.5 else dice.getrandbits(32)).to_bytes(4, "little"))
            if guest.process.poll() is not None:
                break


def hostile():
    with Place() as place:
        guest = start(place, "seconds=4", observed=True)
        elf = Elf(machine.built("src", "el2", "monitor.elf"))
        check(guest.until("clock: ready"), "starts")
        before = guest.memory("monitor")
        scribble(guest, 400000, 1)
        status = guest.end()
        after = guest.memory("monitor")
        answered = counts(guest)
        print(f"hostile: answered, refused: {answered}")
        good = check(status == 0 and guest.lines[-1] == "PASS" and answered and sum(answered) > 10, "hostile")
        changes = monitor_changes(elf, before, after, ENDED)
        good &= check(changes == [] and not code_differs(elf, after), f"monitor memory changed: {changes[:20]}")
        good &= check(isinstance(guest.summary.get("clock_bound_ns"), (int, type(None))), "the summary is sound")
        if not good:
            guest.tell()


honest()
hostile()
finish("clock")
