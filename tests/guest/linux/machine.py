#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Machines of other shapes: CPU models, memory, interrupt controllers. What a CPU can do, its user space can use."""
import os

from guest import HERE, TOP, LinuxTest, main

PROBE = os.environ.get("HVCGATE_PROBE") or TOP / "build/aarch64/tests/guest/linux/probe"


class Models(LinuxTest):
    def check(self, model, *options, quiet=True):
        boot = self.boot(script=HERE / "probe.sh", files=[PROBE, HERE / "facts.sh"], options=["--cpu", model, *options], seconds=20)
        # Neither instruction exists in user space; the monitor does not hear of them.
        self.assertEqual(boot.fact("hvc_signal"), "4")
        self.assertEqual(boot.fact("smc_signal"), "4")
        self.assertEqual(boot.summary["total"]["unknown"], 0)
        self.assertEqual(boot.count("PSCI_SYSTEM_OFF"), 1)
        self.assertEqual(boot.fact("pmu"), "counts")
        self.assertEqual(boot.fact("online"), "0-1")
        # Every CPU has the same features.
        self.assertRegex(boot.fact("features"), r"^2 [^|]*\|$")
        if quiet:
            self.assertQuiet(boot)
        return boot

    def check_sve(self, boot, longest, lengths):
        self.assertRegex(boot.fact("features"), r"\bsve\b")
        self.assertEqual(boot.fact("sve_longest"), str(longest))
        self.assertEqual(boot.fact("sve_lengths"), str(lengths))
        self.assertEqual(boot.fact("sve_sums"), "right")
        self.assertEqual(boot.fact("sve_kept"), "yes")

    def check_max(self, boot):
        self.check_sve(boot, 256, 16)
        self.assertEqual(boot.fact("pauth"), "works")
        self.assertEqual(boot.fact("mte_tag"), "kept")
        self.assertEqual(boot.fact("mte_right_tag_signal"), "0")
        self.assertEqual(boot.fact("mte_wrong_tag_signal"), "11")

    def test_max(self):
        self.check_max(self.check("max"))

    def test_neoverse_n1(self):
        boot = self.check("neoverse-n1")
        self.assertRegex(boot.fact("features"), r"\batomics\b")
        self.assertEqual(boot.fact("sve_longest"), None)


class MoreModels(Models):
    test_neoverse_n1 = None

    def test_max(self):
        self.check_max(self.check("max", "--guest", "debian-11"))

    def test_a64fx(self):
        # Linux warns, on plain QEMU too: a64fx's cache lines are longer than it expects of devices that are not
        # marked as coherent.
        self.check_sve(self.check("a64fx", quiet=False), 64, 3)

    def test_cortex_a53(self):
        self.check("cortex-a53")

    def test_cortex_a57(self):
        self.check("cortex-a57", "--gic", "2")

    def test_cortex_a76(self):
        self.check("cortex-a76")


class Memory(LinuxTest):
    def check(self, mib):
        boot = self.boot(options=["--mem", mib])
        total = int(boot.fact("memory_kib")) / 1024
        self.assertLess(total, mib)
        # The kernel keeps some: its own code, bounce buffers, 1/64 to describe the rest.
        self.assertGreater(total, mib - 130 - mib / 50)
        self.assertEqual(boot.fact("ram_end"), f"{0x40000000 + mib * 2**20 - 1:x}")
        self.assertQuiet(boot)

    def test_4096(self):
        """From 1 GiB to 5 GiB: past the end of 32-bit addresses."""
        self.check(4096)


class MoreMemory(Memory):
    test_4096 = None

    def test_256(self):
        self.check(256)

    def test_3072(self):
        """Ends exactly at 4 GiB."""
        self.check(3072)

    def test_5120(self):
        self.check(5120)


class Gic2(LinuxTest):
    def test(self):
        boot = self.boot(options=["--gic", "2"], smp=2)
        self.assertEqual(boot.fact("gic"), "GIC-0")
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertQuiet(boot)


class MoreGic2(LinuxTest):
    def test_8_cpus(self):
        boot = self.boot(options=["--gic", "2"], smp=8)
        self.assertEqual(boot.fact("gic"), "GIC-0")
        self.assertEqual(boot.fact("online"), "0-7")
        self.assertQuiet(boot)


if __name__ == "__main__":
    main("debian-11")
