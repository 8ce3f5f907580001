#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: a message that says what would be right, status 2, nothing left behind. Boots nothing."""

import ctypes
import gzip
import os
import re
import struct
import sys

from common import Place, check, finish

MONITOR = os.path.exists(sys.argv[2])  # without it QEMU is not needed either
MAN = sys.argv[3]


def image(size=1 << 20):
    """The smallest thing that passes for an arm64 Image with a PE header."""
    data = bytearray(size)
    data[0:2] = b"MZ"
    struct.pack_into("<QQQ", data, 8, 0, size * 2, 0xA)
    data[0x38:0x3C] = b"ARM\x64"
    struct.pack_into("<I", data, 0x3C, 0x40)
    data[0x40:0x44] = b"PE\0\0"
    struct.pack_into("<HH", data, 0x44, 0xAA64, 1)
    struct.pack_into("<II", data, 0x58 + 16, size - 0x200, 0x200)
    return bytes(data)


FILES = {
    "empty": b"",
    "truncated": image()[:500000],
    "tiny": image()[:40],
    "truncated.gz": gzip.compress(os.urandom(100000))[:5000],
    "damaged.gz": gzip.compress(os.urandom(100000))[:5000] + b"\0" * 100000,
    "bzImage": b"\0" * 0x202 + b"HdrS" + b"\0" * 4096,
    "elf-x86": b"\177ELF\2\1\1" + b"\0" * 9 + b"\2\0\x3e\0" + b"\0" * 100,
    "elf-arm64": b"\177ELF\2\1\1" + b"\0" * 9 + b"\2\0\xb7\0" + b"\0" * 100,
    "text": b"#!/bin/sh\nexit 0\n",
    "Image": image(),
    "monitor": b"no ELF" * 100,
    "bad.yaml": b"hvcgate: 1\nprofile: hvcgate-1\nrules:\n  - deny: PSCI_CPUON\n",
    "good.yaml": b"hvcgate: 1\nprofile: hvcgate-1\n",
    "qemu-none": b"#!/bin/sh\necho what >&2\nexit 3\n",
    "qemu-old": b"#!/bin/sh\n[ \"$1\" != --version ] || { echo QEMU emulator version 5.2.0; exit; }\n"
                b"echo 'qemu: -sandbox: no such thing' >&2\nexit 1\n",
    "qemu-killed": b"#!/bin/sh\nkill -9 $$\n",
    "qemu-empty": b"#!/bin/sh\nexit 0\n",
    "qemu-mute": b"#!/bin/sh\nexec >&- 2>&-\nsleep 1000\n",
    "qemu-child": b"#!/bin/sh\nsleep 1000 >/dev/null 2>&1 &\nsetsid sleep 1000 >/dev/null 2>&1 &\nexit 3\n",
    "qemu-colours": b"#!/bin/sh\nprintf 'A\\033[2JB\\302\\233C\\303\\251D\\rE\\n' >&2\nexit 1\n",
    # What is confined: files, also through our own /proc, and the network.
    "qemu-curious": b"#!/bin/sh\nread word <../secret && echo read-$word >&2\n: >made && echo made a file >&2\n"
                    b"read word </proc/$PPID/environ && echo read environ >&2\nls /etc >/dev/null && echo listed >&2\n"
                    b"kill -0 $PPID && echo could signal >&2\nls /usr >/dev/null && echo curious >&2\nexit 1\n",
}

