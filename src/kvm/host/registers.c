/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's registers as the plan shows them. A register that the plan does not know of costs a search in its short list. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SIZE_OF(id) ((size_t)1 << ((id) >> 52 & 15))

static bool applies(const struct hvc_kvm_vcpu *vcpu, const struct plan_view *view)
{
	const uint32_t bit = view->feature - 1;

	return view->feature == 0 || (vcpu->init.features[bit / 32] >> bit % 32 & 1) != 0;
}

const struct plan_view *view_of(const struct hvc_kvm_vcpu *vcpu, uint64_t id)
{
	const struct plan_view_of *plan = &vcpu->vm->kvm->plan;
	uint32_t low = 0, high = plan->header->views.count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (plan->views[middle].id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < plan->header->views.count && plan->views[low].id == id &&
			       applies(vcpu, &plan->views[low])
		       ? &plan->views[low]
		       : NULL;
}

/* --- What travels. */
static bool travels(const struct hvc_kvm_vcpu *vcpu)
{
	return (vcpu->vm->kvm->plan.header->flags & PLAN_TRAVELS) != 0;
}

/* Which of them; UAPI_TRAVEL_COUNT: none. */
static unsigned int travel_number(const struct hvc_kvm_vcpu *vcpu, uint64_t id)
{
	return id - UAPI_TRAVEL_BASE < UAPI_TRAVEL_COUNT && travels(vcpu)
		       ? (unsigned int)(id - UAPI_TRAVEL_BASE)
		       : UAPI_TRAVEL_COUNT;
}

/* --- The kernel's. */
static int kernel_get(struct hvc_kvm_vcpu *vcpu, uint64_t id, void *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return sys(vcpu->vm->kvm, vcpu->fd, KVM_GET_ONE_REG, &reg);
}

/* What the kernel refuses although it has that very value need not be written. */
static int kernel_set(struct hvc_kvm_vcpu *vcpu, uint64_t id, const void *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};
	const int error = sys(vcpu->vm->kvm, vcpu->fd, KVM_SET_ONE_REG, &reg);
	uint8_t own[8] = {0};

	if ((error == EINVAL || error == EBUSY || error == EPERM) && SIZE_OF(id) <= sizeof(own) &&
	    kernel_get(vcpu, id, own) == 0 && memcmp(own, value, SIZE_OF(id)) == 0) {
		return 0;
	}
	return error;
}

/* The plan chose its value. Not the workarounds': there the kernel takes what it can keep. */
static bool is_chosen(uint64_t id)
{
	return id == UAPI_FW(0) || id - UAPI_BITMAP(0) < UAPI_BITMAPS;
}

static const char *name_of(uint64_t id)
{
	static const char *const bitmaps[] = {"STD_BMAP", "STD_HYP_BMAP", "VENDOR_HYP_BMAP",
					      "VENDOR_HYP_BMAP_2"};

	return id == UAPI_FW(0)                     ? "PSCI_VERSION"
	       : id - UAPI_BITMAP(0) < UAPI_BITMAPS ? bitmaps[id - UAPI_BITMAP(0)]
						    : "the register";
}

