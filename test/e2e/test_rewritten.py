"""Models as written and again after ONNX Runtime's optimizers and onnxsim have
rewritten them: the same ops are recognised, and the outputs are those that ONNX
Runtime has for the file as written."""

import functools
import json

import graph_text
import harness
import ingot
import numpy as np
import onnx
import pytest
import rewriters
import small_llama
import smollm2_tokens
from smollm2_model import smollm2

# What makes a transformer; how rewriters spell the rest may differ.
TELLING = (
    "attention", "softmax", "linear", "layer_norm", "rms_norm", "gelu", "silu", "rope", "embedding",
    "write_rows", "erf", "tanh", "is_nan",
)  # fmt: skip
TOLERANCE = 2e-5
# What transformers-gpt2 makes of other models is what transformers makes.
REWRITERS = ("runtime", "transformers", "simplifier")


def telling(path):
    counts = graph_text.counts(path)
    return {name: counts[name] for name in TELLING}


@pytest.mark.parametrize("rewriter", REWRITERS)
@pytest.mark.parametrize("spelling", ["microsoft", "onnx", "primitives"])
def test_small_llama(spelling, rewriter, tmp_path):
    source = small_llama.write(tmp_path / "source", spelling)
    path = rewriters.rewrite(rewriter, source, source.parent)
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
    path = rewriters.rewrite(rewriter, source, tmp_path)
    feeds = harness.reaction(17) if model == "rxnmap" else harness.sentence_batch(3, 19, token_types="l6" in model)
    want = harness.oracle_run(harness.oracle(source), feeds)
    assert harness.largest_difference(harness.run(harness.compiled(path), feeds), want) <= 1e-4
    expected = telling(source)
    # com.microsoft's Attention has one product for queries, keys and values.
    fused = [node for node in onnx.load(str(path)).graph.node if node.op_type == "Attention"]
    expected["linear"] -= 2 * len(fused)
    assert telling(path) == expected


class CutLlama(small_llama.gguf_llama.Llama):
    """The real model's first two layers and tokens; all of it takes minutes
    (bench/rewritten.py)."""

    def __init__(self):
        super().__init__(smollm2.GGUF)
        self.layers, self.vocabulary = 2, 4096

    def matrix(self, name):
        found = super().matrix(name)
        return found.rows(slice(self.vocabulary)) if name.startswith("token_embd") else found


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """CutLlama in each spelling, {spelling: file}."""
    model = CutLlama()
    return {s: small_llama.write(tmp_path_factory.mktemp(s), s, model) for s in smollm2.SPELLINGS}


# Prompts and what SmolLM2 has to say, of the tokens that are left.
STORY = [
    id for case in smollm2_tokens.CASES[:4] for id in case["ids"] + case["tokens"]
    if id < 4096
]  # fmt: skip


def story_logits(artifact):
    """Of every token of the story."""
    session = ingot.Session(artifact, threads=2)
    return session.step([(session.sequence(), STORY)], all_logits=True)


@functools.cache
def story_reference(path):
    """What ONNX Runtime says of the story, by the spelling in primitives."""
    oracle = harness.oracle(path)
    feeds = {
        "input_ids": np.array([STORY]),
        "position_ids": np.arange(len(STORY))[None],
        "attention_mask": np.ones((1, len(STORY)), np.int64),
    }
    for value in oracle.get_inputs():
        if value.name not in feeds:
            _, heads, _, depth = value.shape
            feeds[value.name] = np.zeros((1, heads, 0, depth), np.float32)
    return oracle.run(["logits"], feeds)[0][0]


@pytest.mark.parametrize("spelling", smollm2.SPELLINGS)
def test_smollm2(spelling, cut, tmp_path):
    """Whatever has rewritten the real weights, they are kept as they were, codes
    as codes and the table once; the logits are the same bits, and choose what
    ONNX Runtime's choose."""
    source, want = cut[spelling], story_reference(cut["primitives"])
    artifact = harness.compiled(source, "--generate")
    logits, written = story_logits(artifact), harness.explained(artifact)
    second, best = np.partition(want, -2)[:, -2:].T
    decided = best - second >= smollm2_tokens.UNDECIDED
    assert np.array_equal(logits.argmax(1)[decided], want.argmax(1)[decided])
    for rewriter in REWRITERS:
        artifact = harness.compiled(rewriters.rewrite(rewriter, source, tmp_path), "--generate")
        found = harness.explained(artifact)
        assert np.array_equal(story_logits(artifact), logits), rewriter
        assert abs(found["weights_bytes"] - written["weights_bytes"]) < 1 << 16, rewriter
        for op in (*TELLING, "dequantize"):
            assert found["recognised"].get(op) == written["recognised"].get(op), (rewriter, op)


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
    rewriters.rewrite(rewriter, source / "model.onnx", folder).rename(folder / "model.onnx")
    for part in source.iterdir():
        if not (folder / part.name).exists():
            (folder / part.name).symlink_to(part)
    report = tmp_path / "report.json"
    done = harness.ingot("check", folder, "--json", report)
    assert done.returncode == 0, done.stdout + done.stderr
    (entry,) = json.loads(report.read_text())["cases"]
    assert entry["status"] == "passed", entry
