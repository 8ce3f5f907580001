#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Idle states: the policy's power states, as Linux uses them."""
from guest import HERE, LinuxTest, main


class Idle(LinuxTest):
    """Linux's cpuidle uses the policy's power states by itself, and every CPU comes back from each of them."""

    STANDBY, DOWN, CLUSTER = 0x1, 0x10002, 0x1010003
    POLICY = ("profile: hvcgate-2\npower-states:\n"
              f"  - {{name: standby, param: {STANDBY:#x}, entry-latency: 5us, exit-latency: 5us, min-residency: 20us}}\n"
              f"  - {{name: cpu-off, param: {DOWN:#x}, entry-latency: 50us, exit-latency: 50us, min-residency: 2ms}}\n"
              f"  - {{name: cluster-off, param: {CLUSTER:#x}, level: cluster, min-residency: 50ms}}\n")

    def check(self, *options, cpus=4):
        boot = self.boot(self.POLICY, script=HERE / "idle.sh", smp=cpus, seconds=20, options=options)
        self.assertEqual(boot.fact("driver"), "psci_idle")
        self.assertEqual(boot.facts("states"), ["WFI standby cpu-off cluster-off"] * cpus)
        usage = [[int(n) for n in line.split()] for line in boot.facts("usage")]
        self.assertEqual(len(usage), cpus)
        for line in usage:
            print("usage of WFI, standby, cpu-off, cluster-off:", *line, flush=True)
        # Each CPU lost its state and came back, more often than it could by chance; the governor chooses which.
        for _, _, off, cluster in usage:
            self.assertGreater(off + cluster, 20)
        for column in zip(*usage):
            self.assertGreater(sum(column[1:] or column), 0) # not CPU 0 alone, if there are others
        self.assertGreater(sum(standby for _, standby, _, _ in usage), 0)
        self.assertEqual(boot.fact("online"), f"0-{cpus - 1}" if cpus > 1 else "0")
        self.assertEqual(boot.fact("worked"), "1")
        self.assertQuiet(boot)
        calls = boot.called("PSCI_CPU_SUSPEND")
        self.assertEqual({int(call["arguments"]["power_state"], 16) for call in calls}, {self.STANDBY, self.DOWN, self.CLUSTER})
        self.assertEqual({call["answer"] for call in calls}, {"cpu-standby", "cpu-powerdown"})
        # What Linux counts it has called for; it went on after it was asked.
        self.assertGreaterEqual(boot.count("PSCI_CPU_SUSPEND", "answered"), sum(sum(line[1:]) for line in usage))

    def test(self):
        self.check()

    def test_gic_2(self):
        self.check("--gic", "2", cpus=2)

    def test_none(self):
        """A policy without: no driver, nothing but WFI."""
        boot = self.boot(script=HERE / "idle.sh", smp=2, seconds=20)
        self.assertEqual(boot.fact("driver"), "none")
        self.assertEqual(boot.count("PSCI_CPU_SUSPEND"), 0)


class IdleMore(Idle):
    test_none = test_gic_2 = None

    def test(self):
        self.check("--cpu", "max", "--guest", "debian-13", cpus=8)

    def test_one(self):
        self.check("--conduit", "smc", cpus=1)

    def test_old_kernel(self):
        """Debian 11's kernel has no driver for it."""
        boot = self.boot(self.POLICY, script=HERE / "idle.sh", options=["--guest", "debian-11"], seconds=20)
        self.assertEqual(boot.fact("driver"), "none")


if __name__ == "__main__":
    main(more=["debian-11", "debian-13"])
