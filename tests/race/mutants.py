#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: tests/race/mutants.py NAME SOURCE OUT

A mistake in PSCI's power state, into a copy of its source: see tests/lib/mutate.py.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mutate

EXCHANGE = r"!atomic_compare_exchange_weak_explicit\(&target->power, before, POWER_ON_PENDING,\s*memory_order_acq_rel,\s*memory_order_acquire\)"
GIVE_BACK = r"\batomic_store_explicit\(&target->power, before, memory_order_release\);"

MUTANTS = {
    "load-store": (EXCHANGE, r"(atomic_store_explicit(&target->power, POWER_ON_PENDING, memory_order_release), false)",
                   "CPU_ON loads and stores instead of exchanging"),
    "pending-dropped": (EXCHANGE, r"!atomic_compare_exchange_weak_explicit(&target->power, before, POWER_ON, memory_order_acq_rel, memory_order_acquire)",
                        "CPU_ON makes it ON: there is no ON_PENDING"),
    "pending-not-told": (r"\bPSCI_ALREADY_ON\s*: PSCI_ON_PENDING;", r"PSCI_ALREADY_ON : PSCI_ALREADY_ON;",
                         "a second CPU_ON is told ALREADY_ON while the first is pending"),
    "off-not-released": (r"\batomic_compare_exchange_weak\(&vcpu->power, &word, power \| POWER_LEFT\)",
                         r"atomic_compare_exchange_weak_explicit(&vcpu->power, &word, power | POWER_LEFT, memory_order_relaxed, memory_order_relaxed)",
                         "CPU_OFF does not release what the CPU wrote before"),
    "exchange-not-acquired": (r"\*before = power_word\(target\);(.*?)" + EXCHANGE,
                              r"*before = atomic_load_explicit(&target->power, memory_order_relaxed);\1!atomic_compare_exchange_weak_explicit(&target->power, "
                              r"before, POWER_ON_PENDING, memory_order_release, memory_order_relaxed)",
                              "CPU_ON does not acquire what the CPU wrote before it went off"),
    "failure-stays": (GIVE_BACK, r"", "a CPU that the host could not start stays ON_PENDING"),
    "failure-not-released": (GIVE_BACK, r"atomic_store_explicit(&target->power, before, memory_order_relaxed);",
                             "a CPU that the host could not start is given back without a release"),
    "entry-first": (r"uint32_t before;\n", "uint32_t before;\n\ttarget->start_entry = entry;\n",
                    "CPU_ON writes the entry before it has won"),
    "pending-told-off": (r"\bpending \? POWER_ON_PENDING : POWER_OFF\b", "pending ? POWER_OFF : POWER_OFF",
                         "AFFINITY_INFO says OFF of a CPU that is on its way"),
    # src/engine/vm.c
    "started-stays": (r"\batomic_store\(&vcpu->power, POWER_ON\);", "", "a CPU that has started stays ON_PENDING"),
    "told-not-acquired": (r"\batomic_load_explicit\(&vcpu->power, memory_order_acquire\)", "atomic_load_explicit(&vcpu->power, memory_order_relaxed)",
                          "AFFINITY_INFO does not acquire what the CPU wrote before it went off"),
}


mutate.main(MUTANTS)
