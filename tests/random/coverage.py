# SPDX-License-Identifier: BSD-2-Clause
"""What a set of replayed scenarios has covered, counted from what was asked and what the kernel answered."""

import re
from collections import Counter

from scenarios import ALL, RESERVED

FATES = ["allowed", "denied", "forwarded", "bit-off"]

# Each condition of reference/kvm.md A.2, A.3, B.2 that a VMM can bring about through the two interfaces.
CONDITIONS = [
    "get: ok", "get: no such register ENOENT", "get: wrong size ENOENT", "set: no such register ENOENT",
    "set: wrong size ENOENT",
    "PSCI_VERSION: ok", "PSCI_VERSION: ok after the first run", "PSCI_VERSION: 0.1 with PSCI_0_2 EINVAL",
    "PSCI_VERSION: 0.2 or later without PSCI_0_2 EINVAL", "PSCI_VERSION: no such version EINVAL",
    "workaround: ok", "workaround: unknown bits EINVAL", "workaround: more than the host has EINVAL",
    "WORKAROUND_2: enabled without available EINVAL", "WORKAROUND_2: no such level EINVAL",
    "bitmap: ok", "bitmap: same value after the first run ok", "bitmap: other value after the first run EBUSY",
    "bitmap: unknown bits EINVAL", "bitmap: unknown bits after the first run EINVAL",
    "filter: ok", "filter: padding EINVAL", "filter: empty EINVAL", "filter: empty at 0", "filter: wraps EINVAL",
    "filter: action EINVAL", "filter: after the first run EBUSY", "filter: invalid after the first run EINVAL",
    "filter: reserved EEXIST", "filter: earlier range EEXIST",
]


class Machine:
    """One VM as far as coverage asks."""

    def __init__(self, words):
        self.ran, self.rules, self.registers = False, [], {}
        self.psci_0_2 = "psci02=off" not in words

    def rule(self, number):
        for first, last, action in self.rules:
            if first <= number <= last:
                return action
        return None

    def near_edge(self, number):
        return any(abs(number - edge) <= 1 for first, last, *_ in [*self.rules, *RESERVED] for edge in (first, last))


