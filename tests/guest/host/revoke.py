#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: revoke.py HVCGATE [--smp N] [OPTION of hvcgate run...] | HVCGATE --prove

Runs the guest `revoke`: every CPU calls TRNG_RND, which `hvcgate ctl deny` takes away meanwhile. Once that command is back
no call of any CPU is answered any more, discovery knows of it, other functions go on; and after a reset it still is so.
--prove: a monitor that does not look for news, and one that takes it for done without a change, must fail.
"""

import argparse
import json
import os
import re

import machine
from machine import Elf, Machine, Place, check, finish

POLICY = "hvcgate: 1\nprofile: hvcgate-1\nrevocable: [TRNG_RND, PV_TIME_ST]\n"
NAME = "revoke-test"


def refused(place, function, words):
    """Not every function can be denied, and that says which can."""
    done = place.ctl("deny", NAME, function)
    check(done.returncode != 0 and all(word in done.stderr for word in words), f"deny {function}: {done}")


def started(place, cpus, *options, **more):
    policy = os.path.join(place.top, "policy.yaml")
    with open(policy, "w") as file:
        file.write(POLICY)
    guest = Machine(place, "revoke", "--smp", str(cpus), "--mem", "128M", "--on-reset", "continue", "--name", NAME,
                    "--policy", policy, *options, append=f"cpus={cpus}", **more)
    check(guest.until("revoke: boot 1"), "the guest runs")
    return guest


def deny(place):
    done = place.ctl("deny", NAME, "TRNG_RND")
    check(done.returncode == 0, f"deny: {done}")


def judge(guest, status, cpus):
    """What is wrong, as a list."""
    bad = [] if status == 0 and guest.lines[-1] == "PASS" else [f"ends with status {status}: {guest.lines[-1]}"]
    found = [m.groups() for line in guest.lines if (m := re.fullmatch(r"revoke: cpu (\d+) answered (\d+) denied (\d+)", line))]
    if len(found) != 2 * cpus:
        return bad + [f"{len(found)} reports of CPUs"]
    rows = {row["function"]: row for row in guest.summary["functions"]}
    print(f"{cpus} CPUs: TRNG_RND answered {rows['TRNG_RND']['answered']}, denied {rows['TRNG_RND']['denied']} times")
    # TRNG_RND32 besides TRNG_RND64: the guest reports the latter only.
    answered, denied = (sum(int(row[n]) for row in found) for n in (1, 2))
    for what, least, counted in (("answered", answered, rows["TRNG_RND"]["answered"]), ("denied", denied, rows["TRNG_RND"]["denied"])):
        if not least <= counted <= 2 * least + cpus:
            bad.append(f"{what} {least} times by one of two IDs, counted {counted}")
    bad += [f"{name} was denied" for name, row in rows.items() if name != "TRNG_RND" and row["denied"]]
    return bad


def whole(cpus, options):
    with Place() as place:
        guest = started(place, cpus, *options)
        refused(place, "PSCI_VERSION", ["revocable", "TRNG_RND"])
        refused(place, "TRNG_RNG", ["no function"])
        before = json.loads(place.ctl("show", NAME, "--format", "json").stdout)
        check((before["host"], before["vcpus"], before["revocable"], before["revoked"]) ==
              ("el2", cpus, ["TRNG_RND", "PV_TIME_ST"], []), f"show: {before}")
        deny(place)
        deny(place)
        after = json.loads(place.ctl("show", NAME, "--format", "json").stdout)
        check(after["revoked"] == ["TRNG_RND"], f"show: {after}")
        guest.send("x")
        bad = judge(guest, guest.end(), cpus)
        check(not bad, "; ".join(bad))
        check(guest.errors.count("TRNG_RND is denied from now on") == 1, "the run says it, once")
        check(not place.left_behind(), f"left {place.left_behind()}")
        if machine.failures:
            guest.tell()
    finish("revoke")


def prove():
    elf = Elf(machine.built("src", "el2", "monitor.elf"))
    look = next(at for at in elf.find(0x88DFFC21) if at > elf.address("el2_vectors_watched"))  # ldar w1, [x1]
    breaks = {
        "does not look for news": (look, [0x52800001]),  # mov w1, #0
        "takes news for done": (elf.address("hvc_vm_tighten"), [0x52800000, 0xD65F03C0]),  # mov w0, #0; ret
    }
    for name, (at, words) in breaks.items():
        with Place() as place:
            monitor = elf.patched(os.path.join(place.top, "monitor.elf"), at, words)
            guest = started(place, 2, monitor=monitor, timeout=20)
            deny(place)
            guest.send("x")
            bad = judge(guest, guest.end(), 2)
            print(f"a monitor that {name}: {bad[:2]}")
            if not check(bad, f"a monitor that {name} fails"):
                guest.tell()
    finish("revoke --prove")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hvcgate")
    parser.add_argument("--smp", type=int, default=4)
    parser.add_argument("--prove", action="store_true")
    arguments, options = parser.parse_known_args()
    if arguments.prove:
        prove()
    whole(arguments.smp, options)


main()
