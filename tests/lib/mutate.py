# SPDX-License-Identifier: BSD-2-Clause
"""Copies of the engine's sources with one mistake in each, for tests that must find it.

mutate.main(MUTANTS), with arguments NAME SOURCE OUT. MUTANTS: name: (what stands there, a regular expression that is found
once; what would stand there; the mistake in words). Where it is not found exactly once OUT says so instead: it compiles,
and the test that is built with it fails and tells what to mend.
"""

import os
import re
import sys


def main(mutants):
    name, source, out = sys.argv[1:]
    old, new, words = mutants[name]
    with open(source) as file:
        text = file.read()
    mutated, count = re.subn(old, new, text, flags=re.S)
    stale = "NULL"
    if count != 1:
        mutated = text
        stale = f'"out of date: {os.path.basename(sys.argv[0])} finds what it wants to change {count} times"'
    with open(out, "w") as file:
        file.write(mutated)
        file.write("\nextern const char *const mutant, *const mutant_stale;\n"
                   f'const char *const mutant = "{words}";\nconst char *const mutant_stale = {stale};\n')
