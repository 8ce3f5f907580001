/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios on `el2`: the calls are made by a guest at EL1 and answered by the engine at EL2, in QEMU. One machine
 * serves all scripts of a host; a script goes there whole, or in batches if it is long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../el2/replay.h"
#include "../run/run.h"
#include "image.h"
#include "scenario.h"

struct el2_host {
	struct scn_host host;
	struct run_replay *replay; /* NULL: it has ended */
	size_t arena;              /* bytes of this batch that images take */
	struct kept *kept;
};

/* Reasons, as long as the host lives. */
struct kept {
	struct kept *next;
	char text[160];
};

static const char *keep(struct el2_host *el2, const char *text)
{
	struct kept *kept = el2->kept;

	while (kept != NULL && strcmp(kept->text, text) != 0) {
		kept = kept->next;
	}
	if (kept == NULL) {
		kept = run_realloc(NULL, sizeof(*kept));
		kept->next = el2->kept;
		snprintf(kept->text, sizeof(kept->text), "%s", text);
		el2->kept = kept;
	}
	return kept->text;
}

/* --- Operations go there. */

/* False: the image does not fit into this batch any more. An image that cannot be made is the VM's error; then nothing
 * is sent for one, so that what follows is not run. */
static bool add_vm(struct el2_host *el2, const struct scn_vm *vm, struct replay_op *to,
		   struct scn_result *result)
{
	struct replay_box *box = run_replay_box(el2->replay);
	enum hvc_err err;
	struct hvc_image *image = scn_image_make(vm, &err);

	if (image == NULL) {
		*result = (struct scn_result){.kind = SCN_ERROR, .err = err};
		return true;
	}
	if (image->bytes > sizeof(box->arena) - el2->arena) {
		free(image);
		return false;
	}
	to->image = el2->arena;
	to->image_bytes = image->bytes;
	to->cpus = vm->cpus;
	to->flags = HVC_VM_FORWARD | (vm->psci_0_2 ? 0 : HVC_VM_PSCI_0_1);
	to->stolen_time = vm->stolen_time;
	memcpy(box->arena + el2->arena, image, image->bytes);
	el2->arena += (image->bytes + 7u) & ~(size_t)7;
	free(image);
	return true;
}

/* As many operations as go into one batch, from `first` on. What is known without the monitor goes into results. */
static uint32_t fill(struct el2_host *el2, const struct scn_script *script, size_t first,
		     struct scn_result *results)
{
	struct replay_box *box = run_replay_box(el2->replay);
	uint32_t count = 0;

	el2->arena = 0;
	while (count < REPLAY_OPS && first + count < scn_count(script)) {
		const struct scn_op *op = scn_op_at(script, first + count);
		struct replay_op *to = &box->ops[count];

		*to = (struct replay_op){.op = *op, .new_script = first + count == 0};
		to->op.vm = NULL;
		if (op->command == SCN_VM && !add_vm(el2, op->vm, to, &results[first + count])) {
			break;
		}
		count++;
	}
	return count;
}

/* --- Results come back. */

static const char *trouble(struct el2_host *el2, const struct replay_result *from)
{
	static const char *const others[] = {"SP_EL1", "SP_EL0", "PSTATE"};
	char text[160] = "the call changed";
	size_t used = strlen(text);

	if ((from->trouble & REPLAY_LOST_PC) != 0) {
		snprintf(text, sizeof(text),
			 "the guest did not go on behind the call: ESR_EL2 0x%llx, FAR_EL2 0x%llx",
			 (unsigned long long)from->esr, (unsigned long long)from->address);
		return keep(el2, text);
	}
	for (unsigned int n = HVC_FRAME_REGS; n <= 33 && used < sizeof(text); n++) {
		if ((from->trouble >> n & 1) == 0) {
			continue;
		}
		used += (size_t)(n <= 30 ? snprintf(text + used, sizeof(text) - used, " x%u", n)
					 : snprintf(text + used, sizeof(text) - used, " %s",
						    others[n - 31]));
	}
	return keep(el2, text);
}

/* `from` is our own copy, but the other side wrote it. */
static void take(struct el2_host *el2, struct replay_result *from, struct scn_result *to)
{
	const unsigned int kind = from->result.kind, event = from->result.event,
			   conduit = from->result.conduit;

	*to = from->result;
	to->reason = NULL;
	if (from->trouble != 0 || kind > SCN_BROKEN || event >= SCN_EVENT_KINDS ||
	    conduit > HVC_CONDUIT_SMC || to->list_count > SCN_LIST_MAX) {
		*to = (struct scn_result){.kind = SCN_BROKEN};
		to->reason = from->trouble != 0 ? trouble(el2, from)
						: "the monitor answers what is no result";
	} else if (to->kind == SCN_BROKEN || to->kind == SCN_UNSUPPORTED ||
		   to->kind == SCN_NOT_RUN) {
		from->reason[sizeof(from->reason) - 1] = '\0';
		run_make_harmless(from->reason);
		to->reason = from->reason[0] == '\0' ? NULL : keep(el2, from->reason);
	}
}

static void take_all(struct el2_host *el2, uint32_t count, struct scn_result *results)
{
	const struct replay_box *box = run_replay_box(el2->replay);

	for (uint32_t i = 0; i < count; i++) {
		struct replay_result copy = box->results[i];

		if (results[i].kind == SCN_NOT_RUN) {
			take(el2, &copy, &results[i]);
		}
	}
}

/* --- The host. */

/* Again, if the last script was the end of it. */
static bool start(struct el2_host *el2, char *why, size_t size)
{
	if (el2->replay == NULL) {
		el2->replay = run_replay_start(why, size);
	}
	return el2->replay != NULL;
}

static bool run_batch(struct el2_host *el2, const struct scn_script *script, size_t *done,
		      struct scn_result *results, char *why, size_t size)
{
	const uint32_t count = fill(el2, script, *done, results);

	if (count == 0) {
		snprintf(why, size, "the policy's image is larger than there is room for");
		return false;
	}
	if (!run_replay_batch(el2->replay, count, why, size)) {
		run_replay_end(el2->replay);
		el2->replay = NULL;
		return false;
	}
	take_all(el2, count, results + *done);
	*done += count;
	return true;
}

static bool run(struct scn_host *host, const struct scn_script *script, struct scn_result *results,
		char *why, size_t size)
{
	struct el2_host *el2 = (struct el2_host *)(void *)host;
	size_t done = 0;
	bool good = start(el2, why, size);

	while (good && done < scn_count(script)) {
		good = run_batch(el2, script, &done, results, why, size);
	}
	return good;
}

static void close_host(struct scn_host *host)
{
	struct el2_host *el2 = (struct el2_host *)(void *)host;

	while (el2->kept != NULL) {
		struct kept *next = el2->kept->next;

		free(el2->kept);
		el2->kept = next;
	}
	if (el2->replay != NULL) {
		run_replay_end(el2->replay);
	}
	free(el2);
}

struct scn_host *scn_el2_host(char *why, size_t size)
{
	struct el2_host *el2 = run_realloc(NULL, sizeof(*el2));

	*el2 = (struct el2_host){.host = {.name = "el2", .run = run, .close = close_host}};
	if (!start(el2, why, size)) {
		free(el2);
		return NULL;
	}
	return &el2->host;
}
