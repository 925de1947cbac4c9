"""json.dumps with sorted keys; `--utf8` leaves what is not ASCII as it is."""

import json
import platform
import sys

from lines import serve

ASCII = "--utf8" not in sys.argv[1:]


def canonicalize(text):
    value = json.loads(text.decode("utf-8"))
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ASCII).encode("utf-8")


serve("json.dumps" if ASCII else "json.dumps utf-8", platform.python_version(), "python-sort-keys" if ASCII else "python-sort-keys-utf8", canonicalize)
