#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Records as C: records_c.py OUTPUT profiles/records/NAME.json...: what compat needs of each, as JSON text."""

import json
import os
import re
import sys


def order(path):
    kernel = re.match(r"linux-(\d+)\.(\d+)", os.path.basename(path))
    if kernel is None:
        raise ValueError(f"'{path}' is not linux-X.Y")
    return int(kernel[1]), int(kernel[2]), path


def main():
    output, *paths = sys.argv[1:]
    there = {name for name in os.listdir(os.path.dirname(paths[0])) if name.endswith(".json")}
    forgotten = there - {os.path.basename(path) for path in paths}
    if forgotten:
        raise ValueError(f"{', '.join(sorted(forgotten))}: not in src/plan/meson.build")
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "records.h"\n\nconst struct compat_record compat_records[] = {\n')
        for path in sorted(paths, key=order):
            with open(path, encoding="ascii") as file:
                record = json.load(file)
            part = {key: record[key] for key in ("host", "capabilities", "registers", "firmware")}
            text = json.dumps(part, separators=(",", ":")).replace("\\", "\\\\").replace('"', '\\"')
            # Short literals, and none cut within an escape.
            pieces = re.findall(r"(?:\\.|[^\\]){1,100}", text)
            name = os.path.basename(path).removesuffix(".json")
            out.write('\t{"%s",\n%s},\n' % (name, "\n".join(f'\t "{piece}"' for piece in pieces)))
        out.write("\t{NULL, NULL},\n};\n")


main()
