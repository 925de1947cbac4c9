"""Where vectors go: one file a case, the id is the path."""

import json
import pathlib
import shutil

VECTORS = pathlib.Path(__file__).resolve().parent.parent


class Writer:
    """Collects the cases of a run, refuses two with one id or a twin that is not accepted, and writes them."""

    def __init__(self):
        self.cases = {}

    def add(self, id, kind, why, spec, input, expect, output=None, twin=None):
        assert id not in self.cases, f"two cases are called {id}"
        assert why.endswith(".") and "\n" not in why, f"{id}: why is one sentence"
        case = {"why": why, "spec": spec, "kind": kind, "input": input, "expect": expect}
        if output is not None:
            case["output"] = output
        if twin is not None:
            case["twin"] = twin
        self.cases[id] = case

    def check_twins(self):
        for id, case in self.cases.items():
            if not rejects(case):
                continue
            twin = self.cases.get(case.get("twin"))
            assert twin, f"{id}: twin {case.get('twin')} does not exist"
            assert not rejects(twin), f"{id}: twin is rejected itself"
            assert twin["kind"] == case["kind"], f"{id}: twin is of another kind"

    def write(self, folders):
        self.check_twins()
        for folder in folders:
            shutil.rmtree(VECTORS / folder, ignore_errors=True)
        for id, case in sorted(self.cases.items()):
            write_json(VECTORS / f"{id}.json", case)


def rejects(case):
    expect = case["expect"]
    return isinstance(expect, dict) and (expect.get("verdict") == "refuted" or "reject" in expect)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def write_lines(path, value, depth):
    """As `write_json`, but with one line for each value that is nested as deep as `depth`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines(value, depth, "") + "\n", encoding="ascii")


def lines(value, depth, indent):
    if not depth or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, ensure_ascii=True)
    inner = indent + " "
    if isinstance(value, dict):
        items = [f"{json.dumps(name)}: {lines(item, depth - 1, inner)}" for name, item in value.items()]
    else:
        items = [lines(item, depth - 1, inner) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + ",".join(f"\n{inner}{item}" for item in items) + f"\n{indent}{closing}"
