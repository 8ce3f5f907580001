/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every public header needs: how a symbol is exported. A function marked HVC_API is the library's; what is not
 * marked cannot be linked to.
 */
#ifndef HVCGATE_API_H
#define HVCGATE_API_H

#if defined(__GNUC__)
#define HVC_API __attribute__((visibility("default")))
#else
#define HVC_API
#endif

#endif
