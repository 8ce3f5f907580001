/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of the VMM go to handlers (src/handler/client.h), their answers back into the VMM's memory. */
#define _GNU_SOURCE
#include "keeper_handlers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../handler/client.h"
#include "replies.h"

#define MS       UINT64_C(1000000)
#define ORDERS   4096u    /* requests at once; when all are in use the VMM waits */
#define BATCH    64       /* requests taken before others have their turn */
#define RETRY_NS (2 * MS) /* the VMM does not say when it has taken a reply */

/* What a handler's comings and goings may say: so many lines, and one more each while. */
#define LINES    8u
#define LINES_NS (10000 * MS)

struct order {
	struct replies_item item; /* first: it is an order again when the reply is in the ring */
	uint32_t vm;
};

struct post {
	struct handler_client *client;
	int fd; /* that the loop watches, or -1 */
	unsigned int lines;
	uint64_t lines_ns;
};

struct desk {
	struct keeper *keeper;
	struct keeper_timer timer;
	struct replies replies[EXEC_VMS];
	struct order *orders;
	struct replies_item *idle;
	struct post *posts;
	size_t count;
	bool hung_up;
	uint64_t unsound; /* requests that cannot be: no reply can be addressed */
};

static struct desk *the_desk(void)
{
	return keeper_handlers.state;
}

/* --- Replies. */
static void answer(struct desk *desk, struct order *order, const struct hvc_handler_reply *reply)
{
	struct hvc_kvm_reply *out = &order->item.reply;

	if (reply != NULL) {
		out->mask = reply->mask;
		out->frame = reply->frame;
		out->outcome = HVC_KVM_ANSWERED;
	} else {
		out->outcome = HVC_KVM_FAILED;
	}
	replies_add(&desk->replies[order->vm], &order->item);
}

static void done(void *context, void *call, const struct hvc_handler_reply *reply)
{
	answer(context, call, reply);
}

static void told(void *context, const char *name, const char *state)
{
	struct desk *desk = context;
	const uint64_t now = run_now_ns();

	for (size_t i = 0; i < desk->count; i++) {
		struct post *post = &desk->posts[i];

		if (post->client == NULL ||
		    strcmp(handler_client_options(post->client)->name, name) != 0) {
			continue;
		}
		if (now - post->lines_ns >= LINES_NS) {
			post->lines_ns = now;
			post->lines -= post->lines != 0;
		}
		if (post->lines < LINES) {
			post->lines++;
			keeper_say(desk->keeper, "handler %s: %s%s", name, state,
				   post->lines == LINES ? " (and so on)" : "");
		}
	}
}

/* --- What is to be watched now. */
static void on_post(struct keeper *keeper, void *context, int fd, short events);
static void on_requests(struct keeper *keeper, void *context, int fd, short events);

static void watch_post(struct desk *desk, struct post *post)
{
	short events;
	const int fd = handler_client_fd(post->client, &events);

	if (fd != post->fd) {
		keeper_unwatch(desk->keeper, post->fd);
	}
	if (fd >= 0) {
		keeper_watch(desk->keeper, fd, events, on_post, post);
	}
	post->fd = fd;
}

/* After whatever happened: replies into the ring, and what comes next. */
static void settle(struct desk *desk)
{
	uint64_t due = UINT64_MAX;
	bool waits = false;

	for (size_t i = 0; i < desk->count; i++) {
		const uint64_t deadline = handler_client_deadline(desk->posts[i].client);

		watch_post(desk, &desk->posts[i]);
		due = deadline < due ? deadline : due;
	}
	for (unsigned int vm = 0; vm < EXEC_VMS; vm++) {
		struct replies_item *item = replies_pump(&desk->replies[vm]);

		while (item != NULL) {
			struct replies_item *next = item->next;

			item->next = desk->idle;
			desk->idle = item;
			item = next;
		}
		waits = waits || replies_wait(&desk->replies[vm]);
	}
	if (waits && run_now_ns() + RETRY_NS < due) {
		due = run_now_ns() + RETRY_NS;
	}
	if (due != UINT64_MAX) {
		keeper_timer_set(desk->keeper, &desk->timer, due);
	} else {
		keeper_timer_stop(desk->keeper, &desk->timer);
	}
	if (!desk->hung_up) {
		keeper_watch(desk->keeper, desk->keeper->requests, desk->idle != NULL ? POLLIN : 0,
			     on_requests, desk);
	}
}

static void on_time(struct keeper *keeper, void *context)
{
	struct desk *desk = context;

	(void)keeper;
	for (size_t i = 0; i < desk->count; i++) {
		handler_client_work(desk->posts[i].client, run_now_ns());
	}
	settle(desk);
}

static void on_post(struct keeper *keeper, void *context, int fd, short events)
{
	struct post *post = context;

	(void)keeper;
	(void)fd;
	(void)events;
	handler_client_work(post->client, run_now_ns());
	settle(the_desk());
}

/* --- Requests. */
/* Is this function this handler's? The VMM's word is not enough. */
static bool is_routed(const struct plan_view_of *plan, uint32_t id, uint32_t handler)
{
	for (uint32_t i = 0; i < plan->header->routes.count; i++) {
		if (id >= plan->routes[i].first && id <= plan->routes[i].last) {
			return plan->routes[i].handler == handler;
		}
	}
	return false;
}

