/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Built by adding.py with the function of docs/adding-a-function.md: what VMs of each policy say to it.
 * usage: adding NAME=POLICY...
 */
#define _ISOC11_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/engine.h>
#include <hvcgate/policy.h>

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "adding: %s\n", what);
		exit(1);
	}
}

static struct hvc_image *compile(const char *path)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	struct hvc_image *image = NULL;
	enum hvc_err err = hvc_policy_load(path, &policy, diags);

	for (size_t n = 0; hvc_diags_at(diags, n) != NULL; n++) {
		fprintf(stderr, "%s\n", hvc_diags_at(diags, n)->message);
	}
	must(err == HVC_OK && hvc_policy_compile(policy, &image, diags) == HVC_OK, path);
	hvc_policy_free(policy);
	hvc_diags_free(diags);
	return image;
}

static int64_t call(struct hvc_vcpu *vcpu, uint32_t id, uint64_t argument)
{
	struct hvc_frame frame = {.x = {id, argument}};

	must(hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame) == HVC_RESUME, "the call does not resume");
	return (int64_t)frame.x[0];
}

static void ask(const char *name, const char *path)
{
	uint32_t id = hvc_function_at(HVC_FN_COUNT - 1)->id32;
	struct hvc_image *image = compile(path);
	struct hvc_vm *vm = aligned_alloc(64, (hvc_vm_size() + 63) / 64 * 64);
	struct hvc_vcpu *vcpus[2];
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 2, .image = image};
	int64_t features, answer;

	for (unsigned int i = 0; i < 2; i++) {
		vcpus[i] = aligned_alloc(64, hvc_vcpu_size());
	}
	must(hvc_vm_init(vm, &config, vcpus) == HVC_OK, "hvc_vm_init");
	hvc_vm_freeze(vm);
	features = call(vcpus[0], hvc_function_at(HVC_FN_PSCI_FEATURES)->id32, id);
	answer = call(vcpus[0], id, 0);
	printf("%-24s %22" PRId64 " %22" PRId64 "\n", name, features, answer);
	free(vcpus[1]);
	free(vcpus[0]);
	free(vm);
	free(image);
}

int main(int argc, char **argv)
{
	printf("%-24s %22s %22s\n", "policy", "PSCI_FEATURES of it", "call of it");
	for (int i = 1; i < argc; i++) {
		char *path = strchr(argv[i], '=');

		must(path != NULL, "usage: adding NAME=POLICY...");
		*path++ = '\0';
		ask(argv[i], path);
	}
	return argc > 1 ? 0 : 1;
}
