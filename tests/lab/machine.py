#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One run in the lab: a machine with EL2, started from a snapshot of its booted self, and a program in it.

scripts/lab prepares the kernel and calls this: machine.py [OPTION...] CACHE KERNEL CMD [ARG...]
KERNEL is a directory with Image, initrd.cpio and release; snapshots go into CACHE/snapshots.
"""

import argparse
import ctypes
import fcntl
import hashlib
import io
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

QEMU = "qemu-system-aarch64"
BOOT_SECONDS = 180
AWAKE_SECONDS = 15  # from a snapshot it is less than one
TRIES = 3
BLOCK = 64 << 10  # of the archive on its way in
TOO_LATE, BROKEN = 124, 125
PR_SET_PDEATHSIG = 1


class Broken(Exception):
    """The machine, not the program in it, failed."""


class TooLate(Exception):
    pass


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--out")
    parser.add_argument("--cpu", default="max,pauth-impdef=on,sve=off")
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--memory", type=int, default=1024)
    parser.add_argument("--append", default="")
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--no-snapshot", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("cache")
    parser.add_argument("kernel")
    parser.add_argument("command")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    return parser.parse_args()


OPTIONS = None


def note(text):
    if not OPTIONS.quiet:
        print(f"    {text}", file=sys.stderr)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """QEMU with its channels: the monitor, and one virtio port each for control, stdout and stderr."""

    def __init__(self, place, incoming=None):
        self.console = os.path.join(place, "console.log")
        self.log = os.path.join(place, "qemu.log")
        self.pending, self.started = b"", time.monotonic()
        ours, theirs = {}, {}
        for name in ("qmp", "control", "stdout", "stderr"):
            ours[name], theirs[name] = socket.socketpair()
        self.ours = ours
        words = [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-nic", "none", "-display", "none",
                 "-M", "virt,virtualization=on,gic-version=3", "-cpu", OPTIONS.cpu, "-smp", str(OPTIONS.smp),
                 "-m", str(OPTIONS.memory), "-accel", "tcg,thread=multi",
                 "-kernel", os.path.join(OPTIONS.kernel, "Image"),
                 "-initrd", os.path.join(OPTIONS.kernel, "initrd.cpio"),
                 "-append", f"console=ttyAMA0 loglevel=5 panic=-1 {OPTIONS.append}".strip(),
                 "-serial", "file:" + comma(self.console),
                 "-device", "virtio-serial-pci",
                 "-mon", "chardev=qmp,mode=control"]
        for name, end in theirs.items():
            words += ["-chardev", f"socket,id={name},fd={end.fileno()}"]
            if name != "qmp":
                words += ["-device", f"virtserialport,chardev={name},name={name}"]
        if incoming:
            words += ["-incoming", f"exec:cat {shlex.quote(incoming)}"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=[end.fileno() for end in theirs.values()],
                                            preexec_fn=die_with_parent)
        for end in theirs.values():
            end.close()
        self.qmp = ours["qmp"].makefile("rwb")
        self.hello = False

    def tell(self, command, **given):
        """One QMP command; its answer."""
        if not self.hello:
            self.hello = True
            self.qmp.readline()
            self.tell("qmp_capabilities")
        message = {"execute": command, "arguments": given} if given else {"execute": command}
        self.qmp.write(json.dumps(message).encode() + b"\n")
        self.qmp.flush()
        while line := self.qmp.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Broken(f"QEMU: {command}: {answer['error']['desc']}")
        raise Broken("QEMU ended")

    def relay(self, deadline, sinks):
        """Wait for anything, and pass on the program's output; new bytes from the control port are returned."""
        streams = [self.ours["control"], *[self.ours[name] for name in sinks]]
        ready = select.select(streams, [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ready:
            raise TooLate
        new = b""
        for stream in ready:
            part = stream.recv(1 << 16)
            if not part:
                raise Broken("the machine ended by itself")
            if stream is self.ours["control"]:
                new += part
            else:
                for name, sink in sinks.items():
                    if stream is self.ours[name]:
                        sink.write(part)
                        sink.flush()
        return new

    def feed(self, data):
        """Send to the control port. In a thread of its own: a machine that ends meanwhile is the reader's business."""
        try:
            self.ours["control"].sendall(data)
        except OSError:
            pass

    def drain(self, sinks):
        """What the program had written when the control port said that it was over."""
        for name, sink in sinks.items():
            self.ours[name].setblocking(False)
            try:
                while part := self.ours[name].recv(1 << 16):
                    sink.write(part)
            except BlockingIOError:
                pass
            sink.flush()

    def line(self, deadline, sinks):
        """A line from the control port."""
        while b"\n" not in self.pending:
            self.pending += self.relay(deadline, sinks)
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode(errors="replace").split()

    def bytes(self, count, deadline, sinks):
        """So many bytes from the control port."""
        parts, have = [self.pending], len(self.pending)
        while have < count:
            parts.append(self.relay(deadline, sinks))
            have += len(parts[-1])
        return b"".join(parts)[:count]

    def end(self):
        self.process.kill()
        self.process.wait()
        for stream in self.ours.values():
            stream.close()

    def tails(self):
        """The last lines of the console and of QEMU, for a person who looks for the reason."""
        lines = []
        for name, path in (("console", self.console), ("qemu", self.log)):
            try:
                text = open(path, errors="replace").read()
            except OSError:
                continue
            lines += [f"{name}| {line}" for line in text.replace("\r", "").splitlines() if line.strip()][-25:]
        return lines


def comma(path):
    """A path as QEMU's option parser wants it."""
    return path.replace(",", ",,")


def boot(place):
    """A machine that has come to where it waits for something to run."""
    machine = Machine(place)
    try:
        if machine.line(time.monotonic() + BOOT_SECONDS, {}) != ["ready"]:
            raise Broken("the machine did not come up")
    except TooLate:
        raise Broken("\n".join([f"no sign of life {BOOT_SECONDS} s after the start", *machine.tails()])) from None
    except Broken as why:
        raise Broken("\n".join([str(why), *machine.tails()])) from None
    return machine


def release():
    with open(os.path.join(OPTIONS.kernel, "release")) as file:
        return dict(line.rstrip("\n").split(": ", 1) for line in file)


def key():
    """All that a snapshot depends on."""
    def digest(name):
        with open(os.path.join(OPTIONS.kernel, name), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    with open(__file__, "rb") as file:
        this = hashlib.sha256(file.read()).hexdigest()
    qemu = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return "\n".join([qemu, this, digest("Image"), digest("initrd.cpio"), os.path.realpath(OPTIONS.kernel),
                      OPTIONS.cpu, str(OPTIONS.smp), str(OPTIONS.memory), OPTIONS.append, ""])


def snapshot_place():
    short = hashlib.sha256("\n".join([OPTIONS.cpu, str(OPTIONS.memory), OPTIONS.append]).encode()).hexdigest()[:8]
    name = f"{os.path.basename(OPTIONS.kernel)}-{re.split('[,.]', OPTIONS.cpu)[0]}-smp{OPTIONS.smp}-{short}"
    return os.path.join(OPTIONS.cache, "snapshots", name)


def discard_snapshot():
    """The next one who wants it makes another."""
    try:
        os.unlink(os.path.join(snapshot_place(), "key"))
    except FileNotFoundError:
        pass


def snapshot(scratch):
    """The file with the booted machine's state, which is made if there is none that fits."""
    wanted, place = key(), snapshot_place()
    os.makedirs(place, exist_ok=True)
    state, stamp = os.path.join(place, "state"), os.path.join(place, "key")
    with open(os.path.join(place, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(state) and os.path.exists(stamp) and open(stamp).read() == wanted:
            return state
        started = time.monotonic()
        machine = boot(scratch)
        booted = time.monotonic()
        try:
            if os.path.exists(stamp):
                os.unlink(stamp)
            machine.tell("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            machine.tell("migrate", uri=f"exec:cat >{shlex.quote(state + '.new')}")
            while (status := machine.tell("query-migrate").get("status")) != "completed":
                if status in ("failed", "cancelled") or time.monotonic() > booted + BOOT_SECONDS:
                    raise Broken(f"no snapshot: {status}")
                time.sleep(0.05)
        finally:
            machine.end()
        os.replace(state + ".new", state)
        with open(stamp, "w") as file:
            file.write(wanted)
        note(f"booted {release()['version']} in {booted - started:.1f} s, snapshot of "
             f"{os.path.getsize(state) >> 20} MiB in {time.monotonic() - booted:.1f} s")
    return state


def pack():
    """CMD, the other files, and the script that runs it, as an archive."""
    name = os.path.basename(OPTIONS.command)
    words = " ".join(shlex.quote(word) for word in ["./" + name, *OPTIONS.args])
    script = f"exec {words}\n".encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("lab.run")
        info.size = len(script)
        archive.addfile(info, io.BytesIO(script))
        for path in OPTIONS.file:
            archive.add(path.rstrip("/"), os.path.basename(path.rstrip("/")))
        info = archive.gettarinfo(os.path.realpath(OPTIONS.command), name)
        info.mode |= 0o755
        with open(OPTIONS.command, "rb") as file:
            archive.addfile(info, file)
    data = packed.getvalue()
    return data + bytes(-len(data) % BLOCK)


def unpack(data, place):
    """An archive that the machine made: files and directories below `place`, and nothing else. (tarfile's own filters
    are not in every Python 3.11.)"""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            parts = [part for part in member.name.split("/") if part not in ("", ".")]
            path = os.path.join(place, *parts)
            if ".." in parts or not (member.isfile() or member.isdir()):
                raise Broken(f"/out has what is neither a file nor a directory: {member.name!r}")
            if member.isdir():
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.extractfile(member) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target)
            os.chmod(path, 0o755 if member.mode & 0o100 else 0o644)


def booted(scratch):
    machine = boot(scratch)
    note(f"booted {release()['version']} in {time.monotonic() - machine.started:.1f} s")
    return machine


def send_work(machine, packed):
    """A machine that is coming from a snapshot takes this when it is there. False: its clocks stand still."""
    order = f"run {int(time.time())} {len(packed) // BLOCK}\n".encode()
    threading.Thread(target=machine.feed, args=[order + packed], daemon=True).start()
    try:
        word = machine.line(time.monotonic() + AWAKE_SECONDS, {})
    except TooLate:
        return False
    if word != ["awake"]:
        raise Broken(f"unexpected answer: {word}")
    return True


def working(scratch, packed):
    """A machine that has its work. Timers of EL2 are not in QEMU's snapshots, so that with bad luck none fires any more
    in a machine that comes from one: then another snapshot, and in the end a machine that has booted."""
    makers = [booted] if OPTIONS.no_snapshot else [lambda where: Machine(where, snapshot(where))] * TRIES + [booted]
    for make in makers:
        machine = make(scratch)
        try:
            if send_work(machine, packed):
                return machine
        except Broken as why:
            machine.end()
            raise Broken("\n".join([str(why), *machine.tails()])) from None
        except BaseException:
            machine.end()
            raise
        machine.end()
        note("the machine's timers stand still: another one")
        discard_snapshot()
    raise Broken("\n".join(["the machine's timers stand still", *machine.tails()]))


def run(scratch):
    machine = working(scratch, pack())
    sinks = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}
    try:
        deadline = time.monotonic() + OPTIONS.timeout
        word, *result = machine.line(deadline, sinks)
        if word != "exit":
            raise Broken(f"unexpected answer: {word}")
        status, size = map(int, result)
        out = machine.bytes(size, deadline, sinks)
        machine.drain(sinks)
        if OPTIONS.out:
            os.makedirs(OPTIONS.out, exist_ok=True)
            try:
                unpack(out, OPTIONS.out)
            except OSError as why:
                raise Broken(f"/out cannot be taken over: {why}") from None
        note(f"status {status}, {time.monotonic() - machine.started:.1f} s with the machine's start")
        return status
    except TooLate:
        print(f"lab: too late: ended after {OPTIONS.timeout:g} s", file=sys.stderr)
        return TOO_LATE
    except Broken as why:
        raise Broken("\n".join([str(why), *machine.tails()])) from None
    finally:
        machine.end()
        complaints(machine)


def complaints(machine):
    """What the kernel says against itself must not go unheard."""
    try:
        text = open(machine.console, errors="replace").read()
    except OSError:
        return
    for line in text.splitlines():
        if re.search(r"WARNING: |BUG: |Oops|Unable to handle|Kernel panic|HYP panic", line):
            print(f"lab: the kernel says: {line.strip()}", file=sys.stderr)


def main():
    global OPTIONS
    OPTIONS = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, frame: sys.exit(128 + got))
    scratch = tempfile.mkdtemp(prefix="hvcgate-lab.")
    try:
        return run(scratch)
    except Broken as why:
        print(f"lab: {why}", file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        return 130
    finally:
        if OPTIONS.keep:
            print(f"lab: kept: {scratch}", file=sys.stderr)
        else:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
