#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Profiles as C: profiles_c.py OUTPUT profiles/NAME@REVISION.json... (src/abi/profile_table.h is what it fills).

hvcgate-profile wrote the files and checked them; here only what would make a wrong table is looked at.
"""

import json
import os
import re
import struct
import sys
import uuid


def c_string(text):
    """A C string literal, one line of it a line of text."""
    lines = text.splitlines(keepends=True)
    return "\n".join(
        '\t\t"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' for line in lines)


def c_version(text):
    return "HVC_VERSION({}, {})".format(*text.split("."))


def c_words(text):
    """The four registers a UUID is returned in: its bytes, little-endian."""
    return ", ".join(f"0x{word:08x}u" for word in struct.unpack("<4I", uuid.UUID(text).bytes))


def c_name(prefix, text):
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError(f"'{text}' is no name")
    return prefix + text.upper().replace("-", "_")


def psci_bits(versions):
    # 0.1 comes with vCPUs without PSCI_0_2 and is no value of the register.
    return " | ".join(f"HVC_PSCI_BIT({c_version(v)})" for v in versions if v != "0.1") or "0"


def order(profile):
    """By kernel, then revision."""
    name = re.fullmatch(r"linux-(\d+)\.(\d+)", profile["name"])
    if name is None:
        raise ValueError(f"'{profile['name']}' is not linux-X.Y")
    return int(name[1]), int(name[2]), profile["revision"]


def read(path):
    with open(path, encoding="ascii") as file:
        text = file.read()
    profile = json.loads(text)
    if profile.get("hvcgate-profile") != 1:
        raise ValueError(f"{path}: no profile of format 1")
    wanted = f"{profile['name']}@{profile['revision']}.json"
    if os.path.basename(path) != wanted:
        raise ValueError(f"{path}: it holds {wanted}")
    profile["text"] = text
    return profile


def entry(profile, rank):
    """One element of the table."""
    out = [f'\t{{\n\t\t.name = "{profile["name"]}@{profile["revision"]}",', "\t\t.json ="]
    out.append(c_string(profile["text"]) + ",")
    out.append(f"\t\t.rank = {rank},")
    out.append(f"\t\t.smccc_version = {c_version(profile['smccc'])},")
    out.append(f"\t\t.psci_versions = {psci_bits(profile['psci']['versions'])},")
    out.append(f"\t\t.reg_count = {len(profile['registers'])},")
    out.append(f"\t\t.filter = {int(profile['filter']['supported'] == 'yes')},")
    out.append("\t\t.quirks = " + (" | ".join(c_name("HVC_QUIRK_", q) for q in profile["quirks"]) or "0") + ",")
    for field, key in ("regs", "reset"), ("reg_mask", "legal-bits"):
        for reg in profile["registers"]:
            if key in reg:
                out.append(f"\t\t.{field}[{c_name('HVC_REG_', reg['name'])}] = {reg[key]},")
    for field, key in ("vendor_uid", "vendor-uid"), ("trng_uuid", "trng-uuid"):
        if key in profile:
            out.append(f"\t\t.{field}_present = 1,\n\t\t.{field} = {{{c_words(profile[key])}}},")
    out.append(f"\t\t.functions = functions_{rank}_{profile['revision']},")
    out.append(f"\t\t.function_count = {len(profile['functions'])},\n\t}},")
    return "\n".join(out)


def main():
    profiles = sorted((read(path) for path in sys.argv[2:]), key=order)
    kernels = list(dict.fromkeys(profile["name"] for profile in profiles))
    out = ["/* Written by profiles_c.py from profiles. */", '#include "profile_table.h"', ""]
    for profile in profiles:
        rank = kernels.index(profile["name"]) + 1
        slots = ", ".join(c_name("HVC_FN_", name) for name in profile["functions"])
        out.append(f"static const uint16_t functions_{rank}_{profile['revision']}[] = {{{slots}}};")
    out.append("\nconst struct abi_profile abi_kernel_profiles[] = {")
    out += [entry(profile, kernels.index(profile["name"]) + 1) for profile in profiles]
    out.append("};\nconst size_t abi_kernel_profile_count = "
               "sizeof(abi_kernel_profiles) / sizeof(abi_kernel_profiles[0]);")
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"profiles_c.py: {error}")
