/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_CLI_CTL_TOP_H
#define HVCGATE_CLI_CTL_TOP_H

#include "../ctl/ctl.h"
#include "out.h"

/* Tables a second apart until `count` (0: for ever), q, Ctrl-C, or the VM's end. An exit status. */
int ctl_top(const struct ctl_peer *peer, unsigned long count, enum out_format format);

#endif
