#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compare what kvm_probe_min said on a kernel with what is known of it: selftest.py VERSION FILE.

Known are Debian's 5.10, 6.1, 6.12, 6.16 and later, seen under QEMU 7.2; between them, the facts since a version hold.
The workaround registers tell of the emulated CPU rather than of the kernel, so only their being there is compared.
"""

import re
import sys


def expected(version):
    """What the probe prints, as {what: value}; None: any value, but a value."""
    bitmaps, filter_ = version >= (6, 0), version >= (6, 4)
    psci = "0x10003" if version >= (6, 16) else "0x10001" if version >= (5, 18) else "0x10000"
    vendor2 = version >= (6, 16)

    def allowed(minimum):
        return "0" if version >= minimum else "EINVAL"

    def only(condition, value, otherwise):
        return value if condition else otherwise

    registers = {
        "PSCI_VERSION": (psci, "0x1"),
        **{f"SMCCC_ARCH_WORKAROUND_{n}": (None, None) for n in (1, 2, 3)},
        "STD_BMAP": ("0x1",) * 2 if bitmaps else ("none",) * 2,
        "STD_HYP_BMAP": ("0x1",) * 2 if bitmaps else ("none",) * 2,
        "VENDOR_HYP_BMAP": ("0x3",) * 2 if bitmaps else ("none",) * 2,
        "VENDOR_HYP_BMAP_2": ("0x0",) * 2 if vendor2 else ("none",) * 2,
    }
    checks = {
        "set_psci_1.0_without_psci": "EINVAL",
        "set_psci_0.1": "EINVAL",
        "set_psci_0.2": "0",
        "set_psci_1.0": "0",
        "set_psci_1.1": allowed((5, 18)),
        "set_psci_1.2": allowed((6, 16)),
        "set_psci_1.3": allowed((6, 16)),
        "set_psci_2.0": "EINVAL",
        "clear_std": only(bitmaps, "0", "ENOENT"),
        "set_std_bit_1": only(bitmaps, "EINVAL", "ENOENT"),
        "clear_vendor_2": only(vendor2, "0", "ENOENT"),
        "has_filter": only(filter_, "0", "EINVAL"),
        "filter_forward_64": only(filter_, "0", "EINVAL"),
        "filter_forward_32": only(filter_, "0", "EINVAL"),
        "filter_deny": only(filter_, "0", "EINVAL"),
        "filter_overlap": only(filter_, "EEXIST", "EINVAL"),
        "filter_arch": only(filter_, "EEXIST", "EINVAL"),
        "filter_action_3": only(filter_, "EINVAL", "EINVAL"),
        "ran_clear_hyp": only(bitmaps, "EBUSY", "ENOENT"),
        "ran_filter": only(filter_, "EBUSY", "EINVAL"),
    }
    return {
        **{f"register {name}": value for name, value in registers.items()},
        **{f"check {name}": value for name, value in checks.items()},
        "exit": "6",
        "listed": None,
    }


def said(text):
    """The probe's lines, in the same form."""
    values = {}
    for line in text.splitlines():
        words = line.split()
        if words[0] == "register":
            values[f"register {words[1]}"] = (words[3], words[5])
        elif words[0] == "check":
            values[f"check {words[1]}"] = " ".join(words[2:])
        else:
            values[words[0]] = words[1]
    return values


def same(value, wanted):
    if wanted is None:
        return value not in (None, "none")
    if isinstance(wanted, tuple):
        return isinstance(value, tuple) and all(same(*pair) for pair in zip(value, wanted))
    return value == wanted


def main():
    version = tuple(map(int, re.match(r"(\d+)\.(\d+)", sys.argv[1]).groups()))
    with open(sys.argv[2]) as file:
        values = said(file.read())
    table = expected(version)
    wrong = 0
    for what in sorted({*table, *values}):
        if what not in table or not same(values.get(what), table[what]):
            wrong += 1
            print(f"{sys.argv[1]}: {what}: {values.get(what)}, expected {table.get(what, 'nothing')}")
    print(f"{sys.argv[1]}: {len(table) - wrong} of {len(table)} facts as expected; "
          f"{values.get('listed')} registers, PSCI {values.get('register PSCI_VERSION', ['?'])[0]}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
