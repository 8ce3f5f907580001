/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine where there is no libc: a hypervisor's or a firmware's first steps. It links with libhvcgate-engine.a and
 * wants memcpy, memmove, memset and memcmp from you, which your compiler wants anyway.
 *
 *   cc -std=c11 -ffreestanding -c freestanding.c && ld ... freestanding.o yours.o libhvcgate-engine.a
 *
 * As main() it returns 0, or the number of the step that failed.
 */
#include <stdalign.h>

#include <hvcgate/engine.h>

/* All memory there is. State is opaque: its size is told at run time, and stays within these (docs/budgets.md). */
static alignas(64) unsigned char image_memory
	[65536]; /* to make it in: hvc_image_min_size() and more; it is 16 KiB then */
static alignas(64) unsigned char vm_memory[512];
static alignas(64) unsigned char vcpu_memory[128];

/* Profile hvcgate-1, and nothing that a hypervisor's vendor range could answer: owner 6, every ID of it. */
static enum hvc_err make_image(struct hvc_image *image, size_t capacity)
{
	uint32_t first = HVC_ID_FAST | (uint32_t)HVC_OWNER_VENDOR_HYP << 24;
	struct hvc_settings settings;
	enum hvc_err err = hvc_settings_profile(&settings, 1);

	if (err == HVC_OK) {
		err = hvc_image_begin(image, capacity, &settings);
	}
	if (err == HVC_OK) { /* by_rule: no filter range that is added later can take it back */
		err = hvc_image_paint(image, capacity, first, first | 0xffffff, HVC_DENY, true);
	}
	if (err == HVC_OK) {
		first |= HVC_ID_64;
		err = hvc_image_paint(image, capacity, first, first | 0xffffff, HVC_DENY, true);
	}
	if (err == HVC_OK) {
		hvc_image_seal(image);
	}
	return err;
}

/* What a trap handler does: the guest's registers in, the answer out. 0 in x0 to x3 is what an HVC #0 began with. */
static int64_t call(struct hvc_vcpu *vcpu, enum hvc_fn fn)
{
	struct hvc_frame frame = {.x = {hvc_function_at(fn)->id32}};

	return hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame) == HVC_RESUME ? (int64_t)frame.x[0]
									: INT64_MIN;
}

int main(void)
{
	struct hvc_image *image = (void *)image_memory;
	struct hvc_vm *vm = (void *)vm_memory;
	struct hvc_vcpu *vcpu = (void *)vcpu_memory;
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 1, .image = image};

	if (hvc_vm_size() > sizeof(vm_memory) || hvc_vcpu_size() > sizeof(vcpu_memory)) {
		return 1; /* an engine of another version */
	}
	if (make_image(image, sizeof(image_memory)) != HVC_OK) {
		return 2;
	}
	if (hvc_image_check(image, image->bytes) != HVC_OK) { /* one that came from elsewhere */
		return 3;
	}
	if (hvc_vm_init(vm, &config, &vcpu) != HVC_OK) {
		return 4;
	}
	hvc_vm_freeze(vm); /* vCPU 0 is on and about to run */
	if (call(vcpu, HVC_FN_PSCI_VERSION) != (int64_t)HVC_VERSION(1, 1)) {
		return 5;
	}
	return call(vcpu, HVC_FN_KVM_VENDOR_UID) == -1 ? 0 : 6; /* denied: NOT_SUPPORTED */
}
