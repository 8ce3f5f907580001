#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: trng.py HVCGATE

Random numbers of bare-metal guests: no word comes twice, in any boot, on any CPU, in any of two runs; two
--deterministic runs give the same, and say that they are. The seed is gone from the mailbox once the monitor has it,
and neither it nor what was handed out can be found in the monitor's memory.
"""

import os
import re
import signal
import struct
import time

import machine
from machine import READY_AT, SEED_AT, SEED_BYTES, SEED_FULL_AT, Machine, Place, check, finish

WORDS = 2 * 2 * 8 * 3  # boots, CPUs, calls, words


def start(place, *options, append="", **more):
    return Machine(place, "trng", "--smp", "2", "--mem", "128M", "--on-reset", "continue", *options,
                   append=f"cpus=2 boots=2 {append}", **more)


def words(lines):
    found = (re.fullmatch(r"trng: boot \d cpu \d ([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16})", line) for line in lines)
    return [int(word, 16) for m in found if m for word in m.groups()]


def run(name, *options):
    with Place() as place:
        guest = start(place, *options)
        status = guest.end()
        good = check(status == 0 and guest.lines[-1] == "PASS" and guest.summary.get("boots") == 2, f"{name} ends well")
        good &= check(len(words(guest.lines)) == WORDS, f"{name}: {len(words(guest.lines))} words")
        good &= check(("DETERMINISTIC" in guest.errors) == ("--deterministic" in options), f"{name}: says what it is")
        if not good:
            guest.tell()
        return words(guest.lines)


def mailbox(guest):
    """The seed and whether there is one, once the monitor runs."""
    shared = os.path.join(guest.directory, "shared")
    while time.monotonic() < guest.deadline:
        if os.path.exists(shared) and os.path.exists(shared + "-before"):
            with open(open(shared).read(), "rb") as file:
                page = file.read(4096)
            if struct.unpack_from("<I", page, READY_AT)[0]:
                return page[SEED_AT:SEED_AT + SEED_BYTES], struct.unpack_from("<I", page, SEED_FULL_AT)[0]
        time.sleep(0.01)
    raise TimeoutError("the monitor does not start")


def seed_is_erased():
    with Place() as place:
        guest = start(place, append="wait=1", observed=True, stopped=True)
        try:
            left, full = mailbox(guest)
        finally:
            os.kill(guest.process.pid, signal.SIGCONT)
        with open(os.path.join(guest.directory, "shared-before"), "rb") as file:
            page = file.read(4096)
        seed = page[SEED_AT:SEED_AT + SEED_BYTES]
        check(struct.unpack_from("<I", page, SEED_FULL_AT)[0] == 1 and len(set(seed)) > 16, "there is a seed before the boot")
        check(left == bytes(SEED_BYTES) and full == 0, f"the seed is erased: {left.hex()}, {full}")
        check(guest.until("trng: waiting"), "the guest waits")
        memory = guest.memory("monitor")
        check(not any(seed[at:at + 8] in memory for at in range(0, SEED_BYTES, 4)), "the seed is not in the monitor's memory")
        given = words(guest.lines)
        # The last call of each CPU may still be in the frame of its registers.
        old = given[:WORDS // 4 - 3] + given[WORDS // 4:WORDS // 2 - 3]
        kept = [f"{word:016x}" for word in old if word.to_bytes(8, "little") in memory]
        check(len(given) == WORDS // 2 and not kept, f"what was handed out is not kept: {kept}")
        guest.send("x")
        status = guest.end()
        again = words(guest.lines)
        if not check(status == 0 and len(again) == WORDS and len(set(again)) == WORDS, "and the reset goes on"):
            guest.tell()
        print("seed: taken, erased, not kept")


def main():
    machine.guest("trng")
    first, second = run("a run"), run("another run")
    check(len(set(first + second)) == 2 * WORDS, "no word comes twice")
    same, too = run("a deterministic run", "--deterministic"), run("another deterministic run", "--deterministic")
    check(same == too, "deterministic runs are alike")
    check(not set(same) & set(first + second), "and unlike others")
    print(f"trng: {len(set(first + second))} different words of {2 * WORDS} in two runs of two boots; "
          f"deterministic runs {'alike' if same == too else 'differ'}")
    seed_is_erased()
    finish("trng")


main()
