# SPDX-License-Identifier: BSD-2-Clause
"""Boots Linux through `hvcgate run` and gathers what the guest, the trace and the summary say.

A test file is a unittest module that ends in main(). Run by hand:
    tests/guest/linux/policy.py -v Psci.test_0_2
Environment: HVCGATE (the command; default build/src/cli/hvcgate), HVCGATE_CACHE (see scripts/fetch-guest),
HVCGATE_GUEST (default debian-12; tests that name another keep theirs).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
HVCGATE = os.environ.get("HVCGATE") or str(TOP / "build/src/cli/hvcgate")
# How much slower than a quiet machine of two cores this one may be.
PATIENCE = float(os.environ.get("HVCGATE_TEST_PATIENCE", "4"))


# Of tests that name none.
GUEST = os.environ.get("HVCGATE_GUEST", "debian-12")


def cache():
    if os.environ.get("HVCGATE_CACHE"):
        return pathlib.Path(os.environ["HVCGATE_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/root"), ".cache")
    return pathlib.Path(base) / "hvcgate"


class Boot:
    """What came of one run."""

    def __init__(self, command, status, console, stderr, trace, summary):
        self.command, self.status, self.console, self.stderr = command, status, console, stderr
        self.trace_text = trace
        self.trace = [json.loads(line) for line in trace.splitlines()]
        self.calls = [entry for entry in self.trace if entry["type"] == "call"]
        self.summary = json.loads(summary) if summary else {}

    def facts(self, name):
        """Values of "@ NAME: VALUE" on the console."""
        return re.findall(rf"^@ {re.escape(name)}: ?(.*?)\r?$", self.console, re.M)

    def fact(self, name):
        """The one value, or None."""
        values = self.facts(name)
        if len(values) > 1:
            raise AssertionError(f"the guest says {name} {len(values)} times")
        return values[0] if values else None

    def said(self, pattern):
        """How often the guest printed a line that contains the pattern."""
        return sum(1 for line in self.console.splitlines() if re.search(pattern, line))

    def called(self, function):
        """Trace entries of a function."""
        return [call for call in self.calls if call["function"] == function]

    def count(self, function, what="calls"):
        """From the summary's counters: calls, answered, denied, absent, failed, unknown."""
        for row in self.summary["functions"]:
            if row["function"] == function:
                return row[what]
        return 0

    def __str__(self):
        return "\n".join(
            [f"$ {' '.join(self.command)}", f"--- console (exit status {self.status})", self.console,
             "--- stderr", self.stderr])


class Console:
    """The guest's console while it runs."""

    def __init__(self, process):
        self.process, self.heard = process, b""

    def send(self, text):
        self.process.stdin.write(text.encode())

    def line(self, pattern):
        """Read on to a line that has the pattern; the match, or an error at the console's end."""
        while line := self.process.stdout.readline():
            self.heard += line
            if found := re.search(pattern, line.decode(errors="replace")):
                return found
        raise AssertionError(f"the console ended without a line {pattern}")


def run(command, limit, talk):
    """To its end: status, what it wrote on stdout and stderr. `talk`: is given its console meanwhile."""
    with subprocess.Popen(command, stdin=subprocess.PIPE if talk else subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, bufsize=0) as process:
        console = Console(process)
        try:
            if talk:
                talk(console)
        finally:  # the run ends by itself, at the latest after its own timeout
            out, err = process.communicate(timeout=limit + 30)
    return process.returncode, console.heard + out, err


class LinuxTest(unittest.TestCase):
    maxDiff = None
    every_boot = []

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="hvcgate-linux-"))
        self.addCleanup(shutil.rmtree, self.work)
        self.boots = []

    def run(self, result=None):
        def bad():
            return len(result.failures) + len(result.errors)

        before = bad()
        super().run(result)
        if bad() > before:
            for boot in self.boots:
                print(boot, flush=True)
        return result

    def boot(self, policy=None, script=HERE / "facts.sh", files=(), options=(), append="", smp=2,
             seconds=15, status=0, trace_format="json", talk=None, policy_file=None):
        """One run. `policy`: the text below "hvcgate: 1", on hvcgate-1 unless it begins with another; `script`: a path, run in the guest as root.
        `policy_file`: another one, a path; `seconds`: what it takes at most on a quiet machine; `talk`: called with the Console while it runs."""
        number = len(self.boots)
        trace, summary = self.work / f"trace.{number}", self.work / f"summary.{number}"
        overlay = self.work / f"overlay.{number}.cpio"
        limit = seconds * PATIENCE
        command = [HVCGATE, "run", "--smp", str(smp), "--timeout", str(limit), f"--trace={trace}",
                   "--trace-format", trace_format, f"--summary=json:{summary}"]
        if script:
            subprocess.run([TOP / "guest/mkoverlay", overlay, script, *files], check=True)
            command += ["--initrd", str(overlay)]
        if policy is not None:
            file = self.work / f"policy.{number}.yaml"
            profile = "" if policy.startswith("profile:") else "profile: hvcgate-1\n"
            file.write_text(f"hvcgate: 1\n{profile}{policy}")
            command += ["--policy", str(file)]
        if policy_file:
            command += ["--policy", str(policy_file)]
        if append:
            command += ["--append", append]
        command += [str(option) for option in options]
        if "--guest" not in options:
            command += ["--guest", GUEST]
        returned, out, err = run(command, limit, talk)

        def text(path):
            return path.read_text() if path.exists() else ""

        boot = Boot(command, returned, out.decode(errors="replace").replace("\r\n", "\n"),
                    err.decode(errors="replace"),
                    text(trace) if trace_format == "json" else "", text(summary))
        if trace_format != "json":
            boot.trace_text = text(trace)
        self.boots.append(boot)
        self.every_boot.append(boot)
        self.assertEqual(boot.status, status, "exit status of hvcgate run")
        if status == 0 and script:
            self.assertIn("hvcgate guest: init.sh ended with status 0", boot.console)
        return boot

    def assertQuiet(self, boot):
        """Nothing in the kernel's log that looks like an accident."""
        self.assertEqual(set(boot.facts("accidents")), {"0"}, "warnings in the kernel's log")


def account(boots):
    """The counts that scripts/test --full keeps."""
    summaries = [boot.summary for boot in boots if boot.summary]
    counts = ", ".join(f"{sum(summary['total'][what] for summary in summaries)} {what}"
                       for what in ("answered", "denied", "absent", "unknown"))
    seconds = [summary["seconds"] for summary in summaries] or [0]
    return (f"{len(boots)} runs of {min(seconds):.1f} to {max(seconds):.1f} s; calls: {counts}; "
            f"{sum(summary['trace_dropped'] for summary in summaries)} left out of traces")


def main(*guests, more=()):
    """Runs the module's tests, or skips (77) where this machine lacks something. `more`: guests that only the classes
    ...More boot, which scripts/test without --full neither runs nor fetches for."""
    lacking = []
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    if not named or any("More" in name for name in named):
        guests += tuple(more)
    if not shutil.which("qemu-system-aarch64"):
        lacking.append("qemu-system-aarch64 is not installed (scripts/setup run)")
    for guest in {GUEST, *guests}:
        if not (cache() / "guest" / guest / "Image").exists():
            lacking.append(f"guest {guest} is not in the cache (scripts/fetch-guest)")
    if lacking:
        print("; ".join(lacking))
        sys.exit(77)
    program = unittest.main(exit=False, verbosity=2)
    print(account(LinuxTest.every_boot))
    sys.exit(not program.result.wasSuccessful())
