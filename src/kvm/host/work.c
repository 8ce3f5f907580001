/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vCPUs ask of each other. Every ioctl on a vCPU that has run is made by its own thread, outside KVM_RUN: KVM holds
 * a lock while a vCPU runs or sleeps, and a VMM that is about to write registers back would undo what came between. So who
 * asks puts work into the target's queue, gets it out of KVM_RUN, and waits, doing meanwhile what others ask of it.
 */
#include <errno.h>

#include "internal.h"

/* `hold`: it may stay here until who started to start it has made up its mind. Under work_lock. True: it was stopped. */
static bool step(struct hvc_kvm_vcpu *vcpu, bool hold)
{
	const bool stop = vcpu->stop_asked;
	bool changed = stop || vcpu->start_asked;

	if (stop) {
		vcpu->stop_asked = false;
		power_stop(vcpu);
	}
	if (vcpu->start_asked) {
		vcpu->start_asked = false;
		power_begin(vcpu);
	}
	while (vcpu->queue != NULL) {
		struct work *work = vcpu->queue;

		if (work->stage == WORK_WAITS && power_stopped(vcpu) && work->kind == WORK_START) {
			changed |= hold;
			work->stage = hold ? WORK_HELD : WORK_WAITS;
			break;
		}
		if (work->stage == WORK_HELD) {
			break;
		}
		changed = true;
		vcpu->queue = work->next;
		if (work->stage == WORK_GO) {
			work->error = power_begin(vcpu);
			work->stage = WORK_DONE;
		} else {
			work->stage = WORK_TOLD;
		}
	}
	atomic_store(&vcpu->todo, vcpu->queue != NULL);
	if (changed) {
		/* Not for nothing: those who wait would wake each other for ever. */
		wake_all(&vcpu->vm->changes);
	}
	return stop;
}

void work_given(struct hvc_kvm_vcpu *vcpu)
{
	atomic_store(&vcpu->todo, true);
	kick_vcpu(vcpu);
}

static void append(struct work *work)
{
	struct work **link = &work->target->queue;

	while (*link != NULL) {
		link = &(*link)->next;
	}
	*link = work;
}

static void take_out(struct work *work)
{
	struct work **link = &work->target->queue;

	while (*link != work) {
		link = &(*link)->next;
	}
	*link = work->next;
}

/* Wait until the target has looked, under work_lock. EINTR: called away. */
static int wait_told(struct hvc_kvm_vcpu *self, struct work *work)
{
	struct hvc_kvm_vm *vm = self->vm;
	bool away = false;

	for (;;) {
		uint32_t seen;

		away |= step(self, false);
		if (work->stage == WORK_WAITS && kick_adopted(work->target)) {
			step(work->target, true); /* one thread runs both */
		}
		if (work->stage != WORK_WAITS) {
			return 0;
		}
		if (away || kick_wanted(self)) {
			take_out(work);
			return EINTR;
		}
		seen = atomic_load(&vm->changes);
		pthread_mutex_unlock(&vm->work_lock);
		away = wait_change(&vm->changes, seen);
		pthread_mutex_lock(&vm->work_lock);
		/* Again: a VMM, or a debugger, may hold signals back for a while. */
		if (work->stage == WORK_WAITS) {
			kick_vcpu(work->target);
		}
	}
}

int work_ask(struct hvc_kvm_vcpu *self, uint32_t index, enum work_kind kind, struct work *work)
{
	struct hvc_kvm_vcpu *target;
	int error = 0;

	pthread_mutex_lock(&self->vm->work_lock);
	target = self->vm->vcpus[index];
	*work = (struct work){.target = target, .index = index, .kind = kind};
	if (target == NULL || target == self) {
		work->stage = WORK_TOLD;
	} else if (atomic_load(&target->thread) == 0) {
		/* Its thread has to take this lock before it runs. */
		power_stopped(target);
		work->stage = WORK_TOLD;
	} else {
		append(work);
		work_given(target);
		error = wait_told(self, work);
	}
	pthread_mutex_unlock(&self->vm->work_lock);
	return error;
}