# Arguments, words that stderr must have. {} is the directory of FILES.
CASES = [
    (["--kernel", "{}/none"], ["{}/none", "No such file"]),
    (["--kernel", "{}"], ["is a directory"]),
    (["--kernel", "/dev/zero"], ["not a regular file"]),
    (["--kernel", "{}/empty"], ["is empty"]),
    (["--kernel", "{}/truncated"], ["truncated"]),
    (["--kernel", "{}/tiny"], ["truncated"]),
    (["--kernel", "{}/truncated.gz"], ["truncated"]),
    (["--kernel", "{}/damaged.gz"], ["damaged"]),
    (["--kernel", "{}/bzImage"], ["x86 kernel", "arm64 Image"]),
    (["--kernel", "{}/elf-x86"], ["ELF file for x86-64", "arm64 Image"]),
    (["--kernel", "{}/elf-arm64"], ["ELF", "objcopy -O binary"]),
    (["--kernel", "{}/text"], ["is text"]),
    (["--kernel", "{}/Image", "--initrd", "{}/none"], ["initrd {}/none", "No such file"]),
    (["--kernel", "{}/Image", "--initrd", "{}/empty"], ["is empty"]),
    (["--guest", "debian", "--kernel", "{}/Image"], ["exclude each other"]),
    (["--guest", "ubuntu"], ["no guest 'ubuntu'", "debian-12", "--kernel"]),
    (["--guest", "debian"], ["scripts/fetch-guest bookworm"]),
    (["--guest", "debian-11"], ["scripts/fetch-guest bullseye"]),
    (["--policy", "{}/none.yaml"], ["none.yaml", "No such file"]),
    (["--policy", "{}/bad.yaml"], ["{}/bad.yaml:4:11: error:", "PSCI_CPUON", "PSCI_CPU_ON"]),
    (["--policy", "{}"], ["{}"]),
    (["--name", "12"], ["not digits only"]),
    (["--name", "a b"], ["letters, digits"]),
    (["--name", ""], ["letters, digits"]),
    (["--name", "x" * 96], ["up to 95"]),
    (["--smp", "0"], ["1 to 8"]),
    (["--smp", "9"], ["1 to 8"]),
    (["--smp", "-1"], ["1 to 8"]),
    (["--smp", "two"], ["1 to 8"]),
    (["--mem", "lots"], ["512M"]),
    (["--mem", "1M"], ["32M"]),
    (["--mem", "33M"], ["multiple of 2M", "34M"]),
    (["--mem", "99999999999999999999G"], ["512M"]),
    (["--mem", "18014398509481984G"], ["128G"]),
    (["--cpu", "cortex-a15"], ["32-bit"]),
    (["--cpu", "host"], ["no such CPU"]),
    (["--cpu", "pentium"], ["unknown model", "cortex-a72", "max"]),
    (["--cpu", "max,aarch64=off"], ["AArch64"]),
    (["--cpu", "max,,drive=x"], ["name=value"]),
    (["--cpu", "max," + "x" * 200], ["more than 127"]),
    (["--gic", "4"], ["2 or 3"]),
    (["--host", "xen"], ["el2 or kvm"]),
    (["--host", "kvm", "--cpu", "cortex-a72"], ["there is one, host"]),
    (["--cpu", "max", "--host", "kvm"], ["there is one, host"]),
    (["--host", "kvm", "--deterministic"], ["--host el2"]),
    (["--host", "kvm", "--conduit", "smc"], ["hvc"]),
    (["--host", "kvm", "--timeout", "3"], ["timeout(1)"]),
    (["--host", "kvm", "--cpu", "host,,x=y"], ["name=value"]),
    (["--conduit", "svc"], ["hvc or smc"]),
    (["--on-reset", "panic"], ["exit or continue"]),
    (["--trace-format", "json"], ["--trace"]),
    (["--trace", "--trace-format", "xml"], ["text or json"]),
    (["--summary", "xml"], ["table, json or none"]),
    (["--timeout", "0"], ["above 0"]),
    (["--timeout", "soon"], ["above 0"]),
    (["--drive", "file=x"], ["no disks", "DMA"]),
    (["--net", "user"], ["no network", "DMA"]),
    (["--device", "virtio-net-pci"], ["devices cannot be added", "DMA"]),
    (["--frobnicate"], ["unrecognized option", "--help"]),
    (["Image"], ["'Image'", "--kernel"]),
    (["--policy"], ["requires an argument"]),
    (["--kernel", "{}/Image", "--qemu", "{}/none"], ["cannot start {}/none", "No such file"]),
    (["--kernel", "{}/Image", "--qemu", "{}/text"], ["cannot start {}/text", "Permission"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-none"], ["is no QEMU", "what"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-old"], ["is QEMU 5.2", "7.2 or newer", "no such thing"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-killed"], ["died of signal 9"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-empty"], ["says nothing"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-mute"], ["does not end"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-child"], ["says nothing (status 3)"]),
    (["--kernel", "{}/Image", "--qemu", "{}/qemu-colours"], ["A?[2JB??C\u00e9D?E"]),
]

