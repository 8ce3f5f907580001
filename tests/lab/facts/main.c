// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

#include "facts.h"

/// What the kernel said of its KVM at boot: VHE, nVHE, protected...
static void mode(void)
{
	static char log[1 << 18];
	int size = klogctl(3, log, sizeof(log) - 1); // SYSLOG_ACTION_READ_ALL

	for (char *line = strtok(size > 0 ? log : NULL, "\n"); size > 0 && line != NULL;
	     line = strtok(NULL, "\n")) {
		char *said = strstr(line, "kvm [1]: ");
		if (said != NULL && strstr(said, "initialized successfully") != NULL) {
			*strstr(said, " initialized successfully") = '\0';
			fact("mode", "%s", said + strlen("kvm [1]: "));
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*find)(void);
	} groups[] = {{"registers", facts_registers}, {"filter", facts_filter},
		      {"calls", facts_calls},         {"power", facts_power},
		      {"aarch32", facts_aarch32},     {"protected", facts_protected}};

	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	setvbuf(stdout, NULL, _IOLBF, 0);
	mode();
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		bool wanted = argc < 2;
		for (int n = 1; n < argc; n++) {
			wanted |= strcmp(argv[n], groups[i].name) == 0;
		}
		if (wanted) {
			groups[i].find();
		}
	}
	return 0;
}
