#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The whole machine: resets, panic, suspend."""
from guest import HERE, TOP, LinuxTest, main


class Reset(LinuxTest):
    def check(self, function, append="", smp=4, options=()):
        """First boot ends in a reset by the function, the second in power off."""
        boot = self.boot(script=HERE / "reset.sh", smp=smp, append=append, seconds=10,
                         options=["--on-reset", "continue", *options])
        self.assertEqual(boot.summary["boots"], 2)
        self.assertIn("hvcgate: the guest reset the machine: boot 2", boot.stderr)
        self.assertEqual(boot.summary["reason"], "the guest powered off (PSCI_SYSTEM_OFF)")
        self.assertEqual(boot.said("Booting Linux on physical CPU"), 2)
        self.assertEqual(boot.facts("online"), [f"0-{smp - 1}"] * 2)
        first, second = boot.facts("year")
        self.assertNotEqual(first, "2033")
        self.assertEqual(second, "2033")
        # What the generator gives, and what the kernel makes of it and of the device tree's seeds, is new.
        # (Linux 5.10 has no driver for the generator.)
        for name in (["random"] if boot.facts("random")[0] else []) + ["urandom", "boot_id", "kernel_base"]:
            self.assertEqual(len(set(boot.facts(name))), 2, name)
        self.assertEqual(boot.count(function, "answered"), 1)
        self.assertEqual(boot.count("PSCI_SYSTEM_OFF", "answered"), 1)
        self.assertEqual(boot.count("PSCI_CPU_ON", "answered"), 2 * (smp - 1))
        # One trace over both boots, nothing lost: numbers of each CPU go on, time does not go back.
        self.assertEqual(boot.summary["trace_dropped"], 0)
        for cpu in range(smp):
            calls = [call for call in boot.calls if call["cpu"] == cpu]
            self.assertEqual([call["sequence"] for call in calls], list(range(len(calls))))
            self.assertEqual([call["time"] for call in calls], sorted(call["time"] for call in calls))
        order = [call["function"] for call in boot.calls]
        self.assertEqual([name for name in order if name in ("PSCI_VERSION", function, "PSCI_SYSTEM_OFF")],
                         ["PSCI_VERSION", function, "PSCI_VERSION", "PSCI_SYSTEM_OFF"])
        return boot

    def test_reboot(self):
        self.check("PSCI_SYSTEM_RESET")

    def test_warm(self):
        boot = self.check("PSCI_SYSTEM_RESET2", append="reboot=warm")
        self.assertEqual(boot.called("PSCI_SYSTEM_RESET2")[0]["arguments"], {"reset_type": "0x0", "cookie": "0x0"})

    def test_panic(self):
        boot = self.check("PSCI_SYSTEM_RESET", append="hvcgate.reset=panic")
        self.assertNotEqual(boot.called("PSCI_SYSTEM_RESET")[0]["cpu"], 0)
        self.assertEqual(boot.said("Kernel panic - not syncing: sysrq triggered crash"), 1)

    def test_exit(self):
        """Without --on-reset continue the run ends there, and says so."""
        boot = self.boot(script=HERE / "reset.sh", status=1)
        self.assertEqual(boot.summary["status"], 1)
        self.assertEqual(boot.summary["boots"], 1)
        self.assertEqual(boot.summary["reason"], "the guest reset the machine (PSCI_SYSTEM_RESET)")
        self.assertIn("hvcgate: the guest reset the machine (PSCI_SYSTEM_RESET)", boot.stderr)
        self.assertEqual(boot.said("Booting Linux on physical CPU"), 1)

    def test_warm_exit(self):
        """The kind of reset is in the reason."""
        boot = self.boot(script=HERE / "reset.sh", append="reboot=warm", status=1)
        self.assertEqual(boot.summary["reason"], "the guest reset the machine (PSCI_SYSTEM_RESET2, warm)")

    def test_warm_denied(self):
        """A policy without SYSTEM_RESET2: Linux falls back to SYSTEM_RESET."""
        boot = self.boot("rules:\n  - deny: PSCI_SYSTEM_RESET2\n", script=HERE / "reset.sh", append="reboot=warm",
                         status=1)
        self.assertEqual(boot.summary["reason"], "the guest reset the machine (PSCI_SYSTEM_RESET)")
        self.assertEqual(boot.count("PSCI_SYSTEM_RESET2"), 0)


class ResetMore(Reset):
    test_exit = test_warm_exit = test_warm_denied = test_warm = test_panic = None

    def test_reboot(self):
        self.check("PSCI_SYSTEM_RESET", options=["--cpu", "max", "--guest", "debian-11"])

    def test_gic_2(self):
        self.check("PSCI_SYSTEM_RESET", smp=8, options=["--gic", "2", "--conduit", "smc"])


class Suspend(LinuxTest):
    def check(self, *options):
        boot = self.boot(script=HERE / "suspend.sh", seconds=12, options=options)
        self.assertEqual(boot.fact("mem_sleep"), "s2idle [deep]")
        slept = boot.facts("slept")
        self.assertEqual(len(slept), 3)
        for line in slept:
            self.assertRegex(line, r"^fine, [1-9][0-9]? s$")
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertEqual(boot.fact("random"), "8")
        self.assertQuiet(boot)
        self.assertEqual(boot.count("PSCI_SYSTEM_SUSPEND", "answered"), 3)
        # The other CPU is off meanwhile; also where Linux gave up because the alarm had rung by then.
        offs = boot.count("PSCI_CPU_OFF", "answered")
        self.assertGreaterEqual(offs, 3)
        self.assertEqual(boot.count("PSCI_CPU_ON", "answered"), offs + 1)

    def test(self):
        self.check()


class SuspendMore(Suspend):
    def test(self):
        self.check("--cpu", "max")

    def test_gic_2(self):
        self.check("--gic", "2")

    def test_laptop(self):
        """With idle states, and a clock and stolen time that go on."""
        self.check("--policy", TOP / "policies/laptop.yaml")


if __name__ == "__main__":
    main("debian-11")
