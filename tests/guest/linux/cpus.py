#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPUs come and go, and none is lost."""
from guest import HERE, LinuxTest, main


class OffOn(LinuxTest):
    """Each CPU 20 times off and on while another is loaded."""

    def check(self, *options, cpus=4):
        boot = self.boot(script=HERE / "offon.sh", smp=cpus, seconds=10 * cpus, options=options)
        for cpu in range(cpus):
            self.assertEqual(boot.fact(f"cpu{cpu}"), "20 times, 0 bad")
            self.assertEqual(boot.fact(f"allowed{cpu}"), str(cpu))
        self.assertEqual(boot.fact("online"), f"0-{cpus - 1}")
        self.assertEqual(boot.fact("worked"), "1")
        self.assertQuiet(boot)
        self.assertEqual(boot.count("PSCI_CPU_OFF", "answered"), 20 * cpus)
        self.assertEqual(boot.count("PSCI_CPU_ON", "answered"), 20 * cpus + cpus - 1)
        self.assertEqual({call["answer"] for call in boot.called("PSCI_CPU_ON")}, {"SUCCESS"})
        # Linux asks until the CPU is seen off.
        self.assertEqual([call["answer"] for call in boot.called("PSCI_AFFINITY_INFO")].count("OFF"), 20 * cpus)
        self.assertEqual(boot.summary["trace_dropped"], 0)
        for cpu in range(cpus):
            self.assertEqual(len([call for call in boot.called("PSCI_CPU_OFF") if call["cpu"] == cpu]), 20)

    def test(self):
        self.check()


class OffOnMore(OffOn):
    def test(self):
        self.check("--cpu", "max", "--conduit", "smc")

    def test_gic_2(self):
        self.check("--gic", "2")

    def test_8_cpus(self):
        self.check(cpus=8)

    def test_old_kernel(self):
        self.check("--guest", "debian-11")


class Eight(LinuxTest):
    def test(self):
        boot = self.boot(smp=8)
        self.assertEqual(boot.fact("online"), "0-7")
        self.assertEqual(boot.count("PSCI_CPU_ON", "answered"), 7)
        self.assertQuiet(boot)


if __name__ == "__main__":
    main("debian-11")