/* --- List. */
static int by_id(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The kernel's list, with room for `more`; free() it. */
static int kernel_list(struct hvc_kvm_vcpu *vcpu, size_t more, struct kvm_reg_list **list)
{
	struct kvm_reg_list none = {.n = 0};
	int error = sys(vcpu->vm->kvm, vcpu->fd, KVM_GET_REG_LIST, &none);

	*list = NULL;
	if (error != 0 && error != E2BIG) {
		return error;
	}
	*list = malloc(sizeof(**list) + (none.n + more) * sizeof(uint64_t));
	if (*list == NULL) {
		return ENOMEM;
	}
	(*list)->n = none.n;
	error = sys(vcpu->vm->kvm, vcpu->fd, KVM_GET_REG_LIST, *list);
	if (error != 0) {
		free(*list);
		*list = NULL;
	}
	return error;
}

/* Away with what is hidden, and with phantoms that are there after all; then phantoms and what travels. */
static void show(const struct hvc_kvm_vcpu *vcpu, struct kvm_reg_list *list)
{
	const struct plan_view_of *plan = &vcpu->vm->kvm->plan;
	uint64_t kept = 0;

	for (uint64_t i = 0; i < list->n; i++) {
		const struct plan_view *view = view_of(vcpu, list->reg[i]);

		if (view == NULL || view->kind == PLAN_HELD) {
			list->reg[kept++] = list->reg[i];
		}
	}
	for (uint32_t i = 0; i < plan->header->views.count; i++) {
		if (plan->views[i].kind == PLAN_PHANTOM && applies(vcpu, &plan->views[i])) {
			list->reg[kept++] = plan->views[i].id;
		}
	}
	for (unsigned int n = 0; n < UAPI_TRAVEL_COUNT && travels(vcpu); n++) {
		list->reg[kept++] = UAPI_TRAVEL_BASE + n;
	}
	list->n = kept;
	qsort(list->reg, kept, sizeof(list->reg[0]), by_id);
}

int hvc_kvm_list_regs(struct hvc_kvm_vcpu *vcpu, void *to)
{
	const size_t more = vcpu->vm->kvm->plan.header->views.count + UAPI_TRAVEL_COUNT;
	struct kvm_reg_list *list, *out = to;
	uint64_t room = out->n;
	int error = kernel_list(vcpu, more, &list);

	if (error != 0) {
		return error;
	}
	show(vcpu, list);
	out->n = list->n;
	if (room < list->n) {
		error = E2BIG;
	} else {
		memcpy(out->reg, list->reg, list->n * sizeof(list->reg[0]));
	}
	free(list);
	return error;
}

/* --- One. */
/* What it reads is to be behind a call that was left, or before it, but not both. */
static void settle(struct hvc_kvm_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->left, memory_order_relaxed) && travels(vcpu)) {
		pthread_mutex_lock(&vcpu->vm->lock);
		call_settle(vcpu);
		pthread_mutex_unlock(&vcpu->vm->lock);
	}
}

int hvc_kvm_get_reg(struct hvc_kvm_vcpu *vcpu, uint64_t id, void *value)
{
	const struct plan_view *view = vcpu->initialised ? view_of(vcpu, id) : NULL;
	const unsigned int n = vcpu->initialised ? travel_number(vcpu, id) : UAPI_TRAVEL_COUNT;
	uint64_t word;
	int error;

	settle(vcpu);
	if (n < UAPI_TRAVEL_COUNT) {
		error = travel_get(vcpu, n, &word);
		if (error == 0) {
			memcpy(value, &word, sizeof(word));
		}
		return error;
	}
	if (view == NULL) {
		work_settle(vcpu);
		return kernel_get(vcpu, id, value);
	}
	if (view->kind == PLAN_HIDE) {
		return ENOENT;
	}
	memcpy(value, &view->value, SIZE_OF(id));
	return 0;
}

static int set_view(const struct plan_view *view, const void *value)
{
	uint64_t word = 0;

	if (view->kind == PLAN_HIDE) {
		return ENOENT;
	}
	memcpy(&word, value, SIZE_OF(view->id));
	if (word == view->value) {
		return 0;
	}
	return because(EINVAL,
		       view->kind == PLAN_HELD ? "%s (0x%016" PRIx64 "): the policy has 0x%" PRIx64
						 ", not 0x%" PRIx64
					       : "%s (0x%016" PRIx64
						 "): this kernel has none, and only 0x%" PRIx64
						 " means nothing, not 0x%" PRIx64,
		       name_of(view->id), view->id, view->value, word);
}

static int set_chosen(struct hvc_kvm_vcpu *vcpu, uint64_t id, const void *value)
{
	uint64_t own = 0, word;
	const int error = kernel_get(vcpu, id, &own);

	memcpy(&word, value, sizeof(word));
	if (error != 0 || own == word) {
		return error;
	}
	return because(EINVAL,
		       "%s (0x%016" PRIx64 "): the policy has 0x%" PRIx64 ", not 0x%" PRIx64,
		       name_of(id), id, own, word);
}

int hvc_kvm_set_reg(struct hvc_kvm_vcpu *vcpu, uint64_t id, const void *value)
{
	const struct plan_view *view = vcpu->initialised ? view_of(vcpu, id) : NULL;
	const unsigned int n = vcpu->initialised ? travel_number(vcpu, id) : UAPI_TRAVEL_COUNT;
	uint64_t word;

	if (n < UAPI_TRAVEL_COUNT) {
		memcpy(&word, value, sizeof(word));
		return travel_set(vcpu, n, word);
	}
	if (view != NULL) {
		return set_view(view, value);
	}
	return is_chosen(id) ? set_chosen(vcpu, id, value) : kernel_set(vcpu, id, value);
}
