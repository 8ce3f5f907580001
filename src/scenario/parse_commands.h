/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_SCENARIO_PARSE_COMMANDS_H
#define HVCGATE_SCENARIO_PARSE_COMMANDS_H

#include "parse.h"

/* A command by its name; false if there is none. */
bool scn_command_find(const char *name, enum scn_command *command);
/* The words from parser->next on into parser->out. *is_op: false for what only declares. */
bool parse_command(struct parser *parser, bool guarded, bool *is_op);

#endif
