#!/usr/bin/env python3
"""Holds the two judges against each other on fresh archives: of an honest registry and of some with faults in what is
signed and hashed. Then each judge is sabotaged once, and the comparison must notice.

    python3 test_judge.py ASSAYER

ASSAYER is the program. Without the package `cryptography` the test says so and fails: a skip would read as a pass.
"""

import contextlib
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
ASSAYER = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "assayer"

# A fault, and a layer that somebody must be accused for.
FAULTS = {
    "bundle-signature-flipped": "registry-signature",
    "event-leaf-of-other-file": "event-binding",
    "head-root-flipped": "log-root",
    "head-signature-flipped": "tree-head",
    "manifest-signature-flipped": "issuer-signature",
    "proof-siblings-reversed": "inclusion",
    "range-leaf-hash-flipped-in-the-last": "leaf-hashes",
}

# One mistake each in the second judge: what stands there, what is put in its place, the archive that shows it.
MISTAKES = {
    "no domain separation of nodes": ('b"\\1" + left', 'b"\\0" + left', "honest"),
    "siblings on the wrong side": ("if is_right else", "if not is_right else", "honest"),
    "keys in another order": ("sorted(value, key=order)", "sorted(value, key=order, reverse=True)", "honest"),
    "the signature is part of what is signed": ('if name != "bundle_signature_ed25519"', "if name", "honest"),
    "every signature is good": ("            key.verify(signature, message)", "            pass", "head-signature-flipped"),
    "every path is good": ('found == from_hex(proof.get("root"), 32, "root")', "True", "proof-siblings-reversed"),
    "every leaf is good": ('str(entry.get("leaf_hash")).lower()', "leaf_hash(leaf_bytes(entry)).hex()", "range-leaf-hash-flipped-in-the-last"),
}  # fmt: skip


def judge_from(source):
    spec = importlib.util.spec_from_loader("judge", loader=None)
    module = importlib.util.module_from_spec(spec)
    exec(compile(source, "judge.py", "exec"), module.__dict__)  # noqa: S102: our own text, with one mistake in it
    return module


SOURCE = (HERE / "judge.py").read_text()


class Judges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for name in ["honest", *FAULTS]:
            fault = [] if name == "honest" else ["--fault", name]
            command = [ASSAYER, "check", *fault, "--out", str(cls.archive(name)), "--format", "json"]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
            expected = 0 if name == "honest" else 1
            assert done.returncode == expected, f"{name}: expected exit code {expected}, found {done.returncode}"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def archive(cls, name):
        return Path(cls.folder.name) / name

    def compare(self, name, source=SOURCE):
        judge = judge_from(source)
        return judge.compare(judge.Archive(self.archive(name)))

    def test_both_judges_agree(self):
        for name in ["honest", *FAULTS]:
            with self.subTest(name):
                found = self.compare(name)
                self.assertEqual(found["disagreements"], [])
                self.assertGreater(found["judged"], 30)
                self.assertGreater(found["layers"], 300)

    def test_each_fault_is_accused_for_its_layer_and_the_honest_one_for_none(self):
        self.assertEqual(self.compare("honest")["accused"], 0)
        for name, layer in FAULTS.items():
            with self.subTest(name):
                verdicts = json.loads((self.archive(name) / "verdicts.json").read_bytes())["verdicts"]
                self.assertTrue(any(f": {layer} " in verdict["reason"] for verdict in verdicts))
                self.assertGreater(self.compare(name)["accused"], 0)

    def test_a_mistake_of_the_second_judge_is_noticed(self):
        for name, (right, wrong, archive) in MISTAKES.items():
            with self.subTest(name):
                self.assertEqual(SOURCE.count(right), 1, "the mistake has no place any more")
                self.assertNotEqual(self.compare(archive, SOURCE.replace(right, wrong))["disagreements"], [])

    def test_a_mistake_of_the_first_judge_is_noticed(self):
        for archive, check, status in [
            ("honest", "head-signature-over-recomputed-bytes", "fail"),
            ("head-signature-flipped", "head-signature-over-recomputed-bytes", "pass"),
            ("proof-siblings-reversed", "inclusion-proof-of-every-index", "pass"),
        ]:
            with self.subTest(archive):
                judge = judge_from(SOURCE)
                found = judge.Archive(self.archive(archive))
                verdict = next(verdict for verdict in found.verdicts if verdict["check"] == check)
                verdict["status"] = status
                if status == "fail":
                    verdict["reason"] = "tlog-head: tree-head refuted (head.signature-mismatch) at /signature"
                self.assertNotEqual(judge.compare(found)["disagreements"], [])

    def test_nothing_to_compare_is_no_agreement(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            judge = judge_from(SOURCE)
            self.assertEqual(judge.main([folder]), 2)
            self.assertEqual(judge.main([]), 2)
            self.assertEqual(judge.main(["--under", folder]), 2)


if __name__ == "__main__":
    unittest.main()
