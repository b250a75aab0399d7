// SPDX-License-Identifier: GPL-2.0
/*
 * Connections as fast as they go: both ends send at once, and either ends it, in any way.
 *
 *   talk call|serve ADDRESS PORT COUNT
 *
 * Ends after COUNT connections, 20 s without the first one, or 3 s without the next.
 */
#include <arpa/inet.h>
#include <error.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static char data[60000];

static void wait_for(int fd, int what, int seconds)
{
	struct timeval t = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, what, &t, sizeof(t));
}

static void converse(int fd)
{
	struct linger at_once = { .l_onoff = 1 };
	int turns = rand() % 4;

	wait_for(fd, SO_RCVTIMEO, 1);
	wait_for(fd, SO_SNDTIMEO, 1);
	while (turns--)
		if (send(fd, data, 1 + rand() % (rand() % 2 ? 100 : sizeof(data)),
			 MSG_NOSIGNAL) < 0 || recv(fd, data, sizeof(data), 0) <= 0)
			break;
	switch (rand() % 4) {
	case 0:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		break;
	case 1:
		shutdown(fd, SHUT_WR);
		while (recv(fd, data, sizeof(data), 0) > 0)
			;
		break;
	}
	close(fd);
}

static int new_socket(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM, 0), on = 1;

	if (fd < 0)
		error(1, errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	wait_for(fd, SO_RCVTIMEO, 1);
	wait_for(fd, SO_SNDTIMEO, 1);
	return fd;
}

static void call(const struct addrinfo *a, int count)
{
	int fd;

	while (count--) {
		fd = new_socket(a);
		if (connect(fd, a->ai_addr, a->ai_addrlen)) {
			close(fd);
			usleep(1000);
			continue;
		}
		converse(fd);
	}
}

static void serve(const struct addrinfo *a, int count)
{
	int listener = new_socket(a), fd;

	if (bind(listener, a->ai_addr, a->ai_addrlen) || listen(listener, 64))
		error(1, errno, "listen");
	wait_for(listener, SO_RCVTIMEO, 20);
	while (count--) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			break;
		wait_for(listener, SO_RCVTIMEO, 3);
		converse(fd);
	}
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *a;

	if (argc != 5 || getaddrinfo(argv[2], argv[3], &hints, &a))
		error(2, 0, "usage: talk call|serve ADDRESS PORT COUNT");
	srand(getpid());
	if (!strcmp(argv[1], "serve"))
		serve(a, atoi(argv[4]));
	else
		call(a, atoi(argv[4]));
	return 0;
}
