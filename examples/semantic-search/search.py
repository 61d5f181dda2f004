"""Semantic search: finds the sentences that mean what a query means.

The sentences come from Debian's package `fortunes`, the model is MiniLM-L6
(int8 weights) as an ONNX file, its tokenizer is read by PyPI's `tokenizers`.
Ingot compiles the model once; sentences of all lengths run through it. ONNX
Runtime runs on the same inputs, to show how far the results lie apart."""

import argparse
import pathlib
import sys
import time

import numpy as np
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "common"))

from ingot_ctypes import Library  # noqa: E402

FORTUNES = pathlib.Path("/usr/share/games/fortunes")
BATCH = 16


def sentences(limit):
    """Short entries of the fortune files, without their sources."""
    found = []
    for path in sorted(FORTUNES.iterdir()):
        if path.suffix or not path.is_file():
            continue
        for entry in path.read_text(errors="replace").split("\n%\n"):
            text = " ".join(entry.split("\n\t\t--")[0].split())
            if 40 <= len(text) <= 140 and text.isascii() and text[0].isalpha():
                found.append(text)
    found = sorted(set(found))
    return found[:: max(1, len(found) // limit)][:limit]


def batches(tokenizer, texts):
    """Texts of like length together: (their numbers, the model's inputs)."""
    encoded = [tokenizer.encode(text).ids[:512] for text in texts]
    order = sorted(range(len(texts)), key=lambda number: len(encoded[number]))
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        longest = max(len(encoded[number]) for number in numbers)
        ids = np.zeros((len(numbers), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, number in enumerate(numbers):
            ids[row, : len(encoded[number])] = encoded[number]
            mask[row, : len(encoded[number])] = 1
        yield numbers, {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }


def pooled(hidden, mask):
    """The mean of the words' vectors, of length one."""
    weights = mask[..., None].astype(np.float32)
    mean = (hidden * weights).sum(1) / weights.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def embed(tokenizer, texts, run):
    """One vector a text, through `run`: inputs -> (last hidden state, ms)."""
    vectors = np.zeros((len(texts), 384), np.float32)
    spent = 0.0
    for numbers, feeds in batches(tokenizer, texts):
        hidden, milliseconds = run(feeds)
        vectors[numbers] = pooled(hidden, feeds["attention_mask"])
        spent += milliseconds
    return vectors, spent


def onnx_runtime(model):
    """A function like `Ingot's run` over ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )

    def run(feeds):
        start = time.perf_counter()
        (hidden,) = session.run(["last_hidden_state"], feeds)
        return hidden, (time.perf_counter() - start) * 1e3

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("query", nargs="*", default=["money does not make us happy"])
    parser.add_argument("--sentences", type=int, default=400, help="how many to search")
    parser.add_argument("--top", type=int, default=5, help="how many matches to print")
    options = parser.parse_args()
    query = " ".join(options.query)
    model = ROOT / "models" / "minilm-l6-int8.onnx"
    tokenizer = Tokenizer.from_file(str(ROOT / "models" / "minilm-tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    library = Library(ROOT / "build" / "lib" / "libingot.so")
    start = time.perf_counter()
    compiled = library.compile(model, ROOT / "build" / "minilm-l6-int8.ingot")
    compile_ms = (time.perf_counter() - start) * 1e3
    session = compiled.session()

    apart = [0.0]
    oracle = onnx_runtime(model)

    def run(feeds):
        outputs, milliseconds = session.run(feeds)
        hidden = outputs["last_hidden_state"]
        apart[0] = max(apart[0], float(np.abs(hidden - oracle(feeds)[0]).max()))
        return hidden, milliseconds

    texts = sentences(options.sentences)
    vectors, run_ms = embed(tokenizer, texts, run)
    (wanted,), query_ms = embed(tokenizer, [query], run)
    scores = vectors @ wanted

    print(f"query: {query}")
    for number in np.argsort(-scores)[: options.top]:
        print(f"  {scores[number]:.3f}  {texts[number]}")
    print(f"compiled {model.name} in {compile_ms:.0f} ms")
    print(f"ran {len(texts)} sentences in {run_ms:.0f} ms, the query in {query_ms:.1f} ms")
    print(f"largest difference from ONNX Runtime: {apart[0]:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
