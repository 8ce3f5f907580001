/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hvcgate ctl` prints of what a VM's process says of itself. That is another process's word: any JSON. */
#ifndef HVCGATE_CLI_CTL_PRINT_H
#define HVCGATE_CLI_CTL_PRINT_H

#include <jansson.h>

void ctl_print_list(const json_t *vms);
/* The same for programs: without what is long. Takes `vms`. */
json_t *ctl_json_list(json_t *vms);
void ctl_print_show(const json_t *vm);
void ctl_print_deny(const json_t *reply);

/* A string without control characters, good until the fourth call after this; "-" for what is none. */
const char *ctl_text(const json_t *object, const char *key);
json_int_t ctl_number(const json_t *object, const char *key);

#endif
