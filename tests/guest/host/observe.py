# SPDX-License-Identifier: BSD-2-Clause
"""What a guest must not change: the monitor's memory and the memory shared with it, compared from outside."""

import hashlib

import machine
from machine import MONITOR_PA

# Variables of the monitor that a call or a trap may change; the last one by the call that ends the machine.
MUTABLE = {"el2_cpus", "vcpu_memory", "stats_memory", "cpus_alive"}
ENDED = {"ended.0"}
# Stolen time, in a page of its own, once a CPU has asked for its record.
STOLEN = {"records"}


def allowed(elf, more=frozenset()):
    """Ranges of monitor memory that may change, as offsets."""
    ranges = [(elf.address("__stacks"), elf.address("__stacks_end"))]
    ranges += [(at, at + size) for at, size, name in elf.objects() if name in MUTABLE | more]
    return [(start - MONITOR_PA, end - MONITOR_PA) for start, end in ranges]


def place_name(elf, offset):
    address = offset + MONITOR_PA
    for at, size, name in elf.objects():
        if at <= address < at + size:
            return f"{name}+0x{address - at:x}"
    return f"0x{address:x}"


def monitor_changes(elf, before, after, more=frozenset()):
    """Names of what changed and must not have."""
    ranges = allowed(elf, more)
    return [place_name(elf, at) for at in machine.changed_words(before, after)
            if not any(start <= at < end for start, end in ranges)]


def shared_changes(before, after):
    """Nothing but counters: no ring, as there is no trace, and nothing in the mailbox."""
    return [f"0x{at:x}" for at in machine.changed_words(before, after)
            if at < machine.MAILBOX_BYTES or at >= machine.RINGS_OFFSET]


def code_differs(elf, monitor):
    """Code and constants in memory against the file."""
    for address, offset, filed, _, flags in elf.segments:
        at = address - MONITOR_PA
        if not flags & 2 and monitor[at:at + filed] != elf.data[offset:offset + filed]:
            return True
    return False


def digest(elf, monitor, more=frozenset()):
    """Of all that must never change."""
    sha, at = hashlib.sha256(), 0
    for start, end in sorted(allowed(elf, more)):
        sha.update(monitor[at:start])
        at = end
    sha.update(monitor[at:])
    return sha.hexdigest()