class Coverage:
    def __init__(self, catalog):
        self.catalog = catalog
        self.cells, self.conditions = Counter(), Counter()
        self.calls = self.near = self.scenarios = self.ops = 0
        self.machine = None

    def add(self, command, got):
        """A line and what the kernel answered."""
        words = command.split()
        self.ops += 1
        if words[0] == "vm":
            self.machine = Machine(words)
            self.scenarios += 1
        elif words[0] in ("get", "getraw"):
            self.add_get(words, got)
        elif words[0] in ("set", "setraw"):
            self.add_set(words, got)
        elif words[0] in ("filter", "filterraw"):
            self.add_filter(words, got)
        elif words[0] == "call":
            self.add_call(words, got)

    # --- calls

    def add_call(self, words, got):
        if got.startswith(("not run", "broken", "unsupported")):
            return
        number = self.number_of(words[3])
        self.calls += 1
        self.near += self.machine.near_edge(number)
        name = self.catalog.by_id.get(number, (None,))[0]
        if name is not None:
            self.cells[name, self.fate_of(name, number, got), "after" if self.machine.ran else "before"] += 1
        self.machine.ran = True

    def fate_of(self, name, number, got):
        if got.startswith("forward"):
            return "forwarded"
        if self.machine.rule(number) == "deny":
            return "denied"
        entry = self.catalog.named[name]
        value = self.machine.registers.get(entry.get("register"))
        if value is not None and not value >> entry["register_bit"] & 1:
            return "bit-off"
        return "allowed"

    def number_of(self, word):
        if word.startswith("0x"):
            return int(word, 16)
        name, _, width = word.partition("/")
        entry = self.catalog.named[name]
        return int(entry["id" + width] if width else entry["id64"] or entry["id32"], 16)

    # --- registers

    def add_get(self, words, got):
        if got.startswith(("0x", "-")) or got.isdigit():
            self.conditions["get: ok"] += 1
        elif got == "ENOENT":
            raw = int(words[1], 16) if words[0] == "getraw" else None
            wrong = raw is not None and raw >> 52 & 0xF != 3
            self.conditions["get: wrong size ENOENT" if wrong else "get: no such register ENOENT"] += 1

    def add_set(self, words, got):
        if words[0] == "setraw":
            raw = int(words[1], 16)
            if got == "ENOENT":
                wrong = raw >> 52 & 0xF != 3
                self.conditions["set: wrong size ENOENT" if wrong else "set: no such register ENOENT"] += 1
            return
        name, value = words[1], int(words[2], 16)
        kind = "PSCI" if name == "PSCI_VERSION" else "workaround" if name.startswith("WORK") else "bitmap"
        {"PSCI": self.set_psci, "workaround": self.set_workaround, "bitmap": self.set_bitmap}[kind](name, value, got)

    def set_psci(self, _name, value, got):
        if got == "ok":
            self.conditions["PSCI_VERSION: ok" + (" after the first run" if self.machine.ran else "")] += 1
        elif got == "EINVAL" and value == 1:
            self.conditions["PSCI_VERSION: 0.1 with PSCI_0_2 EINVAL"] += self.machine.psci_0_2
        elif got == "EINVAL" and value in (2, 0x10000, 0x10001):
            self.conditions["PSCI_VERSION: 0.2 or later without PSCI_0_2 EINVAL"] += not self.machine.psci_0_2
        elif got == "EINVAL":
            self.conditions["PSCI_VERSION: no such version EINVAL"] += 1

    def set_workaround(self, name, value, got):
        if got == "ok":
            self.conditions["workaround: ok"] += 1
        elif got != "EINVAL":
            return
        elif value > (0x1F if name == "WORKAROUND_2" else 0xF):
            self.conditions["workaround: unknown bits EINVAL"] += 1
        elif name == "WORKAROUND_2" and value & 0x10 and value & 0xF != 2:
            self.conditions["WORKAROUND_2: enabled without available EINVAL"] += 1
        elif name == "WORKAROUND_2" and value & 0xF > 3:
            self.conditions["WORKAROUND_2: no such level EINVAL"] += 1
        else:
            self.conditions["workaround: more than the host has EINVAL"] += 1

    def set_bitmap(self, name, value, got):
        if got == "ok":
            self.conditions["bitmap: same value after the first run ok" if self.machine.ran else "bitmap: ok"] += 1
            self.machine.registers[name] = value
        elif got == "EBUSY":
            self.conditions["bitmap: other value after the first run EBUSY"] += 1
        elif got == "EINVAL":
            self.conditions["bitmap: unknown bits" + (" after the first run" if self.machine.ran else "") +
                            " EINVAL"] += 1

    # --- filter

    def add_filter(self, words, got):
        pad = b""
        if words[0] == "filter":
            base, count, action = int(words[1], 16), int(words[2], 16), words[3]
        else:
            data = bytes.fromhex(words[1])
            base, count = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
            action, pad = {0: "handle", 1: "deny", 2: "forward"}.get(data[8]), data[9:]
        last = base + count - 1
        if got == "ok":
            self.conditions["filter: ok"] += 1
            self.machine.rules.append((base, last, action))
        elif base == 0 and count == 0:
            self.conditions["filter: empty at 0"] += 1
        elif got == "EBUSY":
            self.conditions["filter: after the first run EBUSY"] += 1
        elif got == "EEXIST":
            reserved = any(first <= last and base <= end for first, end in RESERVED)
            self.conditions[f"filter: {'reserved' if reserved else 'earlier range'} EEXIST"] += 1
        elif got == "EINVAL" and self.machine.ran:
            self.conditions["filter: invalid after the first run EINVAL"] += 1
        elif got == "EINVAL":
            reason = "padding" if any(pad) else "empty" if count == 0 else "wraps" if last > ALL else "action"
            self.conditions[f"filter: {reason} EINVAL"] += 1

    # --- the report

    def possible(self):
        for entry in self.catalog.functions:
            ids = [int(entry[width], 16) for width in ("id32", "id64") if entry[width]]
            reserved = any(first <= number <= last for first, last in RESERVED for number in ids)
            for fate in FATES:
                if (fate in ("denied", "forwarded") and reserved) or (fate == "bit-off" and "register" not in entry):
                    continue
                for when in ("before", "after"):
                    yield entry["name"], fate, when

    def report(self):
        possible = list(self.possible())
        missing = [" ".join(cell) for cell in possible if not self.cells[cell]]
        lively = {self.catalog.by_id[number][0] for number in self.catalog.lively}
        return {
            "scenarios": self.scenarios, "lines": self.ops, "calls": self.calls,
            "calls within 1 of an edge": f"{100 * self.near / max(1, self.calls):.1f} %",
            "function x fate x before/after": f"{len(possible) - len(missing)} of {len(possible)}",
            "not covered, of the services a kernel has": [text for text in missing if text.split()[0] in lively],
            "not covered, others": len([text for text in missing if text.split()[0] not in lively]),
            "conditions": {name: self.conditions[name] for name in CONDITIONS},
            "conditions not covered": [name for name in CONDITIONS if not self.conditions[name]],
        }


def parse_transcript(path):
    """(file, line) -> (command, result)."""
    lines, file = {}, None
    with open(path) as transcript:
        for line in transcript:
            line = line.rstrip("\n")
            if line.startswith("file "):
                file = line[5:]
            elif match := re.match(r"(\d+)\t([^\t]*)\t(.*)$", line):
                lines[file, int(match[1])] = (match[2], match[3])
    return lines
