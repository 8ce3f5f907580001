/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_GUEST_STORM_H
#define HVCGATE_GUEST_STORM_H

#define STORM_CPU_BYTES 4096
#define STORM_CONTEXT   512

#endif
