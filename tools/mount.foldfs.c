// SPDX-License-Identifier: GPL-2.0-only
/*
 * mount.foldfs - what mount(8) runs for "mount -t foldfs LOWER MOUNTPOINT".
 *
 * The mount would work without it: the point of the helper is to say in one plain
 * line why it did not. The kernel writes its reasons to the log of a filesystem
 * context, and only a caller of fsopen(2) can read that log. So the new mount
 * system calls are used directly, and mount(8)'s generic options are divided here
 * into those of the filesystem, those of the mount, and those of user space.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libmount.h>
#include <limits.h>
#include <locale.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

/* The longest string that fsconfig(2) takes. */
#define STRING_MAX 255

#define PROPAGATION_FLAGS (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/* All attributes that mount(8) can name: what a remount takes away if not named. */
#define NAMED_ATTRS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |	\
		     MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | \
		     MOUNT_ATTR_NOSYMFOLLOW)

struct request {
	const char *lower;
	const char *target;
	char *fs_options;	/* what only the filesystem knows */
	unsigned long flags;	/* MS_*, from the generic options */
	bool fake;		/* -f: all but the mount itself */
	bool sloppy;		/* -s: skip options that the filesystem does not know */
	bool verbose;
};

/*
 * Prints what the kernel logged for the context @fs, one line a message. True when
 * there was an error among it, so that the caller need not explain errno itself.
 */
static bool print_log(int fs, bool with_errors)
{
	/* Room for a lower directory of any length: what does not fit is lost. */
	static char message[3 * PATH_MAX];
	bool error = false;
	ssize_t length;

	/* Each read gives one whole message: "e foldfs: ...", "w ..." or "i ...". */
	while ((length = read(fs, message, sizeof(message) - 1)) > 0) {
		const char *text = message;

		if (message[length - 1] == '\n')
			length--;
		message[length] = '\0';
		if (message[0] && message[1] == ' ')
			text += 2;
		if (!strncmp(text, "foldfs: ", 8))
			text += 8;
		if (message[0] == 'e') {
			if (!with_errors)
				continue;
			error = true;
		}
		complain("%s%s", message[0] == 'w' ? "warning: " : "", text);
	}
	return error;
}

/* Ends a failed step: the kernel's own words when there are some, else errno's. */
static int fail(int fs, const char *what)
{
	int error = errno;

	if (!print_log(fs, true)) {
		errno = error;
		complain_errno("%s", what);
	}
	return MNT_EX_FAIL;
}

static int fail_option(int fs, const char *name)
{
	char *what;
	int result;

	if (asprintf(&what, "option '%s'", name) < 0)
		return fail(fs, name);
	result = fail(fs, what);
	free(what);
	return result;
}

/* Options of the filesystem that it does not handle itself but the VFS does. */
static int set_superblock_flags(int fs, unsigned long flags)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} names[] = {
		{ MS_RDONLY, "ro" },
		{ MS_SYNCHRONOUS, "sync" },
		{ MS_DIRSYNC, "dirsync" },
		{ MS_LAZYTIME, "lazytime" },
		{ MS_MANDLOCK, "mand" },
		{ MS_I_VERSION, "iversion" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag &&
		    fsconfig(fs, FSCONFIG_SET_FLAG, names[i].name, NULL, 0))
			return fail_option(fs, names[i].name);
	return MNT_EX_SUCCESS;
}

static int set_option(const struct request *request, int fs, const char *name, const char *value)
{
	int result;

	if (strlen(name) > STRING_MAX || (value && strlen(value) > STRING_MAX)) {
		complain("option '%.16s...' is longer than %d bytes: shorten its %s", name,
			 STRING_MAX, strlen(name) > STRING_MAX ? "name" : "value");
		return MNT_EX_FAIL;
	}
	if (value)
		result = fsconfig(fs, FSCONFIG_SET_STRING, name, value, 0);
	else
		result = fsconfig(fs, FSCONFIG_SET_FLAG, name, NULL, 0);
	if (!result)
		return MNT_EX_SUCCESS;

	if (request->sloppy && errno == EINVAL) {
		if (request->verbose)
			complain("option '%s' is not known and was skipped", name);
		print_log(fs, false);
		return MNT_EX_SUCCESS;
	}
	return fail_option(fs, name);
}

/* The value may be in quotes, as security contexts with a comma are. */
static char *copy_value(const char *value, size_t length)
{
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		value++;
		length -= 2;
	}
	return strndup(value, length);
}

static int set_options(const struct request *request, int fs)
{
	char *rest = request->fs_options, *name, *value;
	size_t name_length, value_length;
	int result;

	result = set_superblock_flags(fs, request->flags);
	while (!result && rest && *rest &&
	       !mnt_optstr_next_option(&rest, &name, &name_length, &value, &value_length)) {
		char *name_copy = strndup(name, name_length);
		char *value_copy = value ? copy_value(value, value_length) : NULL;

		if (!name_copy || (value && !value_copy)) {
			complain_errno("option '%.*s'", (int)name_length, name);
			result = MNT_EX_SYSERR;
		} else {
			result = set_option(request, fs, name_copy, value_copy);
		}
		free(value_copy);
		free(name_copy);
	}
	return result;
}

