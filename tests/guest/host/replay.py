#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios on `el2`, where the calls are a guest's: every result is the engine's in this process, register by
register, for every profile. --random [SEED]: random scenarios, too. --ends: however it ends, nothing is left.
--prove: what a broken monitor does is seen."""

import glob
import os
import re
import signal
import subprocess
import sys
import time

import machine
from machine import HERE, HVCGATE, Elf, Place, check, finish

sys.path.insert(0, os.path.join(HERE, "..", "..", "random"))
from scenarios import Catalog, text_of  # noqa: E402

OWN = os.path.join(HERE, "replay.hvc")
SCENARIOS = sorted(glob.glob(os.path.join(HERE, "..", "..", "scenario", "*.hvc")))


def replay(place, host, *arguments, monitor=None):
    env = dict(place.env, **({"HVCGATE_REPLAY_MONITOR": monitor} if monitor else {}))
    return subprocess.run([HVCGATE, "replay", "--host", host, *arguments], env=env, cwd=place.work,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          text=True)


def profiles(place):
    return re.findall(r"^  (\S+)$", replay(place, "engine", "-p", "none", OWN).stderr, re.M)


def last(done):
    return (done.stdout.splitlines() or [done.stderr])[-1]


def same(place, what, *arguments, least=1):
    """Equal outputs with every register of every line. Whether lines agree with what they state is not asked here."""
    engine, el2 = (replay(place, host, "--print", *arguments) for host in ("engine", "el2"))
    lines = engine.stdout.splitlines()
    check(engine.returncode in (0, 1) and len(lines) > least, f"{what}: the engine: {engine.stderr[-300:]}")
    differ = [(a, b) for a, b in zip(lines, el2.stdout.splitlines()) if a != b]
    check((engine.returncode, engine.stdout) == (el2.returncode, el2.stdout),
          f"{what}: {len(differ)} lines differ, first {differ[:1]} {el2.stderr[-300:]}")
    print(f"{what}: {last(el2)}")


def long_script(path):
    """More operations than a batch has, machines and calls that are answered across its end."""
    with open(path, "w") as file:
        for i in range(400):
            file.write(f"vm cpus=2 profile=hvcgate-1\nfilter 0x860000{i & 0xff:02x} 1 forward -> ok\n")
            file.write(f"call 0 {'hvc' if i % 3 else 'smc'} 0x860000{i & 0xff:02x} {i} imm=0\nreply x0={i}\n")
            file.write("".join(f"call 0 {'hvc' if n % 2 else 'smc'} PSCI_VERSION imm={n * i % 65536} x{4 + n}={i}\n"
                               for n in range(13)))


def compare():
    with Place() as place:
        done = replay(place, "el2", OWN)
        check(done.returncode == 0 and re.search(r"^\d+ agreed, 0 differed, 0 unsupported$", done.stdout, re.M),
              f"{os.path.basename(OWN)}: {done.stdout} {done.stderr}")
        same(place, "power, conduits", OWN)
        for profile in profiles(place):
            same(place, profile, "-p", profile, *SCENARIOS, least=50)
        path = os.path.join(place.top, "long.hvc")
        long_script(path)
        same(place, "6800 operations", path, least=6800)
    finish("replay")


def random_scenarios(seed):
    with Place() as place:
        catalog, paths = Catalog(HVCGATE), []
        for first in range(0, 600, 300):
            paths.append(os.path.join(place.top, f"random-{first}.hvc"))
            with open(paths[-1], "w") as file:
                file.write(text_of(catalog, seed, range(first, first + 300)))
        for profile in profiles(place):
            same(place, f"seed {seed}, {profile}", "-p", profile, *paths, least=10000)
    finish("replay --random")


# --- Ends.

def running(place, monitor, scenario=OWN):
    """A replay that does not come to an end by itself soon, and the processes under it."""
    env = dict(place.env, HVCGATE_REPLAY_MONITOR=monitor)
    child = subprocess.Popen([HVCGATE, "replay", "--host", "el2", scenario], env=env, cwd=place.work, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while len(place.processes()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)  # behind the question for the device tree
    return child


def ends():
    elf = Elf(machine.built("src", "el2", "replay.elf"))
    with Place() as place:
        path = os.path.join(place.top, "replay.elf")
        elf.patched(path, elf.address("hvc_call"), [0x14000000])  # b .
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            child = running(place, path)
            child.send_signal(number)
            errors = child.communicate(timeout=30)[1]
            check(child.returncode == -number, f"{number.name}: {child.returncode} {errors}")
            check(not place.left_behind(), f"{number.name}: left {place.left_behind()}")
        child = running(place, path, "-")  # reads its standard input, and the machine stands still
        child.send_signal(signal.SIGINT)
        check(child.wait(timeout=30) == -signal.SIGINT, f"SIGINT, no scenario yet: {child.returncode}")
        check(not place.left_behind(), f"SIGINT, no scenario yet: left {place.left_behind()}")
        child = running(place, path)
        for pid in place.processes():
            if pid != child.pid:
                os.kill(pid, signal.SIGKILL)
        errors = child.communicate(timeout=30)[1]
        check(child.returncode == 2 and "the machine has ended" in errors, f"QEMU killed: {child.returncode} {errors}")
        child = running(place, path)
        child.kill()
        child.communicate(timeout=30)
        check(not place.left_behind(), f"SIGKILL: left {place.left_behind()}")
        done = replay(place, "el2", OWN, monitor=path)
        check(done.returncode == 2 and "operation 2 of" in done.stderr, f"a hanging call: {done.stderr}")
        done = replay(place, "el2", OWN, monitor="/none/replay.elf")
        check(done.returncode == 2 and "/none/replay.elf" in done.stderr, f"no monitor: {done.stderr}")
        elf.patched(path, elf.address("launch_check"), [0xD4200000])  # brk #0
        done = replay(place, "el2", OWN, monitor=path)
        check(done.returncode == 2 and "fault in the monitor" in done.stderr, f"a fault: {done.stderr}")
        check(not place.left_behind(), f"errors: left {place.left_behind()}")
    finish("replay --ends")


# --- Proof.

def prove():
    elf = Elf(machine.built("src", "el2", "replay.elf"))
    smc = next(at for at in elf.find(0x910010C6))  # add x6, x6, #4
    nop = 0xD503201F
    breaks = {
        "goes on too far behind an SMC": (smc, [0x910020C6], "the guest did not go on behind the call"),
        "clears the flags of who made an SMC": (smc + 4, [0xD2807887], "the call changed PSTATE"),
        "loses x30": (elf.find(0xF9407BFE)[0], [nop], "the call changed x30"),
        "loses x14 in calls by HVC": (elf.find(0xA9473FEE)[0], [0xD280000E], None),  # mov x14, #0
    }
    with Place() as place:
        engine = replay(place, "engine", "--print", OWN)
        for name, (at, words, said) in breaks.items():
            path = elf.patched(os.path.join(place.top, "replay.elf"), at, words)
            done = replay(place, "el2", "--print", OWN, monitor=path)
            check(len(done.stdout.splitlines()) > 10 and done.stdout != engine.stdout and (said is None or said in done.stdout),
                  f"a monitor that {name}: {done.stdout} {done.stderr}")
            print(f"a monitor that {name}: {last(done)}")
    finish("replay --prove")


def main():
    machine.guest("smoke")  # skips where QEMU or the arm64 half is missing
    if "--ends" in sys.argv:
        ends()
    if "--prove" in sys.argv:
        prove()
    if "--random" in sys.argv:
        random_scenarios(int((sys.argv[sys.argv.index("--random") + 1:] or [1])[0]))
    compare()


main()
