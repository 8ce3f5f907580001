# SPDX-License-Identifier: BSD-2-Clause
"""A run of a bare-metal guest that a test talks to, and looks into from outside (the `qemu` beside this file)."""

import json
import os
import re
import select
import shutil
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "run"))
from common import HVCGATE, SKIP, Place, check, failures, finish  # noqa: E402,F401

# src/el2/launch.h; struct el2_mailbox begins the shared memory
MONITOR_PA, SHARED_PA, GUEST_PA = 0x40000000, 0x42000000, 0x44000000
LAUNCH_PA, CODE_PA, IMAGE_PA = 0x40180000, 0x40200000, 0x41000000
MAILBOX_BYTES, RINGS_OFFSET = 0x1000, 0x100000
READY_AT, SEED_FULL_AT, SEED_AT, SEED_BYTES = 4, 32, 36, 48


def skip(why):
    print(why)
    sys.exit(SKIP)


def built(*names):
    """A file of the arm64 half of the build, beside the command's own build directory."""
    top = os.path.join(os.path.dirname(HVCGATE), "..", "..")
    for directory in ("aarch64", "../aarch64", "."):
        path = os.path.normpath(os.path.join(top, directory, *names))
        if os.path.exists(path):
            return path
    return None


def guest(name):
    if shutil.which("qemu-system-aarch64") is None:
        skip("needs QEMU: run scripts/setup run")
    return built("tests", "guest", name + ".bin") or skip("the arm64 half of the build is missing: run scripts/build")


class Machine:
    """`hvcgate run` with a guest of ours; its console is read line by line."""

    def __init__(self, place, name, *options, append="", observed=False, stopped=False,
                 regions=(), monitor=None, timeout=100):
        env = dict(place.env)
        arguments = ["--kernel", guest(name), "--timeout", str(timeout), "--append", append, *options]
        env["HVCGATE_MONITOR"] = monitor or built("src", "el2", "monitor.elf")
        self.directory = place.top
        self.summary_file = os.path.join(place.top, "summary.json")
        arguments += ["--summary", f"json:{self.summary_file}"]
        if observed:
            arguments += ["--qemu", os.path.join(HERE, "qemu")]
            env.update(OBSERVE=place.top, OBSERVE_REGIONS=json.dumps(list(regions)), OBSERVE_STOP="1" if stopped else "",
                       HVCGATE_CONFINE="off")  # it writes files
        self.lines, self.partial, self.deadline = [], b"", time.monotonic() + timeout + 10
        self.process = subprocess.Popen([HVCGATE, "run", *arguments], env=env, cwd=place.work, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def line(self):
        """The next line of the console; None at its end."""
        while b"\n" not in self.partial:
            wait = max(0.0, self.deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], wait)[0]:
                raise TimeoutError("the guest says nothing any more; so far:\n" + "\n".join(self.lines[-20:]))
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                return None
            self.partial += part
        text, self.partial = self.partial.split(b"\n", 1)
        self.lines.append(text.decode(errors="replace").rstrip("\r"))
        return self.lines[-1]

    def until(self, text):
        """Read up to a line that is `text`; False if the console ends before."""
        while (line := self.line()) is not None:
            if line == text:
                return True
        return False

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self):
        """Read to the end; the exit status."""
        while self.line() is not None:
            pass
        self.process.stdin.close()
        self.errors = self.process.stderr.read().decode(errors="replace")
        status = self.process.wait(timeout=30)
        self.summary = {}
        if os.path.exists(self.summary_file) and os.path.getsize(self.summary_file):
            self.summary = json.load(open(self.summary_file))
        return status

    def said(self, pattern):
        """Groups of the only line that matches, or None."""
        found = [m for line in self.lines if (m := re.fullmatch(pattern, line))]
        return found[0].groups() if len(found) == 1 else None

    def tell(self):
        """What a failing test shows."""
        print("\n".join([line for line in self.lines if ": count " not in line][-60:]))
        print(self.errors)

    # --- From outside; needs `observed`.
    def memory(self, which, start=0, size=-1):
        """Bytes of "monitor", "guest" or "shared" as they are now."""
        path = os.path.join(self.directory, which)
        if which == "shared":
            path = open(path).read()
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(size)


class Elf:
    """Segments and symbols of the monitor."""

    def __init__(self, path):
        self.data = open(path, "rb").read()
        header = struct.unpack_from("<16sHHIQQQIHHHHHH", self.data)
        program, section, program_size, programs, section_size, sections = (
            header[5], header[6], header[9], header[10], header[11], header[12])
        self.segments = []
        for i in range(programs):
            kind, flags, offset, address, _, filed, size, _ = struct.unpack_from(
                "<IIQQQQQQ", self.data, program + i * program_size)
            if kind == 1:
                self.segments.append((address, offset, filed, size, flags))
        table = [struct.unpack_from("<IIQQQQIIQQ", self.data, section + i * section_size) for i in range(sections)]
        self.symbols = []  # (address, bytes, name)
        for entry in table:
            if entry[1] != 2:  # SHT_SYMTAB
                continue
            names = table[entry[6]][4]
            for at in range(entry[4], entry[4] + entry[5], 24):
                name, info, _, _, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
                end = self.data.index(b"\0", names + name)
                self.symbols.append((value, size, self.data[names + name:end].decode(), info & 15))

    def address(self, name):
        return next(value for value, _, text, _ in self.symbols if text == name)

    def objects(self):
        """(address, bytes, name) of variables, by address."""
        return sorted((value, size, name) for value, size, name, kind in self.symbols if kind == 1 and size)

    def patched(self, path, address, words):
        """A copy of the file with instructions replaced."""
        data = bytearray(self.data)
        for start, offset, filed, _, _ in self.segments:
            if start <= address < start + filed:
                struct.pack_into(f"<{len(words)}I", data, offset + address - start, *words)
        open(path, "wb").write(data)
        return path

    def word(self, address):
        """The instruction at an address."""
        for start, offset, filed, _, _ in self.segments:
            if start <= address < start + filed:
                return struct.unpack_from("<I", self.data, offset + address - start)[0]
        raise KeyError(hex(address))

    def find(self, *words):
        """Addresses where these instructions stand."""
        wanted, found = struct.pack(f"<{len(words)}I", *words), []
        for start, offset, filed, _, flags in self.segments:
            if flags & 1:
                code = self.data[offset:offset + filed]
                at = code.find(wanted)
                while at >= 0:
                    found.append(start + at)
                    at = code.find(wanted, at + 4)
        return found


def changed_pages(before, after):
    """Offsets of the 4 KiB pages that differ."""
    step = 1 << 21
    for block in range(0, len(before), step):
        if before[block:block + step] != after[block:block + step]:
            for at in range(block, min(block + step, len(before)), 4096):
                if before[at:at + 4096] != after[at:at + 4096]:
                    yield at


def changed_words(before, after):
    """Offsets of the 8-byte words that differ."""
    for page in changed_pages(before, after):
        for at in range(page, page + 4096, 8):
            if before[at:at + 8] != after[at:at + 8]:
                yield at