/* The mount's own attributes, with mount(2)'s rules for access times. */
static unsigned int mount_attributes(unsigned long flags)
{
	static const struct {
		unsigned long flag;
		unsigned int attribute;
	} table[] = {
		{ MS_RDONLY, MOUNT_ATTR_RDONLY },
		{ MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ MS_NODEV, MOUNT_ATTR_NODEV },
		{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
		{ MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};
	unsigned int attributes = MOUNT_ATTR_RELATIME;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (flags & table[i].flag)
			attributes |= table[i].attribute;
	if (flags & MS_STRICTATIME)
		attributes |= MOUNT_ATTR_STRICTATIME;
	else if (flags & MS_NOATIME)
		attributes |= MOUNT_ATTR_NOATIME;
	return attributes;
}

static int set_propagation(const struct request *request)
{
	unsigned long flags = request->flags & (PROPAGATION_FLAGS | MS_REC);

	if (!(flags & PROPAGATION_FLAGS))
		return MNT_EX_SUCCESS;
	if (mount("none", request->target, NULL, flags, NULL)) {
		complain_errno("%s: cannot set the propagation type", request->target);
		return MNT_EX_FAIL;
	}
	return MNT_EX_SUCCESS;
}

/* Without output: the caller sees by the next fsopen() whether it helped. */
static void load_module(void)
{
	static char program[] = "modprobe", quiet[] = "-q", module[] = "foldfs";
	char *arguments[] = { program, quiet, module, NULL };
	pid_t child = fork();

	if (!child) {
		/* As root in a system whose PATH may be the caller's. */
		if (!setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1))
			execvp(program, arguments);
		_exit(127);
	}
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
}

/* A new filesystem context, or -1 after it complained. */
static int open_context(void)
{
	int fs = fsopen("foldfs", FSOPEN_CLOEXEC);

	if (fs < 0 && errno == ENODEV) {
		load_module();
		fs = fsopen("foldfs", FSOPEN_CLOEXEC);
		if (fs < 0 && errno == ENODEV) {
			complain("the foldfs module is not loaded, and modprobe could not load it; see foldctl doctor");
			return -1;
		}
	}
	if (fs < 0)
		complain_errno("cannot make a mount");
	return fs;
}

/* The kernel takes a longer one as a path only, if the module knows that. */
static int set_lower(const struct request *request, int fs)
{
	bool is_long = strlen(request->lower) > STRING_MAX;

	if (!is_long)
		return fsconfig(fs, FSCONFIG_SET_STRING, "source", request->lower, 0);
	return fsconfig(fs, FSCONFIG_SET_PATH, "source", request->lower, AT_FDCWD);
}

/* A mount that is not attached anywhere yet: its descriptor, or -1 with @result set. */
static int make_mount(const struct request *request, int fs, int *result)
{
	int mount = -1;

	*result = set_options(request, fs);
	if (*result)
		return -1;
	if (set_lower(request, fs)) {
		*result = fail(fs, request->lower);
		return -1;
	}
	if (request->fake)
		return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		*result = fail(fs, request->lower);
		return -1;
	}
	mount = fsmount(fs, FSMOUNT_CLOEXEC, mount_attributes(request->flags));
	if (mount < 0)
		*result = fail(fs, request->lower);
	else
		print_log(fs, true);
	return mount;
}

static int new_mount(const struct request *request, int fs)
{
	int mount, result;

	mount = make_mount(request, fs, &result);
	if (mount < 0)
		return result;

	if (move_mount(mount, "", AT_FDCWD, request->target,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS | MOVE_MOUNT_T_AUTOMOUNTS)) {
		complain_errno("%s", request->target);
		result = MNT_EX_FAIL;
	}
	close(mount);
	if (!result)
		result = set_propagation(request);
	if (!result && request->verbose)
		printf("mount.foldfs: %s mounted on %s\n", request->lower, request->target);
	return result;
}

static int remount_superblock(const struct request *request)
{
	int fs, result;

	fs = fspick(AT_FDCWD, request->target, FSPICK_CLOEXEC);
	if (fs < 0) {
		complain_errno("%s", request->target);
		return MNT_EX_FAIL;
	}
	result = set_options(request, fs);
	if (!result && !(request->flags & MS_RDONLY) &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "rw", NULL, 0))
		result = fail_option(fs, "rw");
	if (!result && !request->fake && fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		result = fail(fs, request->target);
	close(fs);
	return result;
}

/* With "bind", mount(8)'s way to say so, only the mount point's own flags change. */
static int remount(const struct request *request)
{
	struct mount_attr attr = {
		.attr_set = mount_attributes(request->flags),
		.attr_clr = NAMED_ATTRS,
	};
	int result = MNT_EX_SUCCESS;

	if (!(request->flags & MS_BIND))
		result = remount_superblock(request);
	if (result || request->fake)
		return result;
	if (mount_setattr(AT_FDCWD, request->target, 0, &attr, sizeof(attr))) {
		complain_errno("%s", request->target);
		return MNT_EX_FAIL;
	}
	return set_propagation(request);
}

