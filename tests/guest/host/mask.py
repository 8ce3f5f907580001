#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: mask.py HVCGATE [OPTION of hvcgate run...] | HVCGATE --prove

Runs the guest `mask` under the default policy and under high.yaml: registers that a call must not change do not, and
what does not return is seen by another CPU, at the entry point, or by the next boot.
--prove: with monitors that spoil one register each the guest must fail.
"""

import os
import sys

import machine
from machine import HERE, Elf, Machine, Place, check, finish

SLEEPS = [f"{what}/{width} by {conduit}: on at the entry, by its timer"
          for what in ("PSCI_CPU_SUSPEND", "PSCI_SYSTEM_SUSPEND") for conduit in ("hvc", "smc") for width in (32, 64)]
OFFS = [f"PSCI_CPU_OFF by {conduit}: off, as another CPU sees it" for conduit in ("hvc", "smc")]
RESETS = [f"PSCI_SYSTEM_{what}: the next boot" for what in (
    "RESET by hvc", "RESET by smc", "RESET2/64 by hvc", "RESET2/64, vendor's, by smc", "RESET2/32, vendor's, by hvc")]
HIGH = ["--policy", os.path.join(HERE, "high.yaml")]


def run(name, options, append, end):
    with Place() as place:
        guest = Machine(place, "mask", "--smp", "2", "--mem", "128M", "--on-reset", "continue", *options, append=append)
        status = guest.end()
        gone = [line[6:] for line in guest.lines if line.startswith("gone: ")]
        counted = guest.said(r"mask: SMCCC [0-9a-f]+, (\d+) calls, (\d+) wrong")
        good = check(status == 0 and guest.lines[-1] == "PASS", f"{name}: ends well")
        good &= check(counted is not None and int(counted[0]) > 43000 and counted[1] == "0", f"{name}: {counted}")
        good &= check(gone == OFFS + SLEEPS + RESETS, f"{name}: calls that do not return: {gone}")
        good &= check(guest.summary.get("boots") == len(RESETS) + 1, f"{name}: boots")
        good &= check(end in guest.summary.get("reason", ""), f"{name}: ended by {end}")
        print(f"{name}: {counted}, {len(gone)} calls that do not return, {guest.summary.get('reason')}")
        if not good:
            guest.tell()


def spoiled(place, elf, name, wanted, replacement):
    """A monitor with the first such instruction of the HVC path replaced."""
    path = elf.address("el2_vectors")
    where = [at for at in elf.find(wanted) if path + 0x400 <= at < path + 0x480]
    if not check(len(where) == 1, f"{name}: place to spoil"):
        return None
    return elf.patched(os.path.join(place.top, "monitor.elf"), where[0], [replacement])


def prove():
    mov_w1_0, nop = 0x52800001, 0xD503201F  # conduit of an HVC: the engine does not look at it
    spoils = {
        "x16 and x17": (0xA94847F0, nop),  # ldp x16, x17, [sp, #128]
        "v7": (mov_w1_0, 0x4F00E407),      # movi v7.16b, #0
        "far_el1": (mov_w1_0, 0xD518601F),
        "sp_el0": (mov_w1_0, 0xD518411F),
        "x25": (mov_w1_0, 0xAA1F03F9),
        "flags": (mov_w1_0, 0xD51C401F),  # msr spsr_el2, xzr: another level, too
    }
    elf = Elf(machine.built("src", "el2", "monitor.elf"))
    for name, (wanted, replacement) in spoils.items():
        with Place() as place:
            monitor = spoiled(place, elf, name, wanted, replacement)
            if monitor is None:
                continue
            guest = Machine(place, "mask", "--smp", "2", "--mem", "128M", append="random=100", monitor=monitor, timeout=10)
            status = guest.end()
            if not check(status != 0 or not guest.lines or guest.lines[-1] != "PASS", f"a monitor that spoils {name} fails"):
                guest.tell()
            print(f"{name}: {next((line for line in guest.lines if line.startswith('FAIL')), f'status {status}')}")
    finish("mask --prove")


def main():
    options = sys.argv[2:]
    if options == ["--prove"]:
        prove()
    run("hvcgate-1", options, "smc=1", "(PSCI_SYSTEM_OFF)")
    run("high.yaml", options + HIGH, "off2=1", "(PSCI_SYSTEM_OFF2)")
    finish("mask")


main()
