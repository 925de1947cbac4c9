"""The adapter protocol for canonicalizers in Python: `serve(name, version, scheme, canonicalize)`.

`canonicalize` is given the bytes of a text and returns canonical bytes; a refusal is a ValueError.
"""

import json
import sys


def serve(name, version, scheme, canonicalize, absent=None):
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "stop":
            return
        if request["cmd"] == "start":
            answer = {"error": absent} if absent else {"name": name, "version": version, "scheme": scheme}
        else:
            answer = outcome(canonicalize, bytes.fromhex(request["input"]))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def outcome(canonicalize, text):
    try:
        return {"ok": canonicalize(text).hex()}
    except (ValueError, OverflowError) as refusal:
        return {"reject": str(refusal)[:200]}
    except Exception as failure:
        return {"error": f"{type(failure).__name__}: {failure}"[:200]}
