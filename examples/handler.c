/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A handler: the guest's call succeeds, and it reads its own arguments back.
 *
 *   cc handler.c -o handler $(pkg-config --cflags --libs hvcgate) && ./handler /run/hvcgate/echo.sock
 *
 * In the policy:  rules: [{forward: {owner: oem}, to: echo}]
 *                 handlers: {echo: {socket: /run/hvcgate/echo.sock}}
 */
#include <stdio.h>

#include <hvcgate/handler.h>

static bool echo(void *context, const struct hvc_handler_request *request,
		 struct hvc_handler_reply *reply)
{
	(void)context;
	printf("vCPU %u calls 0x%08x\n", (unsigned int)request->vcpu, (unsigned int)request->id);
	reply->frame = request->frame;
	reply->frame.x[0] = 0;
	reply->mask = 0xf; /* x0 to x3 */
	return true;
}

int main(int argc, char **argv)
{
	const struct hvc_handler_server server = {.size = sizeof(server),
						  .path = argc > 1 ? argv[1] : "",
						  .name = "echo",
						  .answer = echo};

	fprintf(stderr, "handler: %s\n", hvc_err_name(hvc_handler_serve(&server)));
	return 1;
}
