# SPDX-License-Identifier: BSD-2-Clause
"""Random scenarios: what a VMM and a guest may try, with a bias for the edges. One seed, one text, for ever.

A scenario is a VM's configuration, calls, attempts to change the configuration afterwards, more calls. It states no
result: what a host prints is compared with what another prints.
"""

import json
import random
import subprocess

REGISTERS = ["PSCI_VERSION", "WORKAROUND_1", "WORKAROUND_2", "WORKAROUND_3",
             "STD_BMAP", "STD_HYP_BMAP", "VENDOR_HYP_BMAP", "VENDOR_HYP_BMAP_2"]
PSCI_VERSIONS = [0x1, 0x2, 0x10000, 0x10001, 0x10002, 0x10003]
RESERVED = [(0x80000000, 0x8000FFFF), (0xC0000000, 0xC000FFFF)]  # DEN0028: fast calls of owner 0, low numbers
ACTIONS = ["handle", "deny", "forward"]
ALL = 0xFFFFFFFF
CPUS = 3
SIZES = [0, 1, 2, 3, 4, 5]  # log2 of a register's bytes, bits 55:52 of its ID


class Catalog:
    """hvcgate's own table."""

    def __init__(self, hvcgate):
        said = subprocess.run([hvcgate, "resolve", "--format", "json", "0x00000000-0xffffffff"],
                              capture_output=True, text=True, check=True).stdout
        self.functions, self.by_id = [], {}
        for entry in flatten(json.loads(said)):
            if entry.get("name"):
                self.functions.append(entry)
                for width in ("id32", "id64"):
                    if entry[width]:
                        self.by_id[int(entry[width], 0)] = (entry["name"], width[2:])
        self.ids = sorted(self.by_id)
        self.named = {entry["name"]: entry for entry in self.functions}
        # What a kernel answers, and what is called beside it.
        self.lively = [number for number in self.ids
                       if self.named[self.by_id[number][0]]["service"] in
                       ("arch", "psci", "trng", "pv-time", "kvm-vendor")]
        self.queries = [number for number in self.ids if self.by_id[number][0].endswith("_FEATURES")]

    def spell(self, number):
        """The name of an ID, where it has one."""
        if number in self.by_id:
            name, width = self.by_id[number]
            both = self.named[name]["id32"] and self.named[name]["id64"]
            return f"{name}/{width}" if both else name
        return f"0x{number:08x}"


def flatten(found):
    if isinstance(found, list):
        for entry in found:
            yield from flatten(entry)
    elif isinstance(found, dict):
        if "name" in found:
            yield found
        else:
            for value in found.values():
                yield from flatten(value)


