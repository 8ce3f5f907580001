/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a policy file whole: regular files (or "-", standard input), bounded, UTF-8. */
#ifndef HVCGATE_POLICY_READ_H
#define HVCGATE_POLICY_READ_H

#include <stddef.h>

#include "diags.h"

#define READ_MAX_BYTES ((size_t)16 << 20)

struct read_file {
	char *bytes; /* free() it */
	size_t length;
	unsigned long long device, inode; /* which file it is, however it is called */
};

/* HVC_OK; HVC_EIO (cannot be read), HVC_EINVAL (not UTF-8, too large): said in diags at `where`, which is
 * the line that named the file, or the file itself; HVC_ENOMEM. */
enum hvc_err read_policy_file(const char *path, struct read_file *file, struct hvc_diags *diags,
			      const struct pol_mark *self, const struct pol_mark *where);

#endif
