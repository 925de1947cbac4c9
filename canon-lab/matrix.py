"""Writes the page of implementations and causes, from runs of `assayer canon lab` at a fixed seed: docs/canon-matrix.md and .html.

    python3 canon-lab/matrix.py --assayer target/debug/assayer [--node-modules DIR] [--check]

Needs the packages of the adapters (`PYTHONPATH` for those of PyPI). What was found stands in canon-lab/matrix.json, too. Of an engine
that is absent what was found last is kept, and the last line of the output names it: nothing new is said about it.
With `--check` nothing is written, and a page that is not what would be written makes the exit code 1. An engine of another version
than in the page is then named, too, and not compared: what the languages bring along is not pinned.
"""

import argparse
import html
import json
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
KNOWN = HERE / "matrix.json"
CASES, SEED = 20_000, 1
REFERENCE = "builtin:jcs"
MOST = 60


def engines(node_modules):
    """(name in the page, command)."""
    python = lambda name, *options: shlex.join([sys.executable, str(HERE / "adapters" / name), *options])
    builtins = ["jcs-exact-integers", "serde-jcs-0.1", "python-sort-keys", "python-sort-keys-utf8"]
    yield from ((f"assayer {name}", f"builtin:{name}") for name in builtins)
    yield "serde_jcs 0.2 (Rust)", "builtin:serde_jcs"
    yield "serde_json_canonicalizer 0.4 (Rust)", "builtin:serde_json_canonicalizer"
    yield "json.dumps (CPython)", python("python_json.py")
    yield "json.dumps, UTF-8 (CPython)", python("python_json.py", "--utf8")
    yield "rfc8785 (PyPI)", python("python_rfc8785.py")
    yield "jcs (PyPI)", python("python_jcs.py")
    yield "encoding/json (Go)", shlex.join(["sh", "-c", f"cd {shlex.quote(str(HERE / 'adapters' / 'go'))} && exec go run ."])
    yield "canonicalize (npm)", shlex.join(["node", str(HERE / "adapters" / "node" / "canonicalize.mjs"), node_modules])


def compare(assayer, command):
    """Version, and {cause: [rule, input, expected, found]}; or None if the engine is absent."""
    call = [assayer, "canon", "lab", "--adapter", REFERENCE, "--adapter", command, "--cases", str(CASES), "--seed", str(SEED), "--format", "json"]
    ran = subprocess.run(call, capture_output=True, text=True)
    if ran.returncode == 2 and "absent" in ran.stderr:
        return None
    if ran.returncode not in (0, 1):
        sys.exit(f"{shlex.join(call)}: exit code {ran.returncode}: {ran.stderr}")
    report = json.loads(ran.stdout)
    first, second = (engine["name"] for engine in report["engines"])
    causes = {}
    for found in sorted(report["divergences"], key=lambda found: (len(found["input"]), found["input"])):
        outcomes = found["outcomes"]
        causes.setdefault(found["class"], [found["rule"], found["input"], told(outcomes[first]), told(outcomes[second])])
    return {"version": report["engines"][1]["version"], "causes": causes}


def told(outcome):
    """Bytes to be read; of a refusal only that it is one, for its words change with versions."""
    return shown(outcome["ok"]) if "ok" in outcome else "refused" if "reject" in outcome else "broke"


def shown(hexadecimal):
    data = bytes.fromhex(hexadecimal)
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in data[:MOST])
    return (text or "(nothing)") + (f" … ({len(data)} bytes)" if len(data) > MOST else "")


INTRODUCTION = f"""Each implementation beside RFC 8785 as the verifier writes it (`jcs`), over {CASES} generated texts of seed {SEED}. A cell with a text is red: about that text the two disagree, for the
cause that the row names. An empty cell says that no text of this run showed the cause, and no more. Some rows are the form's own rule and no fault: `json.dumps` does not claim to be
RFC 8785, nor do the forms that registries sign. What is accepted that is no I-JSON text stands here, too: it decides what can be signed."""


def causes_of(found):
    return found["causes"] if found else {}


