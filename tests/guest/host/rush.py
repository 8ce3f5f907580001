#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: rush.py HVCGATE [--boots N] [OPTION of hvcgate run...]

Runs the guest `rush`: N boots, each of which ends by resets from several CPUs in the same moment, the last one by
power off. No boot is lost or comes twice, and the run ends as the guest asked.
"""

import argparse

from machine import Machine, Place, check, finish


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hvcgate")
    parser.add_argument("--boots", type=int, default=25)
    arguments, options = parser.parse_known_args()
    with Place() as place:
        guest = Machine(place, "rush", "--smp", "4", "--mem", "128M", "--on-reset", "continue", *options,
                        append=f"cpus=4 boots={arguments.boots}")
        status = guest.end()
        good = check(status == 0, f"status {status}")
        good &= check(guest.lines == [f"rush: boot {n + 1}" for n in range(arguments.boots)], "each boot once")
        good &= check(guest.summary.get("boots") == arguments.boots, f"{guest.summary.get('boots')} boots")
        good &= check("powered off (PSCI_SYSTEM_OFF)" in guest.summary.get("reason", ""), guest.summary.get("reason"))
        if not good:
            guest.tell()
        print(f"rush: {guest.summary.get('boots')} boots, {guest.summary.get('reason')}")
    finish("rush")


main()
