/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a policy file whole: regular files (or "-", standard input), bounded, UTF-8. */
#ifndef HVCGATE_POLICY_READ_H
#define HVCGATE_POLICY_READ_H

#include <stddef.h>

#include "diags.h"

#define READ_MAX_BYTES ((size_t)16 << 20)

struct read_file {
	int fd;
	char *bytes; /* free() it */
	size_t length;
	unsigned long long device, inode; /* which file it is, however it is called */
};

/* Two steps, so that a file that was read before is known by its inode and not read again. What is wrong is
 * said in diags at `where`, which is the line that named the file, or the file itself. */

/* HVC_OK, or HVC_EIO: there is no such file, or not one that can be read. */
enum hvc_err read_policy_open(const char *path, struct read_file *file, struct hvc_diags *diags,
			      const struct pol_mark *where);
/* The bytes, at most READ_MAX_BYTES with the `before` that the policy's other files have. HVC_OK; HVC_EIO
 * (cannot be read); HVC_EINVAL (not UTF-8, too large); HVC_ENOMEM, not said. */
enum hvc_err read_policy_bytes(const char *path, struct read_file *file, size_t before,
			       struct hvc_diags *diags, const struct pol_mark *self,
			       const struct pol_mark *where);
void read_policy_close(struct read_file *file);

#endif
