#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Scenario files on kernels, engine and el2, against what they state and against each other: see scripts/judge."""

import argparse
import datetime
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import result_commit

KERNELS = "5.10,6.1,6.12,6.16,6.18,7.x"
HOSTS = ("kvm", "engine", "el2")
TOTALS = re.compile(r"^(\d+) agreed, (\d+) differed, (\d+) unsupported$", re.M)
# In the lab: scenarios, command and records lie beside this script.
IN_LAB = """#!/bin/busybox sh
{probe}exec ./hvcgate replay --host kvm --unsupported unsupported.list --transcript /out/kvm.txt {files}
"""


class Missing(Exception):
    """Something that is needed is not built or not to be had."""


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/judge", add_help=False,
                                     usage="scripts/judge [OPTION...] [FILE.hvc...]; see scripts/judge --help")
    parser.add_argument("--kernels", default=KERNELS)
    parser.add_argument("--hosts", default=",".join(HOSTS))
    parser.add_argument("--probe", action="store_true")
    parser.add_argument("--cpu")
    parser.add_argument("--results", default=results_file())
    parser.add_argument("--keep")
    parser.add_argument("files", nargs="*")
    options = parser.parse_intermixed_args(sys.argv[2:])
    options.top = sys.argv[1]
    absent = [file for file in options.files if not os.path.isfile(file)]
    if absent:
        parser.error(f"no file {absent[0]}")
    options.hosts = options.hosts.split(",")
    unknown = set(options.hosts) - set(HOSTS)
    if unknown:
        parser.error(f"no host {', '.join(sorted(unknown))}: they are {', '.join(HOSTS)}")
    options.kernels = [kernel for kernel in options.kernels.split(",") if kernel]
    options.probe = options.probe or options.cpu is not None
    return options


def program(top, machine):
    """The hvcgate command for this machine or for arm64."""
    native = os.path.join(top, "build/src/cli/hvcgate")
    if machine == "native" or os.uname().machine == "aarch64":
        path = native
    else:
        path = os.path.join(top, "build/aarch64/src/cli/hvcgate")
    if not os.path.exists(path):
        raise Missing(f"no {os.path.relpath(path, top)}: run scripts/setup build and scripts/build")
    return path


class Run:
    """What one host made of the files: counts, transcript, what it said."""

    def __init__(self, host, kernel, done, transcript):
        self.host, self.kernel, self.said = host, kernel, done.stdout + done.stderr
        counts = TOTALS.findall(done.stdout)
        if done.returncode not in (0, 1) or not counts:
            raise SystemExit(f"judge: {host} on {kernel} could not run:\n{self.said[-2000:]}")
        self.good = done.returncode == 0
        self.agreed, self.differed, self.unsupported = map(int, counts[-1])
        self.profile, self.lines = read_transcript(transcript)

    def counts(self):
        return {"agreed": self.agreed, "differed": self.differed, "unsupported": self.unsupported}

    def text(self):
        return f"{self.agreed} agreed, {self.differed} differed, {self.unsupported} unsupported"


def read_transcript(path):
    """The profile, and {(file, line): [answers]}; a line with random values is run several times."""
    profile, file, lines = "", "", {}
    with open(path) as transcript:
        for text in transcript.read().splitlines():
            if text.startswith("# "):
                profile = text.split()[-1]
            elif text.startswith("file "):
                file = text[5:]
            else:
                number, _, got = text.split("\t")
                lines.setdefault((file, int(number)), []).append(got)
    return profile, lines


def policies(files):
    """What `vm policy=` names, beside the scenarios."""
    found = set()
    for file in files:
        with open(file, errors="replace") as text:
            for name in re.findall(r"^[^#\n]*\bvm [^#\n]*\bpolicy=(\S+)", text.read(), re.M):
                found.add(os.path.join(os.path.dirname(file), name))
    return sorted(found)


def on_kernel(options, kernel, place):
    """The files on a kernel's KVM: the run, the kernel's package, its record."""
    script = os.path.join(place, "judge.sh")
    names = " ".join(sorted({os.path.basename(file) for file in options.files}))
    if len(names.split()) != len(options.files):
        raise SystemExit("judge: two files of one name: the lab has one directory for all")
    with open(script, "w") as out:
        probe = "./hvcgate probe --format json >/out/record.json || exit 2\n" if options.probe else ""
        out.write(IN_LAB.format(probe=probe, files=names))
    os.chmod(script, 0o755)
    command = [os.path.join(options.top, "scripts/lab"), "--out", place]
    if options.cpu:
        command += ["--cpu", options.cpu]
    for file in options.files + policies(options.files) + [options.unsupported, program(options.top, "arm64")]:
        command += ["--file", file]
    done = subprocess.run(command + [kernel, "--", script], capture_output=True, text=True)
    if done.returncode == 2 and "lab:" in done.stderr and not TOTALS.search(done.stdout):
        raise Missing(f"the lab has no kernel {kernel}: {done.stderr.strip().splitlines()[-1]}")
    package = re.search(r"lab: (linux-\S+ \S+) of", done.stderr)
    if not os.path.exists(os.path.join(place, "kvm.txt")):
        raise SystemExit(f"judge: {kernel}: nothing came back:\n{(done.stdout + done.stderr)[-2000:]}")
    run = Run("kvm", kernel, done, os.path.join(place, "kvm.txt"))
    return run, package.group(1) if package else kernel


