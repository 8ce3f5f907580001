/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of a running VM: narrowed at once, or replaced as a whole.
 *
 * Threads: one thread at a time changes the rules of a VM; any number of vCPUs call meanwhile.
 */
#ifndef HVCGATE_LIVE_H
#define HVCGATE_LIVE_H

#include <hvcgate/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Deny [base, base + count - 1] from now on: of every call that enters after this returns. (Who lets the vCPU in must
 * know of the return, as threads know of each other's work: a lock, a message, an atomic flag.) What was handled,
 * notified or forwarded is denied, and becomes a rule of this VM; IDs that are denied already stay so. A call under way
 * meets the old rule or the new one; a forwarded call that is pending goes on under the old rule. Before the first run
 * and after, also where the profile has no filter to add to. IDs are those that calls are normalised to: from SMCCC 1.3
 * on a call with the hint meets what is said of the ID without it.
 * `detail` may be NULL; it says what stands in the way, as hvc_filter_try() does.
 * In this order: HVC_EINVAL (a detail of another size; count 0, wrap); HVC_EEXIST (meets a reserved range); HVC_ENOTSUP
 * (the VM has no filter memory of its own); HVC_ENOMEM (not enough of it: hvc_filter_size() counts ranges tightened as
 * ranges added). All or nothing. There is no way back but another VM.
 */
HVC_API enum hvc_err hvc_vm_tighten(struct hvc_vm *vm, uint32_t base, uint32_t count,
				    struct hvc_filter_detail *detail);
/* The same for any action, as a control plane has it: HVC_EPERM (behind HVC_EINVAL) for another than HVC_DENY, because
 * that could widen what the guest reaches. */
HVC_API enum hvc_err hvc_vm_tighten_to(struct hvc_vm *vm, uint32_t base, uint32_t count,
				       enum hvc_action action, struct hvc_filter_detail *detail);

/*
 * Replace the image of a VM, running or not: other rules, and the same settings and tables but for the policy's digest
 * and the `features`, which go with the rules. What was tightened, and ranges that were added, hold over the new rules,
 * whatever those say. Every call that enters after this returns meets the new rules; a call under way meets the old or
 * the new ones.
 * `image` is checked by the caller and outlives its use; `filter_memory` is the new copy's, as in struct hvc_vm_config,
 * and other memory than the one in use. NULL: the VM has none from now on. The same image again is fine: it moves the VM
 * to a larger filter memory. *epoch tells when the old image and filter memory are free: hvc_vm_passed().
 * HVC_EFAULT (null, not aligned); HVC_EINVAL (the filter memory in use); HVC_EPERM (other settings or tables: the guest
 * would see another ABI); HVC_ENOMEM (filter memory too small for nodes and ranges); HVC_ENOTSUP (ranges were added or
 * tightened and there is no new filter memory to carry them). On an error all is as it was, *epoch too.
 */
HVC_API enum hvc_err hvc_vm_swap_image(struct hvc_vm *vm, const struct hvc_image *image,
				       void *filter_memory, size_t filter_bytes, uint64_t *epoch);
/* This vCPU is not inside hvc_call(): by its own thread between calls, or by another where the vCPU does not run and its
 * last call is known to be over. No lock, one store. A vCPU that is off or asleep passes nothing by itself: whoever
 * holds it back says it for it. */
HVC_API void hvc_vcpu_quiescent(struct hvc_vcpu *vcpu);
/* Has every vCPU passed a quiescent point since the swap that told this epoch? Then what that swap replaced can be
 * freed. */
HVC_API bool hvc_vm_passed(const struct hvc_vm *vm, uint64_t epoch);

#ifdef __cplusplus
}
#endif
#endif
