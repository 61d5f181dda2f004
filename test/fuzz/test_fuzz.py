"""Runs every libFuzzer target for some seconds, from seeds that are real files
of its format. A crash, a leak or a hang fails the test; the input that did it
is kept under build-asan/fuzz."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-asan"
SECONDS = int(os.environ.get("INGOT_FUZZ_SECONDS", "20"))
sys.path.insert(0, str(ROOT / "test" / "e2e"))

import harness  # noqa: E402
import small_models as small  # noqa: E402


def onnx_seeds(folder):
    """Small models, good and bad."""
    makers = [
        small.dense, small.cyclic, small.contradicting, small.several_unknown, small.short_weight,
        lambda: small.external("weights.bin"),
    ]  # fmt: skip
    for number, make in enumerate(makers):
        small.save(make(), folder / f"{number}.onnx")


def artifact_seeds(folder):
    """The artifact of a small model, and one that was made without a compiler."""
    shutil.copy(BUILD / "test" / "unit" / "runtime" / "images" / "test.ingot", folder)
    model = small.save(small.dense(), folder / "dense.onnx")
    harness.ingot_ok("compile", model, "-o", folder / "dense.ingot")
    model.unlink()


SEEDS = {"ingot-fuzz-import": onnx_seeds, "ingot-fuzz-artifact": artifact_seeds}


@pytest.mark.parametrize("target", SEEDS)
def test_fuzz(target, tmp_path):
    SEEDS[target](tmp_path)
    corpus, found = BUILD / "fuzz" / target, BUILD / "fuzz" / f"{target}-found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in tmp_path.iterdir():
        shutil.copy(seed, corpus)
    done = subprocess.run(
        [
            BUILD / "bin" / target, f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
            "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={found}/", corpus,
        ],
        env={**os.environ, "ASAN_OPTIONS": "detect_container_overflow=0:detect_leaks=1"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=SECONDS + 120,
    )  # fmt: skip
    print(*[line for line in done.stderr.splitlines() if "stat::" in line], sep="\n")
    assert done.returncode == 0, done.stderr[-4000:]