def on_host(options, host, kernel, profile, record, place, compare):
    transcript = os.path.join(place, host + ".txt")
    command = [program(options.top, "native"), "replay", "--host", host, "--profile", profile,
               "--unsupported", options.unsupported, "--transcript", transcript]
    if record:
        command += ["--record", record]
    if compare:
        command += ["--compare", compare]
    done = subprocess.run(command + options.files, capture_output=True, text=True, cwd=options.top)
    return Run(host, kernel, done, transcript)


def series_profile(kernel):
    """Without the kernel: the profile that its series is called after."""
    return "linux-7.3" if kernel in ("7.x", "newest") else "linux-" + ".".join(kernel.split(".")[:2])


def judge_kernel(options, kernel, place):
    """All hosts under one kernel: the runs, and the kernel's package."""
    runs, package, compare, profile = [], None, None, series_profile(kernel)
    record = None
    if "kvm" in options.hosts:
        run, package = on_kernel(options, kernel, place)
        runs.append(run)
        compare, profile = os.path.join(place, "kvm.txt"), run.profile
        if options.probe:
            record = os.path.join(place, "record.json")
    if record is None:
        record = os.path.join(options.top, "profiles/records", profile.split("@")[0] + ".json")
        if not os.path.exists(record):
            raise Missing(f"no {os.path.relpath(record, options.top)}: no record of such a kernel; take --probe")
    for host in [host for host in HOSTS[1:] if host in options.hosts]:
        runs.append(on_host(options, host, kernel, profile, record, place, compare))
    for run in runs:
        if options.all and run.agreed == 0:
            run.good = False
            run.said += f"\njudge: no line of any file was run on {run.host}"
        print(f"{run.host:6} {('as ' + run.profile) if run.host != 'kvm' else package}: {run.text()}", flush=True)
        if not run.good:
            print("    " + "\n    ".join(run.said.splitlines()[-60:]))
    return runs, package


def engine_and_el2(runs):
    """Lines that engine and el2 answer otherwise than each other; what a kernel cannot say is in here, too."""
    by_host = {run.host: run for run in runs}
    if not {"engine", "el2"} <= by_host.keys():
        return []
    engine, el2 = by_host["engine"].lines, by_host["el2"].lines
    return [f"{file}:{line}: engine {engine.get((file, line))}, el2 {el2.get((file, line))}"
            for file, line in sorted(engine.keys() | el2.keys())
            if engine.get((file, line)) != el2.get((file, line))]


def union(all_runs):
    """How many lines were judged at all, on each host, on how many kernels."""
    hosts, kernels = {}, {}
    for run in all_runs:
        hosts.setdefault(run.host, set()).update(run.lines)
        if run.host == "kvm":
            for line in run.lines:
                kernels.setdefault(line, set()).add(run.kernel)
    counts = {host: len(lines) for host, lines in hosts.items()}
    counts["lines"] = len(set().union(*hosts.values()))
    counts["files"] = len({file for lines in hosts.values() for file, _ in lines})
    counts["on four kernels or more"] = sum(len(seen) >= 4 for seen in kernels.values())
    return counts


def results_file():
    place = os.environ.get("HVCGATE_RESULTS_DIR")
    return os.path.join(place, "judge.json") if place else None


def write_results(path, top, packages, all_runs, counts):
    qemu = subprocess.run(["qemu-system-aarch64", "--version"], capture_output=True, text=True)
    record = {
        "commit": result_commit.of(top),
        "date": str(datetime.date.today()),
        "qemu": qemu.stdout.splitlines()[0] if qemu.stdout else "none",
        "union": counts,
        "kernels": [
            {"series": kernel, "package": package,
             **{run.host: {"profile": run.profile, **run.counts()} for run in all_runs if run.kernel == kernel}}
            for kernel, package in packages.items()
        ],
    }
    with open(path, "w") as out:
        json.dump(record, out, indent=1)
        out.write("\n")


def main():
    options = arguments()
    here = os.path.join(options.top, "tests/scenario")
    options.unsupported = os.path.join(here, "unsupported.list")
    options.all = not options.files
    options.files = [os.path.abspath(file) for file in options.files] or sorted(glob.glob(here + "/*.hvc"))
    all_runs, packages, failed = [], {}, 0
    with tempfile.TemporaryDirectory(prefix="hvcgate-judge.") as scratch:
        for kernel in options.kernels:
            place = os.path.join(options.keep or scratch, kernel)
            os.makedirs(place, exist_ok=True)
            runs, packages[kernel] = judge_kernel(options, kernel, place)
            apart = engine_and_el2(runs)
            for text in apart:
                print("    " + text)
            failed += len(apart) + sum(not run.good for run in runs)
            all_runs += runs
    counts = union(all_runs)
    if options.results:
        write_results(options.results, options.top, packages, all_runs, counts)
    failed += counts["lines"] == 0  # all left out, or no file: nobody was judged
    where = ", ".join(f"{counts[host]} on {host}" for host in HOSTS if host in counts)
    print(f"{counts['lines']} lines of {counts['files']} files were judged: {where}; "
          f"{counts['on four kernels or more']} on four kernels or more")
    print(f"judge: {sum(run.agreed for run in all_runs)} agreed, {sum(run.differed for run in all_runs)} differed, "
          f"{sum(run.unsupported for run in all_runs)} unsupported")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        print(f"judge: skipped: {missing}")
        sys.exit(77)
