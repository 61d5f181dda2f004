"""Real models against ONNX Runtime: one artifact a model serves twenty sizes."""

import functools

import harness
import pytest

BATCHES = [
    (1, 1), (1, 2), (1, 3), (1, 7), (1, 16), (1, 31), (1, 64), (1, 127), (1, 128), (1, 255),
    (2, 1), (2, 5), (2, 33), (3, 1), (3, 17), (3, 50), (4, 13), (5, 9), (7, 21), (8, 64),
]  # fmt: skip
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 23, 31, 32, 33, 47, 64, 65, 97, 130]

SIZES = [
    *(("minilm-l3", size) for size in BATCHES),
    *(("minilm-l6-int8", size) for size in BATCHES),
    *(("rxnmap", length) for length in LENGTHS),
]


def feeds_of(model, size):
    """The input of `model` at one size."""
    if model == "rxnmap":
        return harness.reaction(size)
    return harness.sentence_batch(*size, token_types=model == "minilm-l6-int8")


@functools.lru_cache(maxsize=1)
def sessions(model):
    """The artifact and the oracle of the model whose turn it is."""
    path = harness.MODELS / f"{model}.onnx"
    return harness.compiled(path), harness.oracle(path)


@pytest.mark.parametrize("model,size", SIZES, ids=lambda v: str(v).replace(" ", ""))
def test_agrees_with_onnx_runtime(model, size):
    artifact, oracle = sessions(model)
    feeds = feeds_of(model, size)
    got = harness.run(artifact, feeds)
    assert harness.largest_difference(got, harness.oracle_run(oracle, feeds)) <= 1e-4
