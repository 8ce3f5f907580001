#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tests/lab/probe brought back from a kernel, against the record of its series: records.py [--write] DIR RECORDS.

What may differ between a record and a fresh one, because it says nothing about the interface:
  made-by                       the version of hvcgate
  host.kernel, host.version     the release, where Debian has a newer one of the series
  CNTVCT_EL0, CNTPCT_EL0        counters
and, where QEMU is not the one that the records were made with, since its CPU is another: values of registers that are
neither feature registers nor counters. All else is what the kernel offers: if a newer release changes it, that is a
finding, and a new revision of its profile.
"""

import json
import os
import re
import shutil
import subprocess
import sys

COUNTERS = {"CNTVCT_EL0", "CNTPCT_EL0"}
RECORDED_WITH = "7.2"  # QEMU: see RECORDS' host.cpu
FEATURE_CLASSES = ("0x603000000014", "0x603000000016")


def series_of(release):
    return re.match(r"\d+\.\d+", release).group()


def qemu_version():
    said = subprocess.run(["qemu-system-aarch64", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (\d+\.\d+)", said).group(1)


def comparable(record, same_cpu):
    """The record without what may differ."""
    record = json.loads(json.dumps(record))
    record["made-by"] = record["host"]["kernel"] = record["host"]["version"] = "-"
    for register in record["registers"]:
        if register["name"] in COUNTERS or not (same_cpu or register["id"].startswith(FEATURE_CLASSES)):
            register["value"] = "-"
    return record


def key_of(entry, place):
    """What an element of an array is called: its name where it has one."""
    if isinstance(entry, dict):
        if "call" in entry:
            return " ".join([entry["call"], entry["id"], *entry["arguments"]])
        for name in ("name", "what", "id", "first"):
            if name in entry:
                return entry[name]
    return str(place)


def differences(old, new, path=""):
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}, key=str):
            if key not in old:
                yield f"{path}.{key}: new: {json.dumps(new[key])}"
            elif key not in new:
                yield f"{path}.{key}: gone; was {json.dumps(old[key])}"
            else:
                yield from differences(old[key], new[key], f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and any(isinstance(e, dict) for e in old + new):
        keyed = [{key_of(entry, n): entry for n, entry in enumerate(entries)} for entries in (old, new)]
        if [*map(len, keyed)] != [len(old), len(new)]:  # a name twice: by place, then
            keyed = [dict(enumerate(entries)) for entries in (old, new)]
        yield from differences(*keyed, path)
        if [*keyed[0]] != [*keyed[1]] and {*keyed[0]} == {*keyed[1]}:
            yield f"{path}: another order"
    elif old != new:
        yield f"{path}: {json.dumps(new)}, recorded {json.dumps(old)}"


def read(directory, name):
    with open(os.path.join(directory, name)) as file:
        return file.read()


def check_users(directory):
    """What a user without rights meets, where the probe was run with `all`."""
    measured = comparable(json.loads(read(directory, "record.json")), True)
    yield from differences(measured, comparable(json.loads(read(directory, "record-user.json")), True), "another user")
    for name, words in (("refused", "Permission denied"), ("absent", "No such file")):
        said = read(directory, name)
        if not said.endswith("status 2\n") or words not in said or len(said.splitlines()) != 2:
            yield f"/dev/kvm {name}: {said!r}"


def main():
    write = sys.argv[1] == "--write"
    directory, records = sys.argv[-2:]
    fresh = json.loads(read(directory, "record.json"))
    series = series_of(fresh["host"]["kernel"])
    path = os.path.join(records, f"linux-{series}.json")
    if write:
        shutil.copyfile(os.path.join(directory, "record.json"), path)
        print(f"{fresh['host']['kernel']}: written")
        return 0
    with open(path) as file:
        recorded = json.load(file)
    same_cpu = qemu_version() == RECORDED_WITH
    found = list(differences(comparable(recorded, same_cpu), comparable(fresh, same_cpu)))
    if os.path.exists(os.path.join(directory, "record-user.json")):
        found += check_users(directory)
    for difference in found[:40]:
        print(f"{series}: {difference.lstrip('.')}")
    print(f"{fresh['host']['kernel']}, recorded {recorded['host']['kernel']}: {len(found)} differences; "
          f"{len(fresh['registers'])} registers{'' if same_cpu else ' (values not compared: another QEMU)'}, "
          f"{len(fresh['answers'])} calls in {len(fresh['configurations'])} configurations")
    if found:
        print(f"{series}: if that is what the kernel does, record it: tests/lab/records --write {series}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