static bool is_sound(const struct desk *desk, const struct hvc_kvm_request *request)
{
	return request->handler < desk->count && request->conduit <= HVC_CONDUIT_SMC &&
	       request->arg_count <= HVC_ARGS_MAX &&
	       is_routed(&desk->keeper->plan, request->id, request->handler);
}

static void take_request(struct desk *desk, const struct hvc_kvm_request *request)
{
	const struct hvc_handler_request out = {.vm = request->vm,
						.vcpu = request->vcpu,
						.id = request->id,
						.conduit = request->conduit,
						.arg_count = request->arg_count,
						.frame = request->frame};
	struct order *order;

	if (request->vm >= EXEC_VMS || request->sequence == 0) {
		desk->unsound++;
		return;
	}
	order = (struct order *)desk->idle;
	desk->idle = order->item.next;
	order->vm = request->vm;
	order->item.reply = (struct hvc_kvm_reply){.sequence = request->sequence};
	if (!is_sound(desk, request) ||
	    !handler_client_send(desk->posts[request->handler].client, run_now_ns(), &out, order)) {
		answer(desk, order, NULL);
	}
}

static void on_requests(struct keeper *keeper, void *context, int fd, short events)
{
	struct desk *desk = context;

	(void)events;
	for (unsigned int i = 0; i < BATCH && desk->idle != NULL && !desk->hung_up; i++) {
		struct hvc_kvm_request request;
		const ssize_t size = recv(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);

		if (size == (ssize_t)sizeof(request)) {
			take_request(desk, &request);
		} else if (size > 0) {
			desk->unsound++;
		} else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
			desk->hung_up = true;
			keeper_unwatch(keeper, fd);
		} else {
			break;
		}
	}
	settle(desk);
}

/* --- Its life. */
static bool open_posts(struct desk *desk)
{
	for (size_t i = 0; i < desk->count; i++) {
		const struct plan_handler *handler = &desk->keeper->plan.handlers[i];
		char vm[CTL_NAME_MAX];

		ctl_name(desk->keeper->options->argv, desk->keeper->pid, vm);
		desk->posts[i] = (struct post){
			.fd = -1,
			.lines_ns = run_now_ns(),
			.client = handler_client_new(&(struct handler_options){
				.name = handler->name,
				.socket = handler->socket,
				.timeout_ms = handler->timeout_ms,
				.policy_sha256 = desk->keeper->plan.header->policy_sha256,
				.vm = vm,
				.done = done,
				.told = told,
				.context = desk})};
		if (desk->posts[i].client == NULL) {
			return false;
		}
	}
	return true;
}

static bool start(struct keeper *keeper, char *why, size_t size)
{
	const size_t count = keeper->plan.header->handlers.count;
	struct desk *desk = calloc(1, sizeof(*desk));

	if (desk != NULL) {
		desk->orders = calloc(ORDERS, sizeof(*desk->orders));
		desk->posts = calloc(count + 1, sizeof(*desk->posts));
		desk->keeper = keeper;
		desk->count = count;
		keeper_handlers.state = desk;
	}
	if (desk == NULL || desk->orders == NULL || desk->posts == NULL || !open_posts(desk)) {
		snprintf(why, size, "out of memory");
		return false; /* and the keeper ends */
	}
	for (unsigned int i = 0; i < ORDERS; i++) {
		desk->orders[i].item.next = desk->idle;
		desk->idle = &desk->orders[i].item;
	}
	for (unsigned int vm = 0; vm < EXEC_VMS; vm++) {
		replies_init(&desk->replies[vm], &keeper->shared->replies[vm]);
	}
	desk->timer.call = on_time;
	desk->timer.context = desk;
	on_time(keeper, desk);
	return true;
}

static void stop(struct keeper *keeper)
{
	struct desk *desk = the_desk();

	for (size_t i = 0; i < desk->count; i++) {
		keeper_unwatch(keeper, desk->posts[i].fd);
		handler_client_free(desk->posts[i].client);
		desk->posts[i].client = NULL;
	}
	desk->count = 0;
	keeper_timer_stop(keeper, &desk->timer);
	keeper_unwatch(keeper, keeper->requests);
	if (desk->unsound != 0) {
		keeper_say(keeper, "%llu requests of the VMM were damaged, and not answered",
			   (unsigned long long)desk->unsound);
	}
	free(desk->orders);
	free(desk->posts);
	free(desk);
	keeper_handlers.state = NULL;
}

bool keeper_handler_state(unsigned int n, struct ctl_handler_state *state)
{
	struct desk *desk = the_desk();
	const struct handler_counts *counts;

	if (desk == NULL || n >= desk->count) {
		return false;
	}
	counts = handler_client_counts(desk->posts[n].client);
	*state = (struct ctl_handler_state){
		.name = handler_client_options(desk->posts[n].client)->name,
		.socket = handler_client_options(desk->posts[n].client)->socket,
		.state = handler_client_state(desk->posts[n].client),
		.requests = counts->requests,
		.answered = counts->answered,
		.timed_out = counts->timed_out,
		.failed = counts->failed,
		.garbage = counts->garbage,
		.late = counts->late,
	};
	return true;
}

struct keeper_part keeper_handlers = {.name = "handlers", .start = start, .stop = stop};
