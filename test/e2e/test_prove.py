"""`ingot compile --prove` on every model there is: each claim about each program
is proved."""

import re

import harness
import pytest
import small_models
from smollm2_model import smollm2

MODELS = ["minilm-l3", "minilm-l6-int8", "rxnmap"]
ENCODERS = [
    "bert", "bert_fused", "bert_o23", "bert_qdq", "bert_ts", "conformer_block", "distilbert",
    "t5_encoder", "vit", "whisper_encoder",
]  # fmt: skip
DECODERS = [
    "cla2", "cla2_naive", "gemma2", "genai_llama_fp32", "genai_llama_int4",
    "genai_llama_int4_acc1", "gpt2", "gpt2_nbits", "gpt2_ts", "llama", "llama_f16",
    "llama_nbits_qdq", "llama_o23", "llama_ts", "mistral", "qwen3", "smollm2-genai-int4",
]  # fmt: skip
CLAIMS = {
    "no race and no deadlock",
    "every element is written",
    "no live buffers overlap",
    "each tile is run by one worker",
}


def proved(model, out, *options):
    """The claims proved of each program."""
    done = harness.ingot_ok("compile", model, "--prove", "-o", out / "a.ingot", *options)
    (out / "a.ingot").unlink()
    found = {}
    for program, claim in re.findall(r"^proved: program '(.*?)': (.*?):", done.stderr, re.M):
        found.setdefault(program, set()).add(claim)
    return found


def assert_proved(programs, *names):
    """All claims of `names`, and of one weight function or more."""
    packing = {name for name in programs if re.fullmatch(r"weight_functions\.main(_\d+)?", name)}
    assert packing and programs == {name: CLAIMS for name in {*names, *packing}}


def shared_model(name):
    if not harness.SHARED.exists():
        pytest.skip("the shared models are not beside this clone")
    return harness.SHARED / name / "model.onnx"


def test_no_model_is_left_out():
    if not harness.SHARED.exists():
        pytest.skip("the shared models are not beside this clone")
    shared = {path.parent.name for path in harness.SHARED.glob("*/model.onnx")}
    assert shared == {*ENCODERS, *DECODERS}
    assert {path.stem for path in harness.MODELS.glob("*.onnx")} <= set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_models(name, tmp_path):
    programs = proved(harness.MODELS / f"{name}.onnx", tmp_path)
    assert_proved(programs, "main")


@pytest.mark.parametrize("name", ENCODERS)
def test_shared_encoders(name, tmp_path):
    programs = proved(shared_model(name), tmp_path)
    assert_proved(programs, "main")


@pytest.mark.parametrize("name", DECODERS)
def test_shared_decoders(name, tmp_path):
    programs = proved(shared_model(name), tmp_path, "--generate")
    assert_proved(programs, "all", "decode", "generate", "main", "sample")


def test_every_entry(tmp_path):
    model = small_models.save(small_models.decoder(), tmp_path / "decoder.onnx")
    programs = proved(model, tmp_path, "--generate")
    assert_proved(programs, "all", "decode", "generate", "main", "sample")


@pytest.mark.parametrize("spelling", smollm2.SPELLINGS)
def test_smollm2(spelling, tmp_path):
    """Thirty layers in a loop, which the checkers write out."""
    programs = proved(smollm2.onnx_file(spelling), tmp_path, "--generate")
    assert_proved(programs, "all", "decode", "generate", "main", "sample")
