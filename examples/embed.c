/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMM's first program with hvcgate: a policy, a VM of two vCPUs, four hypercalls.
 *
 *   cc -std=c11 embed.c $(pkg-config --cflags --libs hvcgate) -o embed && ./embed embed.yaml
 *
 * Where this one makes up a guest's registers, yours has them from the trap, with the conduit and the immediate; it
 * gives the guest x0 to x17 back and does what the verdict says (call.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hvcgate/engine.h>
#include <hvcgate/policy.h>

/* Every function that can fail says how; its header says why. */
static void must(enum hvc_err err, const char *what)
{
	if (err != HVC_OK) {
		fprintf(stderr, "embed: %s: %s\n", what, hvc_err_name(err));
		exit(1);
	}
}

/* The engine allocates nothing: its state lies in memory of yours that is aligned to 64 bytes. */
static void *memory(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

	must(p != NULL ? HVC_OK : HVC_ENOMEM, "memory");
	return p;
}

/* What the engine asks of its host, all of it optional (platform.h): here, wake the thread of a vCPU. */
static bool cpu_start(void *host, uint32_t vcpu)
{
	printf("%s: start vCPU %" PRIu32 "\n", (const char *)host, vcpu);
	return true;
}
static const struct hvc_platform platform = {.size = sizeof(platform), .cpu_start = cpu_start};

/* From a policy file to what the engine uses; what is wrong with the file, or odd, is said line by line. */
static struct hvc_image *compile(const char *path)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	struct hvc_image *image = NULL;
	const struct hvc_diag *diag;
	enum hvc_err err;

	must(diags != NULL ? HVC_OK : HVC_ENOMEM, "diagnostics");
	err = hvc_policy_load(path, &policy, diags);
	if (err == HVC_OK) {
		err = hvc_policy_compile(policy, &image, diags);
	}
	for (size_t n = 0; (diag = hvc_diags_at(diags, n)) != NULL; n++) {
		fprintf(stderr, "%s:%u: %s\n", diag->file, diag->line, diag->message);
	}
	must(err, "policy");
	hvc_policy_free(policy);
	hvc_diags_free(diags);
	return image;
}

/* The guest executed HVC #0 with these registers. */
static void guest_calls(struct hvc_vcpu *vcpu, enum hvc_fn fn, uint64_t x1, uint64_t x2,
			uint64_t x3)
{
	const struct hvc_function *function = hvc_function_at(fn);
	uint32_t id = function->id64 != 0 ? function->id64 : function->id32;
	struct hvc_frame frame = {.x = {id, x1, x2, x3}};
	enum hvc_verdict verdict = hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame);

	printf("%s, decided by %s: ", function->name,
	       hvc_decider_name(hvc_vcpu_outcome(vcpu).decider));
	if (verdict == HVC_RESUME) {
		printf("the guest goes on with x0 = %" PRId64 "\n", (int64_t)frame.x[0]);
	} else { /* more than an answer: yours to carry out, with what hvc_vcpu_request() tells */
		printf("the VMM's part is %s\n", hvc_verdict_name(verdict));
	}
}

int main(int argc, char **argv)
{
	struct hvc_image *image = compile(argc > 1 ? argv[1] : NULL); /* NULL: all of hvcgate-1 */
	struct hvc_vm *vm = memory(hvc_vm_size());
	struct hvc_vcpu *vcpus[] = {memory(hvc_vcpu_size()), memory(hvc_vcpu_size())};
	char name[] = "this VMM";
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = 2,
				       .image = image,
				       .platform = &platform,
				       .host = name};
	struct hvc_request start;

	must(hvc_vm_init(vm, &config, vcpus), "VM");
	must(hvc_vcpu_setup(vcpus[0], 0, NULL), "vCPU 0"); /* MPIDR_EL1.Aff0; no counters */
	must(hvc_vcpu_setup(vcpus[1], 1, NULL), "vCPU 1");
	hvc_vm_freeze(vm); /* the guest runs: what it sees does not change any more */

	guest_calls(vcpus[0], HVC_FN_PSCI_VERSION, 0, 0, 0);
	guest_calls(vcpus[0], HVC_FN_TRNG_VERSION, 0, 0, 0);
	guest_calls(vcpus[0], HVC_FN_PSCI_CPU_ON, 1, 0x40080000, 42);
	start = hvc_vcpu_started(vcpus[1]); /* by its own thread, before its first instruction */
	printf("vCPU 1 starts at 0x%" PRIx64 ", x0 = %" PRIu64 "\n", start.entry, start.context);
	guest_calls(vcpus[1], HVC_FN_PSCI_CPU_OFF, 0, 0, 0);

	free(vcpus[1]);
	free(vcpus[0]);
	free(vm);
	free(image); /* last: the VM used it in place */
	return 0;
}
