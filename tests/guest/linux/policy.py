#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A policy bites: one change each, what Linux then says, and what it called."""
from guest import TOP, LinuxTest, main

# What the default policy makes of the Debian 12 kernel on a Cortex-A72; each test names what it changes.
KVM_UID = "KVM_VENDOR_UID"


class Default(LinuxTest):
    def test(self):
        boot = self.boot()
        self.assertIn("psci: PSCIv1.1 detected in firmware.", boot.facts("dmesg"))
        self.assertIn("psci: SMC Calling Convention v1.2", boot.facts("dmesg"))
        self.assertIn("smccc: KVM: hypervisor services detected (0x00000000 0x00000000 0x00000000 0x00000003)",
                      boot.facts("dmesg"))
        self.assertEqual(boot.fact("method"), "hvc")
        self.assertEqual(boot.fact("rng_current"), "smccc_trng")
        self.assertEqual(boot.fact("power/mem_sleep"), "s2idle [deep]")
        self.assertEqual(boot.fact("vulnerability/spectre_v2"), "Vulnerable")
        self.assertEqual(boot.fact("vulnerability/spec_store_bypass"), "Vulnerable")
        self.assertEqual(boot.fact("soc0/soc_id"), None)
        self.assertQuiet(boot)
        # The counters and the trace are two accounts of the same calls.
        self.assertEqual(boot.summary["trace_dropped"], 0)
        self.assertEqual(boot.summary["total"]["calls"], len(boot.calls))
        self.assertEqual(boot.summary["total"]["answered"], len(boot.calls))
        for row in boot.summary["functions"]:
            self.assertEqual(row["calls"], len(boot.called(row["function"])), row["function"])
        self.assertEqual(boot.summary["reason"], "the guest powered off (PSCI_SYSTEM_OFF)")
        self.assertEqual({call["conduit"] for call in boot.calls}, {"hvc"})


class Kernel(LinuxTest):
    """Profiles of kernels, as these do it."""

    KVM = "strictness: kvm\ndiscovery: raw\n"

    def test_6_12(self):
        boot = self.boot("profile: linux-6.12\n" + self.KVM)
        self.assertIn("psci: PSCIv1.1 detected in firmware.", boot.facts("dmesg"))
        self.assertIn("psci: SMC Calling Convention v1.1", boot.facts("dmesg"))
        # What the registers say, PTP too.
        self.assertIn("smccc: KVM: hypervisor services detected (0x00000000 0x00000000 0x00000000 0x00000003)",
                      boot.facts("dmesg"))
        self.assertEqual(boot.fact("rng_current"), "smccc_trng")
        # Nobody asked for KVM_CAP_ARM_SYSTEM_SUSPEND.
        self.assertEqual(boot.fact("power/mem_sleep"), "[s2idle]")
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertQuiet(boot)

    def test_5_10(self):
        boot = self.boot("profile: linux-5.10\n" + self.KVM)
        self.assertIn("psci: PSCIv1.0 detected in firmware.", boot.facts("dmesg"))
        self.assertEqual(boot.said("hypervisor services detected"), 0)
        self.assertEqual(boot.fact("rng_current"), "none")
        self.assertEqual(boot.count("TRNG_VERSION", "answered"), 0)
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertQuiet(boot)


