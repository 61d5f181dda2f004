"""Builds everything and runs every test part by part; each part says how it
went, and the last line is the total. Used through scripts/test."""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
REPORTS = BUILD / "reports"
PYTHON = sys.executable
LIT = "/usr/lib/llvm-22/bin/lit"
# Each worker may hold SmolLM2 in float32 a few times.
MAX_WORKERS = 4
# MLIR is not instrumented: its containers would look overflown.
SANITIZED = {
    "ASAN_OPTIONS": "detect_container_overflow=0:detect_leaks=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


def shell(*command, env=None):
    """Runs a command with its output shown; returns its exit status."""
    sys.stdout.flush()
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    ).returncode


def build(preset=None, *targets):
    """Builds targets of a preset; a failure ends everything."""
    chosen = ["--preset", preset] if preset else []
    if shell(ROOT / "scripts" / "build", *chosen, *targets) != 0:
        sys.exit(f"the build{f' of {preset}' if preset else ''} failed")
    # A generated file that came before its user by luck fails elsewhere.
    if shell(ROOT / "scripts" / "build", *chosen, "-t", "missingdeps") != 0:
        sys.exit("files use generated ones that their targets do not wait for")


def junit(report, status):
    """Counts (passed, failed, skipped) in a JUnit report. A part that ended
    badly, or reported no test at all, has failed whatever its report says."""
    passed = failed = skipped = 0
    if report.exists():
        for case in xml.parse(report).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                failed += 1
            elif "skipped" in kinds or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    if failed == 0 and (status != 0 or passed + skipped == 0):
        failed = 1
    return passed, failed, skipped


def report_of(name):
    """Where a part writes its report; an older one is removed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / f"{name}.xml"
    path.unlink(missing_ok=True)
    return path


def ctest(name, folder, *options, env=None):
    """GoogleTest suites through ctest."""
    report = report_of(name)
    status = shell(
        "ctest", "--test-dir", folder, "-j2", "--progress", "--output-on-failure",
        "--timeout", "300", "--output-junit", report, *options, env=env,
    )  # fmt: skip
    return junit(report, status)


def pytest(name, distribution, *arguments):
    """Python tests through pytest, by some workers: much of what they do is on
    one thread. What a passed test wrote goes when it ends: kept, the artifacts
    of all are several GB, and pytest keeps three runs."""
    report = report_of(name)
    workers = min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    status = shell(
        PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", report,
        "-o", "tmp_path_retention_policy=failed", "-n", workers, "--dist", distribution, *arguments,
    )  # fmt: skip
    return junit(report, status)


def unit():
    """GoogleTest: libraries, runtime, tools."""
    return ctest("unit", BUILD)


def lit():
    """lit and FileCheck: dialects and passes, IR verified after every pass."""
    report = report_of("lit")
    status = shell(PYTHON, LIT, "-sv", "-j2", f"--xunit-xml-output={report}", BUILD / "test")
    return junit(report, status)


def e2e():
    """Real models against ONNX Runtime, bad input, promises of the program."""
    # A file stays with one worker: what its tests share is made once.
    return pytest("e2e", "loadfile", "test/e2e")


def python():
    """The Python package, in the build folder and installed by pip."""
    return pytest("python", "loadfile", "test/python")


def conformance():
    """ONNX's node tests as they are."""
    report = report_of("conformance")
    status = shell(PYTHON, "test/conformance/run.py", "--junit", report)
    return junit(report, status)


def conformance_erased():
    """ONNX's node tests with every input dim a fresh symbol."""
    report = report_of("conformance-erased")
    status = shell(PYTHON, "test/conformance/run.py", "--erase-dims", "--junit", report)
    return junit(report, status)


def docs():
    """Every command and program that the documentation shows; the references
    are what the .td files say."""
    return pytest("docs", "loadgroup", "test/docs")


def tidy():
    """clang-tidy on the sources that need no LLVM."""
    failed = shell(ROOT / "scripts" / "tidy", "--runtime") != 0
    return int(not failed), int(failed), 0


def aarch64():
    """Artifacts for 64-bit Arm CPUs, run in an emulator."""
    build("aarch64")
    return pytest("aarch64", "load", "test/aarch64")


def fuzz():
    """The fuzzers, briefly, with AddressSanitizer."""
    build("asan", "ingot-fuzzers")
    return pytest("fuzz", "load", "test/fuzz")


def asan():
    """Unit tests of our own code under AddressSanitizer and UBSan."""
    build("asan", "ingot-unit-tests")
    return ctest("asan", ROOT / "build-asan", env=SANITIZED)


def tsan():
    """The thread team and sessions under ThreadSanitizer."""
    build("tsan", "ingot-unit-tests")
    return ctest("tsan", ROOT / "build-tsan", env=SANITIZED)


PARTS = {
    "unit": unit,
    "lit": lit,
    "conformance": conformance,
    "conformance-erased": conformance_erased,
    "e2e": e2e,
    "python": python,
    "docs": docs,
    "aarch64": aarch64,
    "tidy": tidy,
    "tsan": tsan,
    "asan": asan,
    "fuzz": fuzz,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="parts to run (all)")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    options = parser.parse_args()
    if options.list:
        for name, part in PARTS.items():
            print(f"{name:20} {' '.join(part.__doc__.split())}")
        return 0
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; --list names them")

    # A shell ignores Ctrl-C for what it runs in the background, and all that
    # this starts would inherit it; some tests are about Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    build()
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    lines, total = [], [0, 0, 0]
    for name in options.parts or PARTS:
        print(f"\n=== {name}: {' '.join(PARTS[name].__doc__.split())}", flush=True)
        start = time.monotonic()
        counts = PARTS[name]()
        total = [a + b for a, b in zip(total, counts)]
        lines.append(
            f"{name:20} {counts[0]:5} passed {counts[1]:3} failed {counts[2]:5} skipped"
            f" {time.monotonic() - start:6.0f} s"
        )
        print(lines[-1], flush=True)
    print(f"\nAll parts, {time.monotonic() - began:.0f} s:", *lines, "", sep="\n")
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
