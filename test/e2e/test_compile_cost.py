"""What compiling costs: the peak of memory is bounded here; time is printed
(machines differ), its bound is checked by bench/."""

import time

import harness
import pytest


@pytest.mark.parametrize("model", ["minilm-l3", "minilm-l6-int8", "rxnmap"])
def test_memory(model, tmp_path):
    path = harness.MODELS / f"{model}.onnx"
    start = time.perf_counter()
    peak = harness.peak_memory("compile", path, "-o", tmp_path / "model.ingot")
    seconds = time.perf_counter() - start
    print(f"{model}: {seconds:.2f} s, peak {peak >> 20} MiB, file {path.stat().st_size >> 20} MiB")
    assert peak < 2 * path.stat().st_size + (300 << 20)
