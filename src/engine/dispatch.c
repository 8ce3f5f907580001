/* SPDX-License-Identifier: BSD-2-Clause */
/* From a slot to the C function that serves it: what the catalogue's column `served` says. */
#include "service.h"

#define SERVE_YES(name) hvc_serve_##name
#define SERVE_NO(name)  NULL

hvc_serve *const serve_table[HVC_FN_COUNT] = {
	NULL,
#define HVC_FUNCTION(name, id32, id64, service, served, ...) SERVE_##served(name),
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};

hvc_serve *const quirks_table[HVC_FN_COUNT] = {
	NULL,
#define HVC_FUNCTION(...) serve_quirks,
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};