# With QEMU, which refuses; and what is looked for after QEMU was asked.
QEMU_CASES = [
    (["--cpu", "max,frobnicate=on"], {}, ["does not start this machine", "frobnicate"]),
    (["--trace={}/none/t"], {}, ["trace {}/none/t"]),
    (["--summary", "json:{}/none/s"], {}, ["summary {}/none/s"]),
    ([], {"HVCGATE_MONITOR": "{}/none.elf"}, ["monitor {}/none.elf"]),
    ([], {"HVCGATE_MONITOR": "{}/monitor"}, ["no arm64 ELF"]),
]


def try_one(place, args, words, env):
    files = os.path.join(place.top, "files")
    args = [a.replace("{}", files) for a in args]
    env = {k: v.replace("{}", files) for k, v in env.items()}
    done = place.run(*args, env=env)
    name = f"{args} {env}"
    check(done.returncode == 2, f"{name}: status {done.returncode}, not 2: {done.stderr[-300:]}")
    for word in words:
        word = word.replace("{}", files)
        check(word in done.stderr, f"{name}: stderr lacks {word!r}: {done.stderr[-400:]!r}")
    check(done.stdout == "", f"{name}: stdout {done.stdout[:100]!r}")
    check(not place.left_behind(), f"{name}: left {place.left_behind()}")


def landlock():
    """The version of Landlock that the kernel has; 0: none."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


def confinement(place):
    """A curious QEMU reads what is installed, and nothing else; told not to, nobody confines it."""
    with open(os.path.join(place.top, "secret"), "w") as out:
        out.write("it\n")
    arguments = ["--kernel", "{}/Image", "--qemu", "{}/qemu-curious"]
    for confined in ([True] if landlock() > 0 else []) + [False]:
        env = {} if confined else {"HVCGATE_CONFINE": "off"}
        files = os.path.join(place.top, "files")
        done = place.run(*[a.replace("{}", files) for a in arguments], env=env)
        check(done.returncode == 2 and "curious" in done.stderr, f"curious: {done.returncode} {done.stderr}")
        for word in ["read-it", "made a file", "listed"] + (["could signal"] if landlock() >= 6 else []):
            check((word in done.stderr) != confined, f"confined {confined}: {word}: {done.stderr}")
        if confined or os.geteuid() != 0:
            check("read environ" not in done.stderr, f"confined {confined}: environ can be read: {done.stderr}")
        made = os.path.join(place.work, "made")
        check(os.path.exists(made) != confined, f"confined {confined}: {made}")
        if os.path.exists(made):
            os.unlink(made)


def main():
    count = 0
    with Place() as place:
        files = os.path.join(place.top, "files")
        os.mkdir(files)
        for name, data in FILES.items():
            with open(os.path.join(files, name), "wb") as out:
                out.write(data)
            if name.startswith("qemu-"):
                os.chmod(os.path.join(files, name), 0o755)
        for args, words in CASES:
            try_one(place, args, words, {"HVCGATE_CACHE": "/nonexistent"} if "--guest" in args else {})
            count += 1
        try_one(place, ["--kernel", "{}/Image"], ["not installed", "qemu-system-arm"], {"PATH": "/nonexistent"})
        for args, env, words in QEMU_CASES if MONITOR else []:
            try_one(place, ["--kernel", "{}/Image", *args], words, env)
            count += 1
        confinement(place)
        shown = place.run("--help")
        check(shown.returncode == 0 and "hvcgate run --policy" in shown.stdout, "--help has no example")
        with open(MAN) as page:
            described = page.read()
        for option in re.findall(r"--[a-z-]+", shown.stdout.partition("Examples:")[0]):
            check(f"*{option}*" in described or option in ("--help", "--usage"), f"{option} is not in the manual page")
    finish(f"{count} kinds of bad input")


main()