void work_go(struct work *work)
{
	struct hvc_kvm_vm *vm = work->target->vm;

	pthread_mutex_lock(&vm->work_lock);
	work->stage = WORK_GO;
	work->target->big_endian = work->big_endian;
	wake_all(&vm->changes);
	while (work->stage != WORK_DONE) {
		const uint32_t seen = atomic_load(&vm->changes);

		if (kick_adopted(work->target)) {
			step(work->target, true);
			continue;
		}
		/* A few ioctls of a thread that is in work_do(): not worth being called away from. */
		pthread_mutex_unlock(&vm->work_lock);
		wait_change(&vm->changes, seen);
		pthread_mutex_lock(&vm->work_lock);
	}
	pthread_mutex_unlock(&vm->work_lock);
}

/* It may be gone, or on its way for another one by now. */
static struct hvc_kvm_vcpu *not_begun(struct hvc_kvm_vm *vm, const struct work *work)
{
	struct hvc_kvm_vcpu *target = vm->vcpus[work->index];
	const bool ours = target != NULL && target->start_asked &&
			  target->start_number == work->start_number;

	return ours && atomic_load(&target->thread) != 0 ? target : NULL;
}

int work_begun(struct hvc_kvm_vcpu *self, const struct work *work)
{
	struct hvc_kvm_vm *vm = self->vm;
	struct hvc_kvm_vcpu *target;
	bool away = false;

	pthread_mutex_lock(&vm->work_lock);
	while ((target = not_begun(vm, work)) != NULL) {
		const uint32_t seen = atomic_load(&vm->changes);

		away |= step(self, false);
		if (kick_adopted(target)) {
			step(target, true);
			continue;
		}
		if (away || kick_wanted(self)) {
			power_withdraw(target);
			pthread_mutex_unlock(&vm->work_lock);
			return EINTR;
		}
		kick_vcpu(target);
		pthread_mutex_unlock(&vm->work_lock);
		away = wait_change(&vm->changes, seen);
		pthread_mutex_lock(&vm->work_lock);
	}
	pthread_mutex_unlock(&vm->work_lock);
	return 0;
}

void work_let(struct work *work)
{
	struct hvc_kvm_vm *vm = work->target->vm;

	pthread_mutex_lock(&vm->work_lock);
	take_out(work);
	wake_all(&vm->changes);
	pthread_mutex_unlock(&vm->work_lock);
}

void work_do(struct hvc_kvm_vcpu *vcpu)
{
	struct hvc_kvm_vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->work_lock);
	for (;;) {
		uint32_t seen;

		step(vcpu, true);
		if (vcpu->queue == NULL) {
			break;
		}
		seen = atomic_load(&vm->changes);
		pthread_mutex_unlock(&vm->work_lock);
		vcpu->called_away |= wait_change(&vm->changes, seen);
		pthread_mutex_lock(&vm->work_lock);
	}
	pthread_mutex_unlock(&vm->work_lock);
}

void work_abandon(struct hvc_kvm_vcpu *vcpu)
{
	while (vcpu->queue != NULL) {
		vcpu->queue->stage = WORK_TOLD;
		vcpu->queue = vcpu->queue->next;
	}
	wake_all(&vcpu->vm->changes);
}

bool work_within(struct hvc_kvm_vcpu *vcpu)
{
	bool stopped;

	pthread_mutex_lock(&vcpu->vm->work_lock);
	stopped = step(vcpu, false);
	pthread_mutex_unlock(&vcpu->vm->work_lock);
	return stopped;
}

void work_settle(struct hvc_kvm_vcpu *vcpu)
{
	if (atomic_load(&vcpu->todo) && !atomic_load(&vcpu->inside)) {
		work_within(vcpu);
	}
}
