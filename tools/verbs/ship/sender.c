// SPDX-License-Identifier: GPL-2.0
/* The thread that empties the spool. */
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "verbs/ship/sender.h"

#define RETRY_FIRST	1000		/* ms; then twice as long each time */
#define RETRY_LAST	60000
#define IDLE		200		/* ms between looks for files to send */
#define ANSWER		512		/* bytes of what the server says, for a note */
#define SLOW		60		/* s without any progress: given up */
#define LAST_WORDS	(5 * NSEC)	/* for the files that wait, when it is to stop */

struct sender {
	struct spool *spool;
	const char *url;
	pthread_t thread;
	u64 stop;		/* when it is to be at an end, or 0; set atomically */
};

struct answer {
	char text[ANSWER];
	size_t len;
};

static size_t take_answer(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t room = sizeof(a->text) - 1 - a->len, part = size * n < room ? size * n : room;

	memcpy(a->text + a->len, data, part);
	a->len += part;
	a->text[a->len] = '\0';
	return size * n;
}

/* The answer goes to a terminal, on one line. */
static void blank_controls(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = ' ';
}

char *sender_url(const char *base, const char *table)
{
	CURLU *u = curl_url();
	char query[128], *url = NULL;

	snprintf(query, sizeof(query), "query=INSERT INTO tcpfsm.%s FORMAT JSONEachRow", table);
	if (u && !curl_url_set(u, CURLUPART_URL, base, 0) &&
	    !curl_url_set(u, CURLUPART_QUERY, query, CURLU_APPENDQUERY | CURLU_URLENCODE) &&
	    !curl_url_set(u, CURLUPART_QUERY, "input_format_skip_unknown_fields=1",
			  CURLU_APPENDQUERY))
		curl_url_get(u, CURLUPART_URL, &url, 0);
	curl_url_cleanup(u);
	return url;
}

static u64 stop_time(const struct sender *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

static int check_stop(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	u64 stop = stop_time(arg);

	(void)a, (void)b, (void)c, (void)d;
	return stop && clock_now() >= stop;
}

/* Return: the status of HTTP, 0 if there was no answer; @a: the same in words */
static long post_rows(const struct sender *s, CURL *curl, FILE *file, u64 size,
		      const char *url, struct answer *a)
{
	char error[CURL_ERROR_SIZE] = "";
	CURLcode err;
	long status = 0;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, check_stop);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(curl, CURLOPT_READDATA, file);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	err = curl_easy_perform(curl);
	if (!err)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	else
		snprintf(a->text, sizeof(a->text), "%s", *error ? error : curl_easy_strerror(err));
	blank_controls(a->text);
	return status;
}

/* Sending it again would not help. */
static bool refuse_file(const struct sender *s, const char *name, const char *why)
{
	note("ship: %s is kept as %s.refused: %s", name, name, why);
	return spool_refused(s->spool, name);
}

/* Return: false if it stays in the spool; errno, or if that is 0, @a says why */
static bool send_open_file(const struct sender *s, CURL *curl, const char *name, FILE *file,
			   u64 size, struct answer *a)
{
	char *url;
	long status;

	if (!spool_is_whole(name, file))
		return refuse_file(s, name, "Code: none, it was cut short on this disk");
	url = sender_url(s->url, spool_table(name));
	if (!url)
		out_of_memory();
	status = post_rows(s, curl, file, size, url, a);
	curl_free(url);
	if (status == 200)
		return spool_delivered(s->spool, name);
	if (status == 400 && !strncmp(a->text, "Code: ", 6))
		return refuse_file(s, name, a->text);
	errno = 0;
	return false;
}

/* Return: false if it must be tried again; @a says why */
static bool send_file(const struct sender *s, CURL *curl, const char *name, struct answer *a)
{
	FILE *file;
	bool gone;
	u64 size;

	*a = (struct answer){ 0 };
	file = spool_read(s->spool, name, &size);
	if (file) {
		gone = send_open_file(s, curl, name, file, size, a);
		if (!gone && errno)
			snprintf(a->text, sizeof(a->text), "%s: %s", name, strerror(errno));
		fclose(file);
		return gone;
	}
	gone = errno == ENOENT;		/* to make room */
	snprintf(a->text, sizeof(a->text), "%s: %s", name, strerror(errno));
	return gone;
}

/* It ends early if the thread is to stop. */
static void wait_or_stop(const struct sender *s, unsigned int ms)
{
	for (; ms && !stop_time(s); ms -= ms < IDLE ? ms : IDLE)
		poll(NULL, 0, ms < IDLE ? ms : IDLE);
}

static void *run_sender(void *arg)
{
	struct sender *s = arg;
	unsigned int retry = 0;
	char name[SPOOL_NAME];
	CURL *curl = NULL;
	struct answer a;
	u64 last;

	for (;;) {
		last = stop_time(s);
		if (last && clock_now() >= last)
			break;
		if (!spool_oldest(s->spool, name)) {
			if (last)
				break;
			/* If the server closed it, it would stay in CLOSE_WAIT meanwhile. */
			curl_easy_cleanup(curl);
			curl = NULL;
			wait_or_stop(s, IDLE);
			continue;
		}
		if (!curl)
			curl = curl_easy_init();
		if (!curl)
			out_of_memory();
		if (send_file(s, curl, name, &a)) {
			if (retry)
				note("ship: the server takes rows again");
			retry = 0;
		} else {
			if (!retry)
				note("ship: kept for later, the server does not take rows: %s",
				     a.text);
			if (last)
				break;
			retry = retry ? 2 * retry : RETRY_FIRST;
			retry = retry < RETRY_LAST ? retry : RETRY_LAST;
			wait_or_stop(s, retry);
		}
	}
	curl_easy_cleanup(curl);
	return NULL;
}

struct sender *sender_start(struct spool *spool, const char *url)
{
	struct sender *s = zalloc(sizeof(*s));
	sigset_t all, before;
	int err;

	s->spool = spool;
	s->url = url;
	/* Signals are for the other thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, NULL, run_sender, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		return s;
	fail("cannot start a thread: %s", strerror(err));
	free(s);
	return NULL;
}

void sender_stop(struct sender *s)
{
	__atomic_store_n(&s->stop, clock_now() + LAST_WORDS, __ATOMIC_RELEASE);
	pthread_join(s->thread, NULL);
	free(s);
}
