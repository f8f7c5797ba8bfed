// SPDX-License-Identifier: GPL-2.0-only
/*
 * rpc-registry: take the registrations of the kernel's RPC services.
 *
 * The NFS server does not listen before it has registered at port 111. Clients of
 * NFSv4 never ask there, so every registration is accepted and none is kept.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "util.h"

static bool get(int fd, void *p, size_t len)
{
	return recv(fd, p, len, MSG_WAITALL) == (ssize_t)len;
}

static void serve(int fd)
{
	uint32_t mark, call[6], reply[8];
	char rest[4096];
	size_t len;

	while (get(fd, &mark, 4)) {
		len = ntohl(mark) & 0x7fffffff;
		if (len < sizeof(call) || len - sizeof(call) > sizeof(rest) ||
		    !get(fd, call, sizeof(call)) ||
		    (len > sizeof(call) && !get(fd, rest, len - sizeof(call))))
			break;
		/* Accepted, by nobody in particular, with success, and TRUE. */
		len = call[5] ? 28 : 24;
		reply[0] = htonl(0x80000000 | len);
		reply[1] = call[0];
		reply[2] = htonl(1);
		memset(reply + 3, 0, sizeof(reply) - 12);
		reply[7] = htonl(1);
		if (write(fd, reply, 4 + len) < 0)
			break;
	}
	close(fd);
}

int main(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(111),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = sys(socket(AF_INET, SOCK_STREAM, 0));

	sys(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)));
	sys(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	sys(listen(fd, 10));
	signal(SIGCHLD, SIG_IGN);
	/* Whoever started us may go on now. */
	if (sys(fork()))
		return 0;
	for (;;) {
		int client = sys(accept(fd, NULL, NULL));

		if (!sys(fork())) {
			serve(client);
			_exit(0);
		}
		close(client);
	}
}