class Psci(LinuxTest):
    def test_0_2(self):
        boot = self.boot('psci: "0.2"\n')
        self.assertIn("psci: PSCIv0.2 detected in firmware.", boot.facts("dmesg"))
        # There is no PSCI_FEATURES, hence no way to SMCCC 1.1: Linux asks for nothing else.
        self.assertEqual(boot.said("SMC Calling Convention"), 0)
        self.assertEqual({call["function"] for call in boot.calls},
                         {"PSCI_VERSION", "PSCI_MIGRATE_INFO_TYPE", "PSCI_CPU_ON", "PSCI_SYSTEM_OFF"})
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertEqual(boot.fact("rng_current"), "none")
        self.assertEqual(boot.fact("power/mem_sleep"), "[s2idle]")
        self.assertQuiet(boot)

    def test_1_0(self):
        boot = self.boot('psci: "1.0"\n')
        self.assertIn("psci: PSCIv1.0 detected in firmware.", boot.facts("dmesg"))
        self.assertIn("psci: SMC Calling Convention v1.2", boot.facts("dmesg"))
        # SYSTEM_RESET2 came with 1.1.
        self.assertEqual(self.features(boot)["0xc4000012"], "NOT_SUPPORTED")
        self.assertEqual(self.features(boot)["0xc400000e"], "SUCCESS")
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertQuiet(boot)

    def test_1_3(self):
        boot = self.boot('psci: "1.3"\n')
        self.assertIn("psci: PSCIv1.3 detected in firmware.", boot.facts("dmesg"))
        self.assertEqual(self.features(boot)["0xc4000012"], "SUCCESS")
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertQuiet(boot)

    def test_denied(self):
        boot = self.boot("rules:\n  - deny: [PSCI_SYSTEM_SUSPEND, PSCI_SYSTEM_RESET2]\n")
        self.assertEqual(self.features(boot)["0xc4000012"], "NOT_SUPPORTED")
        self.assertEqual(self.features(boot)["0xc400000e"], "NOT_SUPPORTED")
        self.assertEqual(self.features(boot)["0xc4000001"], "SUCCESS")
        self.assertEqual(boot.fact("power/mem_sleep"), "[s2idle]")
        self.assertQuiet(boot)

    @staticmethod
    def features(boot):
        """What PSCI_FEATURES answered, by ID."""
        return {call["arguments"]["psci_func_id"]: call["answer"] for call in boot.called("PSCI_FEATURES")}


class Trng(LinuxTest):
    def test_off(self):
        boot = self.boot("services: {trng: off}\n")
        # The driver's device is not even made, so its module is not loaded; /dev/hwrng has nothing behind it.
        self.assertEqual(boot.fact("trng_module"), "0")
        self.assertEqual(boot.fact("rng_current"), "none")
        self.assertIn(boot.fact("rng_available"), ("", "none"))
        self.assertEqual(boot.called("TRNG_RND"), [])
        self.assertEqual([call["answer"] for call in boot.called("TRNG_VERSION")], ["NOT_SUPPORTED"])
        self.assertEqual(boot.count("TRNG_VERSION", "answered"), 0)
        self.assertEqual(boot.count("TRNG_VERSION", "absent"), 1)
        self.assertQuiet(boot)


class Identity(LinuxTest):
    def test_none(self):
        boot = self.boot("identity: none\n")
        self.assertEqual(boot.said("hypervisor services"), 0)
        self.assertEqual(boot.count(KVM_UID, "answered"), 0)
        self.assertEqual(boot.count(KVM_UID, "absent"), 1)
        self.assertEqual(boot.count("KVM_FEATURES"), 0)
        self.assertEqual(boot.fact("rng_current"), "smccc_trng")
        self.assertQuiet(boot)

    def test_owner_denied(self):
        boot = self.boot("rules:\n  - deny: {owner: vendor-hyp}\n")
        self.assertEqual(boot.said("hypervisor services"), 0)
        self.assertEqual([(call["decider"], call["rule"]["line"]) for call in boot.called(KVM_UID)],
                         [("rule", 4)])
        self.assertEqual(boot.count(KVM_UID, "denied"), 1)
        self.assertEqual(boot.fact("online"), "0-1")


class AllowList(LinuxTest):
    def test(self):
        boot = self.boot("default: deny\nrules:\n"
                         "  - handle: [PSCI_VERSION, PSCI_CPU_ON, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET]\n")
        self.assertEqual(boot.fact("online"), "0-1")
        self.assertIn("psci: MIGRATE_INFO_TYPE not supported.", boot.facts("dmesg"))
        answered = {row["function"] for row in boot.summary["functions"] if row["answered"]}
        self.assertEqual(answered, {"PSCI_VERSION", "PSCI_CPU_ON", "PSCI_SYSTEM_OFF"})
        denied = [call for call in boot.calls if call["function"] not in answered]
        self.assertEqual({call["decider"] for call in denied}, {"default"})
        self.assertEqual({call["answer"] for call in denied}, {"NOT_SUPPORTED"})
        self.assertQuiet(boot)