def markdown(results):
    causes = sorted({cause for found in results.values() for cause in causes_of(found)})
    lines = ["# Where implementations part ways from RFC 8785", "", "<!-- Written by canon-lab/matrix.py. -->", "", INTRODUCTION, ""]
    lines += ["| implementation | version | causes |", "|---|---|---|"]
    lines += [f"| {name} | {found['version'] if found else 'absent'} | {len(found['causes']) if found else ''} |" for name, found in results.items()]
    for cause in causes:
        rule = next(causes_of(found)[cause][0] for found in results.values() if cause in causes_of(found))
        lines += ["", f"## `{cause}`", "", rule + ".", "", "| implementation | text | RFC 8785 | found |", "|---|---|---|---|"]
        lines += [row(name, found, cause) for name, found in results.items() if found is None or cause in found["causes"]]
    return "\n".join(lines) + "\n"


def row(name, found, cause):
    if found is None:
        return f"| {name} | absent | | |"
    _, text, expected, got = found["causes"][cause]
    return f"| {name} | {code(shown(text))} | {code(expected)} | {code(got)} |"


def code(text):
    return text if text in ("refused", "broke") else "`` " + text.replace("|", "\\|") + " ``"


STYLE = "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}th,td{border:1px solid #bbb;padding:4px 6px;vertical-align:top}td.red{background:#f8d0d0}td.absent{background:#ddd}code{white-space:pre-wrap;word-break:break-all}thead th{position:sticky;top:0;background:#fff}small{display:block}"


def page(results):
    causes = sorted({cause for found in results.values() for cause in causes_of(found)})
    head = "".join(f"<th>{html.escape(name)}</th>" for name in results)
    body = "".join(f"<tr><th>{html.escape(cause)}</th>{''.join(cell(found, cause) for found in results.values())}</tr>\n" for cause in causes)
    paragraph = html.escape(INTRODUCTION).replace("`", "")
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Canonicalization: implementations and causes</title><style>{STYLE}</style>\n<h1>Where implementations part ways from RFC 8785</h1>\n'
        f"<p>{paragraph}</p>\n<table><thead><tr><th>cause</th>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></html>\n"
    )


def cell(found, cause):
    if found is None:
        return '<td class="absent">absent</td>'
    if cause not in found["causes"]:
        return "<td></td>"
    rule, text, expected, got = found["causes"][cause]
    rule, text, expected, got = map(html.escape, (rule, shown(text), expected, got))
    return f'<td class="red" title="{rule}"><code>{text}</code><small>RFC 8785: <code>{expected}</code></small><small>found: <code>{got}</code></small></td>'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assayer", default="target/debug/assayer")
    parser.add_argument("--node-modules", default=str(HERE / "adapters" / "node"))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    known = json.loads(KNOWN.read_text("ascii")) if KNOWN.exists() else {}
    fresh = {name: compare(arguments.assayer, command) for name, command in engines(arguments.node_modules)}
    left = [f"{name} ({'absent' if found is None else found['version']})" for name, found in fresh.items() if is_left(found, known.get(name), arguments.check)]
    results = {name: known.get(name) if is_left(found, known.get(name), arguments.check) else found for name, found in fresh.items()}
    pages = {KNOWN: as_json(results), DOCS / "canon-matrix.md": markdown(results), DOCS / "canon-matrix.html": page(results)}
    for path, text in pages.items():
        if not arguments.check:
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            sys.exit(f"{path.name} is not what canon-lab/matrix.py writes: {changed(known, results)}")
    print(f"{len(results) - len(left)} implementations compared; absent here or of another version, and not compared: {', '.join(left) or 'none'}")


def is_left(found, known, check):
    """Whether what stands in the page is kept."""
    return found is None or check and known is not None and known["version"] != found["version"]


def as_json(results):
    """One line for each cause."""
    engines = [f" {json.dumps(name)}: {{\"version\": {json.dumps(found['version'])}, \"causes\": {causes_json(found['causes'])}}}" for name, found in results.items() if found]
    return "{\n" + ",\n".join(engines) + "\n}\n"


def causes_json(causes):
    return "{\n" + ",\n".join(f"  {json.dumps(cause)}: {json.dumps(causes[cause])}" for cause in sorted(causes)) + "\n }"


def changed(known, results):
    """Where what was found is not what stands there."""
    pairs = [(name, causes_of(found), causes_of(known.get(name))) for name, found in results.items()]
    places = [f"{name}: {cause}" for name, found, before in pairs for cause in sorted({*found, *before}) if found.get(cause) != before.get(cause)]
    return "; ".join(places[:10]) or "only the form of the page"


if __name__ == "__main__":
    main()
