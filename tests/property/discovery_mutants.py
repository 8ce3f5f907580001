#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: tests/property/discovery_mutants.py NAME SOURCE OUT

A mistake in discovery, into a copy of its source: see tests/lib/mutate.py.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mutate

MUTANTS = {
    # src/engine/call.c
    "forward-to-nobody": (r"if \(action == HVC_FORWARD && \(vm->flags & HVC_VM_FORWARD\) != 0\) \{(\s*/\* Where the hint)", r"if (action == HVC_FORWARD) {\1",
                          "what is forwarded is there, though nobody takes it"),
    "notify-missed": (r"\(action == HVC_NOTIFY && vm->events != NULL\)", "false", "what is notified is not there"),
    "notify-without-queue": (r"\(action == HVC_NOTIFY && vm->events != NULL\)", "action == HVC_NOTIFY", "what is notified is there without a queue"),
    "rules-passed-over": (r"return action == HVC_HANDLE && vm_has\(vm, slot\)", "return vm_has(vm, slot)", "what is denied is there"),
    "absent-told": (r"return action == HVC_HANDLE && vm_has\(vm, slot\)", "return action == HVC_HANDLE", "what no rule takes away is there"),
    "hint-told": (r"return clear_hint\(vm_hint_mask\(vm\), id\) == id \? slot : HVC_FN_NONE;", "return slot;",
                  "an ID with a hint that is cleared is there"),
    # src/engine/feature_value.c
    "stated-unread": (r"if \(tables->features\[i\]\.fn == slot\)", "if (0)", "values are looked for, and none found"),
    "stated-of-all": (r"\|\| !forwarded\(vm, id\)", "", "values that are stated of what is forwarded are told of what is handled"),
    # src/engine/vm.c
    "later-versions": (r"service->version\(vm\) < function->since \|\|", "", "functions of versions that the VM does not tell"),
    # src/services
    "psci-scope": (r"\(hvc_function_at\(slot\)->service != HVC_SERVICE_PSCI && slot != HVC_FN_SMCCC_VERSION\)", "false",
                   "PSCI_FEATURES knows other services"),
    "psci-os-initiated": (r"\bos_initiated = vm_served\(vm, set_mode\) != HVC_FN_NONE;", "os_initiated = set_mode != 0 && vm->image->settings.os_initiated != 0;",
                          "CPU_SUSPEND can be OS-initiated where SET_SUSPEND_MODE is denied"),
    "psci-rules": (r"unsigned int slot = vm_served\(vm, id\);", "unsigned int slot = hvc_function_by_id(id); if (!vm_has(vm, slot)) { slot = 0; }",
                   "PSCI_FEATURES passes over rules"),
    "arch-scope": (r"return slot != HVC_FN_NONE && lookup_reserved\(id\)", "return (id == id && slot != HVC_FN_NONE)", "ARCH_FEATURES knows other services"),
    "trng-scope": (r"\|\| hvc_function_at\(slot\)->service != HVC_SERVICE_TRNG", "", "TRNG_FEATURES knows other services"),
    "pv-time-record": (r"\(!has_record\(vcpu\) && !is_forwarded\(vm, id\)\)", "false", "PV time is there for a vCPU without a record"),
    "pv-time-forwarded": (r"&& !is_forwarded\(vm, id\)\)", "&& id != 0)", "PV time that another answers is not there without a record of ours"),
    "kvm-raw": (r"if \(vm_raw\(vcpu->vm\)\)", "if (true)", "KVM_FEATURES tells the registers"),
    "kvm-width": (r"\|\|\s*vm_served\(vm, function->id64\) == slot", "", "KVM_FEATURES looks at one width only"),
    "count-functions": (r"calls \+= vm_served\(vm, ids\[i\]\) != HVC_FN_NONE;", "calls += vm_served(vm, ids[0]) != HVC_FN_NONE;",
                        "CALL_COUNT takes the one width for the other"),
    "guard-ranges": (r"return vm_served\(vm, hvc_function_at\(slot\)->id64\) == slot;", "return vm_has(vm, slot);",
                     "PKVM_MMIO_GUARD_INFO passes over rules"),
}

mutate.main(MUTANTS)
