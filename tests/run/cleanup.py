#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""However and whenever a run ends, no process and no file is left, and the terminal is as it was."""

import fcntl
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import termios
import time

from common import HVCGATE, Place, check, finish, need_guest

# A run takes about 0.2 s to start QEMU and 2 s to the shell's prompt.
LATEST = 2.5
ROUNDS = 8


def by_signal(place, number, delay):
    """The run dies of the signal itself, so that a shell script ends with it."""
    name = f"{number.name} after {delay:.3f} s"
    child = place.start("--trace", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(delay)
    child.send_signal(number)
    start = time.monotonic()
    errors = child.communicate(timeout=30)[1]
    if number == signal.SIGKILL:
        place.ctl("list")  # what cannot be caught leaves its socket to whoever looks next
    check(child.returncode == -number, f"{name}: status {child.returncode}: {errors[-300:]}")
    check(time.monotonic() - start < 5, f"{name}: took {time.monotonic() - start:.1f} s to end")
    check(not place.left_behind(), f"{name}: left {place.left_behind()}")


def by_qemu_death(place):
    """QEMU is killed under us: said, status 2."""
    child = place.start(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not [pid for pid in place.processes() if pid != child.pid] and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(1)
    for pid in place.processes():
        if pid != child.pid:
            os.kill(pid, signal.SIGKILL)
    errors = child.communicate(timeout=30)[1].decode()
    check(child.returncode == 2 and "QEMU died of signal 9" in errors, f"QEMU killed: {child.returncode} {errors[-300:]}")
    check(not place.left_behind(), f"QEMU killed: left {place.left_behind()}")


def cmdline(pid):
    try:
        return open(f"/proc/{pid}/cmdline", "rb").read()
    except OSError:
        return b""


def by_wrapper(place):
    """What is started as QEMU starts it as its child, or in a session of its own: no end leaves one."""
    for name, line in (("child", 'qemu-system-aarch64 "$@"; exit'),
                       ("background", 'exec {in}<&0; qemu-system-aarch64 "$@" <&$in & wait'),
                       ("session", 'exec {in}<&0; setsid qemu-system-aarch64 "$@" <&$in & wait')):
        path = os.path.join(place.top, f"qemu-{name}")
        with open(path, "w") as out:
            out.write(f"#!/bin/bash\n{line}\n")
        os.chmod(path, 0o755)
        for end in ("timeout", "SIGINT", "wrapper killed"):
            child = place.start("--qemu", path, "--timeout", "1.5" if end == "timeout" else "60",
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 30
            # hvcgate, the wrapper, QEMU: with a console that says something, it is the one that stays.
            while end != "timeout" and not select.select([child.stdout], [], [], 0)[0] and time.monotonic() < deadline:
                time.sleep(0.01)
            if end == "SIGINT":
                child.send_signal(signal.SIGINT)
            elif end == "wrapper killed":
                for pid in place.processes():
                    if pid != child.pid and path.encode() in cmdline(pid):
                        os.kill(pid, signal.SIGKILL)
            start = time.monotonic()
            try:
                errors = child.communicate(timeout=20)[1].decode(errors="replace")
            except subprocess.TimeoutExpired:
                check(False, f"wrapper {name}, {end}: does not end")
                child.kill()
                child.communicate()
                continue
            wanted = {"timeout": 1, "SIGINT": -signal.SIGINT, "wrapper killed": 2}[end]
            check(child.returncode == wanted, f"wrapper {name}, {end}: status {child.returncode}: {errors[-300:]}")
            check(time.monotonic() - start < 10, f"wrapper {name}, {end}: took {time.monotonic() - start:.1f} s")
            check(not place.left_behind(), f"wrapper {name}, {end}: left {place.left_behind()}")


def by_stalled_summary(place):
    """A full FIFO that nobody reads: waiting for it costs nothing, and a signal ends it."""
    path = os.path.join(place.top, "fifo")
    os.mkfifo(path)
    fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(fifo, b"x" * 4096)
    except BlockingIOError:
        pass
    child = place.start("--append", "quiet hvcgate.poweroff", "--summary", f"json:{path}", stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    qemu_was, deadline = False, time.monotonic() + 60
    while time.monotonic() < deadline:
        others = [pid for pid in place.processes() if pid != child.pid]
        if qemu_was and not others:
            break
        qemu_was = qemu_was or any(b"loader,file" in cmdline(pid) for pid in others)
        time.sleep(0.05)
    time.sleep(0.2)
    before = open(f"/proc/{child.pid}/stat").read().rpartition(")")[2].split()[11:13]
    time.sleep(1)
    after = open(f"/proc/{child.pid}/stat").read().rpartition(")")[2].split()[11:13]
    used = sum(map(int, after)) - sum(map(int, before))
    check(child.poll() is None, "stalled summary: does not wait for the reader")
    check(used < os.sysconf("SC_CLK_TCK") // 4, f"stalled summary: {used} ticks of processor time in a second")
    child.send_signal(signal.SIGINT)
    errors = child.communicate(timeout=20)[1].decode()
    check(child.returncode == -signal.SIGINT, f"stalled summary: status {child.returncode}: {errors[-300:]}")
    os.close(fifo)


def by_closed_output(place):
    child = place.start(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.read(1)
    child.stdout.close()
    child.stdout = None
    errors = child.communicate(timeout=30)[1].decode()
    check(child.returncode == 1 and "output is closed" in errors, f"output closed: {child.returncode} {errors[-300:]}")
    check(not place.left_behind(), f"output closed: left {place.left_behind()}")


def by_stalled_output(place):
    """Nobody reads the console: a timeout ends it all the same."""
    child = place.start("--timeout", "3", "--append", "debug", "--trace", stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        child.wait(timeout=20)
    except subprocess.TimeoutExpired:
        check(False, "stalled output: no end")
        child.kill()
    child.communicate()
    check(not place.left_behind(), f"stalled output: left {place.left_behind()}")


class Terminal:
    """A run on a terminal of its own."""

    def __init__(self, place, *args):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.output = b""  # since the last thing that was expected
        self.log = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 64)
            os.chdir(place.work)
            os.execve(HVCGATE, [HVCGATE, "run", *args], place.env)

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
            data = os.read(self.master, 65536)
            self.output += data
            self.log += data

    def expect(self, words, seconds=40):
        end = time.monotonic() + seconds
        while words not in self.output and time.monotonic() < end:
            self.read(0.05)
        good = check(words in self.output, f"terminal: no {words!r} in {self.output[-300:]!r}")
        self.output = self.output.partition(words)[2]
        return good

    def type(self, data):
        os.write(self.master, data)

    def end(self, seconds=20):
        """Wait status; None if it does not end."""
        deadline = time.monotonic() + seconds
        status = None
        while status is None and time.monotonic() < deadline:
            self.read(0.05)
            pid, value = os.waitpid(self.pid, os.WNOHANG)
            status = value if pid else None
        self.read(0.1)
        if status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.restored = termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return status


def on_terminal(place, delay, how):
    name = f"terminal, {how} after {delay:.3f} s"
    terminal = Terminal(place, "--trace")
    terminal.read(delay)
    if how == "Ctrl-C":
        terminal.type(b"\x03")
    elif how == "Ctrl-A x":
        terminal.type(b"\x01x")
    elif how == "hang-up of the process":
        os.kill(terminal.pid, signal.SIGHUP)
    else:
        os.kill(terminal.pid, signal.SIGSEGV)
    status = terminal.end()
    check(status is not None, f"{name}: does not end")
    check(terminal.restored, f"{name}: the terminal is not restored")
    check(not place.left_behind(), f"{name}: left {place.left_behind()}")


def session_on_terminal(place):
    """Keys reach the guest; lines of the trace begin at the start of a line."""
    place.env["NO_COLOR"] = "1"
    terminal = Terminal(place, "--append", "quiet", "--summary", "none", "--trace")
    if not terminal.expect(b"/ # "):
        terminal.end(0)
        return
    terminal.type(b"sleep 1000\r")
    terminal.expect(b"sleep 1000")
    time.sleep(1)
    terminal.type(b"\x01c")
    terminal.expect(b"/ # ")
    terminal.type(b"echo $((6 * 7))\r")
    terminal.expect(b"42")
    terminal.type(b"exit\r")
    status = terminal.end(30)
    check(status is not None and os.waitstatus_to_exitcode(status) == 0, f"terminal: status {status}")
    lines = re.findall(rb"[^\n]*\d\.\d{6} cpu\d[^\n]*", terminal.log)
    whole = [line for line in lines if re.fullmatch(rb" *\d+\.\d{6} cpu\d hvc \w+\(.*\) = .*\]\r*", line)]
    check(len(lines) > 20 and lines == whole, f"terminal: torn lines {[x for x in lines if x not in whole]}")
    check(b"powered off" in terminal.output, f"terminal: {terminal.output[-300:]!r}")
    check(terminal.restored, "terminal: not restored after the guest's end")
    check(not place.left_behind(), f"terminal: left {place.left_behind()}")


def main():
    need_guest()
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed} (second argument repeats it)")
    rng = random.Random(seed)
    with Place() as place:
        for i in range(ROUNDS):
            by_signal(place, signal.SIGINT, rng.uniform(0.02, LATEST if i % 2 else 0.3))
        by_signal(place, signal.SIGTERM, rng.uniform(0.02, LATEST))
        by_signal(place, signal.SIGKILL, rng.uniform(0.02, LATEST))
        by_signal(place, signal.SIGKILL, LATEST)
        for how in ("Ctrl-C", "Ctrl-A x", "hang-up of the process", "SIGSEGV"):
            on_terminal(place, rng.uniform(0.3, LATEST), how)
        session_on_terminal(place)
        by_qemu_death(place)
        by_wrapper(place)
        by_stalled_summary(place)
        by_closed_output(place)
        by_stalled_output(place)
    finish("ends of a run")


main()
