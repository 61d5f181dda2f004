"""Models as written and again after ONNX Runtime's optimizers and onnxsim have
rewritten them: the same ops are recognised, and the outputs are those that ONNX
Runtime has for the file as written."""

import json
import shutil

import graph_text
import harness
import numpy as np
import onnx
import pytest
import rewriters
import small_llama
from smollm2_model import smollm2
from test_spellings_alike import recognised

# What makes a transformer; how rewriters spell the rest may differ.
TELLING = (
    "attention", "softmax", "linear", "layer_norm", "rms_norm", "gelu", "silu", "rope", "embedding",
    "write_rows", "erf", "tanh", "is_nan",
)  # fmt: skip
TOLERANCE = 2e-5
# What transformers-gpt2 makes of other models is what transformers makes.
REWRITERS = ("runtime", "transformers", "simplifier")


def telling(path):
    counts = harness.explained(harness.compiled(path))["recognised"]
    return {name: counts.get(name, 0) for name in TELLING}


def rewritten(rewriter, source, folder=None):
    """The new file, beside the old one where no other folder is given."""
    target = (folder or source.parent) / "rewritten.onnx"
    rewriters.ALL[rewriter](source, target)
    return target


@pytest.mark.parametrize("rewriter", REWRITERS)
@pytest.mark.parametrize("spelling", ["microsoft", "onnx", "primitives"])
def test_small_llama(spelling, rewriter, tmp_path):
    source = small_llama.write(tmp_path / "source", spelling)
    path = rewritten(rewriter, source)
    oracle = harness.oracle(source)
    for rows, tokens, past in [(1, 5, 0), (2, 1, 4), (1, 3, 2)]:
        feeds = small_llama.feeds(spelling, rows, tokens, past)
        want = harness.oracle_run(oracle, feeds)
        got = harness.run(harness.compiled(path), feeds)
        worst = harness.largest_difference(got, want)
        assert worst <= TOLERANCE * max(1, np.abs(want["logits"]).max())
    assert telling(path) == telling(source)


@pytest.mark.parametrize("rewriter", REWRITERS)
@pytest.mark.parametrize("model", ["minilm-l3", "minilm-l6-int8", "rxnmap"])
def test_real_encoder(model, rewriter, tmp_path):
    source = harness.MODELS / f"{model}.onnx"
    path = rewritten(rewriter, source, tmp_path)
    feeds = harness.reaction(17) if model == "rxnmap" else harness.sentence_batch(3, 19, token_types="l6" in model)
    want = harness.oracle_run(harness.oracle(source), feeds)
    assert harness.largest_difference(harness.run(harness.compiled(path), feeds), want) <= 1e-4
    expected = telling(source)
    # com.microsoft's Attention has one product for queries, keys and values.
    fused = [node for node in onnx.load(str(path)).graph.node if node.op_type == "Attention"]
    expected["linear"] -= 2 * len(fused)
    assert telling(path) == expected


@pytest.mark.parametrize("rewriter", ["runtime", "transformers"])
@pytest.mark.parametrize("spelling", smollm2.SPELLINGS)
def test_smollm2(spelling, rewriter, tmp_path):
    """Every spelling of the real model ends in the ops that it has as written."""
    source = smollm2.onnx_file(spelling)
    for name in ("model.onnx", "model.onnx.data"):
        shutil.copy(source.with_name(name), tmp_path / name)
    path = rewritten(rewriter, tmp_path / "model.onnx")
    want, got = (recognised(model) for model in (source, path))
    assert set(want) == set(got)
    for name, ops in want.items():
        assert graph_text.canonical(got[name]) == graph_text.canonical(ops), name


SHARED = [
    "bert", "bert_fused", "bert_o23", "bert_qdq", "bert_ts", "cla2", "conformer_block", "distilbert",
    "gemma2", "genai_llama_fp32", "genai_llama_int4", "gpt2", "gpt2_nbits", "gpt2_ts", "llama",
    "llama_f16", "llama_nbits_qdq", "llama_o23", "llama_ts", "mistral", "qwen3", "t5_encoder", "vit",
    "whisper_encoder",
]  # fmt: skip


@pytest.mark.skipif(not harness.SHARED.exists(), reason="shared models are not beside this clone")
@pytest.mark.parametrize("rewriter", REWRITERS)
@pytest.mark.parametrize("case", SHARED)
def test_shared_model(case, rewriter, tmp_path):
    """Every data set of the case, at the tolerance of its meta.json."""
    source = harness.SHARED / case
    if rewriter == "transformers" and case.startswith("gpt2"):
        rewriter = "transformers-gpt2"
    folder = tmp_path / case
    folder.mkdir()
    rewritten(rewriter, source / "model.onnx", folder).rename(folder / "model.onnx")
    for part in source.iterdir():
        if part.name != "model.onnx":
            (folder / part.name).symlink_to(part)
    report = tmp_path / "report.json"
    done = harness.ingot("check", folder, "--json", report)
    assert done.returncode == 0, done.stdout + done.stderr
    (entry,) = json.loads(report.read_text())["cases"]
    assert entry["status"] == "passed", entry
