# SPDX-License-Identifier: BSD-2-Clause
"""What tests/lab/exec tries: QEMU of Debian under `hvcgate exec`, on real KVM. A case is a generator of faults: none is good."""

import itertools
import json
import pathlib
import re
import shutil
import subprocess

import l2

CPUS = {"max": "max,pauth-impdef=on,sve=off", "neoverse-n1": "neoverse-n1"}
OWN = "0xc3000001"  # of the OEM range: no function
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
POWER = ["PSCI_CPU_ON", "PSCI_CPU_OFF", "PSCI_AFFINITY_INFO", "PSCI_CPU_SUSPEND"]


class Cases:
    """`place`: a directory for files; `options`: kernel, qemu, vanilla."""

    def __init__(self, place, options):
        self.place, self.options, self.runs = pathlib.Path(place), options, 0
        self.last, self.rows = None, []

    # --- One run.

    def write(self, name, text):
        path = self.place / name
        path.write_text(text)
        return path

    def run(self, steps, words, policy=None, more=(), kernel=None, cpu="max", qemu=None, files=(), timeout=400,
            limit=100):
        """QEMU by these steps, under this policy (text) unless it is None."""
        self.runs += 1
        wrapper, files = [], list(files)
        if policy is not None and not self.options.vanilla:
            files += [l2.built("src/cli/hvcgate"), l2.built("src/kvm/exec/libhvcgate-exec.so"),
                      self.write("policy.yaml", policy)]
            wrapper = ["./hvcgate", "exec", "--policy", "policy.yaml", "--summary", "json:/out/summary", *more]
        run = l2.run(self.place / f"run{self.runs}", kernel or self.options.kernel, qemu or self.options.qemu, CPUS[cpu],
                     steps, words, files, wrapper, timeout, limit)
        summary = self.place / f"run{self.runs}" / "summary"
        run.summary = json.loads(summary.read_text()) if summary.exists() and summary.stat().st_size else {}
        self.last = run
        return run

    def calls(self, run, function, what="calls"):
        """From the summary of a run."""
        for row in run.summary.get("functions", []):
            if row["function"] == function:
                return row[what]
        return 0

    def keep(self, name, faults, *runs, **more):
        """A row of the results, beside the moves. Passes the faults on."""
        faults, counted = list(faults), {}
        for run in runs:
            for row in run.summary.get("functions", []):
                if row.get("calls"):
                    counted[row["function"]] = counted.get(row["function"], 0) + row["calls"]
        self.rows.append({"name": name, "kernel": runs[-1].package, "with": runs[-1].qemu, **more, "calls that left the kernel": counted,
                          "faults": faults})
        return faults

    # --- Linux.

    def linux(self, guest, append, script="hotplug.sh"):
        """QEMU's options for Debian's kernel with a script of tests/lab, and the files they name."""
        there = l2.cache() / "guest" / guest
        if not (there / "Image").exists():
            raise l2.NotToBeHad(f"no guest {guest}: run scripts/fetch-guest")
        overlay, initrd = self.place / "overlay.cpio", self.place / "initrd.cpio"
        subprocess.run([l2.TOP / "guest/mkoverlay", overlay, l2.TOP / "tests/lab" / script], check=True)
        initrd.write_bytes((there / "initrd.cpio").read_bytes() + overlay.read_bytes())
        words = [*l2.VIRT, "-m", "128", "-smp", "2", "-kernel", "Image", "-initrd", "initrd.cpio", "-append",
                 f"console=ttyAMA0 panic=-1 quiet {append}"]
        return words, [there / "Image", initrd]

    def linux_boot(self):
        """Debian's kernel under a policy: an older PSCI, no TRNG, vendor features from our engine. QEMU denies itself what it can."""
        words, files = self.linux("debian-12", "rounds=10")
        run = self.run(["end"], [*words, "-sandbox", SANDBOX], files=files, policy="""hvcgate: 1
profile: linux-6.12
strictness: kvm
discovery: raw
psci: "1.0"
services: {trng: off, ptp: off}
rules:
  - notify: [KVM_FEATURES, PSCI_CPU_ON]
    to: watch
handlers:
  watch: {socket: /tmp/nobody.sock}
""")
        yield from self.keep("a policy", self.linux_booted(run), run)

    def linux_booted(self, run):
        yield from self.ended(run)
        for line in (r"@ dmesg: psci: PSCIv1\.0 detected", r"@ trng_module: 0$", r"@ hotplug: 10 times, 0 bad",
                     r"@ dmesg: smccc: KVM: hypervisor services detected \(0x00000000 0x00000000 0x00000000 0x00000001\)",
                     r"@ accidents: 0$"):
            if not re.search(f"^{line}", run.console, re.M):
                yield f"the guest did not say {line}"
        for function, least in (("KVM_FEATURES", 1), ("PSCI_CPU_ON", 11)):
            if self.calls(run, function) < least:
                yield f"{self.calls(run, function)} calls of {function} in the summary, at least {least} were made"

    def ctl_deny(self):
        """`hvcgate ctl` takes the random numbers away from a running guest, which reads them in a loop."""
        words, files = self.linux("debian-12", "", "hwrng.sh")
        ctl = "./hvcgate ctl"
        run = self.run(["wait 10 ^@.read:.*ok", f"run {ctl} list", f"run {ctl} show guest --format json >/out/before",
                        f"run {ctl} top guest --count 2", f"run {ctl} deny guest PSCI_CPU_ON || echo refused",
                        "run echo; tail -n 1 /out/console; echo deny", f"run {ctl} deny guest TRNG_RND",
                        f"run {ctl} deny guest TRNG_RND; echo denied; tail -n 1 /out/console", "wait 1 ^@.read:.*failed",
                        f"run {ctl} show guest", "end"],
                       [*words, "-name", "guest=guest,debug-threads=on"], files=files, policy="""hvcgate: 1
profile: linux-6.12
strictness: kvm
discovery: raw
revocable: [TRNG_RND]
""")
        yield from self.keep("denied", self.ctl_denied(run), run)
        reads = self.reads(run)
        self.rows[-1].update({"seconds of the guest's last good read": max((up for _, up, how in reads if how == "ok"), default=None),
                              "and of the first denied": min((up for _, up, how in reads if how == "failed"), default=None)})

    def reads(self, run):
        """What hwrng.sh said: a read's number, the guest's seconds, and how it went."""
        return [(int(n), float(up), how) for n, up, how in re.findall(r"@ read: (\d+) ([\d.]+) (ok|failed)", run.console)]

    def ctl_denied(self, run):
        yield from self.ended(run)
        reads = self.reads(run)
        good = [up for n, up, how in reads if how == "ok"]
        bad = [up for n, up, how in reads if how == "failed"]
        if not good or len(bad) < 20 or max(good) > min(bad):
            yield f"reads did not go from good to bad: {reads}"
            return
        # What the guest had said when ctl came back: no read that began later is good; one may be under way.
        told = re.search(r"denied\s+@ read: (\d+) ", run.output)
        if not told:
            yield f"ctl said: {run.output}"
        elif len(good) > int(told.group(1)) + 1:
            yield f"{len(good) - int(told.group(1))} good reads after the denial"
        for line in (r"guest: TRNG_RND is denied from now on", r"guest: TRNG_RND was denied already",
                     r"PSCI_CPU_ON is not revocable.*it can lose TRNG_RND", "refused", r"revoked +TRNG_RND",
                     r"TRNG_RND +[1-9]\d* +[1-9]\d* +0 +0", r"functions were not observed"):
            if not re.search(line, run.output):
                yield f"ctl did not say {line}"

    def run_kvm(self):
        """`hvcgate run --host kvm`: a kernel of one's own; with a packed kernel and an initrd over the guest's, which it puts together."""
        guest = l2.cache() / "guest/debian-11"
        if not (guest / "Image").exists():
            raise l2.NotToBeHad("no guest debian-11: run scripts/fetch-guest bullseye")
        cache, out = self.place / "cache", self.place / "run"
        (cache / "guest/debian-11").mkdir(parents=True)
        for name in ("Image", "initrd.cpio", "release"):
            shutil.copy(guest / name, cache / "guest/debian-11")
        subprocess.run([l2.TOP / "guest/mkoverlay", self.place / "overlay.cpio", l2.TOP / "tests/lab/hotplug.sh"], check=True)
        script = self.write("run.sh", """export PATH="$PATH:/usr/bin" HVCGATE_CACHE=/lab/cache
gzip -c checker.bin >checker.gz
run="./hvcgate run --host kvm --policy policy.yaml --summary json:/out/summary"
$run --kernel checker.gz --append ticks=1 --smp 1 --mem 64M --trace=/out/trace </dev/null
echo "status $?"
$run --guest debian-11 --initrd overlay.cpio --append 'quiet rounds=10' --smp 2 --mem 128M </dev/null
echo "status $?"
""")
        policy = self.write("policy.yaml", self.in_user_space(["PSCI_CPU_ON"]).replace("linux-6.12\n", 'linux-6.12\npsci: "1.0"\n'))
        command = [l2.TOP / "scripts/lab", "--qemu", self.options.qemu, "--out", out]
        for file in (l2.built("tests/guest/checker.bin"), l2.built("src/cli/hvcgate"),
                     l2.built("src/kvm/exec/libhvcgate-exec.so"), policy, self.place / "overlay.cpio", cache):
            command += ["--file", file]
        done = subprocess.run([*map(str, command), self.options.kernel, "--", str(script)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        self.runs += 1
        if done.returncode == 2:
            raise l2.NotToBeHad(done.stderr.strip())
        for line in ("checker: tick 1 same", "PASS", "@ dmesg: psci: PSCIv1.0 detected", "@ hotplug: 10 times, 0 bad"):
            if line not in done.stdout:
                yield f"no {line!r} in {done.stdout[-600:]!r}, {done.stderr[-600:]!r}"
        ends = re.findall(r"^status (\d+)$", done.stdout, re.M)
        if ends != ["0", "0"]:
            yield f"it ended with {ends}"
        summary = json.loads((out / "summary").read_text())
        if {row["function"]: row["calls"] for row in summary["functions"]} != {"PSCI_CPU_ON": 11}:
            yield f"the summary has {summary['functions']}"

    def handler_restart(self):
        """A guest's random numbers come from a handler, which is killed, and started again: meanwhile Linux is told that there
        is no entropy, and tries again."""
        words, files = self.linux("debian-12", "", "hwrng.sh")
        start = "run ./test-handler /tmp/rng.sock echo >/dev/null & echo $! >/tmp/handler"
        kill, show = "run kill -9 $(cat /tmp/handler)", "run ./hvcgate ctl show guest"
        run = self.run([start, "wait 5 ^@.read:.*ok", show, kill, "sleep 3", show, start, "wait 12 ^@.read:.*ok", show, "quit"],
                       [*words, "-name", "guest"], files=[*files, l2.built("src/handler/test-handler")],
                       policy="""hvcgate: 1
profile: linux-6.12
strictness: kvm
discovery: raw
rules:
  - forward: TRNG_RND
    to: rng
handlers:
  rng: {socket: /tmp/rng.sock, timeout: 2s}
""")
        yield from self.keep("a handler that was killed", self.handler_restarted(run), run)

    def handler_restarted(self, run):
        yield from self.ended(run)
        if "failed" in run.console:
            yield "a read failed"
        counts = re.findall(r"requests (\d+), answered (\d+), timed out (\d+), failed (\d+)", run.output)
        answered, failed = [int(row[1]) for row in counts], [int(row[3]) for row in counts]
        if len(counts) != 3 or not 0 < answered[0] <= answered[1] < answered[2] or not failed[0] < failed[1]:
            yield f"counters: {counts}"
        if re.findall(r"handler +rng at /tmp/rng.sock: (attached|not there)", run.output) != ["attached", "not there", "attached"]:
            yield f"states: {run.output}"
        if not re.search("handler rng: not there: it hung up", "\n".join(run.stderr)):
            yield f"not said that the handler went: {run.stderr}"

    def ended(self, run):
        if run.result != "ok":
            yield f"{run.result}: {run.stderr}"

    # --- Power functions in user space.

    def in_user_space(self, functions):
        """A policy with these functions answered in user space, and nothing else of another kind than the kernel's."""
        if not functions:
            return as_kernel("linux-6.12")
        return as_kernel("linux-6.12", f"rules:\n  - notify: [{', '.join(functions)}]\n    to: watch\n"
                                       "handlers:\n  watch: {socket: /tmp/nobody.sock}\n")

    def hotplugged(self, rounds, functions, boots, *runs):
        """Did CPU 1 go off and on so often, and did these functions come to user space each time?"""
        said = "".join(run.console for run in runs)
        for run in runs:
            yield from self.ended(run)
        if f"@ hotplug: {rounds} times, 0 bad" not in said or "@ accidents: 0" not in said or "@ online: 0-1" not in said:
            yield f"the guest said: {said[-400:]!r}"
        for function, least in (("PSCI_CPU_ON", boots), ("PSCI_CPU_OFF", boots - 1)):
            count = sum(self.calls(run, function) for run in runs)
            if function in functions and count < least and not self.options.vanilla:
                yield f"{count} calls of {function} in user space, at least {least} were made"

    def subsets(self):
        """Linux takes CPU 1 off and on with each subset of the functions in user space; stopped and continued in between."""
        words, files = self.linux("debian-11", "rounds=20")
        for count in range(len(POWER) + 1):
            for functions in itertools.combinations(POWER, count):
                run = self.run(["wait 1 ^@.round:.10", "monitor stop", "sleep 0.5", "monitor cont", "end"], words,
                               self.in_user_space(functions), files=files)
                faults = self.keep("subset", self.hotplugged(20, functions, 21, run), run, functions=functions, times=20)
                print(f"    {', '.join(functions) or 'none'} in user space: {faults or 'good'}", flush=True)
                yield from faults

    def power(self):
        """The same with all of them, and stop, cont, system_reset and a move in between."""
        words, files = self.linux("debian-11", "rounds=30")
        policy = self.in_user_space(POWER)
        source = self.run(["wait 1 ^@.round:.10", "monitor stop", "sleep 1", "monitor cont", "wait 1 ^@.round:.20",
                           "monitor system_reset", "wait 2 ^@.round:.10", "save", "quit"], words, policy, files=files)
        yield from self.ended(source)
        if source.result == "ok":
            there = self.run(["end"], [*words, *l2.INCOMING], policy, files=[*files, source.stream])
            yield from self.keep("stop, reset and move", self.hotplugged(30, POWER, 20 + 30, source, there), source, there, times=50)

    def thousand(self):
        """1000 times off and on, all of it in user space."""
        words, files = self.linux("debian-11", "rounds=1000")
        run = self.run(["end"], words, self.in_user_space(POWER), files=files, timeout=2400, limit=2300)
        yield from self.keep("thousand", self.hotplugged(1000, POWER, 1001, run), run, times=1000)

    # --- A handler that sleeps.

    def asleep(self, hops=4, stays=4, milliseconds=400):
        """Stopped and sent away while a handler sleeps over a call, and gone on with, here or there: nothing lost, nothing twice."""
        hops, stays = int(hops), int(stays)
        policy = self.write("policy.yaml", as_kernel("linux-6.12", f"""rules:
  - forward: {{range: {OWN}-{OWN}}}
    to: counting
handlers:
  counting: {{socket: /tmp/handler.sock, timeout: 5s}}
"""))
        out = self.place / "asleep"
        files = [l2.built(name) for name in ("tests/guest/checker.bin", "tests/lab/counting-handler", "src/cli/hvcgate",
                                             "src/kvm/exec/libhvcgate-exec.so")]
        command = [l2.TOP / "scripts/lab", "--qemu", self.options.qemu, "--timeout", 120 + 40 * hops + 12 * hops * stays,
                   "--out", out, *[word for file in (*files, policy) for word in ("--file", file)], self.options.kernel,
                   "--", l2.TOP / "tests/lab/chain", hops, stays, milliseconds, "./hvcgate", "exec", "--policy", policy.name,
                   "--summary", "none", "--", *l2.CHECKER, "-append", f"own={OWN}"]
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode == 2:
            raise l2.NotToBeHad(done.stderr.strip())

        def text(name):
            return (out / name).read_text().replace("\r", "") if (out / name).exists() else ""

        times = [line.split() for line in text("hops").splitlines()]
        slept = sum(state == "asleep" for *_, state in times)
        calls = [int(number) for number in re.findall(r"^call (\d+)$", text("handler.log"), re.M)]
        faults = list(l2.Said(text("console")).faults())
        self.rows.append({"name": "asleep", "kernel": self.options.kernel, "sent": len(times), "asleep": slept,
                          "to another QEMU": hops, "calls": len(calls), "faults": faults})
        print(f"    sent {len(times)} times, {slept} of them over a sleeping call, {hops} times to another QEMU; {len(calls)} calls")
        yield from faults
        if text("result").strip() != "ok" or len(times) != hops * (stays + 1):
            yield f"{text('result').strip()}: {len(times)} times; {text('stderr')[-400:]} {done.stderr[-400:]}"
        if calls != list(range(1, len(calls) + 1)) or "OUT OF ORDER" in text("handler.log"):
            yield f"the handler saw {text('handler.log')[-400:]}"
        if slept < len(times) // 4:
            yield f"only {slept} of {len(times)} over a sleeping call: this machine is too slow for {milliseconds} ms"

    # --- Moves.

    def record(self, kernel, cpu):
        """What `hvcgate probe` says of a kernel under this CPU."""
        path = self.place / f"record-{kernel}-{cpu}.json"
        if not path.exists():
            done = subprocess.run([l2.TOP / "scripts/lab", "--quiet", "--cpu", CPUS[cpu], kernel, "--",
                                   l2.built("src/cli/hvcgate"), "probe", "--format", "json"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                raise l2.NotToBeHad(done.stderr)
            path.write_text(done.stdout)
        return path

    def move(self, move):
        """One of MOVES: the row of the results, and the faults."""
        come, go = move["from"], move["to"]
        source_policy, policy = move.get("source"), move.get("destination")
        more, files = [], []
        if "record" in move:
            record = self.record(come, move["cpu"])
            more, files = ["--from", record.name], [record]
        source = self.run([f"wait 2 {l2.TICK}", "save", "quit"], l2.CHECKER, source_policy, kernel=come,
                          cpu=move["cpu"], qemu=move["qemu"])
        row = {"name": move["name"], "qemu": source.qemu, "cpu": move["cpu"], "from": source.package,
               "source": "exec" if source_policy else "by itself",
               "destination": "exec" if policy else "by itself"}
        if source.result != "ok":
            return {**row, "result": "no source", "how": source.result, "stderr": source.stderr}
        there = self.run([f"wait 3 {l2.TICK}", "quit"], [*l2.CHECKER, *l2.INCOMING], policy, more, kernel=go,
                         cpu=move["cpu"], qemu=move["qemu"], files=[source.stream, *files])
        row["to"] = there.package
        if there.result != "ok":
            return {**row, "result": "refused" if policy else "fails", "how": there.result, "stderr": there.stderr}
        faults = list(l2.Said(source.console, there.console).faults())
        return {**row, "result": "moves", "checker": faults or "same", "stderr": there.stderr}

    def moves(self, *names):
        """The moves that fail by themselves, under exec."""
        for move in MOVES:
            if names and move["name"] not in names:
                continue
            row = self.move(move)
            self.rows.append(row)
            print(f"    {row['name']}: {row['result']}, {row.get('checker', row.get('how'))}", flush=True)
            if row["result"] != move.get("result", "moves"):
                yield f"{move['name']}: {row}"
            elif row["result"] == "moves" and row["checker"] != "same":
                yield f"{move['name']}: the checker says {row['checker']}"
            for word in move.get("says", []):
                if word not in "\n".join(row["stderr"]):
                    yield f"{move['name']}: not a word of {word}: {row['stderr']}"


def as_kernel(profile, more=""):
    return f"hvcgate: 1\nprofile: {profile}\nstrictness: kvm\ndiscovery: raw\n{more}"


WATCH = "rules:\n  - notify: PSCI_CPU_ON\n    to: watch\nhandlers:\n  watch: {socket: /tmp/nobody.sock}\n"
HIDE = "hide: [PMMIR_EL1]\n"
TO_6_12 = 'psci: "1.1"\nshow-registers: 7\ntravel: no\n'
N1 = {"qemu": "10.0", "cpu": "neoverse-n1"}

# What is moved. `source`, `destination`: the policy there, without one QEMU is by itself; `record`: --from at the destination.
# `result` is "moves" where it is not said; `says` is what a refusal has to name.
MOVES = [
    {**N1, "name": "new to old", "from": "7.x", "to": "6.12", "source": as_kernel("linux-7.3", TO_6_12 + HIDE)},
    {**N1, "name": "new to old, exec at both", "from": "7.x", "to": "6.12",
     "source": as_kernel("linux-6.12", HIDE), "destination": as_kernel("linux-6.12", HIDE)},
    {**N1, "name": "old to new, a source without hvcgate", "from": "6.12", "to": "7.x",
     "record": True, "destination": as_kernel("linux-6.12")},
    {**N1, "name": "7.x to 6.18", "from": "7.x", "to": "6.18", "source": as_kernel("linux-7.3", HIDE + "travel: no\n")},
    {**N1, "name": "6.18 to 6.12", "from": "6.18", "to": "6.12", "source": as_kernel("linux-6.18", TO_6_12)},
    {**N1, "name": "6.12 to 6.18, a source without hvcgate", "from": "6.12", "to": "6.18",
     "record": True, "destination": as_kernel("linux-6.12")},
    {**N1, "name": "PSCI 1.3 on an older kernel, a source without hvcgate", "from": "6.18", "to": "6.12",
     "record": True, "destination": as_kernel("linux-6.18")},
    {**N1, "name": "new to old, QEMU 7.2", "qemu": "7.2", "from": "7.x", "to": "6.12",
     "source": as_kernel("linux-7.3", TO_6_12 + HIDE)},
    {**N1, "name": "old to new, a source without hvcgate, QEMU 7.2", "qemu": "7.2", "from": "6.12", "to": "7.x",
     "record": True, "destination": as_kernel("linux-6.12")},
    {**N1, "name": "new to old, QEMU 11", "qemu": "11", "from": "7.x", "to": "6.12",
     "source": as_kernel("linux-7.3", TO_6_12 + HIDE)},
    {**N1, "name": "new to old, CPU max", "cpu": "max", "from": "7.x", "to": "6.12",
     "source": as_kernel("linux-7.3", TO_6_12 + HIDE)},
    {**N1, "name": "6.18 to 6.12, CPU max", "cpu": "max", "from": "6.18", "to": "6.12",
     "source": as_kernel("linux-6.18", TO_6_12)},
    {**N1, "name": "old to new, a source without hvcgate, CPU max", "cpu": "max", "from": "6.12", "to": "7.x",
     "record": True, "destination": as_kernel("linux-6.12")},
    # What cannot be, by name.
    {**N1, "name": "7.x to 6.1", "from": "7.x", "to": "6.1", "record": True, "destination": as_kernel("linux-6.1"),
     "result": "refused", "says": ["CCSIDR_EL1", "identity"]},
    {**N1, "name": "6.12 to 6.1", "from": "6.12", "to": "6.1", "record": True, "destination": as_kernel("linux-6.1"),
     "result": "refused", "says": ["CCSIDR_EL1", "identity"]},
    {**N1, "name": "new to old, a source without hvcgate", "from": "7.x", "to": "6.12",
     "record": True, "destination": as_kernel("linux-6.12"), "result": "refused", "says": ["PMMIR_EL1", "PSCI_VERSION"]},
    # Tried by force.
    {**N1, "name": "an ID register hidden", "from": "7.x", "to": "6.12",
     "source": as_kernel("linux-7.3", "hide: [ID_AA64MMFR2_EL1]\nlose: [ID_AA64MMFR2_EL1]\n"),
     "result": "no source", "says": ["ID_AA64MMFR2_EL1 cannot be hidden", "ID_AA64MMFR2_EL1 cannot be lost"]},
    {**N1, "name": "another policy at the destination", "from": "6.12", "to": "6.12",
     "source": as_kernel("linux-6.12"), "destination": as_kernel("linux-6.12", "services: {trng: off}\n"),
     "result": "refused", "says": ["STD_BMAP"]},
    {**N1, "name": "state that the destination does not take", "from": "6.12", "to": "6.12",
     "source": as_kernel("linux-6.12", WATCH), "result": "fails", "says": []},
    {**N1, "name": "another policy's state", "from": "6.12", "to": "6.12", "source": as_kernel("linux-6.12", WATCH),
     "destination": as_kernel("linux-6.12", WATCH + "services: {ptp: off}\n"),
     "result": "refused", "says": ["another policy", "SHA-256"]},
]
