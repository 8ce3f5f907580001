/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of the control plane: what hvcgate tells the program that embeds or configures it.
 *
 * Never a value for a guest (those are SMCCC and PSCI return codes in the frame) and never a
 * verdict (enum hvc_verdict). The numbers are Linux's, negated; a unit test asserts that.
 */
#ifndef HVCGATE_ERR_H
#define HVCGATE_ERR_H

#include <hvcgate/api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hvc_err {
	HVC_OK = 0,
	HVC_EPERM = -1,    /* the request would widen what was shut; only narrowing is allowed */
	HVC_ENOENT = -2,   /* no such register or function here: walk the list to see what exists */
	HVC_EIO = -5,      /* the host's I/O failed */
	HVC_ENXIO = -6,    /* no such attribute here */
	HVC_E2BIG = -7,    /* the caller's array is too small; the needed count was written back */
	HVC_ENOEXEC = -8,  /* the vCPU is not initialised */
	HVC_ENOMEM = -12,  /* caller memory too small: give hvc_*_size() bytes, or fewer rules */
	HVC_EFAULT = -14,  /* a null or misaligned pointer where memory is needed */
	HVC_EBUSY = -16,   /* too late: a vCPU has run; do it before the first call */
	HVC_EEXIST = -17,  /* the range meets a reserved or an earlier range: query it first */
	HVC_EINVAL = -22,  /* a value outside what is supported */
	HVC_EBADMSG = -74, /* an image or stream is corrupt: make it again */
	HVC_ENOTSUP = -95, /* made for another version of hvcgate: compile it with this one */
	HVC_ECANCELED = -125 /* the user interrupted it */
};

/* "EINVAL" and so on; "E?" for a number that is none of the above. Constant string. */
HVC_API const char *hvc_err_name(enum hvc_err err);

#ifdef __cplusplus
}
#endif
#endif
