"""`ingot compile --prove` on models of every kind: each claim about each
program is proved."""

import re

import harness
import pytest
import small_models
from smollm2_model import smollm2

ENCODERS = ["minilm-l3", "minilm-l6-int8", "rxnmap"]
SHARED = ["bert_qdq", "conformer_block", "t5_encoder", "vit", "whisper_encoder"]
DECODERS = ["cla2", "genai_llama_int4", "gpt2", "llama_f16", "mistral"]
CLAIMS = {
    "no race and no deadlock",
    "every element is written",
    "no live buffers overlap",
    "each tile is run by one worker",
}


def proved(model, out, *options):
    """The claims proved of each program."""
    done = harness.ingot_ok("compile", model, "--prove", "-o", out / "a.ingot", *options)
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


@pytest.mark.parametrize("name", ENCODERS)
def test_models(name, tmp_path):
    programs = proved(harness.MODELS / f"{name}.onnx", tmp_path)
    assert_proved(programs, "main")


@pytest.mark.parametrize("name", SHARED)
def test_shared_encoders(name, tmp_path):
    programs = proved(shared_model(name), tmp_path)
    assert_proved(programs, "main")


@pytest.mark.parametrize("name", DECODERS)
def test_shared_decoders(name, tmp_path):
    programs = proved(shared_model(name), tmp_path, "--generate")
    assert len(programs) >= 3 and all(claims == CLAIMS for claims in programs.values())


def test_every_entry(tmp_path):
    model = small_models.save(small_models.decoder(), tmp_path / "decoder.onnx")
    programs = proved(model, tmp_path, "--generate")
    assert_proved(programs, "all", "decode", "generate", "main", "sample")


def test_smollm2(tmp_path):
    """Thirty layers in a loop, which the checkers write out."""
    programs = proved(smollm2.onnx_file(smollm2.DEFAULT), tmp_path, "--generate")
    assert_proved(programs, "all", "decode", "generate", "main", "sample")
