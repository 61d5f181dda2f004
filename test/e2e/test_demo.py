"""The README's first command."""

import re
import subprocess

import harness


def test_demo():
    done = subprocess.run(
        ["scripts/demo", "a friend in need", "--sentences", "120"], cwd=harness.ROOT,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    apart = re.search(r"largest difference from ONNX Runtime: ([\d.e+-]+)", done.stdout)
    assert apart and float(apart[1]) <= 1e-4, done.stdout
    assert len(re.findall(r"^ +-?\d\.\d{3}  ", done.stdout, re.M)) == 5, done.stdout


def test_demo_builds_what_it_uses():
    """On a fresh machine the demonstration builds a few targets only."""
    script = (harness.ROOT / "scripts" / "demo").read_text()
    targets = re.search(r"^scripts/build (.+?) >&2$", script, re.M)[1].split()
    done = subprocess.run(
        ["ninja", "-C", str(harness.BUILD), "-t", "query", *targets],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for made in ("bin/ingot", "lib/libIngotCompiler.so", "python/ingot/_ingot."):
        assert re.search(rf"^ +{re.escape(made)}", done.stdout, re.M), (made, done.stdout)
