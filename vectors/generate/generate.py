"""Writes every test vector and its schemas anew: `python3 vectors/generate/generate.py`. Standard library only, deterministic."""

import sys

sys.dont_write_bytecode = True
sys.setrecursionlimit(20_000)

import cases_attestation  # noqa: E402
import cases_bundle  # noqa: E402
import cases_canon  # noqa: E402
import cases_document  # noqa: E402
import cases_json  # noqa: E402
import cases_log  # noqa: E402
import cases_merkle  # noqa: E402
import cases_registration  # noqa: E402
import cases_releases  # noqa: E402
import cases_signature  # noqa: E402
import cases_suite  # noqa: E402
import cases_time  # noqa: E402
import documents  # noqa: E402
import schemas  # noqa: E402
import soundness  # noqa: E402
from writer import Writer  # noqa: E402

FOLDERS = ["json", "merkle", "signatures", "bundles", *documents.FOLDERS, *cases_registration.FOLDERS]


def main():
    writer = Writer()
    for module in (cases_json, cases_merkle, cases_signature, cases_bundle, cases_document, cases_log, cases_registration, cases_suite, cases_attestation, cases_time):
        module.generate(writer)
    documents.check_vocabulary(writer)
    writer.write(FOLDERS)
    count, codes = cases_canon.generate()
    schemas.check_vocabulary(writer, codes)
    schemas.write()
    documents.write_schemas()
    soundness.generate()
    print(f"oversight: {cases_releases.generate()} cases")
    print(f"{cases_canon.FOLDER}: {count} cases")
    for folder in FOLDERS:
        print(f"{folder}: {sum(id.startswith(folder + '/') for id in writer.cases)} cases")


if __name__ == "__main__":
    main()
