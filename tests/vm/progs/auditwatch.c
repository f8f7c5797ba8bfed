// SPDX-License-Identifier: GPL-2.0-only
/*
 * auditwatch DIRECTORY - which changes of watched files the audit subsystem tells of
 *
 * For each of four changes, a file is watched by its name ("auditctl -w FILE -p wa")
 * and another by its directory ("-F dir="). Prints for each change by which of them
 * it was reported. Takes the place of the audit daemon meanwhile.
 */
#include "util.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/socket.h>

static const char *const changes[] = { "unlink", "rename", "write", "chmod" };
#define CHANGES		4

static int sock;
static bool seen[2][CHANGES];
static bool done;

/* What was reported: keys are "file-N" and "dir-N", the last message is our own. */
static void note(int type, const char *text)
{
	const char *key = strstr(text, "key=\"");
	int nr;

	if (type == AUDIT_USER && strstr(text, "that is all"))
		done = true;
	if (type != AUDIT_SYSCALL || !key)
		return;
	if (sscanf(key, "key=\"file-%d", &nr) == 1)
		seen[0][nr] = true;
	else if (sscanf(key, "key=\"dir-%d", &nr) == 1)
		seen[1][nr] = true;
}

/* Returns the type of the next message; its errno if it is an answer. */
static int next(int *err)
{
	static struct {
		struct nlmsghdr head;
		char data[16384];
	} msg;
	ssize_t len = sys(recv(sock, &msg, sizeof(msg) - 1, 0));

	((char *)&msg)[len] = 0;
	if (msg.head.nlmsg_type == NLMSG_ERROR)
		*err = -((struct nlmsgerr *)msg.data)->error;
	else
		note(msg.head.nlmsg_type, msg.data);
	return msg.head.nlmsg_type;
}

static void request(int type, const void *data, size_t len)
{
	static struct {
		struct nlmsghdr head;
		char data[8192];
	} msg;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int err = 0;

	memset(&msg, 0, sizeof(msg));
	msg.head.nlmsg_len = NLMSG_LENGTH(len);
	msg.head.nlmsg_type = type;
	msg.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	memcpy(msg.data, data, len);
	sys(sendto(sock, &msg, msg.head.nlmsg_len, 0, (void *)&kernel, sizeof(kernel)));
	while (next(&err) != NLMSG_ERROR)
		;
	if (err)
		die("audit: request %d gives %s", type, strerror(err));
}

static void watch(int field, const char *path, const char *key_format, int nr)
{
	static struct {
		struct audit_rule_data rule;
		char text[4096];
	} r;
	char key[32];
	size_t len = strlen(path);

	snprintf(key, sizeof(key), key_format, nr);
	memset(&r, 0, sizeof(r));
	r.rule.flags = AUDIT_FILTER_EXIT;
	r.rule.action = AUDIT_ALWAYS;
	memset(r.rule.mask, 0xff, sizeof(r.rule.mask));
	r.rule.field_count = 3;
	r.rule.fields[0] = field;
	r.rule.values[0] = len;
	r.rule.fields[1] = AUDIT_PERM;
	r.rule.values[1] = AUDIT_PERM_WRITE | AUDIT_PERM_ATTR;
	r.rule.fields[2] = AUDIT_FILTERKEY;
	r.rule.values[2] = strlen(key);
	for (int i = 0; i < 3; i++)
		r.rule.fieldflags[i] = AUDIT_EQUAL;
	memcpy(r.rule.buf, path, len);
	memcpy(r.rule.buf + len, key, strlen(key));
	r.rule.buflen = len + strlen(key);
	request(AUDIT_ADD_RULE, &r, sizeof(r.rule) + r.rule.buflen);
}

static void change(int nr, const char *path)
{
	char *moved;

	switch (nr) {
	case 0:
		sys(unlink(path));
		break;
	case 1:
		if (asprintf(&moved, "%s.moved", path) < 0)
			die("no memory");
		sys(rename(path, moved));
		break;
	case 2:
		close(sys(open(path, O_WRONLY)));
		break;
	case 3:
		sys(chmod(path, 0600));
		break;
	}
}

int main(int argc, char **argv)
{
	struct audit_status status = { .mask = AUDIT_STATUS_PID | AUDIT_STATUS_ENABLED |
					       AUDIT_STATUS_RATE_LIMIT |
					       AUDIT_STATUS_BACKLOG_LIMIT,
				       .enabled = 1, .backlog_limit = 8192 };
	char *files[CHANGES], *dirs[CHANGES], *inside[CHANGES];
	pid_t pid;

	if (argc != 2)
		die("usage: auditwatch DIRECTORY");
	sock = sys(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
	status.pid = getpid();
	request(AUDIT_SET, &status, sizeof(status));
	for (int i = 0; i < CHANGES; i++) {
		if (asprintf(&files[i], "%s/file-%d", argv[1], i) < 0 ||
		    asprintf(&dirs[i], "%s/dir-%d", argv[1], i) < 0 ||
		    asprintf(&inside[i], "%s/dir-%d/file", argv[1], i) < 0)
			die("no memory");
		close(sys(open(files[i], O_CREAT | O_WRONLY, 0644)));
		sys(mkdir(dirs[i], 0755));
		close(sys(open(inside[i], O_CREAT | O_WRONLY, 0644)));
		watch(AUDIT_WATCH, files[i], "file-%d", i);
		watch(AUDIT_DIR, dirs[i], "dir-%d", i);
	}
	/* Who was there before auditing began is not watched. */
	pid = sys(fork());
	if (!pid) {
		for (int i = 0; i < CHANGES; i++) {
			change(i, files[i]);
			change(i, inside[i]);
		}
		_exit(0);
	}
	if (reap_within(pid, 60, "changes"))
		die("a change failed");
	request(AUDIT_USER, "that is all", sizeof("that is all"));
	while (!done)
		next(&(int){ 0 });
	for (int i = 0; i < CHANGES; i++)
		printf("%s:%s%s\n", changes[i], seen[0][i] ? " by name" : "",
		       seen[1][i] ? " by directory" : "");
	status.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID;
	status.enabled = 0;
	status.pid = 0;
	request(AUDIT_SET, &status, sizeof(status));
	return 0;
}
