# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `hvcgate run` share: a place of its own for each run, and what it left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

HVCGATE = os.path.abspath(sys.argv[1])
SKIP = 77


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/"), ".cache")
    return os.environ.get("HVCGATE_CACHE") or os.path.join(home, "hvcgate")


GUEST = os.path.join(cache(), "guest", "debian-12")


def need_guest():
    missing = [f for f in ("Image", "initrd.cpio") if not os.access(os.path.join(GUEST, f), os.R_OK)]
    if missing or shutil.which("qemu-system-aarch64") is None:
        print("needs QEMU and the Debian guest: run scripts/setup run and scripts/fetch-guest")
        sys.exit(SKIP)


# A program started with a signal ignored (nohup, a shell's background job) keeps ignoring it, as it should: what
# these tests start is to see the signals all the same.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


class Place:
    """Empty directories and a mark in the environment, by which everything that a run starts is found."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="hvcgate-test-")
        self.work = os.path.join(self.top, "work")
        self.tmp = os.path.join(self.top, "tmp")
        os.mkdir(self.work)
        os.mkdir(self.tmp)
        self.sockets = os.path.join(self.top, "sockets")
        os.mkdir(self.sockets, 0o700)
        self.mark = f"HVCGATE_TEST_MARK={uuid.uuid4()}"
        self.env = dict(os.environ, TMPDIR=self.tmp, HVCGATE_RUNTIME_DIR=self.sockets, HVCGATE_CACHE=cache(), LC_ALL="C")
        name, value = self.mark.split("=")
        self.env[name] = value
        self.shm = set(os.listdir("/dev/shm"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.top)

    def processes(self):
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and self.mark.encode() in open(f"/proc/{entry}/environ", "rb").read().split(b"\0"):
                    if open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()[0] != "Z":
                        found.append(int(entry))
            except OSError:
                pass
        return found

    def left_behind(self):
        """Processes and files; a killed process may take a moment to go."""
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        left = [f"process {pid}: " + open(f"/proc/{pid}/cmdline").read().replace("\0", " ")[:200] for pid in self.processes()]
        for directory in (self.work, self.tmp, self.sockets):
            left += [os.path.join(directory, name) for name in os.listdir(directory)]
        left += [f"/dev/shm/{name}" for name in os.listdir("/dev/shm") if name not in self.shm and "qemu" in name]
        return left

    def run(self, *args, timeout=120, **more):
        env = dict(self.env, **more.pop("env", {}))
        return subprocess.run([HVCGATE, "run", *args], cwd=self.work, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, text=True,
                              errors="replace", **more)

    def ctl(self, *args):
        return subprocess.run([HVCGATE, "ctl", *args], cwd=self.work, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, text=True)

    def start(self, *args, **more):
        return subprocess.Popen([HVCGATE, "run", *args], cwd=self.work, env=self.env, **more)


failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}", flush=True)
    return good


def finish(done):
    print(f"{done}: {len(failures)} failed")
    sys.exit(1 if failures else 0)
