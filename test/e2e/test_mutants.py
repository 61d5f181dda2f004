"""The checkers refuse wrong programs: mutants of real ones."""

import tempfile

import harness
import mutate
import pytest

# Whatever the place, such a change leaves no program that is still right. The
# others may: a tile more that has no element, a place in the arena that is free,
# a write of what nobody reads, by a stage that is there for its check.
ALWAYS_WRONG = {
    "drop a barrier",
    "shift what a tile reads",
    "shift what a tile writes",
    "read another buffer",
    "share scratch",
    "shrink the arena",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dump")
    model = harness.MODELS / "minilm-l3.onnx"
    harness.ingot_ok("compile", model, "--prove", "-o", folder / "a.ingot", "--dump-dir", folder)
    return (folder / "4-stages.mlir").read_text()


def test_right_program(program, tmp_path):
    assert mutate.judged(program, tmp_path) == (False, "")


def test_mutants(program):
    judged = []
    with tempfile.TemporaryDirectory() as folder:
        for name, mutant in mutate.mutants(program, 45, seed=0):
            judgement = mutate.judged(mutant, folder)
            if judgement is not None:
                judged.append((name, *judgement))
    missed = [name for name, refused, _ in judged if not refused]
    assert not ALWAYS_WRONG & set(missed), missed
    assert len(judged) >= 35 and len(missed) <= len(judged) // 5, missed
    assert all(error for _, refused, error in judged if refused)
