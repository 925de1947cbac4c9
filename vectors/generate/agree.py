"""Asks second sources about every case of the kind `canonicalization`, and writes what they confirm to `agreed.json`.

To run only when a case is new or changed; it needs `pip install -r canon-lab/adapters/requirements.txt`,
`npm ci --prefix canon-lab/adapters/node`, and an `assayer` that was built:

    python3 vectors/generate/agree.py --assayer target/release/assayer [--node-modules DIR]

Any source that says otherwise stops it: then the rule, the source or the case is wrong, and a person has to decide.
"""

import argparse
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.setrecursionlimit(20_000)

import jcs  # noqa: E402
import rfc8785  # noqa: E402
from canon import SCHEMES  # noqa: E402
from cases_canon import AGREED, digest, expected  # noqa: E402
from writer import write_lines  # noqa: E402

PYTHON, UTF8, EXACT, SERDE, JCS = SCHEMES
ADAPTERS = pathlib.Path(__file__).resolve().parents[2] / "canon-lab" / "adapters"
REFUSED = "refused"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assayer", default="target/release/assayer")
    parser.add_argument("--node-modules", default=str(ADAPTERS / "node"))
    arguments = parser.parse_args()
    node = Engine(["node", str(ADAPTERS / "node" / "canonicalize.mjs"), arguments.node_modules])
    crate = Engine([arguments.assayer, "canon", "adapter", "serde_jcs_0_1"])
    agreed, wrong = {}, []
    for id, data, _, _, _, outcomes in expected():
        valid = read(data) is not REFUSED
        agreed[id] = {"of": digest(data, outcomes)}
        for scheme, found in outcomes.items():
            said = answers(scheme, data, node, crate) if valid else {"cpython": REFUSED}
            want = REFUSED if isinstance(found, str) else found
            if found == "canon.float" and floats(data):
                said = {"recorded": REFUSED}
            wrong += [(id, scheme, source, answer, want) for source, answer in said.items() if answer != want]
            agreed[id][scheme] = sorted(source for source, answer in said.items() if answer == want)
            if not agreed[id][scheme]:
                wrong.append((id, scheme, "no source", None, want))
    for line in wrong:
        print(*line)
    if wrong:
        sys.exit(f"{len(wrong)} disagreements; nothing was written")
    write_lines(AGREED, agreed, 1)
    print(f"{len(agreed)} cases, each outcome with at least one source beside the rules")


def answers(scheme, data, node, crate):
    if scheme in (PYTHON, UTF8):
        value = read(data)
        return {"cpython": json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=scheme == PYTHON).encode("utf-8")}
    if scheme == EXACT:
        return exact_answers(data)
    if scheme == SERDE:
        return {"serde_jcs": crate.ask(data)}
    return {"canonicalize": node.ask(data), "rfc8785": attempt(lambda: rfc8785.dumps(read(data, parse_int=whole)))}


def exact_answers(data):
    """PyPI jcs where a double holds every integer; CPython where no name is beyond U+FFFF, so that code points are in the order of UTF-16."""
    value, integers = read(data), [0]
    json.loads(data.decode("utf-8"), parse_int=lambda token: integers.append(int(token)))
    said = {}
    if max(map(abs, integers)) <= 2**53:
        said["jcs"] = attempt(lambda: jcs.canonicalize(value))
    if not any(character > "\uffff" for character in json.dumps(value, ensure_ascii=False)):
        said["cpython"] = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return said


def whole(token):
    return float(token) if token != "-0" else 0.0


def attempt(write):
    try:
        return write()
    except (ValueError, OverflowError):
        return REFUSED


def floats(data):
    """Whether any number has a fraction or an exponent, by CPython's reader."""
    seen = []
    json.loads(data.decode("utf-8"), parse_float=seen.append)
    return bool(seen)


def read(data, **options):
    """CPython's reader, strict as I-JSON is."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=members, parse_constant=refuse, **options)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except ValueError:
        return REFUSED
    return value


def members(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def refuse(word):
    raise ValueError(word)


class Engine:
    """A process behind the adapter protocol."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started = self.send({"cmd": "start"})
        if "error" in started:
            sys.exit(f"{command[0]}: {started['error']}")

    def send(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, data):
        answer = self.send({"cmd": "canonicalize", "input": data.hex()})
        return bytes.fromhex(answer["ok"]) if "ok" in answer else REFUSED


if __name__ == "__main__":
    main()
