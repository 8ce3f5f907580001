#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: adding.py DOCUMENT SOURCE PROFILES.C    do what docs/adding-a-function.md says, see what it says
       adding.py --refresh DOCUMENT SOURCE       write the surroundings in its diff anew

The diff in DOCUMENT is applied to a copy of SOURCE, strictly: its context must be there once. The engine and the policy
compiler are built of the copy, with adding.c, whose table must be the one in DOCUMENT."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

POLICIES = {
    "hvcgate-2": "profile: hvcgate-2\n",
    "hvcgate-2, denied": "profile: hvcgate-2\nrules: [{deny: PSCI_EXAMPLE_CPUS_ON}]\n",
    "hvcgate-1": "profile: hvcgate-1\n",
    "linux-6.12": "profile: linux-6.12\n",
}
CONTEXT = 2
# In front of what an addition stands; what is not here is added to at its end.
BEFORE = {"src/services/psci.c": "const struct hvc_service "}


def die(text):
    sys.exit(f"adding: {text}")


def block(text, kind):
    found = re.findall(rf"^```{kind}\n(.*?)^```$", text, flags=re.S | re.M)
    if len(found) != 1:
        die(f"the document has {len(found)} blocks of {kind}, not one")
    return found[0]


def files(diff):
    """Path and lines of each file's one hunk."""
    for part in re.split(r"^(?=--- )", diff, flags=re.M):
        lines = part.splitlines()
        if not lines:
            continue
        if len(lines) < 4 or not lines[1].startswith("+++ b/") or not lines[2].startswith("@@ "):
            die(f"not a diff of one hunk a file:\n{part}")
        if any(line[:1] not in (" ", "+", "") for line in lines[3:]):
            die("the diff takes something away: adding a function adds")
        yield lines[1][len("+++ b/") :], lines[3:]


def apply(text, path, hunk):
    old = "".join(line[1:] + "\n" for line in hunk if not line.startswith("+"))
    new = "".join(line[1:] + "\n" for line in hunk)
    if text.count(old) != 1:
        die(f"the surroundings of the addition to {path} are others now: run scripts/docs and look at the document")
    return text.replace(old, new)


def refresh(document, source):
    text = open(document).read()
    diff = block(text, "diff")
    fresh = ""
    for path, hunk in files(diff):
        lines = open(os.path.join(source, path)).read().splitlines()
        added = [line for line in hunk if line.startswith("+")]
        at = len(lines)
        if path in BEFORE:
            at = next(n for n, line in enumerate(lines) if line.startswith(BEFORE[path]))
        above, below = lines[max(0, at - CONTEXT) : at], lines[at : at + CONTEXT]
        counts = f"-{at - len(above) + 1},{len(above) + len(below)}", f"+{at - len(above) + 1},{len(above) + len(added) + len(below)}"
        fresh += f"--- a/{path}\n+++ b/{path}\n@@ {counts[0]} {counts[1]} @@\n"
        fresh += "".join(line + "\n" for line in [" " + line for line in above] + added + [" " + line for line in below])
    with open(document, "w") as out:
        out.write(text.replace(diff, fresh))


def build(copy, profiles, program):
    sources = [
        path
        for layer in ("catalog", "engine", "services", "policy")
        for path in glob.glob(os.path.join(copy, "src", layer, "*.c"))
        if not path.endswith(("_test.c", "functions_md.c"))
    ]
    sources += [os.path.join(copy, "src/abi", name) for name in ("profile.c", "sha256.c")] + [profiles]
    command = [os.environ.get("CC", "cc"), "-std=c11", "-O0", "-I", os.path.join(copy, "include")]
    command += ["-I", os.path.join(copy, "src/abi"), *sources, os.path.join(copy, "tests/embed/adding.c")]
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "yaml-0.1", "jansson"], capture_output=True, text=True, check=True)
    if subprocess.run(command + flags.stdout.split() + ["-o", program]).returncode != 0:
        die("the copy with the addition does not build")


def check(document, source, profiles):
    text = open(document).read()
    with tempfile.TemporaryDirectory() as copy:
        for tree in ("include", "src/catalog", "src/engine", "src/services", "src/policy", "src/abi", "tests/embed"):
            shutil.copytree(os.path.join(source, tree), os.path.join(copy, tree))
        # Tables of registers that the policy layer reads, too.
        for table in ("src/plan/registers.def", "src/kvm/probe/sysregs.def"):
            os.makedirs(os.path.dirname(os.path.join(copy, table)))
            shutil.copy(os.path.join(source, table), os.path.join(copy, table))
        changed = []
        for path, hunk in files(block(text, "diff")):
            with open(os.path.join(copy, path), "r+") as file:
                fresh = apply(file.read(), path, hunk)
                file.seek(0)
                file.write(fresh)
            changed.append(path)
        if changed[0] != "include/hvcgate/catalog.def" or len(changed) != 2:
            die(f"a table row and a function, nothing else: not {changed}")
        program = os.path.join(copy, "adding")
        build(copy, profiles, program)
        arguments = []
        for name, policy in POLICIES.items():
            path = os.path.join(copy, name.replace(", ", "-") + ".yaml")
            with open(path, "w") as file:
                file.write("hvcgate: 1\n" + policy)
            arguments.append(f"{name}={path}")
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        die(f"the program fails ({done.returncode}):\n{done.stdout}{done.stderr}")
    if done.stdout != block(text, "text"):
        die(f"the document has another table than what came out:\n{done.stdout}")
    print(f"{len(changed)} files changed, {len(POLICIES)} policies as documented")


if len(sys.argv) == 4 and sys.argv[1] == "--refresh":
    refresh(*sys.argv[2:])
elif len(sys.argv) == 4:
    check(*sys.argv[1:])
else:
    sys.exit(__doc__)
