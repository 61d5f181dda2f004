"""Runs `ingot check` over the node tests that PyPI's onnx ships and holds the
result against the committed list of passing tests, which may only grow.

A test fails when it fails, when it is on the list but does not pass any more,
and when its op is skipped though another test of the same op passes without a
reason from the closed list. `--update` adds what newly passes to the list."""

import argparse
import concurrent.futures
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
REASONS = (
    "unsupported op", "unsupported dtype", "unsupported opset", "unsupported attribute",
    "data-dependent shape", "unsupported type", "subgraph",
)  # fmt: skip
CHUNK = 40


def node_tests():
    """The folders of onnx's node tests, by name."""
    import onnx.backend.test

    root = pathlib.Path(onnx.backend.test.__file__).parent / "data" / "node"
    return {path.name: path for path in sorted(root.iterdir()) if (path / "model.onnx").exists()}


def check(folders, erase):
    """`ingot check` on some folders: {name: (status, reason)}. A process that
    dies takes its chunk with it, so that chunk is run again one by one."""
    with tempfile.TemporaryDirectory() as temporary:
        report = pathlib.Path(temporary) / "report.json"
        command = [INGOT, "check", "--json", report, *(["--erase-dims"] if erase else []), *folders]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=60 + 20 * len(folders),
            )  # fmt: skip
            ended = f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
        except subprocess.TimeoutExpired:
            ended = "time limit"
        if report.exists():
            cases = json.loads(report.read_text())["cases"]
            return {
                pathlib.Path(case["name"]).name: (case["status"], case.get("reason", ""))
                for case in cases
            }
    if len(folders) == 1:
        return {folders[0].name: ("failed", ended)}
    results = {}
    for folder in folders:
        results.update(check([folder], erase))
    return results


def judge(results, listed, tests):
    """The results as (name, status, reason), with the list's demands added."""
    for name in sorted(set(tests) | listed):
        status, reason = results.get(name, ("failed", "no result"))
        if status == "skipped" and not reason.startswith(REASONS):
            status, reason = "failed", f"skipped without a listed reason: {reason}"
        if name in listed and status != "passed":
            status, reason = "failed", f"on the list of passing tests, but {status}: {reason}"
        yield name, status, reason


def write_junit(path, judged):
    """A JUnit report for test/run_all.py."""
    suite = xml.Element("testsuite", name="conformance")
    for name, status, reason in judged:
        case = xml.SubElement(suite, "testcase", name=name)
        if status != "passed":
            xml.SubElement(case, "failure" if status == "failed" else "skipped", message=reason)
    xml.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--erase-dims", action="store_true", help="every input dim a fresh symbol")
    parser.add_argument("--update", action="store_true", help="add newly passing tests to the list")
    parser.add_argument("--junit", type=pathlib.Path, help="write a report")
    parser.add_argument("--filter", default="", help="only tests whose name contains this")
    options = parser.parse_args()

    listing = HERE / ("passing-erased.txt" if options.erase_dims else "passing.txt")
    listed = set(listing.read_text().split()) if listing.exists() else set()
    tests = {n: p for n, p in node_tests().items() if options.filter in n}
    listed = {n for n in listed if options.filter in n}
    folders = list(tests.values())
    chunks = [folders[i : i + CHUNK] for i in range(0, len(folders), CHUNK)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for part in pool.map(lambda chunk: check(chunk, options.erase_dims), chunks):
            results.update(part)

    judged = list(judge(results, listed, tests))
    for name, status, reason in judged:
        if status == "failed":
            print(f"FAILED {name}: {reason}")
    counts = {s: sum(j[1] == s for j in judged) for s in ("passed", "failed", "skipped")}
    by_reason = {}
    for _, status, reason in judged:
        if status == "skipped":
            key = reason.split(",")[0][:60]
            by_reason[key] = by_reason.get(key, 0) + 1
    for reason, count in sorted(by_reason.items(), key=lambda item: -item[1])[:12]:
        print(f"  {count:4} skipped: {reason}")
    if options.update:
        names = listed | {name for name, status, _ in judged if status == "passed"}
        listing.write_text("".join(f"{name}\n" for name in sorted(names)))
    if options.junit:
        write_junit(options.junit, judged)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
