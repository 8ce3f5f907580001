#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does docs/kvm-facts.md name scenario lines and facts that are there? references.py TOP"""

import os
import re
import sys


def lines_of(*path):
    with open(os.path.join(*path)) as file:
        return [""] + file.read().splitlines()


def main():
    top, wrong = sys.argv[1], []
    text = "\n".join(lines_of(top, "docs/kvm-facts.md"))
    scenarios = re.findall(r"([\w.-]+\.hvc):(\d+)", text)
    facts = re.findall(r"`(\w+\.\w+)` \(expected:(\d+)\)", text)
    for name, number in scenarios:
        lines = lines_of(top, "tests/scenario", name)
        line = lines[int(number)] if int(number) < len(lines) else ""
        if line == "" or line.startswith(("#", "vm")):
            wrong.append(f"{name}:{number} is no line that states something: {line!r}")
    expected = lines_of(top, "tests/lab/facts/expected")
    for name, number in facts:
        line = expected[int(number)] if int(number) < len(expected) else ""
        if not re.match(r"(\[\S*\] )?" + re.escape(name) + " ", line):
            wrong.append(f"expected:{number} is not {name}: {line!r}")
    print("\n".join(wrong + [f"{len(scenarios)} lines and {len(facts)} facts are named, {len(wrong)} are not there"]))
    sys.exit(1 if wrong or not scenarios or not facts else 0)


if __name__ == "__main__":
    main()
