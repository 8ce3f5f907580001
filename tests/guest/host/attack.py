#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: attack.py HVCGATE [--cpu MODEL] [--gic 2|3] [--smp N] [--mem MIB] | HVCGATE --prove

Runs the guest `attack`, which tries everything to get out, and looks from outside at what it must not change: of the
monitor's memory all but stacks, per-CPU state and the engine's state of CPUs; of the shared memory all but counters.
--prove: the same with a monitor that gives the guest too much must fail, by the guest's count and from outside.
"""

import argparse
import sys

import machine
from machine import CODE_PA, IMAGE_PA, LAUNCH_PA, MONITOR_PA, Elf, Machine, Place, check, finish
from observe import code_differs, digest, monitor_changes, shared_changes

GUEST_IPA = 0x40000000
MARK = 0x41800000  # attack.c, own_ram()


class Attack:
    def __init__(self, place, cpu, gic, smp, mem=128, regions=()):
        self.elf = Elf(machine.built("src", "el2", "monitor.elf"))
        self.machine = Machine(place, "attack", "--cpu", cpu, "--gic", str(gic), "--smp", str(smp), "--mem", f"{mem}M",
                               append=f"ram={mem << 20:#x} cpus={smp} wait=1", observed=True, regions=regions)

    def run(self):
        guest = self.machine
        self.ready = guest.until("attack: ready")
        if self.ready:
            self.before = guest.memory("monitor")
            shared = guest.memory("shared")
            guest.send("x")
            self.over = guest.until("attack: over")
            if self.over:
                self.after, self.ram = guest.memory("monitor"), guest.memory("guest", MARK - GUEST_IPA, 8)
                self.changes = monitor_changes(self.elf, self.before, self.after)
                self.shared = shared_changes(shared, guest.memory("shared"))
                guest.send("x")
        self.status = guest.end()
        return self

    def escaped(self):
        counted = self.machine.said(r"attack: (\d+) attempts, (\d+) contained, (\d+) escaped")
        return None if counted is None else [int(n) for n in counted]


def contained(arguments):
    with Place() as place:
        attack = Attack(place, arguments.cpu, arguments.gic, arguments.smp, arguments.mem).run()
        if not check(attack.ready and attack.over, "the attack is over"):
            attack.machine.tell()
            finish("attack")
        counted = attack.escaped()
        check(counted and counted[0] > 900000 and counted[0] == counted[1] and counted[2] == 0, f"contained: {counted}")
        print(attack.machine.lines[-4])
        if arguments.cpu == "max":
            kinds = attack.machine.said(r"attack: \d+ kinds of access; (.*)")
            check(kinds and {"atomics", "SVE", "tags"} <= set(kinds[0].split()), f"kinds of access: {kinds}")
        check(attack.changes == [], f"monitor memory changed: {attack.changes[:20]}")
        check(attack.shared == [], f"shared memory changed outside the counters: {attack.shared[:20]}")
        check(not code_differs(attack.elf, attack.after), "code and constants are the file's")
        check(any(attack.after[LAUNCH_PA - MONITOR_PA:][:16]) and any(attack.after[IMAGE_PA - MONITOR_PA:][:16])
              and any(attack.after[CODE_PA - MONITOR_PA:][:16]), "monitor memory is what was looked at")
        before, after = digest(attack.elf, attack.before), digest(attack.elf, attack.after)
        check(before == after, "hash")
        print(f"monitor memory: sha256 {before[:16]} before, {after[:16]} after")
        # What the guest wrote at the monitor's addresses is in its own memory.
        check(attack.ram == (MARK ^ 0x5A5A5A5A5A5A5A5A).to_bytes(8, "little"), "the guest's own RAM")
        check(attack.machine.said(r"attack: PSCI_VERSION 1000[0-9]") is not None, "the monitor answers")
        check(attack.machine.lines[-1] == "PASS" and attack.status == 0, f"power off: status {attack.status}")
        if machine.failures:
            attack.machine.tell()
    finish("attack")


def prove():
    """Monitors with a hole: the oracles must see each of them."""
    device, ram = 2, 1
    holes = {
        "fw_cfg": ([0x09020000, 0x09020000, 0x1000, device], True),
        "virtio-mmio": ([0x0A000000, 0x0A000000, 0x4000, device], False),
        "second PCI function": ([0x4010001000, 0x4010001000, 0x1000, device], False),
        "alias of guest RAM": ([0x3C300000, 0x44200000, 0x1000, ram], False),
    }
    for name, (region, seen_outside) in holes.items():
        with Place() as place:
            attack = Attack(place, "cortex-a72", 3, 1, regions=[region]).run()
            counted = attack.escaped()
            good = check(attack.ready and attack.over, f"{name}: the attack is over")
            good = good and check(counted and counted[2] > 0, f"{name}: the guest notices: {counted}")
            good = good and check(attack.status == 0 and attack.machine.lines[-1] != "PASS", f"{name}: is reported")
            if good and seen_outside:
                good = check(attack.changes != [], f"{name}: monitor memory changed")
                good &= check(digest(attack.elf, attack.before) != digest(attack.elf, attack.after), f"{name}: hash")
            print(f"{name}: {counted[2] if counted else 0} escaped, {len(getattr(attack, 'changes', []))} words changed")
            if not good:
                attack.machine.tell()
    refused = {
        "monitor memory": [0x80000000, 0x40200000, 0x1000, ram],
        "mailbox": [0x80000000, 0x42000000, 0x1000, ram],
        "end of the monitor's memory": [0x80000000, 0x41FFF000, 0x2000, ram],
        "doorbell": [0x3EFF0000, 0x3EFF0000, 0x1000, device],
        "all of memory": [0x80000000, 0x0, 0x80000000, ram],
        "around the end": [0x80000000, 0xFFFFFFFFFFFFF000, 0x2000, ram],
    }
    for name, region in refused.items():
        with Place() as place:
            guest = Machine(place, "attack", "--mem", "128M", "--smp", "1", observed=True, regions=[region])
            status = guest.end()
            if not check(status == 2 and "refused" in guest.errors and "region" in guest.errors, f"{name}: is refused"):
                guest.tell()
    finish("attack --prove")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hvcgate")
    parser.add_argument("--cpu", default="cortex-a72")
    parser.add_argument("--gic", type=int, default=3)
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--mem", type=int, default=128)
    parser.add_argument("--prove", action="store_true")
    arguments = parser.parse_args()
    if arguments.prove:
        prove()
    contained(arguments)


if __name__ == "__main__":
    sys.exit(main())
