"""Runs `ingot check` over the node tests that PyPI's onnx ships and holds the
result against the committed list of passing tests, which may only grow:
`--update` adds what newly passes."""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
INGOT = pathlib.Path(os.environ.get("INGOT_BUILD", ROOT / "build")) / "bin" / "ingot"


def node_tests(pattern):
    """The folders of onnx's node tests whose name contains `pattern`."""
    import onnx.backend.test

    root = pathlib.Path(onnx.backend.test.__file__).parent / "data" / "node"
    return [path for path in sorted(root.iterdir()) if pattern in path.name]


def check(folders, listing, options):
    """`ingot check`: its exit status, and its report or None."""
    with tempfile.TemporaryDirectory() as temporary:
        report = pathlib.Path(temporary) / "report.json"
        arguments = ["--json", report, *(["--erase-dims"] if options.erase_dims else [])]
        if listing.exists() and not options.filter:
            arguments += ["--list", listing]
        done = subprocess.run(
            [INGOT, "check", *arguments, *folders], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        print(*[l for l in done.stdout.splitlines() if l.startswith("FAILED")], sep="\n")
        return done.returncode, json.loads(report.read_text()) if report.exists() else None


def write_junit(path, report):
    """A JUnit report for test/run_all.py."""
    suite = xml.Element("testsuite", name="conformance")
    for case in report["cases"]:
        entry = xml.SubElement(suite, "testcase", name=case["name"])
        if case["status"] != "passed":
            kind = "skipped" if case["status"] == "skipped" else "failure"
            xml.SubElement(entry, kind, message=case["reason"])
    for name in report["missing"]:
        xml.SubElement(xml.SubElement(suite, "testcase", name=name), "failure", message="missing")
    xml.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--erase-dims", action="store_true", help="every input dim a fresh symbol")
    parser.add_argument("--update", action="store_true", help="add newly passing tests to the list")
    parser.add_argument("--junit", type=pathlib.Path, help="write a report")
    parser.add_argument("--filter", default="", help="only tests whose name contains this")
    options = parser.parse_args()

    listing = HERE / ("passing-erased.txt" if options.erase_dims else "passing.txt")
    status, report = check(node_tests(options.filter), listing, options)
    if report is None:
        return status or 1
    skipped = collections.Counter(
        case["reason"].split(" (")[0][:70] for case in report["cases"] if case["status"] == "skipped"
    )
    for reason, count in skipped.most_common(12):
        print(f"  {count:4} skipped: {reason}")
    if options.update:
        names = set(listing.read_text().split()) if listing.exists() else set()
        names |= {case["name"] for case in report["cases"] if case["status"] == "passed"}
        listing.write_text("".join(f"{name}\n" for name in sorted(names)))
    if options.junit:
        write_junit(options.junit, report)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**report))
    return status


if __name__ == "__main__":
    sys.exit(main())
