# SPDX-License-Identifier: BSD-2-Clause
"""Guests of QEMU in the lab's machines, and what their checker (tests/guest/checker.c) said: one run of tests/lab/l2."""

import os
import pathlib
import re
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]


class NotToBeHad(Exception):
    """No kernel, no QEMU: what the lab says."""


def built(name):
    """A file of the arm64 half of the build, or of the build on an arm64 machine."""
    for place in ("build/aarch64", "build"):
        if (TOP / place / name).is_file():
            return TOP / place / name
    raise NotToBeHad(f"no {name}: run scripts/setup build and scripts/build")


class Run:
    """What came of one: `result` as tests/lab/l2 says, `stderr` as lines, `stream` the file with the guest that was saved."""

    def __init__(self, out, lab):
        def text(name):
            path = out / name
            return path.read_text(errors="replace") if path.exists() else ""

        self.result = text("result").strip() or "the machine failed"
        self.output = text("output")
        self.console, self.monitor = text("console").replace("\r", ""), text("monitor")
        self.stderr = [line.removeprefix("qemu-system-aarch64: ") for line in text("stderr").splitlines()]
        self.stream = out / "stream"
        self.lab = lab
        found = re.search(r"lab: (\S+ \S+) of", lab)
        self.package = found.group(1) if found else ""
        found = re.search(r"^ +(qemu-system-arm \S+) in it", lab, re.M)
        self.qemu = found.group(1) if found else ""


VIRT = ["-M", "virt,gic-version=3", "-accel", "kvm", "-cpu", "host"]
CHECKER = [*VIRT, "-m", "64", "-kernel", "checker.bin"]
TICK = "^(checker: tick|PASS|FAIL)"
INCOMING = ["-incoming", "exec:cat /lab/stream"]


def run(out, series, qemu, cpu, steps, words, files=(), wrapper=(), timeout=300, limit=100):
    """tests/lab/l2 with these steps and QEMU options in a machine of the lab; `out` is a directory for what comes back."""
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hvcgate-steps-") as place:
        (pathlib.Path(place) / "steps").write_text("".join(f"{step}\n" for step in [f"limit {limit}", *steps]))
        command = [TOP / "scripts/lab", "--qemu", qemu, "--cpu", cpu, "--out", out, "--timeout", timeout,
                   "--file", f"{place}/steps"]
        for file in (built("tests/guest/checker.bin"), *files):
            command += ["--file", file]
        command += [series, "--", TOP / "tests/lab/l2", *wrapper, *(["--"] if wrapper else []), *words]
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode == 2:
        raise NotToBeHad(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "scripts/lab said nothing")
    return Run(pathlib.Path(out), done.stderr + done.stdout)


class Said:
    """The checker's words of one guest's life, from all the machines it was in, put together in order."""

    def __init__(self, *consoles):
        self.text = "".join(consoles)
        self.ticks = [int(tick) for tick in re.findall(r"^checker: tick (\d+) ", self.text, re.M)]
        self.changed = re.findall(r"^checker: changed (.*)$", self.text, re.M)
        self.failed = re.findall(r"^FAIL.*$", self.text, re.M)
        self.same = len(re.findall(r"^checker: tick \d+ same [0-9a-f]{16} gap \d+ ms own \d+$", self.text, re.M))
        self.digests = set(re.findall(r"^checker: tick \d+ same ([0-9a-f]{16})", self.text, re.M))

    def faults(self):
        """What is not as it was, in words; none: the guest noticed nothing."""
        yield from self.failed
        for change in self.changed:
            yield f"changed: {change}"
        if self.ticks != list(range(1, len(self.ticks) + 1)):
            yield f"ticks are {self.ticks}"
        # The last line may be half there.
        if not self.changed and (not self.ticks or self.same < len(self.ticks) - 1 or len(self.digests) > 1):
            yield f"{self.same} of {len(self.ticks)} ticks are the same, with digests {sorted(self.digests)}"


def cache():
    """Where scripts/lib.sh has it."""
    if os.environ.get("HVCGATE_CACHE"):
        return pathlib.Path(os.environ["HVCGATE_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/root"), ".cache")
    return pathlib.Path(base) / "hvcgate"


def scratch():
    return tempfile.TemporaryDirectory(prefix="hvcgate-l2-")
