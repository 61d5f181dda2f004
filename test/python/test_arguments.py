"""Arguments that nobody should give, and what is said of them."""

import artifacts
import ingot
import numpy as np
import onnx
import pytest
from ingot import _generate
from onnx import TensorProto, helper

PROMPT = [5, 9, 33, 2]


@pytest.fixture(scope="module")
def session():
    return ingot.Session(artifacts.DECODER, threads=2)


@pytest.mark.parametrize(
    "options",
    [
        {"max_new_tokens": -1}, {"max_new_tokens": 1.5}, {"max_new_tokens": 2**64},
        {"temperature": "1"}, {"top_k": -1}, {"top_k": 2.0}, {"top_p": None}, {"seed": -1},
        {"seed": 2**64}, {"stop": 7}, {"stop": "abc"}, {"stop": ["abc"]}, {"stop": [1.0]},
        {"time_limit": -1}, {"time_limit": float("nan")}, {"chunk": -1},
    ],
    ids=str,
)  # fmt: skip
def test_generation(session, options):
    """Refused by name before anything is read."""
    sequence = session.sequence()
    with pytest.raises(ingot.InvalidArgument) as refusal:
        sequence.generate(PROMPT, **{"max_new_tokens": 3, **options})
    assert next(iter(options)).replace("_", " ") in str(refusal.value).replace("_", " ")
    assert len(sequence) == 0


def test_numbers(session):
    for call in (
        lambda: session.sequence(-1),
        lambda: session.sequence(1.5),
        lambda: session.sequence().truncate(-1),
        lambda: session.sequence().truncate("1"),
        lambda: session.sequence().append([1], chunk=-1),
        lambda: ingot.Session(artifacts.DECODER, max_cache_bytes=-1),
        lambda: ingot.Sampling(min_p=2),
        lambda: ingot.Sampling().choose(session, np.zeros(4), position=0),
        lambda: ingot.Sampling().choose(session, np.zeros(4, np.float32), position=-1),
    ):
        with pytest.raises(ingot.InvalidArgument):
            call()


@pytest.mark.parametrize("threads", [-1, 1025, 2**31, 2**40, 2**80, 1.5, "2", None], ids=str)
def test_threads(threads):
    """Said by name, also of what fits into no integer of C."""
    with pytest.raises(ingot.InvalidArgument, match="threads is .*(expected 0 to 1024|integer)"):
        ingot.Session(artifacts.DECODER, threads=threads)


def test_threads_of_numpy():
    assert ingot.Session(artifacts.DECODER, threads=np.int64(2)).threads == 2


def test_choose_takes_lists_of_ids(session):
    logits = np.array([1, 1], np.float32)
    assert ingot.Sampling(repetition_penalty=2).choose(session, logits, [0]) == 1


def test_names_of_files(session, tmp_path):
    """Any bytes but null are a name."""
    sequence = session.sequence()
    sequence.append(PROMPT)
    odd = tmp_path / "\udcff"
    sequence.save(odd)
    assert session.restore(bytes(odd)).ids.tolist() == PROMPT
    with pytest.raises(ingot.CorruptArtifact, match=r"\\xff"):
        ingot.load(odd)
    for call in (sequence.save, session.restore, ingot.load, ingot.compile):
        with pytest.raises(ingot.InvalidArgument, match="null byte"):
            call(f"{tmp_path}/a\0b")
    assert [path.name for path in tmp_path.iterdir()] == ["\udcff"]


@pytest.mark.parametrize(
    "old, new, message",
    [
        (b"Oddity", b"\xff\xfeOddi", r"unsupported op: \\xff\\xfeOddi"),
        (b"InName", b"In\xffame", r"the name of input 'In\\FFame' is not UTF-8"),
        (b"OutName", b"Out\0ame", r"the name of output 'Out\\00ame' is not UTF-8 without null"),
    ],
)
def test_names_of_models(old, new, message, tmp_path):
    """Names of inputs and outputs are text; those in messages may be anything."""
    names = ["InName", "OutName"]
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in names]
    node = helper.make_node("Oddity", names[:1], names[1:])
    graph = helper.make_graph([node], "g", value[:1], value[1:])
    data = onnx.helper.make_model(graph).SerializeToString()
    (tmp_path / "odd.onnx").write_bytes(data.replace(old, new))
    with pytest.raises(ingot.CompileFailed, match=message):
        ingot.compile(tmp_path / "odd.onnx")


def test_processor_that_fails(session):
    """Nothing is read twice: the generation has ended."""

    def fail_third(ids, _):
        return 1 / 0 if len(ids) == len(PROMPT) + 2 else None

    sequence = session.sequence()
    generation = sequence.generate(PROMPT, 9, logits_processor=fail_third)
    want = artifacts.greedy(PROMPT, 2)
    assert [next(generation), next(generation)] == want
    with pytest.raises(ZeroDivisionError):
        next(generation)
    assert list(generation) == [] and generation.finish == "closed"
    assert sequence.ids.tolist() == PROMPT + want


def test_interrupt_behind_a_step(session, monkeypatch):
    """Ctrl-C may come when all has been read: the generation goes on from there."""
    read, left = _generate._step, [1]

    def interrupted(*arguments):
        read(*arguments)
        if left:
            left.pop()
            raise KeyboardInterrupt

    monkeypatch.setattr(_generate, "_step", interrupted)
    generation = session.generate(PROMPT, 5)
    with pytest.raises(KeyboardInterrupt):
        next(generation)
    assert list(generation) == artifacts.greedy(PROMPT, 5)
