#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The host's clock in the guest, and the time that calls waited."""
import os
import time

from guest import HERE, TOP, LinuxTest, main

PTP = os.environ.get("HVCGATE_PTP") or TOP / "build/aarch64/tests/guest/linux/ptp"
READINGS = 50


class Ptp(LinuxTest):
    """What the guest reads between two times of ours lies between them, give or take the bound that the run states."""

    def check(self, *options):
        readings = []

        def talk(console):
            console.line("^@ ready")
            for _ in range(READINGS):
                before = time.time_ns()
                console.send("\n")
                answer = console.line(r"^@ ptp: (error )?(\d+)")
                after = time.time_ns()
                if answer[1] is None:
                    readings.append((before, int(answer[2]), after))
            console.send("q\n")

        boot = self.boot(script=HERE / "clock.sh", files=[PTP], options=options, talk=talk)
        self.assertEqual(boot.fact("name"), "KVM virtual PTP")
        bound = boot.summary["clock_bound_ns"]
        self.assertIn("KVM_PTP", {row["function"] for row in boot.summary["functions"]})
        self.assertGreater(bound, 0)
        self.assertLessEqual(bound, 10_000_000)
        # Where the host is too busy to answer in time there is an error in place of a reading.
        self.assertGreater(len(readings), READINGS / 2)
        for before, reading, after in readings:
            self.assertGreaterEqual(reading, before - bound)
            self.assertLessEqual(reading, after + bound)
        self.assertEqual(sorted(reading for _, reading, _ in readings), [reading for _, reading, _ in readings])
        low = max(reading - after for _, reading, after in readings) / 1e3
        high = min(reading - before for before, reading, _ in readings) / 1e3
        print(f"{len(readings)} readings, none off by more than {bound / 1e3} us; "
              f"an offset that does not change is between {low} and {high} us", flush=True)
        self.assertQuiet(boot)

    def test(self):
        self.check()

    def test_off(self):
        boot = self.boot("services: {ptp: off}\n", script=HERE / "clock.sh", files=[PTP])
        self.assertEqual(boot.fact("name"), "none")
        self.assertEqual(boot.count("KVM_PTP"), 0)
        self.assertIsNone(boot.summary["clock_bound_ns"])


class PtpMore(Ptp):
    test_off = None

    def test(self):
        self.check("--cpu", "max", "--guest", "debian-13")

    def test_deterministic(self):
        """A clock of its own, the same each time."""
        boots = [self.boot(script=HERE / "clock.sh", files=[PTP], append="hvcgate.once", options=["--deterministic"])
                 for _ in range(2)]
        first, second = (boot.fact("ptp") for boot in boots)
        self.assertEqual(first, second)
        # 2020-01-01 and what the boot took
        self.assertRegex(first, r"^15778368\d\d\d{9} ")


class Stolen(LinuxTest):
    def boot_it(self, policy=None, options=()):
        """Reads the clock, whose answer takes its time, until /proc/stat shows it or 20 000 times."""
        return self.boot(policy, script=HERE / "stolen.sh", files=[PTP], seconds=30, options=options)

    def check(self, *options):
        boot = self.boot_it(options=options)
        self.assertIn("arm-pv: using stolen time PV", boot.facts("dmesg"))
        before, after = int(boot.fact("before")), int(boot.fact("after"))
        print(f"steal {before} to {after} by {boot.count('KVM_PTP')} calls that waited", flush=True)
        self.assertGreater(after, before + 10)
        # CPU 1 went off and came back: its record goes on.
        self.assertEqual(boot.count("PV_TIME_ST", "answered"), 3)
        self.assertLess(int(boot.fact("after_hotplug")) - after, 100)
        self.assertQuiet(boot)

    def test(self):
        self.check()

    def test_off(self):
        boot = self.boot_it("services: {pv-time: off}\n")
        self.assertEqual([line for line in boot.facts("dmesg") if "arm-pv" in line], [])
        self.assertEqual((boot.fact("before"), boot.fact("after")), ("0", "0"))
        self.assertGreater(boot.count("KVM_PTP"), 1000)


class StolenMore(Stolen):
    test_off = None

    def test(self):
        self.check("--guest", "debian-13", "--gic", "2")


if __name__ == "__main__":
    main(more=["debian-13"])