static int parse_options(struct request *request, const char *options)
{
	char *generic = NULL;
	int error;

	/* What is for user space (noauto, _netdev, x-...) is dropped: mount(8) has it. */
	error = mnt_split_optstr(options, NULL, &generic, &request->fs_options, 0, 0);
	if (!error && generic)
		error = mnt_optstr_get_flags(generic, &request->flags,
					     mnt_get_builtin_optmap(MNT_LINUX_MAP));
	free(generic);
	if (error) {
		errno = -error;
		complain_errno("cannot understand the options '%s'", options);
		return MNT_EX_USAGE;
	}
	return MNT_EX_SUCCESS;
}

/* @where is a process id or the path of a mount namespace, as in mount -N. */
static int enter_namespace(const char *where)
{
	char path[64];
	int fd;

	if (strspn(where, "0123456789") == strlen(where)) {
		snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", where);
		where = path;
	}
	fd = open(where, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNS)) {
		complain_errno("%s", where);
		return MNT_EX_SYSERR;
	}
	close(fd);
	return MNT_EX_SUCCESS;
}

static void usage(FILE *out)
{
	fputs("Usage: mount.foldfs LOWER MOUNTPOINT [-fnsv] [-N NAMESPACE] [-o OPTION,...]\n"
	      "\n"
	      "Mount foldfs over the directory LOWER. mount(8) runs this for 'mount -t foldfs'.\n"
	      "\n"
	      "  -f, --fake            do everything but the mount\n"
	      "  -n, --no-mtab         accepted, changes nothing\n"
	      "  -s                    skip options that foldfs does not know\n"
	      "  -v, --verbose         say what was done\n"
	      "  -N, --namespace NS    mount in another mount namespace, a process id or a file\n"
	      "  -o, --options LIST    mount options, see foldfs(5)\n"
	      "  -t TYPE               accepted, must be foldfs\n"
	      "  -h, --help            show this text\n"
	      "  -V, --version         show the version\n", out);
}

static int out_of_memory(void)
{
	complain_errno("cannot keep the options");
	return MNT_EX_SYSERR;
}

static int wrong_type(const char *type)
{
	complain("cannot mount the type '%s'", type);
	return MNT_EX_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fake", no_argument, NULL, 'f' },
		{ "no-mtab", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "namespace", required_argument, NULL, 'N' },
		{ "options", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct request request = { 0 };
	const char *namespace = NULL;
	char *real_lower = NULL;
	int option, fs = -1, result;

	setlocale(LC_CTYPE, "");

	opterr = 0;
	while ((option = getopt_long(argc, argv, "fnsvN:o:t:hV", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			request.fake = true;
			break;
		case 'n':
			break;
		case 's':
			request.sloppy = true;
			break;
		case 'v':
			request.verbose = true;
			break;
		case 'N':
			namespace = optarg;
			break;
		case 'o':
			if (mnt_optstr_append_option(&request.fs_options, optarg, NULL))
				return out_of_memory();
			break;
		case 't':
			if (strcmp(optarg, "foldfs") && strncmp(optarg, "foldfs.", 7))
				return wrong_type(optarg);
			break;
		case 'h':
			usage(stdout);
			return MNT_EX_SUCCESS;
		case 'V':
			puts("mount.foldfs (foldfs) " FOLDFS_VERSION);
			return MNT_EX_SUCCESS;
		default:
			complain("'%s' is not known, or wants a value; see mount.foldfs --help",
				 argv[optind - 1]);
			return MNT_EX_USAGE;
		}
	}
	if (argc - optind != 2) {
		complain("a lower directory and a mount point are needed; see mount.foldfs --help");
		return MNT_EX_USAGE;
	}
	request.lower = argv[optind];
	request.target = argv[optind + 1];

	if (request.fs_options) {
		char *all = request.fs_options;

		request.fs_options = NULL;
		result = parse_options(&request, all);
		free(all);
		if (result)
			return result;
	}
	/*
	 * In our own namespace: this may have to run modprobe, as root, and what has that
	 * name in another one may be anybody's program.
	 */
	if (!(request.flags & MS_REMOUNT)) {
		fs = open_context();
		if (fs < 0)
			return MNT_EX_FAIL;
	}
	if (namespace) {
		result = enter_namespace(namespace);
		if (result)
			return result;
	}
	if (request.flags & MS_REMOUNT)
		return remount(&request);

	/* The mount table should not show a name that means something only here. */
	real_lower = realpath(request.lower, NULL);
	if (real_lower ? strlen(real_lower) >= PATH_MAX : errno == ENAMETOOLONG) {
		complain("the path of the lower directory is too long: bind-mount it to a shorter one, and mount that");
		return MNT_EX_FAIL;
	}
	if (!real_lower) {
		complain_errno("%s", request.lower);
		return MNT_EX_FAIL;
	}
	request.lower = real_lower;

	result = new_mount(&request, fs);
	close(fs);
	free(real_lower);
	free(request.fs_options);
	return result;
}
