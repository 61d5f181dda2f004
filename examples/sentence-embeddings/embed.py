"""Sentence embeddings: one vector a sentence, near where meanings are near.

The model is MiniLM-L6 (int8 weights) as an ONNX file, its tokenizer is read by
PyPI's `tokenizers`. A sentence's vector is the mean of its words' vectors, of
length one, so that products of vectors are cosines."""

import argparse
import pathlib

import ingot
import numpy as np
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "minilm-l6-int8.onnx"
TOKENIZER = ROOT / "models" / "minilm-tokenizer.json"
BATCH = 16
LONGEST = 512


def tokenizer():
    """MiniLM's, without padding: batches are padded to what they need."""
    for path in (MODEL, TOKENIZER):
        if not path.exists():
            raise SystemExit(f"{path.relative_to(ROOT)} is missing: run scripts/fetch-models")
    loaded = Tokenizer.from_file(str(TOKENIZER))
    loaded.no_padding()
    loaded.enable_truncation(LONGEST)
    return loaded


def batches(tokenizer, texts):
    """Texts of like length together: (their numbers, the model's inputs)."""
    encoded = [tokenizer.encode(text).ids for text in texts]
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
    """One vector a text, float32 [texts, width], through `run`: the model's
    inputs -> the last hidden state."""
    vectors = [None] * len(texts)
    for numbers, feeds in batches(tokenizer, texts):
        for number, vector in zip(numbers, pooled(run(feeds), feeds["attention_mask"])):
            vectors[number] = vector
    return np.stack(vectors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", nargs="+")
    options = parser.parse_args()
    words, session = tokenizer(), ingot.Session(MODEL)
    vectors = embed(
        words, options.sentences, lambda feeds: session.run(feeds)["last_hidden_state"]
    )
    for text, cosines in zip(options.sentences, vectors @ vectors.T):
        print(" ".join(f"{cosine:6.3f}" for cosine in cosines), "", text)


if __name__ == "__main__":
    main()
