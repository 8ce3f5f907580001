/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMM's program, looked at before it is started. What is overlooked here the gate (seccomp.c) catches. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "exec.h"
#include "shared.h"

#ifdef __aarch64__
#define MACHINE      EM_AARCH64
#define MACHINE_NAME "AArch64"
#define LOADER       "ld-linux-aarch64.so.1"
#else
#define MACHINE      EM_X86_64
#define MACHINE_NAME "x86-64"
#define LOADER       "ld-linux-x86-64.so.2"
#endif

#define SCRIPTS_MAX 4 /* as the kernel: a script of a script of... */
#define HEADERS_MAX 128

static bool __attribute__((format(printf, 3, 4)))
refuse(char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return false;
}

/* --- Where it is. */

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

bool program_find(const char *name, char **path, char *why, size_t size)
{
	const char *at = getenv("PATH");
	bool more = true;

	*path = NULL;
	if (name[0] == '\0') {
		return refuse(why, size, "the VMM's name is empty");
	}
	if (strchr(name, '/') != NULL) {
		if (access(name, F_OK) < 0) {
			return refuse(why, size, "%s: %s", name, strerror(errno));
		}
		*path = run_format("%s", name);
		return true;
	}
	for (at = at != NULL ? at : "/usr/bin:/bin"; more; at += strcspn(at, ":") + 1) {
		const size_t length = strcspn(at, ":");
		char *candidate = run_format("%.*s%s%s", (int)length, at, length > 0 ? "/" : "./",
					     name);

		if (is_program(candidate)) {
			*path = candidate;
			return true;
		}
		free(candidate);
		more = at[length] != '\0';
	}
	return refuse(why, size, "%s: no such program in PATH", name);
}

/* --- What it is. */

struct file {
	const char *path;
	int fd;
	char *why;
	size_t size;
};

/* Reads all of it, or nothing. */
static bool read_at(const struct file *file, void *to, size_t count, uint64_t offset)
{
	return offset <= INT64_MAX - count &&
	       pread(file->fd, to, count, (off_t)offset) == (ssize_t)count;
}

static bool check_rights(const struct file *file)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0) {
		return refuse(file->why, file->size, "%s: %s", file->path, strerror(errno));
	}
	if (!S_ISREG(status.st_mode)) {
		return refuse(file->why, file->size, "%s: is not a regular file", file->path);
	}
	if (access(file->path, X_OK) < 0) {
		return refuse(file->why, file->size, "%s: may not be executed: %s", file->path,
			      strerror(errno));
	}
	if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) {
		return refuse(
			file->why, file->size,
			"%s: is set-%s-ID: the loader takes no interposer into such a program; "
			"run a copy without that bit",
			file->path, (status.st_mode & S_ISUID) != 0 ? "user" : "group");
	}
	if (fgetxattr(file->fd, "security.capability", NULL, 0) > 0) {
		return refuse(file->why, file->size,
			      "%s: has file capabilities: the loader takes no interposer into such "
			      "a program; run a copy without them (setcap -r)",
			      file->path);
	}
	return true;
}

/* The program's loader, from its headers; "" if it has none. False: said. */
static bool find_loader(const struct file *file, const Elf64_Ehdr *header, char loader[PATH_MAX])
{
	loader[0] = '\0';
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > HEADERS_MAX) {
		return refuse(file->why, file->size, "%s: is a damaged ELF file", file->path);
	}
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;

		if (header->e_phoff > INT32_MAX ||
		    !read_at(file, &segment, sizeof(segment),
			     header->e_phoff + i * sizeof(segment))) {
			return refuse(file->why, file->size, "%s: is a damaged ELF file",
				      file->path);
		}
		if (segment.p_type == PT_INTERP) {
			if (segment.p_filesz < 2 || segment.p_filesz > PATH_MAX ||
			    !read_at(file, loader, segment.p_filesz, segment.p_offset)) {
				return refuse(file->why, file->size, "%s: is a damaged ELF file",
					      file->path);
			}
			loader[segment.p_filesz - 1] = '\0';
			return true;
		}
	}
	return true;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool check_elf(const struct file *file, const Elf64_Ehdr *header)
{
	char loader[PATH_MAX];

	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != MACHINE) {
		return refuse(
			file->why, file->size,
			"%s: is a program for another machine or of 32 bits (ELF class %u, machine %u); a "
			"VMM for KVM is a 64-bit " MACHINE_NAME " program",
			file->path, header->e_ident[EI_CLASS], header->e_machine);
	}
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
		return refuse(file->why, file->size, "%s: is no program (ELF type %u)", file->path,
			      header->e_type);
	}
	if (!find_loader(file, header, loader)) {
		return false;
	}
	/* The loader as a program: what it loads has the interposer, too. */
	if (loader[0] == '\0' && strcmp(name_of(file->path), LOADER) == 0) {
		return true;
	}
	if (loader[0] == '\0') {
		return refuse(
			file->why, file->size,
			"%s: is statically linked: nothing can be put between it and KVM; use a "
			"dynamically linked build, or the library (hvcgate/kvm.h)",
			file->path);
	}
	if (strcmp(name_of(loader), LOADER) != 0) {
		return refuse(file->why, file->size,
			      "%s: is loaded by %s; " EXEC_LIBRARY " is for glibc's " LOADER
			      ": use a build for glibc, or the library (hvcgate/kvm.h)",
			      file->path, loader);
	}
	return true;
}

