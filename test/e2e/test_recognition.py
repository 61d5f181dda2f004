"""Each exporter's spelling ends in the same few ops, and goes on doing so when
the model is spelt differently."""

import graph_text
import harness
import metamorphic
import onnx
import pytest

# attention, linear, norm, activation, embedding; what must be gone.
ENCODERS = {
    "minilm-l3": {"attention": 3, "linear": 18, "layer_norm": 7, "gelu": 3},
    "minilm-l6-int8": {"attention": 6, "linear": 36, "layer_norm": 13, "gelu": 6, "embedding": 3},
    # The last layer stops at the probabilities and stays primitive.
    "rxnmap": {
        "attention": 15, "linear": 61, "layer_norm": 30, "gelu": 15, "embedding": 4, "softmax": 1,
    },
    "bert": {"attention": 3, "linear": 19, "layer_norm": 7, "gelu": 3, "embedding": 3},
    "bert_ts": {"attention": 3, "linear": 19, "layer_norm": 7, "gelu": 3, "embedding": 3},
    "bert_o23": {"attention": 3, "linear": 19, "layer_norm": 7, "gelu": 3, "embedding": 3},
    "bert_fused": {"attention": 3, "linear": 20, "layer_norm": 7, "gelu": 3, "embedding": 3},
    # Quantization steps inside attention and gelu keep both primitive.
    "bert_qdq": {
        "attention": 0, "linear": 19, "layer_norm": 7, "gelu": 0, "embedding": 3, "softmax": 3,
        "erf": 3, "is_nan": 3,
    },
    "distilbert": {"attention": 3, "linear": 20, "layer_norm": 7, "gelu": 3, "embedding": 2},
    "vit": {"attention": 3, "linear": 19, "layer_norm": 7, "gelu": 3},
    "whisper_encoder": {"attention": 2, "linear": 12, "layer_norm": 5, "gelu": 4},
    "t5_encoder": {"attention": 3, "linear": 21, "rms_norm": 7, "gelu": 3, "embedding": 2},
    "conformer_block": {"attention": 1, "linear": 8, "layer_norm": 5, "silu": 3},
}  # fmt: skip

def llama(**others):
    """A decoder of three layers of the Llama shape, with what differs."""
    return {"attention": 3, "linear": 22, "rms_norm": 7, "silu": 3, "rope": 6, "embedding": 1,
            **others}  # fmt: skip


# Caches are concatenated: two for each attention that keeps its own.
DECODERS = {
    "gpt2": {"attention": 3, "linear": 13, "layer_norm": 7, "gelu": 3, "embedding": 2, "concat": 6},
    "gpt2_ts": {
        "attention": 3, "linear": 13, "layer_norm": 7, "gelu": 3, "embedding": 2, "concat": 6,
    },
    "llama": llama(),
    "llama_ts": llama(),
    "llama_f16": llama(),
    "llama_o23": llama(),
    "mistral": llama(),
    "qwen3": llama(rms_norm=13),
    "gemma2": {
        "attention": 2, "linear": 15, "rms_norm": 9, "gelu": 2, "rope": 4, "embedding": 1,
        "concat": 5,
    },
    "cla2": {"attention": 4, "linear": 23, "rms_norm": 9, "silu": 4, "rope": 6, "embedding": 1},
    "cla2_naive": {
        "attention": 4, "linear": 23, "rms_norm": 9, "silu": 4, "rope": 6, "embedding": 1,
    },
    "genai_llama_fp32": {
        "attention": 2, "linear": 11, "rms_norm": 5, "silu": 2, "rope": 4, "embedding": 1,
        "write_rows": 4,
    },
}  # fmt: skip
CASES = {**ENCODERS, **DECODERS}
GONE = ("softmax", "erf", "is_nan")


def path_of(case):
    """The model file of a case; skips where the shared models are absent."""
    path = harness.MODELS / f"{case}.onnx"
    if path.exists():
        return path
    path = harness.SHARED / case / "model.onnx"
    if not path.exists():
        pytest.skip("the shared models are not beside this clone")
    return path


@pytest.mark.parametrize("case", CASES)
def test_counts(case):
    counts = harness.explained(harness.compiled(path_of(case)))["recognised"]
    want = {**dict.fromkeys(GONE, 0), **CASES[case]}
    assert {name: counts.get(name, 0) for name in want} == want, counts


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_spelling_does_not_matter(case, seed, tmp_path):
    path = path_of(case)
    respelt = tmp_path / "respelt.onnx"
    onnx.save(metamorphic.respell(onnx.load(str(path)), seed), respelt)
    assert graph_text.counts(respelt) == graph_text.counts(path)
