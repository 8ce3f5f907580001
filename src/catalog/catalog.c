/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue's functions. Freestanding: constant data, no libc, nothing to set up.
 */
#include <hvcgate/catalog.h>

#define HVC_GATE(r, bit) HVC_REG_##r, (bit)
#define HVC_NO_GATE      HVC_REG_NONE, 0

/*
 * What every row must satisfy. Uniqueness of the IDs is proven by hvc_function_by_id(), where two
 * equal ones would be two equal case labels; uniqueness of the names by enum hvc_fn.
 *
 * Bits 23:17 are reserved and 16 is a hint, so no SMCCC ID has them set. The IDs of PSCI 0.1 are
 * older than SMCCC and do.
 */
#define ID_BITS_RESERVED 0x00ff0000u
/* An SMC32 call has its arguments in x1 to x7. */
#define ARGS_32         7
#define IS_PSCI_0_1(id) ((0xffffff00u & (id)) == 0x95c1ba00u)

#define HVC_FUNCTION(name, id32, id64, service, served, major, minor, gate, arg_count, args,       \
		     results, zeroes, failure, flags, meaning)                                     \
	_Static_assert((id32) != 0 || (id64) != 0, #name " has no ID");                            \
	_Static_assert((HVC_ID_64 & (id32)) == 0, #name ": the SMC32 ID has bit 30 set");          \
	_Static_assert((id64) == 0 || (HVC_ID_64 & (id64)) != 0,                                   \
		       #name ": the SMC64 ID has bit 30 clear");                                   \
	_Static_assert((id32) == 0 || (id64) == 0 || ((id32) | HVC_ID_64) == (id64),               \
		       #name ": the IDs differ");                                                  \
	_Static_assert((((id32) | (id64)) & ID_BITS_RESERVED) == 0 || IS_PSCI_0_1(id32),           \
		       #name ": an ID has reserved bits set");                                     \
	_Static_assert((((results) | (zeroes)) & ~HVC_X0_X17) == 0,                                \
		       #name ": a mask goes beyond x17");                                          \
	_Static_assert((HVC_X0 & (results)) != 0, #name ": x0 is always a result");                \
	_Static_assert(((results) & (zeroes)) == 0, #name ": a register is both result and zero"); \
	_Static_assert((arg_count) >= 0 && (arg_count) <= HVC_ARGS_MAX,                            \
		       #name ": too many arguments");                                              \
	_Static_assert(((flags) & ~(HVC_FLAG_NO_RETURN | HVC_FLAG_FFA_ERROR | HVC_FLAG_SECRET)) == \
			       0,                                                                  \
		       #name ": unknown flag");                                                    \
	_Static_assert((HVC_FLAG_FFA_ERROR & (flags)) == 0 ||                                      \
			       HVC_SERVICE_##service == HVC_SERVICE_FF_A,                          \
		       #name ": FFA_ERROR is for FF-A");                                           \
	/* FF-A messages arrive in x0 to x17 even where the call is SMC32 only. */                 \
	_Static_assert((id64) != 0 || HVC_SERVICE_##service == HVC_SERVICE_FF_A ||                 \
			       (~HVC_X0_X7 & (results)) == 0,                                      \
		       #name ": an SMC32 call writes beyond x7");                                  \
	_Static_assert((id64) != 0 || (arg_count) <= ARGS_32, #name ": too many SMC32 arguments");
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION

_Static_assert(HVC_FN_COUNT <= 0xffff, "a slot fits 16 bits");
_Static_assert(HVC_SERVICE_COUNT <= 0xff && HVC_REG_COUNT < HVC_REG_NONE,
	       "service and register fit a byte");

/* Slot 0, "no such function", stays all zero. */
static const struct hvc_function functions[HVC_FN_COUNT] = {
#define HVC_FUNCTION(name_, id32_, id64_, service_, served_, major, minor, gate, arg_count_,   \
		     args_, results_, zeroes_, failure_, flags_, meaning_)                     \
	FUNCTION_ENTRY(name_, id32_, id64_, service_, served_, major, minor, gate, arg_count_, \
		       args_, results_, zeroes_, failure_, flags_, meaning_)
#define FUNCTION_ENTRY(name_, id32_, id64_, service_, served_, major, minor, reg_, reg_bit_, \
		       arg_count_, args_, results_, zeroes_, failure_, flags_, meaning_)     \
	[HVC_FN_##name_] = {                                                                 \
		.name = #name_,                                                              \
		.id32 = (id32_),                                                             \
		.id64 = (id64_),                                                             \
		.since = HVC_VERSION(major, minor),                                          \
		.results = (results_),                                                       \
		.zeroes = (zeroes_),                                                         \
		.failure = (failure_),                                                       \
		.service = HVC_SERVICE_##service_,                                           \
		.reg = (reg_),                                                               \
		.reg_bit = (reg_bit_),                                                       \
		.arg_count = (arg_count_),                                                   \
		.flags = (flags_),                                                           \
		.profile = HVC_SERVED_##served_,                                             \
		.args = (args_),                                                             \
		.meaning = (meaning_),                                                       \
	},
#include <hvcgate/catalog.def>
#undef FUNCTION_ENTRY
#undef HVC_FUNCTION
};

static const char *const service_names[HVC_SERVICE_COUNT] = {
	[HVC_SERVICE_ARCH] = "arch",       [HVC_SERVICE_PSCI] = "psci",
	[HVC_SERVICE_TRNG] = "trng",       [HVC_SERVICE_SDEI] = "sdei",
	[HVC_SERVICE_FF_A] = "ff-a",       [HVC_SERVICE_LFA] = "lfa",
	[HVC_SERVICE_PV_TIME] = "pv-time", [HVC_SERVICE_KVM_VENDOR] = "kvm-vendor",
	[HVC_SERVICE_PKVM] = "pkvm",       [HVC_SERVICE_HYPER_V] = "hyper-v",
	[HVC_SERVICE_TEE] = "tee",
};

static const char *const register_names[HVC_REG_COUNT] = {
	[HVC_REG_PSCI_VERSION] = "PSCI_VERSION",
	[HVC_REG_WORKAROUND_1] = "WORKAROUND_1",
	[HVC_REG_WORKAROUND_2] = "WORKAROUND_2",
	[HVC_REG_WORKAROUND_3] = "WORKAROUND_3",
	[HVC_REG_STD_BMAP] = "STD_BMAP",
	[HVC_REG_STD_HYP_BMAP] = "STD_HYP_BMAP",
	[HVC_REG_VENDOR_HYP_BMAP] = "VENDOR_HYP_BMAP",
	[HVC_REG_VENDOR_HYP_BMAP_2] = "VENDOR_HYP_BMAP_2",
};

/* Owning entities, DEN0028 table 6-2. */
static const struct owner_range {
	const char *name;
	unsigned int first;
	unsigned int last;
} owners[] = {
	{"arch", HVC_OWNER_ARCH, HVC_OWNER_ARCH},
	{"cpu", HVC_OWNER_CPU, HVC_OWNER_CPU},
	{"sip", HVC_OWNER_SIP, HVC_OWNER_SIP},
	{"oem", HVC_OWNER_OEM, HVC_OWNER_OEM},
	{"std", HVC_OWNER_STD, HVC_OWNER_STD},
	{"std-hyp", HVC_OWNER_STD_HYP, HVC_OWNER_STD_HYP},
	{"vendor-hyp", HVC_OWNER_VENDOR_HYP, HVC_OWNER_VENDOR_HYP},
	{"trusted-app", HVC_OWNER_TRUSTED_APP, 49},
	{"trusted-os", HVC_OWNER_TRUSTED_OS, 63},
};

#define OWNER_RANGES (sizeof(owners) / sizeof(owners[0]))

static bool name_equal(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

const struct hvc_function *hvc_function_at(unsigned int slot)
{
	return slot != HVC_FN_NONE && slot < HVC_FN_COUNT ? &functions[slot] : NULL;
}

unsigned int hvc_function_count(void)
{
	return HVC_FN_COUNT;
}

/* Called by the SMC32 ID of a function that has both. */
static bool is_narrow(const struct hvc_function *function, uint32_t id)
{
	return (id & HVC_ID_64) == 0 && function->id64 != 0;
}

uint32_t hvc_function_results(const struct hvc_function *function, uint32_t id)
{
	return is_narrow(function, id) ? function->results & HVC_X0_X7 : function->results;
}

unsigned int hvc_function_arg_count(const struct hvc_function *function, uint32_t id)
{
	return is_narrow(function, id) && function->arg_count > ARGS_32 ? ARGS_32
									: function->arg_count;
}

/*
 * A switch makes the compiler write the search, and refuse a table in which an ID occurs twice. A
 * missing ID gets a label of its own outside the 32 bits that can be asked for.
 */
#define CASE_LABEL(id, fn, width) ((id) != 0 ? (uint64_t)(id) : (uint64_t)(width) << 32 | (fn))

/* NOLINTNEXTLINE(readability-function-size): a statement for every row */
unsigned int hvc_function_by_id(uint32_t id)
{
	switch ((uint64_t)id) {
#define HVC_FUNCTION(name, id32, id64, ...)      \
	case CASE_LABEL(id32, HVC_FN_##name, 1): \
	case CASE_LABEL(id64, HVC_FN_##name, 2): \
		return HVC_FN_##name;
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
	default:
		return HVC_FN_NONE;
	}
}

unsigned int hvc_function_by_name(const char *name)
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if (name_equal(functions[slot].name, name)) {
			return slot;
		}
	}
	return HVC_FN_NONE;
}

const char *hvc_service_name(unsigned int service)
{
	return service < HVC_SERVICE_COUNT ? service_names[service] : NULL;
}

unsigned int hvc_service_by_name(const char *name)
{
	for (unsigned int service = HVC_SERVICE_NONE + 1; service < HVC_SERVICE_COUNT; service++) {
		if (name_equal(service_names[service], name)) {
			return service;
		}
	}
	return HVC_SERVICE_NONE;
}

const char *hvc_owner_name(unsigned int owner)
{
	for (size_t i = 0; i < OWNER_RANGES; i++) {
		if (owner >= owners[i].first && owner <= owners[i].last) {
			return owners[i].name;
		}
	}
	return "reserved";
}

bool hvc_owner_by_name(const char *name, unsigned int *first, unsigned int *last)
{
	for (size_t i = 0; i < OWNER_RANGES; i++) {
		if (name_equal(owners[i].name, name)) {
			*first = owners[i].first;
			*last = owners[i].last;
			return true;
		}
	}
	return false;
}

const char *hvc_register_name(unsigned int reg)
{
	return reg < HVC_REG_COUNT ? register_names[reg] : NULL;
}

unsigned int hvc_register_by_name(const char *name)
{
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		if (name_equal(register_names[reg], name)) {
			return reg;
		}
	}
	return HVC_REG_NONE;
}