class Workarounds(LinuxTest):
    """Levels as a Cortex-A72, which is affected, sees them."""

    def test_available(self):
        boot = self.boot("registers: {WORKAROUND_1: available, WORKAROUND_3: available}\n")
        self.assertEqual(boot.fact("vulnerability/spectre_v2"), "Mitigation: Branch predictor hardening, BHB")
        # ... and Linux then uses it when it switches between processes.
        self.assertGreater(boot.count("SMCCC_ARCH_WORKAROUND_1", "answered"), 20)
        self.assertEqual(boot.fact("vulnerability/spec_store_bypass"), "Vulnerable")
        self.assertQuiet(boot)

    def test_not_required(self):
        boot = self.boot("registers: {WORKAROUND_1: not-required, WORKAROUND_2: not-required, "
                         "WORKAROUND_3: not-required}\n")
        self.assertEqual(boot.fact("vulnerability/spectre_v2"), "Mitigation: CSV2, BHB")
        self.assertEqual(boot.fact("vulnerability/spec_store_bypass"), "Not affected")
        self.assertEqual(boot.count("SMCCC_ARCH_WORKAROUND_1"), 0)
        self.assertQuiet(boot)


class Settings(LinuxTest):
    def test(self):
        boot = self.boot("soc-id: {version: 0x04130001, revision: 0x7}\nsystem-suspend: off\n")
        self.assertEqual(boot.fact("soc0/soc_id"), "jep106:0413:0001")
        self.assertEqual(boot.fact("soc0/family"), "jep106:0413")
        self.assertEqual(boot.fact("soc0/revision"), "0x00000007")
        self.assertEqual(boot.count("SMCCC_ARCH_SOC_ID", "answered"), 2)
        self.assertEqual(Psci.features(boot)["0xc400000e"], "NOT_SUPPORTED")
        self.assertEqual(boot.fact("power/mem_sleep"), "[s2idle]")

    def test_laptop(self):
        """The policy in the tree that has something of everything: what its comments say is what Linux shows."""
        boot = self.boot(policy_file=TOP / "policies/laptop.yaml")
        self.assertEqual(boot.fact("soc0/soc_id"), "jep106:0426:0a11")
        self.assertEqual(boot.fact("soc0/family"), "jep106:0426")
        self.assertEqual(boot.fact("soc0/revision"), "0x00000002")
        # Newer kernels show the model of the device tree beside it.
        self.assertEqual(boot.fact("model"), "hvcgate laptop")
        self.assertIn(boot.fact("soc0/machine"), (None, "hvcgate laptop"))
        self.assertEqual(boot.fact("vulnerability/spectre_v2"), "Mitigation: CSV2, BHB")
        self.assertEqual(boot.fact("vulnerability/spec_store_bypass"), "Not affected")
        self.assertEqual(boot.fact("power/mem_sleep"), "s2idle [deep]")
        self.assertGreater(boot.count("PSCI_CPU_SUSPEND", "answered"), 0)
        self.assertEqual(boot.count("PV_TIME_ST", "answered"), 2)
        self.assertIn("psci: PSCIv1.3 detected in firmware.", boot.facts("dmesg"))
        self.assertQuiet(boot)


class Conduit(LinuxTest):
    def test_smc(self):
        boot = self.boot(options=["--conduit", "smc"])
        self.assertEqual(boot.fact("method"), "smc")
        self.assertEqual({call["conduit"] for call in boot.calls}, {"smc"})
        self.assertIn("psci: SMC Calling Convention v1.2", boot.facts("dmesg"))
        self.assertEqual(boot.fact("rng_current"), "smccc_trng")
        self.assertEqual(boot.fact("online"), "0-1")
        # Linux looks for a hypervisor by HVC only.
        self.assertEqual(boot.count(KVM_UID), 0)
        self.assertQuiet(boot)


class More(LinuxTest):
    def test_uid(self):
        boot = self.boot('identity: {uid: "00112233-4455-6677-8899-aabbccddeeff"}\n')
        self.assertEqual(boot.said("hypervisor services"), 0)
        self.assertEqual([call["out"] for call in boot.called(KVM_UID)],
                         [["0x33221100", "0x77665544", "0xbbaa9988", "0xffeeddcc"]])
        self.assertEqual(boot.count("KVM_FEATURES"), 0)

    def test_longer_allow_list(self):
        boot = self.boot("default: deny\nrules:\n  - handle: {service: psci}\n  - handle: {service: trng}\n")
        self.assertIn("psci: SMC Calling Convention v1.2", boot.facts("dmesg"))
        self.assertEqual(boot.fact("rng_current"), "smccc_trng")
        self.assertEqual(boot.count(KVM_UID, "denied"), 1)


if __name__ == "__main__":
    main()
