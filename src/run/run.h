/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hvcgate run`: starts an unmodified guest on QEMU under our monitor at EL2 and a policy.
 *
 * The order of a run: options, policy, kernel and initrd, the machine's device tree (asked of QEMU),
 * layout, the guest's device tree, launch block, QEMU, then the session: console, trace, mailbox.
 *
 * Everything that is handed to QEMU lies in sealed memfds: there is no temporary file. A function
 * that returns bool returns false after it has said on stderr what is wrong.
 */
#ifndef HVCGATE_RUN_H
#define HVCGATE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hvcgate/policy.h>

#include "../el2/launch.h"

#define RUN_MIB     ((uint64_t)1 << 20)
#define RUN_MEM_MIN (32 * RUN_MIB)
#define RUN_MEM_MAX (128 * 1024 * RUN_MIB)

/* --- options.c: the command line. */
enum run_format { RUN_FORMAT_NONE, RUN_FORMAT_TEXT, RUN_FORMAT_JSON };
struct argp_state;
/* options.c: --summary's FORMAT[:FILE], of `run` and `exec`; *file points into `text`, NULL: stderr. Ends the program where it
 * is wrong, as argp does. */
void run_parse_summary(const char *text, struct argp_state *state, enum run_format *format,
		       const char **file);
enum run_host { RUN_HOST_EL2, RUN_HOST_KVM };

struct run_options {
	enum run_host host;
	const char *policy, *guest, *kernel, *initrd, *append, *qemu;
	const char *name; /* NULL: none was given */
	char cpu[128];    /* as given to QEMU */
	unsigned int smp, gic;
	uint64_t mem; /* bytes, a multiple of 2 MiB */
	bool conduit_smc;
	bool trace, trace_json;
	const char *trace_file; /* NULL: stderr */
	enum run_format summary;
	const char *summary_file; /* NULL: stderr */
	bool reset_continues;
	double timeout; /* seconds, 0: none */
	bool deterministic;
};

/* Fills options; ends the process after --help and, with status 2, after an error. */
void run_options_parse(int argc, char **argv, struct run_options *options);

/* --- message.c */
void run_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* From now on messages go to `text` instead, the last one stays; NULL: to stderr again. */
void run_say_into(char *text, size_t size);
/* Says it and returns false. */
bool run_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* asprintf that gives up the process when there is no memory. */
char *run_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* realloc likewise. */
void *run_realloc(void *memory, size_t bytes);
/* May a stream on this descriptor be coloured? A terminal, and NO_COLOR is not set. */
bool run_colour(int fd);
/* Bytes of the well-formed UTF-8 character at `text` (RFC 3629), 0 if it is none. */
size_t run_utf8_length(const char *text);
/* Text of another process must not drive a terminal: control characters (C0 but newline and tab, DEL, C1) and
 * what is not UTF-8 become '?'. In place. */
void run_make_harmless(char *text);
uint64_t run_now_ns(void);

/* --- blob.c: bytes in a sealed memfd. fd -1: there is none. */
struct run_blob {
	int fd;
	uint64_t bytes;
};
#define RUN_NO_BLOB ((struct run_blob){.fd = -1, .bytes = 0})
bool run_blob_make(const char *name, const void *data, size_t bytes, struct run_blob *blob);
/* Where another process that has the descriptor opens it. */
char *run_fd_path(int fd);
/* The whole of a regular file, free() it; `what` names it in messages ("kernel"). */
bool run_file_read(const char *what, const char *path, uint64_t limit, uint8_t **data,
		   size_t *bytes);

/* --- unpack.c */
enum run_packing { RUN_GZIP, RUN_ZSTD, RUN_XZ, RUN_LZMA };
/* Decompress at most `limit` bytes; free() out. NULL, or what is wrong with the input. */
const char *run_unpack(enum run_packing packing, const uint8_t *in, size_t bytes, size_t limit,
		       uint8_t **out, size_t *out_bytes);

/* --- kernel.c */
struct run_kernel {
	struct run_blob blob;
	uint64_t text_offset; /* from a 2 MiB boundary */
	uint64_t memory;      /* bytes it occupies once it runs, from where it is loaded */
	bool flat;            /* no Image header */
};
bool run_kernel_load(const char *path, uint64_t mem, struct run_kernel *kernel);
/* The same from memory; `data` is overwritten or replaced, never freed. For tests. */
bool run_kernel_recognise(const char *path, const uint8_t *data, size_t bytes, uint64_t mem,
			  struct run_kernel *kernel);

/* --- guest.c: the guest that scripts/fetch-guest made, and initrds. */
struct run_guest {
	char *kernel, *initrd; /* paths; initrd NULL if there is none */
	char *name;            /* for people: "debian-12 (linux-image-6.1.0-...)" */
	bool debian;
};
bool run_guest_find(const struct run_options *options, struct run_guest *guest);
/* One initrd out of up to two files, either may be NULL. */
bool run_initrd_load(const char *first, const char *second, uint64_t mem, struct run_blob *blob);

/* --- layout.c: guest-physical addresses. */
struct run_layout {
	uint64_t kernel, dtb, initrd; /* initrd 0: none */
	uint64_t mem;
};
#define RUN_DTB_ROOM (2 * RUN_MIB)
bool run_layout_place(const struct run_kernel *kernel, uint64_t initrd_bytes, uint64_t mem,
		      struct run_layout *layout);

/* A kernel of Linux' size that starts, finds too little memory and says nothing? *advice: how much may do. */
bool run_layout_is_tight(const struct run_kernel *kernel, uint64_t initrd_bytes, uint64_t mem,
			 uint64_t *advice);

/* --- idle.c: the policy's power states, for the guest's device tree. */
/* Write them into an unpacked tree. libfdt's error, or 0. */
int run_idle_describe(void *fdt, const struct hvc_policy *policy);

/* --- devicetree.c */
struct run_machine {
	unsigned int cpu_count, gic_version;
	uint64_t mpidr[EL2_MAX_CPUS];
	struct el2_region devices[EL2_MAX_REGIONS];
	unsigned int device_count;
	uint64_t ecam, pio; /* 0: no PCIe */
};
struct run_wishes {
	bool conduit_smc;
	uint64_t mem;
	const char *bootargs;
	uint64_t initrd, initrd_bytes;
	uint8_t rng_seed[64], kaslr_seed[8];
	const struct hvc_policy *policy; /* whose power states the guest is told */
	const char *model;               /* the machine's name; NULL or "": QEMU's */
};
/* What QEMU's device tree says about the machine. */
bool run_devicetree_read(const void *tree, size_t bytes, struct run_machine *machine);
/* The guest's tree: an allow-list of QEMU's nodes. free() it. */
bool run_devicetree_make(const void *tree, size_t bytes, const struct run_machine *machine,
			 const struct run_wishes *wishes, void **out, size_t *out_bytes);
/* Where the seeds of such a tree lie once it stands at guest-physical `ipa`. Returns how many. */
unsigned int run_devicetree_seeds(const void *tree, uint64_t ipa,
				  struct el2_seed seeds[EL2_MAX_SEEDS]);

/* --- machine.c: QEMU's argument list. */
struct run_args {
	char **argv; /* NULL-terminated */
	size_t count, room;
};
void run_args_add(struct run_args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void run_args_free(struct run_args *args);

/* Device number of the doorbell on PCI bus 0. */
#define RUN_DOORBELL_SLOT 1

#define RUN_BLOBS         8
struct run_load {
	struct run_blob blob;
	uint64_t address; /* physical; ignored for the monitor, which is ELF */
	bool monitor;
};
struct run_pieces {
	int shared;   /* the shared memory's memfd */
	int doorbell; /* write end of a pipe */
	struct run_load loads[RUN_BLOBS];
	size_t load_count;
};
/* The machine without anything loaded: what the device tree is asked of. */
void run_machine_args(const struct run_options *options, const struct run_pieces *pieces,
		      struct run_args *args);
/* The rest of it for a real start. */
void run_machine_load_args(const struct run_options *options, const struct run_pieces *pieces,
			   struct run_args *args);

/* --- kvm.c: QEMU's argument list on an arm64 machine with KVM; free it, whatever comes back. Descriptors of the guest's files stay
 * open. */
bool run_kvm_args(const struct run_options *options, struct run_args *args);

/* --- process.c */
struct run_child {
	pid_t pid;        /* 0: none */
	int in, out, err; /* our ends, -1 when closed */
};
/* `keep`: descriptors it inherits at the same numbers. */
bool run_child_start(const struct run_args *args, const int *keep, size_t keep_count,
		     struct run_child *child);
/* Has it ended? Then what it has started is killed, too, and *status is its wait status. */
bool run_child_ended(struct run_child *child, int *status);
/* Kill it if it runs, and whatever it has started; wait for it. Returns the wait status, or -1 if there was none. */
int run_child_kill(struct run_child *child);
/* The same, and close our ends. */
int run_child_end(struct run_child *child);

/* --- pieces.c: what of ours is in a machine. */
#define RUN_NO_PIECES ((struct run_pieces){.shared = -1, .doorbell = -1})
/* The shared memory, and the pipe of the doorbell; *doorbell is its end to read from. */
bool run_pieces_open(const struct run_options *options, struct run_pieces *pieces, void **shared,
		     int *doorbell);
void run_pieces_add(struct run_pieces *pieces, struct run_blob blob, uint64_t address,
		    bool monitor);
/* Start QEMU with all of it. */
bool run_pieces_start(const struct run_options *options, const struct run_pieces *pieces,
		      struct run_child *child);
/* Close the descriptors. */
void run_pieces_close(struct run_pieces *pieces);

/* --- confine.c: what QEMU may touch, by Landlock. */
/* A descriptor of the rules for a program, -1 where the kernel has no Landlock or HVCGATE_CONFINE is "off". */
int run_confine_open(const char *program);
/* In the child, before exec; async-signal-safe. False: errno says why not. */
bool run_confine_enter(int ruleset);

/* --- interrupt.c: signals as a descriptor. */
/* Block what ends a run and open a signalfd; false when that fails. */
bool run_interrupt_open(int *fd);
/* The signal that ended the run so far, or 0. SIGCHLD and SIGCONT are not among them. */
int run_interrupt_read(int fd, bool *child_changed, bool *continued);
/* Die of the signal with its default action, as the caller of a shell script expects. */
void run_interrupt_raise(int signal) __attribute__((noreturn));

/* --- probe.c: ask QEMU for the machine's device tree. */
struct run_probe {
	uint8_t *tree; /* free() it */
	size_t bytes;
	int qemu_major, qemu_minor;
};
/* `signal`: set when a signal ended it. */
bool run_probe_machine(const struct run_options *options, const struct run_pieces *pieces,
		       int interrupt, struct run_probe *probe, int *signal);

/* --- monitor.c: where a monitor's ELF file is: "monitor.elf". `variable`: of the environment, names another one. */
bool run_monitor_open(const char *name, const char *variable, struct run_blob *blob);

/* --- mailbox.c: the page shared with the monitor. */
void run_mailbox_init(void *shared, bool deterministic);
/* Fill the seed if the monitor took it. */
void run_mailbox_feed(void *shared, bool deterministic);
/* Answer who asks for the time. At once: how long they wait is how unsure they are of the answer. */
void run_mailbox_tell_time(void *shared);
struct run_end {
	enum el2_exit exit;
	uint32_t type, function, boots, counter_hz;
	uint64_t cookie;
	uint64_t clock_bound_ns; /* 0: the guest was told no time */
	char report[2048];
};
void run_mailbox_read(const void *shared, struct run_end *end);
uint32_t run_mailbox_counter_hz(const void *shared);
/* Random bytes from the kernel, or the fixed ones of a deterministic run. */
void run_random(void *bytes, size_t count, bool deterministic);

/* --- revoke.c: functions that are denied while the guest runs. `revocable`: HVC_FN_WORDS words, a bit a slot; NULL: none. */
/* What el2_launch.filter_bytes is to be. False: more than there is. */
bool run_revoke_memory(const struct hvc_image *image, const uint64_t *revocable, uint64_t *bytes);
struct run_revoker {
	struct el2_revoked *shared;
	const uint64_t *revocable;
	uint64_t functions[HVC_FN_WORDS]; /* so far */
	uint32_t news;
};
/* Before the machine starts. */
void run_revoke_init(struct run_revoker *revoker, void *shared, const uint64_t *revocable);
/* Every call that begins after this returns is denied. False: the function is not revocable. */
bool run_revoke(struct run_revoker *revoker, unsigned int slot);
bool run_revoked(const struct run_revoker *revoker, unsigned int slot);

/* --- trace_reader.c: the rings, merged by time. */
struct run_reader;
struct run_reader *run_reader_new(void *shared, unsigned int cpus, bool deterministic);
/* The same for rings of another writer: ring n at `first` + n * stride, its records behind it, a power of two. */
struct run_rings {
	uint8_t *first;
	size_t stride;
	uint32_t records;
	unsigned int count;
};
struct run_reader *run_reader_over(const struct run_rings *rings, bool deterministic);
/* There are more now. */
void run_reader_grow(struct run_reader *reader, unsigned int count);
void run_reader_free(struct run_reader *reader);
/* Take what is in the rings. Returns how many records came. */
size_t run_reader_poll(struct run_reader *reader, uint64_t now_ns);
/* The next record whose place in time is settled; all of them if `final`. */
bool run_reader_next(struct run_reader *reader, uint64_t now_ns, bool final,
		     struct hvc_record *record);
/* Records that found their ring full, and records that were not sound. */
uint64_t run_reader_dropped(const struct run_reader *reader);
uint64_t run_reader_damaged(const struct run_reader *reader);

/* --- trace_text.c, trace_json.c, answer.c: one call as a line. */
struct run_trace {
	const struct hvc_policy *policy;
	const struct run_options *options;
	bool colour;
	uint32_t counter_hz;
};
/* "1.1", "SUCCESS", "NOT_SUPPORTED", "0x3" ...: what x0 means. */
void run_answer(const struct hvc_record *record, char *text, size_t size);
/* "rule 3 at line 12", "feature bit STD_BMAP:0", "service psci"... */
void run_decided(const struct run_trace *trace, const struct hvc_record *record, char *text,
		 size_t size);
/* Name of the n-th argument (from 0), "x5" if the catalogue has none. */
void run_argument_name(const struct hvc_function *function, unsigned int n, char *name,
		       size_t size);
/* Lines with their newline; free() them. */
char *run_text_head(const struct run_trace *trace, const char *guest);
char *run_text_call(const struct run_trace *trace, const struct hvc_record *record);
/* `cpu` -1: it is not known of which. */
char *run_text_dropped(const struct run_trace *trace, uint64_t calls, int cpu);
char *run_json_head(const struct run_trace *trace, const char *guest);
char *run_json_call(const struct run_trace *trace, const struct hvc_record *record);
char *run_json_dropped(const struct run_trace *trace, uint64_t calls, int cpu);

/* --- summary.c */
struct run_outcome {
	const char *reason; /* "the guest powered off" */
	int status;         /* -1: nobody knows */
	double seconds;
	uint64_t dropped;
	bool trace;
	uint32_t boots;
	uint64_t clock_bound_ns;         /* 0: the guest was told no time */
	const struct run_unseen *unseen; /* NULL: all calls were seen */
};
/* Functions whose calls, or some of whose, a kernel keeps to itself. */
struct run_unseen {
	uint64_t functions[HVC_FN_WORDS]; /* a bit each */
};
/* Counters of CPU n at `first` + n * stride. */
struct run_counters {
	const uint8_t *first;
	size_t stride;
	unsigned int count;
};
/* Of a slot, so far, on all CPUs together. */
void run_counts(const struct run_counters *counters, unsigned int slot, uint64_t count[HVC_COUNTS]);
/* Those in the memory that the monitor shares. */
struct run_counters run_counters_of(const void *shared, unsigned int cpus);
/* free() it. */
char *run_summary(const struct run_trace *trace, const struct run_counters *counters,
		  const struct run_outcome *outcome, enum run_format format);

/* --- undo.c */
/* Have `function`, async-signal-safe, called when the process ends by exit() or by a deadly signal. */
bool run_at_end(void (*function)(void));

/* --- output.c: console and trace on one terminal, or apart; never blocks. */
struct run_sink {
	int fd;
	char *data;
	size_t start, count, room;
	size_t chunk;
	int error;
	bool at_line_start, failed;
};
void run_sink_init(struct run_sink *sink, int fd);
void run_sink_free(struct run_sink *sink);
void run_sink_put(struct run_sink *sink, const char *data, size_t count);
/* A line of ours: begins at the start of a line. */
void run_sink_line(struct run_sink *sink, const char *line);
bool run_sink_full(const struct run_sink *sink);
/* Write what the descriptor takes; call when poll() says it takes some. */
void run_sink_flush(struct run_sink *sink);
bool run_same_file(int a, int b);

/* --- console.c: the terminal and its escape keys. */
struct run_console {
	bool input;    /* stdin may be read */
	bool terminal; /* stdin is one, ours, and raw */
	bool escape;   /* Ctrl-A was typed */
};
void run_console_open(struct run_console *console);
/* Again after the process was stopped. */
void run_console_resume(struct run_console *console);
void run_console_close(struct run_console *console);
/* Turn typed bytes into bytes for the guest, in place. Sets *end when the user asked for the end. */
size_t run_console_filter(struct run_console *console, char *data, size_t count, bool *end);

/* --- session.c: from QEMU's start to its end. */
struct run_session {
	const struct run_options *options;
	const struct hvc_policy *policy;
	const uint64_t *revocable; /* NULL: nothing is */
	const char *guest;
	void *shared;
	struct run_child *child;
	int doorbell, interrupt;
	int trace_fd, summary_fd; /* -1: stderr */
};
/* Returns the exit status; *signal: of which the process is to die. */
int run_session(const struct run_session *session, int *signal);

/* --- replay.c: a machine that replays scenarios (src/el2/replay.h). A signal that comes while there is one ends the
 * machine and the process. */
struct replay_box;
struct run_replay;
/* NULL: `why` says why not. */
struct run_replay *run_replay_start(char *why, size_t size);
struct replay_box *run_replay_box(struct run_replay *replay);
/* Do the first `count` operations in the box. False: the machine did not; end it. */
bool run_replay_batch(struct run_replay *replay, uint32_t count, char *why, size_t size);
void run_replay_end(struct run_replay *replay);

/* --- run.c */
int run_main(const struct run_options *options);

#endif
