#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Versions of the calling convention, with kernels older than most of them."""
from guest import LinuxTest, main


class Smccc(LinuxTest):
    def check(self, version, *options):
        boot = self.boot(f'smccc: "{version}"\n', options=options)
        # Linux says v1.0 when it finds no SMCCC_VERSION, which is what 1.0 means.
        self.assertIn(f"psci: SMC Calling Convention v{version}", boot.facts("dmesg"))
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertQuiet(boot)
        asked = {call["function"] for call in boot.calls}
        self.assertEqual("SMCCC_VERSION" in asked, version != "1.0")
        if version in ("1.0", "1.1"):
            self.assertEqual(boot.count("SMCCC_ARCH_SOC_ID"), 0)
        self.assertEqual(boot.summary["total"]["unknown"], 0)
        return boot


class A72(Smccc):
    """A kernel older than most versions, a CPU without SVE."""

    def test_1_1(self):
        self.check("1.1", "--guest", "debian-11")


class Sve(Smccc):
    """A CPU with SVE, for which 1.3 has a hint in the function ID: a kernel may set it, the engine must bear it.
    (Linux sets it from 5.14 on, but no longer since 6.13 and the stable releases of that time.)"""

    def check(self, version, *options):
        boot = super().check(version, "--cpu", "max", *options)
        self.assertRegex(boot.fact("features"), r"\bsve\b")
        for call in boot.calls:
            self.assertEqual(int(call["in"][0], 0) & ~0x10000, int(call["id"], 0))

    def test_5_10_kernel_1_1(self):
        self.check("1.1", "--guest", "debian-11")

    def test_5_10_kernel_1_3(self):
        self.check("1.3", "--guest", "debian-11")

    def test_5_10_kernel_1_5(self):
        self.check("1.5", "--guest", "debian-11")

    def test_6_1_kernel_1_3(self):
        self.check("1.3")


class MoreA72(Smccc):
    def test_5_10_kernel_1_0(self):
        self.check("1.0", "--guest", "debian-11")

    def test_6_1_kernel_1_0(self):
        self.check("1.0")

    def test_6_1_kernel_1_1(self):
        self.check("1.1")


class MoreSve(Sve):
    test_5_10_kernel_1_1 = test_5_10_kernel_1_3 = test_5_10_kernel_1_5 = test_6_1_kernel_1_3 = None

    def test_5_10_kernel_1_0(self):
        self.check("1.0", "--guest", "debian-11")

    def test_6_1_kernel_1_0(self):
        self.check("1.0")

    def test_6_1_kernel_1_1(self):
        self.check("1.1")

    def test_6_1_kernel_1_5(self):
        self.check("1.5")


if __name__ == "__main__":
    main("debian-11")