/* "#! INTERPRETER [ARGUMENT]". */
static bool find_interpreter(const struct file *file, char path[PATH_MAX])
{
	char line[PATH_MAX];
	const ssize_t n = pread(file->fd, line, sizeof(line) - 1, 2);
	size_t start, length;

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	start = strspn(line, " \t");
	length = strcspn(line + start, " \t");
	if (length == 0) {
		return refuse(file->why, file->size, "%s: is a script of no interpreter",
			      file->path);
	}
	memcpy(path, line + start, length);
	path[length] = '\0';
	return true;
}

static bool check(const char *path, unsigned int scripts, char *why, size_t size)
{
	struct file file = {path, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), why, size};
	char interpreter[PATH_MAX] = "";
	Elf64_Ehdr header = {.e_ident = {0}};
	bool fine = false;

	if (file.fd < 0) {
		return refuse(why, size, "%s: cannot be looked at: %s", path, strerror(errno));
	}
	if (!check_rights(&file)) {
		/* said */
	} else if (read_at(&file, &header, sizeof(header), 0) &&
		   memcmp(header.e_ident, ELFMAG, SELFMAG) == 0) {
		fine = check_elf(&file, &header);
	} else if (read_at(&file, &header, 2, 0) && memcmp(&header, "#!", 2) == 0) {
		fine = find_interpreter(&file, interpreter);
	} else {
		refuse(why, size, "%s: is neither an ELF program nor a script", path);
	}
	close(file.fd);
	if (fine && interpreter[0] != '\0') {
		return scripts < SCRIPTS_MAX
			       ? check(interpreter, scripts + 1, why, size)
			       : refuse(why, size, "%s: scripts of scripts without end", path);
	}
	return fine;
}

bool program_check(const char *path, char *why, size_t size)
{
	return check(path, 0, why, size);
}

/* --- The interposer. */

/* Whole, and for this machine? The loader would ignore another file, or die of it. */
static bool check_library(const char *path, char *why, size_t size)
{
	struct file file = {path, open(path, O_RDONLY | O_CLOEXEC), why, size};
	Elf64_Ehdr header;
	struct stat status;
	bool fine;

	if (file.fd < 0) {
		return refuse(why, size, "%s: %s", path, strerror(errno));
	}
	fine = fstat(file.fd, &status) == 0 && read_at(&file, &header, sizeof(header), 0) &&
	       memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_machine == MACHINE &&
	       header.e_type == ET_DYN && header.e_shoff <= (uint64_t)status.st_size &&
	       header.e_shnum * sizeof(Elf64_Shdr) <= (uint64_t)status.st_size - header.e_shoff;
	close(file.fd);
	return fine || refuse(why, size,
			      "%s: is not the whole of a shared library for " MACHINE_NAME
			      "; install it again",
			      path);
}

bool program_library(char **path, char *why, size_t size)
{
	char self[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *found;

	*path = NULL;
	self[n > 0 ? n : 0] = '\0';
	found = run_format("%.*s" EXEC_LIBRARY, (int)(name_of(self) - self), self);
	if (self[0] != '/' || access(found, F_OK) < 0) {
		if (access(HVCGATE_LIBRARY_DIR "/" EXEC_LIBRARY, F_OK) < 0) {
			refuse(why, size,
			       EXEC_LIBRARY
			       " is neither beside this command (%s) nor in " HVCGATE_LIBRARY_DIR
			       ": install it there",
			       found);
			free(found);
			return false;
		}
		free(found);
		found = run_format("%s", HVCGATE_LIBRARY_DIR "/" EXEC_LIBRARY);
	}
	if (!check_library(found, why, size)) {
		free(found);
		return false;
	}
	/* LD_PRELOAD would take it for two. */
	if (strpbrk(found, " :") != NULL) {
		refuse(why, size, "%s: a path without spaces and colons is wanted", found);
		free(found);
		return false;
	}
	*path = found;
	return true;
}
