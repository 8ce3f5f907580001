#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/demo migrate: a guest that cannot move by itself, and moves under `hvcgate exec`. Explains what it does."""

import os
import pathlib
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import l2

NEW, OLD, CPU, QEMU = "7.x", "6.12", "neoverse-n1", "10.0"
HVCGATE = l2.TOP / "build/src/cli/hvcgate"


def tell(text=""):
    print(text, flush=True)


def title(text):
    tell(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def indent(lines):
    for line in lines:
        tell(f"    {line}")


def record(place, kernel):
    """What this kernel's KVM offers under the machine's CPU."""
    path = place / f"linux-{kernel}.json"
    done = subprocess.run([l2.TOP / "scripts/lab", "--quiet", "--cpu", CPU, kernel, "--", l2.built("src/cli/hvcgate"),
                           "probe", "--format", "json"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise l2.NotToBeHad(done.stderr.strip())
    path.write_text(done.stdout)
    return path


def save(place, name, policy=None):
    """Start the guest on the new kernel, let it tick, and write it to a file."""
    files, wrapper = [], ()
    if policy:
        files = [l2.built("src/cli/hvcgate"), l2.built("src/kvm/exec/libhvcgate-exec.so"), policy]
        wrapper = ("./hvcgate", "exec", "--policy", policy.name, "--summary", "none")
    tell(f"  on Linux {NEW}: {' '.join(wrapper[:-2]) + ' ' if wrapper else ''}qemu-system-aarch64 -accel kvm ..., then 'migrate'")
    run = l2.run(place / f"{name}-source", NEW, QEMU, CPU, [f"wait 2 {l2.TICK}", "save", "quit"], l2.CHECKER, files, wrapper)
    indent([*run.console.splitlines(), *run.stderr])
    return run


def load(place, name, source):
    tell(f"  on Linux {OLD}: qemu-system-aarch64 -accel kvm ... -incoming")
    run = l2.run(place / f"{name}-there", OLD, QEMU, CPU, [f"wait 3 {l2.TICK}", "quit"], [*l2.CHECKER, *l2.INCOMING],
                 files=[source.stream])
    indent([*run.console.splitlines(), *run.stderr])
    return run


def write_policy(place, new, old):
    """What `compat --fix` writes, which needs no change."""
    policy = place / "moves.yaml"
    done = subprocess.run([HVCGATE, "compat", "--fix", policy, new, old], capture_output=True, text=True)
    indent(done.stdout.splitlines())
    if not policy.exists():
        raise l2.NotToBeHad(done.stderr.strip())
    title("The policy that it wrote")
    indent(line for line in policy.read_text().splitlines() if not line.startswith("#"))
    return policy


def main():
    with l2.scratch() as scratch:
        place = pathlib.Path(scratch)
        try:
            title(f"1. A host with Linux {NEW} and one with {OLD}, the same CPU and the same QEMU. What does hvcgate say of them?")
            new, old = record(place, NEW), record(place, OLD)
            policy = write_policy(place, new, old)
            title(f"2. QEMU by itself: a guest of the new host goes to the old one")
            source = save(place, "alone", None)
            alone = load(place, "alone", source)
            tell("  The guest is lost: " + ("QEMU refused it." if alone.result != "ok" else "no, it moved this time."))
            title("3. The same, the guest having begun under that policy; the old host needs nothing of hvcgate")
            source = save(place, "exec", policy)
            there = load(place, "exec", source)
            faults = list(l2.Said(source.console, there.console).faults()) if there.result == "ok" else [there.result]
        except l2.NotToBeHad as why:
            print(f"demo: {why}", file=sys.stderr)
            return 2
    if faults:
        indent(faults)
        return 1
    tell("  The guest goes on where it was, and found that nothing changed: ID registers, caches, what hypercalls answer,\n"
         "  the counter.")
    return 0 if alone.result != "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
