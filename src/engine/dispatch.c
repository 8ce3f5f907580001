/* SPDX-License-Identifier: BSD-2-Clause */
/* From a slot to the C function that serves it: the catalogue's rows, and what the linker has for them. */
#include "service.h"

/* Weak: a row that no service implements leaves a NULL. */
#define HVC_FUNCTION(name, ...) extern __attribute__((weak)) hvc_serve hvc_serve_##name;
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION

hvc_serve *const serve_table[HVC_FN_COUNT] = {
	NULL,
#define HVC_FUNCTION(name, ...) hvc_serve_##name,
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};
