/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_KVM_EXEC_KEEPER_REPORT_H
#define HVCGATE_KVM_EXEC_KEEPER_REPORT_H

#include "keeper.h"

/* Trace and summary. */
extern struct keeper_part keeper_report;

#endif
