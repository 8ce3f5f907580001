# SPDX-License-Identifier: BSD-2-Clause
"""Mistakes that somebody could make in the engine: file, what stands there, what would stand there, in words.

`what stands there` occurs exactly once in the file; else the list is out of date and the run says so. Only mistakes that
a scenario can show: that a call is answered twice, say, is what unit tests look for.
"""

R, F, C, L, V, S = ("src/engine/registers.c", "src/engine/filter.c", "src/engine/call.c", "src/engine/lookup.c",
                    "src/engine/vm.c", "src/engine/settings.c")
A, P, U, T, K, Q, PV = ("src/services/arch.c", "src/services/psci.c", "src/services/psci_cpu.c", "src/services/trng.c",
                        "src/services/kvm_vendor.c", "src/services/quirks.c", "src/services/pv_time.c")

MUTANTS = [
    # Feature registers.
    (R, "if (value == reg_value(vm, reg)) {\n\t\treturn HVC_OK;", "if (0) {\n\t\treturn HVC_OK;",
     "the same value is refused after the first run"),
    (R, "if (!is_open(vm, reg)) {", "if (0) {", "registers are never frozen"),
    (R, "return !vm->frozen ||", "return !vm->frozen || reg == HVC_REG_STD_BMAP ||", "STD_BMAP is never frozen"),
    (R, "(reg == HVC_REG_PSCI_VERSION && (vm->quirks & HVC_QUIRK_PSCI_VERSION_OPEN) != 0)", "false",
     "PSCI_VERSION is frozen by the first run"),
    (R, "if (reg_ids[reg] == id) {", "if (((reg_ids[reg] ^ id) & 0xff0fffffffffffff) == 0) {",
     "the size field of a register's ID does not matter"),
    (R, "return value <= vm->regs[reg] ? HVC_OK", "return value <= 0xf ? HVC_OK", "any workaround level is asserted with success"),
    (R, "level > 3 ||", "", "WORKAROUND_2 takes levels above 3"),
    (R, "((*value & enabled) && level != 2)", "false", "WORKAROUND_2 takes ENABLED with any level"),
    (R, "*value = level < 2 ? 0 : 3;", "*value = level < 3 ? 0 : 3;", "WORKAROUND_2 level 2 collapses downwards"),
    (R, "return value == HVC_VERSION(0, 1);", "return true;", "PSCI 0.1 without PSCI_0_2 can be changed"),
    (S, "(value & ~settings->reg_mask[reg]) == 0", "(value & ~(settings->reg_mask[reg] << 1 | 1)) == 0",
     "bitmaps have a bit more"),
    (S, "(settings->psci_versions & HVC_PSCI_BIT(value)) != 0", "true", "every PSCI version can be set"),
    (R, "clear(vm, n);\n\tvm->shown = n;", "vm->shown = n;", "hidden registers keep their value"),
    (R, "if (!vm->frozen) {\n\t\tclear(vm, index);", "if (!vm->frozen) {\n\t\tclear(vm, index + 1);",
     "clearing begins one register too late"),
    (R, "if (n > vm->image->settings.reg_count) {", "if (n > vm->shown) {", "what was hidden cannot be shown again"),
    # Filter.
    (F, "if (*last < base) {", "if (*last + 1 < base) {", "a range may wrap by one"),
    (F, "*last = base + count - 1;\n\tif (!vm->image", "*last = base + count;\n\tif (!vm->image", "a range's end is one too far when it is checked"),
    (F, "base, base + count - 1, action)", "base, base + count - (count > 1) - 1, action)",
     "the last ID of a range is left out"),
    (F, "if (lookup_any(vm->filter.entries, ENTRY_CLAIMED, base, last)) {", "if (base != last && lookup_any(vm->filter.entries, ENTRY_CLAIMED, base, last)) {",
     "ranges of one ID may overlap"),
    (F, "for (unsigned int i = 9; i < HVC_FILTER_BYTES; i++) {", "for (unsigned int i = 10; i < HVC_FILTER_BYTES; i++) {",
     "the first byte of padding is not looked at"),
    (F, "if (bytes[8] > HVC_FORWARD) {", "if (bytes[8] > HVC_NOTIFY) {", "KVM's bytes may say notify"),
    (F, "if (vm->frozen) {\n\t\tdetail->obstacle", "if (0) {\n\t\tdetail->obstacle", "the filter stays open after the first run"),
    (F, "(base != 0 || !(vm->quirks & HVC_QUIRK_FILTER_EMPTY_AT_0))", "true", "the empty range at base 0 is invalid everywhere"),
    # The call path.
    (C, "if (conduit == HVC_CONDUIT_SMC && vm_quirk(vcpu->vm, HVC_QUIRK_SMC_UNKNOWN)) {", "if (0) {",
     "an SMC with an ID that is odd is answered where no SMC is"),
    (C, "(conduit == HVC_CONDUIT_SMC || !vm_quirk(vcpu->vm, HVC_QUIRK_HVC_ANY_IMMEDIATE))", "conduit == HVC_CONDUIT_SMC || true",
     "the immediate of an HVC counts"),
    (C, "return immediate != 0 &&", "return immediate != 0 && conduit == HVC_CONDUIT_HVC &&", "an SMC with an immediate is a call"),
    ("src/engine/outcome.h", "\t\tframe->x[3] = 0;\n\t}\n\treturn serve_status", "\t}\n\treturn serve_status", "a refusal leaves x3"),
    ("src/engine/forward.c", "if (mask >> i & 1) {", "if (i < 17 && (mask >> i & 1)) {", "a reply cannot write x17"),
    (C, "if (action == HVC_DENY) {", "if (action == HVC_DENY && !(vcpu->vm->fate[slot] == HVC_ANSWERED && conduit == HVC_CONDUIT_SMC)) {",
     "a denied function is not denied by SMC"),
    (C, "if (vm->image->settings.discovery == HVC_DISCOVERY_RAW ||\n", "if (\n",
     "discovery is coherent where it should be raw"),
    # Services.
    (A, "!vm_quirk(vm, HVC_QUIRK_ARCH_FEATURES_FEW)", "true", "ARCH_FEATURES knows itself"),
    (P, "service != HVC_SERVICE_PSCI && slot != HVC_FN_SMCCC_VERSION", "service != HVC_SERVICE_PSCI", "PSCI_FEATURES does not know SMCCC_VERSION"),
    (P, "\t\tflags = OFF2_HIBERNATE;\n", "\t\tflags = PSCI_SUCCESS;\n", "PSCI_FEATURES tells no types of SYSTEM_OFF2"),
    (P, "type < RESET2_VENDOR", "type <= RESET2_VENDOR", "the first vendor type of SYSTEM_RESET2 is refused"),
    (P, "argument(vcpu, frame, 2) != 0", "(uint32_t)frame->x[2] != 0", "SYSTEM_OFF2 looks at half of its cookie"),
    (P, "return psci_version(vm) == HVC_VERSION(0, 1) &&\n", "return\n", "0.1's functions are there in every version"),
    (U, "(vm->vcpus[i]->mpidr ^ affinity) & level_mask((unsigned int)level)", "(vm->vcpus[i]->mpidr ^ affinity) & level_mask(0)",
     "AFFINITY_INFO ignores the level"),
    (U, "level > 3", "level > 2", "AFFINITY_INFO refuses level 3"),
    (U, "uint64_t level = argument(vcpu, frame, 2);", "uint64_t level = (uint32_t)frame->x[2];", "AFFINITY_INFO's level is 32 bits wide"),
    (U, "if (status == PSCI_ALREADY_ON || status == PSCI_ON_PENDING) {", "if (0) {", "0.1's CPU_ON says ALREADY_ON"),
    (U, "power == POWER_ON_PENDING && vm_quirk(vcpu->vm, HVC_QUIRK_ON_AT_ONCE)", "false", "AFFINITY_INFO tells ON_PENDING"),
    (U, "*affinity == argument || vm_quirk(vm, HVC_QUIRK_MPIDR_MASKED)", "true", "other bits of an MPIDR are ignored"),
    (T, "bits <= RND_WORDS * width", "bits <= RND_WORDS * width - 1", "TRNG_RND refuses its largest number of bits"),
    (T, "(1ull << (bits - below)) - 1;", "(2ull << (bits - below)) - 1;", "TRNG_RND gives a bit too much"),
    (T, " && frame->x[1] >> 32 != 0)) {", " && 0)) {", "TRNG_FEATURES ignores the upper half of x1"),
    (K, "words[2] = (uint32_t)vm->regs[HVC_REG_VENDOR_HYP_BMAP_2];", "words[1] = (uint32_t)vm->regs[HVC_REG_VENDOR_HYP_BMAP_2];",
     "KVM_FEATURES has the second bitmap in x1"),
    (K, "which > PTP_PHYSICAL ||", "which > PTP_PHYSICAL + 1 ||", "PTP has a third counter"),
    (PV, "(!has_record(vcpu) && !is_forwarded(vm, id))", "false", "PV_TIME_FEATURES does not ask for a record"),
    (Q, "zero(frame, 1u << 1);", "", "a workaround by HVC leaves x1"),
    (Q, "if (verdict == HVC_SYSTEM_SUSPEND ||", "if (", "SYSTEM_SUSPEND zeroes its arguments"),
    (Q, "zero(frame, is_error(frame) ? HVC_X0_X3 :", "zero(frame,", "a service's error leaves x1 to x3 where it has results"),
]
