#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: tests/kvm/mutants.py NAME SOURCE OUT

A mistake in the KVM host, into a copy of its source: see tests/lib/mutate.py. A test must fail with it; one that is out of
date changes nothing, and its test fails to fail.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mutate

MUTANTS = {
    # apply.c
    "filter-error-passed-over": (r"if \(error != 0\) \{\s*return because\(error,", r"if (error == -1) {\n\t\t\treturn because(error,",
                                 "a range that the kernel refuses is passed over"),
    "not-read-back": (r"value != write->value && ", "false && ", "registers are not compared with the plan"),
    "any-psci": (r"if \(!vcpu_has\(vcpu, KVM_ARM_VCPU_PSCI_0_2\)\) \{", "if (false) {", "a vCPU without PSCI_0_2 runs"),
    # call.c
    "results-not-written": (r"call->frame\.x\[n\] != call->before\.x\[n\]", "n == 99", "no register is written back"),
    "not-rewound": (r"pc - CALL_SIZE", "pc", "the program counter stays behind a call that is left"),
    "all-read": (r"\(mask >> n & 1\) != 0", "mask != 0 || n == 0", "all registers are read"),
    # forward.c
    "not-left": (r"\thvc_forward_leave\(vcpu->engine\);\n", "", "a call that is interrupted stays pending"),
    "sent-again": (r"state == HVC_FORWARD_NEW\)", "state != HVC_FORWARD_ANSWERED)", "a call that comes back is sent again"),
    "not-forgotten": (r"tick < HVC_FORWARD_TICKS", "tick < 0u * HVC_FORWARD_TICKS", "a reset does not forget calls"),
    # kick.c
    "immediate-exit-unseen": (r"return value != 0 && value != KICKED;", "return value == 2;", "immediate_exit does not end a wait"),
    # power.c
    "engine-not-told": (r"\ttell\(vcpu, !stopped\);\n", "", "the engine does not hear what the kernel did"),
    "started-off": (r"init\.features\[0\] &= ~\(1u << KVM_ARM_VCPU_POWER_OFF\);", "", "a vCPU that CPU_ON starts begins powered off"),
    "no-context": (r"error = sys_set\(vcpu, UAPI_CORE_X\(0\), request->context\);", "", "a vCPU that CPU_ON starts has no context"),
    # work.c
    "not-withdrawn": (r"\t\t\ttake_out\(work\);\n", "", "work of a caller that was called away stays in the queue"),
    # sync.c
    "start-not-awaited": (r"return work->start \? work_begun\(vcpu, work\) : 0;", "return 0;", "CPU_ON is told before the kernel has it"),
    # run.c
    "events-not-taken": (r"case KVM_EXIT_SYSTEM_EVENT:\s*error = power_event\(vcpu\);\s*break;", "", "a wake-up that we asked for goes to the VMM"),
}

mutate.main(MUTANTS)
