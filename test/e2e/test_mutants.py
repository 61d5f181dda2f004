"""The checkers refuse wrong programs: mutants of real ones."""

import tempfile

import harness
import mutate
import pytest
import run_mutants
import small_models

# Whatever the place, such a change leaves no program that is still right. The
# others may: a tile more that has no element, a place in the arena that is free.
ALWAYS_WRONG = {
    "drop a barrier",
    "shift what a tile reads",
    "shift what a tile writes",
    "read another buffer",
    "write to another buffer",
    "share scratch",
    "wait never",
    "deal what each runs",
    "drop a prologue",
    "wait too early",
    "share what is each one's own",
    "own what all share",
    "one copy too few",
    "shrink the arena",
    "await nothing",
    "signal nothing",
    "leave counters as they are",
    "await from another number on",
    "await another count",
    "signal in other counters",
}


def changes_check(program, mutant):
    """Whether all that differs stands in one stage that checks something: nobody
    may read what such a stage writes."""
    before, after = program.split("\n"), mutant.split("\n")
    if len(before) != len(after):
        return False
    changed = [i for i, lines in enumerate(zip(before, after)) if lines[0] != lines[1]]
    start = max(i for i in range(changed[0]) if "mega.stage" in before[i])
    end = next(i for i in range(start, len(before)) if before[i] == "    }")
    return changed[-1] < end and any("ingot.check" in line for line in before[start:end])


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
                judged.append((name, mutant, *judgement))
    missed = [(name, mutant) for name, mutant, refused, _ in judged if not refused]
    wrong = [name for name, mutant in missed if name in ALWAYS_WRONG and not changes_check(program, mutant)]
    assert not wrong
    assert len(judged) >= 35 and len(missed) <= len(judged) // 5, [name for name, _ in missed]
    assert all(error for _, _, refused, error in judged if refused)


def test_mutants_that_run(tmp_path):
    """What a run shows to be wrong has been refused; run_mutants.py has more."""
    path = small_models.save(small_models.decoder(), tmp_path / "model.onnx")
    subject = run_mutants.Subject(path, tmp_path, ["--generate"])
    assert run_mutants.shown(subject.artifact, subject.given, subject.wanted) == "same"
    shown = 0
    for name, mutant in mutate.mutants(subject.program, 20, seed=0):
        judgement = subject.judge(mutant)
        if judgement is None:
            continue
        refused, error, run = judgement
        assert refused or run == "same", (name, run)
        shown += run != "same"
    assert shown >= 5
