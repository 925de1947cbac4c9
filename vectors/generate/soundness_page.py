"""Writes docs/soundness.md from the matrix."""

from collections import Counter

from writer import VECTORS

PAGE = VECTORS.parent / "docs" / "soundness.md"
HEAD = """# Soundness matrix

What if a single thing in a good bundle is another? From bundles of each known producer {edits} single edits in {classes} classes are
derived by program. The table says for each class who is able to make such an edit, and which layer refutes it with which code.
The edits themselves are data: [`vectors/soundness`](../vectors/README.md#soundness). A test of the verifier runs all of them.

This page is written by `python3 vectors/generate/generate.py`. What must come out is decided there, by a judge that shares nothing with the verifier.

## Who

| who | means |
|---|---|
{actors}

The caller knows the registry's key, the issuer's key and the file that was asked for, if nothing else is said.

## How to read the table

`2 x` before a layer says in how many edits of the class it is refuted with this code; an edit may be refuted by several layers.
**Neutral** means that the edit changes nothing that is signed, or nothing that is said. **Not detectable** means that a bundle alone cannot show it.

## What a bundle alone does not show

{unseen}
"""


def write(groups, actors):
    edits = [edit for group in groups for known in group["classes"] for edit in known["edits"]]
    rows = "\n".join(f"| {name} | {means} |" for name, means in actors.items())
    classes = sum(len(group["classes"]) for group in groups)
    text = HEAD.format(edits=f"{len(edits):,}", classes=classes, actors=rows, unseen=unseen(edits))
    for group in groups:
        text += f"\n## {group['title']}\n\n| class | the edit | who | edits | outcome |\n|---|---|---|---|---|\n"
        for known in group["classes"]:
            for actor in actors:
                mine = [edit for edit in known["edits"] if edit["by"] == actor]
                if mine:
                    text += f"| `{known['class']}` | {known['title']} | {actor} | {len(mine)} | {outcomes(mine)} |\n"
    PAGE.write_text(text, encoding="utf-8")


def outcomes(edits):
    counts = Counter((layer, code) for edit in edits for layer, code in edit["refuted"].items())
    cells = [f"{count} x {layer} `{code}`" for (layer, code), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    for outcome, name in (("neutral", "neutral"), ("not-detectable", "not detectable")):
        count = sum(edit["outcome"] == outcome for edit in edits)
        cells += [f"{count} x **{name}**"] if count else []
    return "<br>".join(cells)


def unseen(edits):
    """One row for each reason: places, and what shows the edit."""
    reasons = {}
    for edit in edits:
        if edit["outcome"] == "not-detectable":
            entry = reasons.setdefault((edit["by"], edit["why"]), {"places": [], "shown": Counter(), "count": 0})
            entry["count"] += 1
            if edit["at"] not in entry["places"]:
                entry["places"].append(edit["at"])
            for shown in edit["shown_by"]:
                more = " and ".join(name for name in shown["trust"] if name not in ("registry-key", "issuer-key", "file-id"))
                for layer, code in shown["refuted"].items():
                    entry["shown"][f"`{more}`: {layer} `{code}`"] += 1
    text = "| who | where | edits | why | what would show it |\n|---|---|---|---|---|\n"
    for (actor, why), entry in reasons.items():
        places = ", ".join(f"`{place or '/'}`" for place in entry["places"][:6]) + (" ..." if len(entry["places"]) > 6 else "")
        shown = "<br>".join(f"{count} x {name}" for name, count in entry["shown"].items()) or "nothing that a verifier is given today"
        text += f"| {actor} | {places} | {entry['count']} | {why} | {shown} |\n"
    return text
