#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Kernels in every form boot; trace and summary tell the same story; deterministic runs are alike."""

import gzip
import json
import os
import struct
import subprocess
import sys

from common import GUEST, HVCGATE, Place, check, finish, need_guest

OFF = ["--append", "quiet hvcgate.poweroff", "--timeout", "60"]


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def zboot(payload, name):
    """An EFI zboot header around a packed Image: what the launcher reads of one."""
    header = bytearray(0x200)
    header[0:8] = b"MZ\0\0zimg"
    struct.pack_into("<II", header, 8, len(header), len(payload))
    header[0x18:0x18 + len(name)] = name
    return bytes(header) + payload


def packed_kernels(place):
    """The same kernel as gzip and as EFI zboot, with the guest's initrd by hand."""
    with open(os.path.join(GUEST, "Image"), "rb") as file:
        packed = gzip.compress(file.read(), 1)
    for name, data in (("Image.gz", packed), ("vmlinuz.efi", zboot(packed, b"gzip"))):
        path = os.path.join(place.top, name)
        with open(path, "wb") as out:
            out.write(data)
        done = place.run("--kernel", path, "--initrd", os.path.join(GUEST, "initrd.cpio"), *OFF)
        check(done.returncode == 0, f"{name}: status {done.returncode}: {done.stderr[-400:]}")
        check("SMC Calling Convention v1.2" in done.stdout, f"{name}: console {done.stdout[-400:]}")


def flat_binary(place):
    """mov w0, #0x84000008 (PSCI SYSTEM_OFF); hvc #0 -- loaded and entered at RAM + 0x80000."""
    path = os.path.join(place.top, "off.bin")
    with open(path, "wb") as out:
        out.write(struct.pack("<III", 0x52800100, 0x72B08000, 0xD4000002))
    trace = os.path.join(place.top, "off.json")
    done = place.run("--kernel", path, f"--trace={trace}", "--trace-format", "json", "--timeout", "30", "--mem", "32M")
    check(done.returncode == 0, f"flat binary: status {done.returncode}: {done.stderr[-400:]}")
    check("flat binary" in done.stderr and "0x40080000" in done.stderr, f"flat binary: not said: {done.stderr}")
    calls = [line for line in lines(trace) if line["type"] == "call"]
    check([call["function"] for call in calls] == ["PSCI_SYSTEM_OFF"], f"flat binary: {calls}")
    check(os.stat(trace).st_mode & 0o077 == 0, "the trace can be read by others")


# Write the device tree, whose address is in x0, to the UART; then PSCI SYSTEM_RESET.
TELL_TREE = [0xB9400401, 0x5AC00821, 0xD2A12002, 0x38401403, 0xB9000043, 0x71000421, 0x54FFFFA1, 0x52800120, 0x72B08000, 0xD4000002]


