#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kvm_facts on kernels of the lab, against `expected` beside this file: check.py PROGRAM KERNEL... [protected]

With `protected` last, a machine with kvm-arm.mode=protected and the facts of protected guests alone.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
GROUPS = ["registers", "filter", "calls", "power", "aarch32"]
LAST = 9999


def release(text, missing):
    """6.12.95, or 6.12 with its first or last release in place of what is missing."""
    numbers = [int(number) for number in text.split(".")]
    return tuple(numbers + [missing] * (3 - len(numbers)))


def expected(version, protected):
    """{name: value} on a kernel."""
    facts = {}
    with open(os.path.join(HERE, "expected")) as lines:
        for line in lines:
            match = re.match(r"(?:\[([0-9.]*?)\.\.([0-9.]*)\] )?([a-z0-9]+)\.(\S+) (.*)$", line)
            if not match:
                continue
            first, last, group, name, value = match.groups()
            inside = (not first or release(first, 0) <= version) and (not last or version <= release(last, LAST))
            if inside and (group == "protected") == protected:
                facts[f"{group}.{name}"] = value
    return facts


def measure(program, kernel, protected):
    """The kernel's version, and {name: value}."""
    command = [os.path.join(TOP, "scripts/lab"), "--timeout", "120"]
    if protected:
        command += ["--append", "kvm-arm.mode=protected"]
    command += [kernel, "--", program] + (["protected"] if protected else GROUPS)
    done = subprocess.run(command, capture_output=True, text=True)
    package = re.search(r"lab: linux-\S+ (\d+\.\d+\.\d+)", done.stderr)
    if done.returncode == 2 and re.search("^lab: ", done.stderr, re.M):
        print(f"no kernel {kernel} to be had: {done.stderr.strip().splitlines()[-1]}")
        sys.exit(77)
    if done.returncode != 0 or package is None:
        sys.exit(f"facts: {kernel}: status {done.returncode}\n{done.stderr[-2000:]}")
    facts = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition(" ")
        if name != "mode" and value:
            facts[name] = value
    return package.group(1), facts


def main():
    program, kernels = sys.argv[1], sys.argv[2:]
    protected = kernels[-1] == "protected"
    if not os.path.exists(program):
        print("no kvm_facts: run scripts/setup build and scripts/build")
        sys.exit(77)
    wrong = 0
    for kernel in kernels[:-1] if protected else kernels:
        version, facts = measure(program, kernel, protected)
        table = expected(release(version, 0), protected)
        differ = [name for name in table.keys() | facts.keys()
                  if name not in facts or table.get(name) not in ("*", facts[name])]
        for name in sorted(differ):
            print(f"{version}: {name}: {facts.get(name, 'nothing')}, expected {table.get(name, 'nothing')}")
        print(f"{version}: {len(table) - len(differ)} of {len(table)} facts as expected")
        wrong += len(differ)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