class Scenario:
    """The lines of one."""

    def __init__(self, catalog, seed, number):
        self.catalog, self.random = catalog, random.Random(f"{seed}/{number}")
        self.rules, self.lines = [], [f"# {seed}/{number}"]
        self.cpus = self.random.choice([1, 2, 2, CPUS])
        self.alive = [0]
        self.theme = catalog.ids[number % len(catalog.ids)]  # every function comes up, and more than once in a VM
        self.psci_0_2 = self.random.random() < 0.85
        self.make()

    def chance(self, share):
        return self.random.random() < share

    def say(self, text):
        self.lines.append(text)

    def make(self):
        words = [f"vm cpus={self.cpus}"]
        if not self.psci_0_2:
            words.append("psci02=off")
        if self.chance(0.3):
            words.append("suspend-cap")
        if self.chance(0.3):
            words.append("pvtime=0x40020000")
        self.say(" ".join(words))
        for _ in range(self.random.choice([0, 1, 2, 3, 5, 8])):
            self.configure()
        for _ in range(self.random.randint(1, 4)):
            self.call()
        for _ in range(self.random.choice([0, 1, 2, 4])):
            self.configure()
        for _ in range(self.random.randint(0, 4)):
            self.call()
            if self.chance(0.2):
                self.configure()

    # --- what a VMM does

    def configure(self):
        self.random.choices([self.set_register, self.get_register, self.raw_register, self.add_rule, self.raw_rule,
                             lambda: self.say(self.random.choice(["count", "list"]))],
                            [30, 8, 12, 40, 8, 2])[0]()

    def cpu_word(self):
        return f" cpu={self.random.randrange(self.cpus)}" if self.cpus > 1 and self.chance(0.3) else ""

    def value_of(self, name):
        pick = self.random.random()
        if name == "PSCI_VERSION":
            return self.random.choice(PSCI_VERSIONS) if pick < 0.75 else self.odd_number()
        if name.startswith("WORKAROUND"):
            return self.random.choice([0, 1, 2, 3, 4, 0x10, 0x12, 0x13, 0x20]) if pick < 0.85 else self.odd_number()
        return self.random.choice([0, 0, 1, 2, 3]) if pick < 0.8 else self.odd_number()

    def odd_number(self):
        one = 1 << self.random.randrange(64)
        return self.random.choice([0, 1, 2, 3, 4, 0xF, 0x10, 0x20000, 0x10004, 0x100000000, one, one - 1, 2 ** 64 - 1,
                                   self.random.getrandbits(64)])

    def set_register(self):
        name = self.random.choice(REGISTERS)
        self.say(f"set {name} 0x{self.value_of(name):x}{self.cpu_word()}")

    def get_register(self):
        self.say(f"get {self.random.choice(REGISTERS)}{self.cpu_word()}")

    def raw_register(self):
        size = 3 if self.chance(0.5) else self.random.choice(SIZES)
        index = self.random.choice([0, 1, 2, 3, 4, 5, 7, 0xFF, 0xFFFF])
        number = 0x6000 << 48 | size << 52 | self.random.choice([0x14, 0x16]) << 16 | index
        if self.chance(0.6):
            self.say(f"getraw 0x{number:016x}{self.cpu_word()}")
        else:
            self.say(f"setraw 0x{number:016x} 0x{self.odd_number():x}{self.cpu_word()}")

    def edge(self):
        """An ID at or beside an edge of some rule."""
        ranges = self.rules if self.rules and self.chance(0.85) else RESERVED
        first, last = self.random.choice(ranges)
        return (self.random.choice([first, last]) + self.random.choice([-1, 0, 0, 1])) & ALL

    def some_id(self):
        return self.random.choices(
            [lambda: self.random.choice(self.catalog.lively), lambda: self.random.choice(self.catalog.ids),
             self.edge, lambda: self.random.getrandbits(32), self.odd_id, lambda: self.theme],
            [32, 3, 28, 7, 7, 23])[0]()

    def odd_id(self):
        """A known ID with a bit of it changed: hint, type, width, reserved bits."""
        return self.random.choice(self.catalog.lively) ^ 1 << self.random.choice([16, 17, 20, 23, 30, 31, 29, 24, 8, 5])

    def range_of(self):
        base = self.some_id()
        count = self.random.choice([1, 1, 1, 1, 2, 3, 4, 0x10, 0x20, 0x100, 0x10000, 0x1000000])
        if self.chance(0.05):
            count = self.random.choice([0, 0xFFFFFFFF, 0x80000000, (-base) & ALL, (-base + 1) & ALL])
        if self.chance(0.3):
            base = (base - count + 1) & ALL  # it ends there
        return base, count

    def add_rule(self):
        base, count = self.range_of()
        action = self.random.choices(ACTIONS, [1, 3, 4])[0]
        if self.chance(0.03):
            base, count = self.random.choice([(0, 0), (0x84000003, 0), (ALL, 1), (ALL, 2), (ALL, ALL)])
        self.say(f"filter 0x{base:08x} {count:#x} {action}")
        last = base + count - 1
        if count and last <= ALL:
            self.rules.append((base, last))

    def raw_rule(self):
        base, count = self.range_of()
        action = self.random.choice([0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF])
        pad = bytearray(15)
        if self.chance(0.5):
            pad[self.random.randrange(15)] = self.random.choice([1, 0x80, 0xFF])
        data = base.to_bytes(4, "little") + count.to_bytes(4, "little") + bytes([action]) + bytes(pad)
        self.say(f"filterraw {data.hex()}")
        last = base + count - 1
        if action < 3 and not any(pad) and count and last <= ALL:
            self.rules.append((base, last))

    # --- what a guest does

    def call(self):
        cpu = self.random.choice(self.alive) if self.chance(0.95) else self.random.randrange(self.cpus)
        number = self.some_id()
        if self.chance(0.1) and self.catalog.queries:
            number = self.random.choice(self.catalog.queries)
        conduit = "smc" if self.chance(0.35) else "hvc"
        words = [f"call {cpu} {conduit} {self.catalog.spell(number)}"]
        target = self.arguments(number, words)
        if self.chance(0.1):
            words.append(f"imm={self.random.choice([1, 2, 0xFF, 0x100, 0xFFFF, self.random.getrandbits(16)])}")
        if self.chance(0.05):
            words.append(f"x0=0x{self.random.getrandbits(32) << 32 | number:x}")
        self.say(" ".join(words))
        self.afterwards(cpu, target)

    def arguments(self, number, words):
        """Append them; which CPU the call may turn on."""
        name = self.catalog.by_id.get(number, (None, None))[0]
        target = None
        if name is None:
            words += [f"0x{self.odd_number():x}" for _ in range(self.random.randint(0, 3))]
            return target
        for argument in self.catalog.named[name]["arguments"][:6]:
            if argument in ("target_cpu", "target_affinity"):
                target = self.random.randrange(self.cpus)
                if self.chance(0.8):
                    words.append(f"mpidr({target})")
                else:
                    words.append(f"0x{self.random.choice([8, 0x100, 0xFF, 1 << 31, 1 << 32, 1 << 40, 1 << 63]):x}")
                    target = None
            elif argument == "entry_point_address":
                words.append(f"entry({target if target is not None else 0})")
            else:
                words.append(self.argument(argument))
        return target if name.endswith("CPU_ON") else None

    def argument(self, name):
        if name.endswith("func_id") or name.endswith("call_id"):
            number = self.some_id()
            return f"0x{number:08x}" if self.chance(0.9) else f"0x{self.random.getrandbits(32) << 32 | number:x}"
        few = {"bits": [0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 192, 193, 1 << 32, (1 << 32) + 64],
               "type": [0, 1, 2, 3, 1 << 32], "reset_type": [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32],
               "cookie": [0, 0, 1, 1 << 32, 1 << 63], "counter": [0, 0, 1, 1, 2, 1 << 32],
               "lowest_affinity_level": [0, 1, 2, 3, 4, 1 << 32]}
        return f"0x{self.random.choice(few[name]) if name in few and self.chance(0.9) else self.odd_number():x}"

    def afterwards(self, cpu, target):
        """Whatever the call led to is brought to an end; where it led to nothing, that is said."""
        if self.chance(0.75):
            registers = sorted(self.random.sample(range(18), self.random.choice([1, 1, 2, 4])))
            self.say("reply " + " ".join(f"x{n}=0x{self.odd_number():x}" for n in registers))
        self.say("resume nowrite")
        self.say(f"wake {cpu}")
        if target is not None:
            self.say(f"arrive {target}")
            self.alive.append(target)


def text_of(catalog, seed, numbers):
    """Scenarios as one file."""
    return "".join("\n".join(Scenario(catalog, seed, number).lines) + "\n" for number in numbers)