def seeds(place):
    """rng-seed and kaslr-seed are new at every boot of a run; nothing else of the device tree changes."""
    path = os.path.join(place.top, "tree.bin")
    with open(path, "wb") as out:
        out.write(struct.pack(f"<{len(TELL_TREE)}I", *TELL_TREE))
    done = subprocess.run([HVCGATE, "run", "--kernel", path, "--mem", "32M", "--on-reset", "continue", "--timeout", "3"],
                          cwd=place.work, env=place.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    trees = done.stdout.split(b"\xd0\x0d\xfe\xed")[1:-1]  # the last one may be cut off
    if check(len(trees) >= 2 and len({len(tree) for tree in trees}) == 1, f"seeds: {len(trees)} trees, {done.stderr}"):
        changed = [at for at in range(len(trees[0])) if len({tree[at] for tree in trees}) > 1]
        check(len(set(trees)) == len(trees), f"seeds: the same in two of {len(trees)} boots")
        check(60 < len(changed) <= 72 and changed[-1] - changed[0] < 120, f"seeds: the tree changes at {changed}")


def all_off(place):
    """mov w0, #0x84000002 (PSCI CPU_OFF); hvc #0 -- nothing can start the last CPU again: said, and no wait."""
    path, table = os.path.join(place.top, "cpu-off.bin"), os.path.join(place.top, "s")
    with open(path, "wb") as out:
        out.write(struct.pack("<III", 0x52800040, 0x72B08000, 0xD4000002))
    with open(table, "w") as out:
        out.write("of an earlier run " * 100)
    os.chmod(table, 0o666)
    done = place.run("--kernel", path, "--timeout", "30", "--mem", "32M", "--smp", "2", "--summary", f"json:{table}")
    check(done.returncode == 1 and "every CPU of the guest is off" in done.stderr, f"all off: {done.returncode} {done.stderr}")
    check(os.stat(table).st_mode & 0o777 == 0o600, "a summary file that was there can be read by others")
    check(len(lines(table)) == 1, "a summary file that was there is not emptied")


def unknown_calls(place):
    """mov w0, #0x86001234; hvc #0; mov w0, #0x84000008; hvc #0 -- what nobody knows is counted as such."""
    path, summary = os.path.join(place.top, "unknown.bin"), os.path.join(place.top, "unknown.json")
    with open(path, "wb") as out:
        out.write(struct.pack("<IIIIII", 0x52824680, 0x72B0C000, 0xD4000002, 0x52800100, 0x72B08000, 0xD4000002))
    done = place.run("--kernel", path, "--timeout", "30", "--mem", "32M", "--summary", f"json:{summary}")
    check(done.returncode == 0, f"unknown call: status {done.returncode}: {done.stderr[-400:]}")
    total = lines(summary)[0]
    check(total["unknown_functions"]["unknown"] == 1 and total["unknown_functions"]["absent"] == 0
          and total["total"]["unknown"] == 1 and total["total"]["calls"] == 2, f"unknown call: {total}")


def little_memory(place):
    """Debian in 32 MiB says nothing: we do."""
    for size, warned in (("32M", True), ("128M", False)):
        done = place.run("--mem", size, *OFF, "--append", "quiet hvcgate.poweroff", "--timeout", "20")
        check(("is little for this kernel" in done.stderr) == warned, f"little memory: {size}: {done.stderr[-400:]}")


def no_answer(place):
    """b . -- a guest that does nothing ends by the timeout, and that is said."""
    path = os.path.join(place.top, "loop.bin")
    with open(path, "wb") as out:
        out.write(struct.pack("<I", 0x14000000))
    done = place.run("--kernel", path, "--timeout", "1.5", "--mem", "32M")
    check(done.returncode == 1 and "timeout: 1.5 seconds" in done.stderr, f"timeout: {done.returncode} {done.stderr}")


def trace_and_summary(place):
    """Every counted call is in the trace, once, in order of time and of each CPU's sequence."""
    trace, summary = os.path.join(place.top, "t.json"), os.path.join(place.top, "s.json")
    done = place.run(*OFF, "--smp", "4", f"--trace={trace}", "--trace-format", "json", "--summary", f"json:{summary}")
    check(done.returncode == 0, f"trace: status {done.returncode}: {done.stderr[-400:]}")
    head, *calls = lines(trace)
    total = lines(summary)[0]
    check(head["type"] == "head" and head["policy"]["sha256"] == total["policy_sha256"], f"trace: head {head}")
    check(total["trace_dropped"] == 0 and len(calls) == total["total"]["calls"], f"trace: {len(calls)} lines, {total}")
    for row in total["functions"]:
        seen = sum(call["function"] == row["function"] for call in calls)
        check(seen == row["calls"], f"trace: {row['function']} {seen} times, {row}")
    check([c["time"] for c in calls] == sorted(c["time"] for c in calls), "trace: not in order of time")
    for cpu in range(4):
        mine = [c["sequence"] for c in calls if c["cpu"] == cpu]
        check(mine == list(range(len(mine))), f"trace: CPU {cpu} has {mine}")
    check(any(c["cpu"] != 0 for c in calls), "trace: other CPUs call nothing")


def deterministic(place):
    """Console, trace and counters of two runs are the same bytes; and it is said loudly."""
    seen = []
    for i in range(2):
        trace = os.path.join(place.top, f"d{i}.json")
        done = place.run(*OFF, "--deterministic", f"--trace={trace}", "--trace-format", "json", "--summary", "none")
        check(done.returncode == 0 and "DETERMINISTIC" in done.stderr, f"deterministic: {done.returncode} {done.stderr}")
        with open(trace) as file:
            seen.append((done.stdout, file.read()))
    check(seen[0] == seen[1] and len(seen[0][1].splitlines()) > 20, "deterministic: two runs differ")


def main():
    need_guest()
    with Place() as place:
        flat_binary(place)
        no_answer(place)
        all_off(place)
        seeds(place)
        unknown_calls(place)
        little_memory(place)
        packed_kernels(place)
        trace_and_summary(place)
        deterministic(place)
        check(not place.left_behind(), f"left {place.left_behind()}")
    finish("boots")


main()
