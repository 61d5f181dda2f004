"""Semantic search: finds the sentences that mean what a query means.

The sentences come from Debian's package `fortunes`, the model is MiniLM-L6
(int8 weights), and ../sentence-embeddings/embed.py makes vectors of sentences.
Ingot compiles the model once; sentences of all lengths run through it. ONNX
Runtime runs on the same inputs, to show how far the results lie apart."""

import argparse
import pathlib
import sys
import time

import ingot
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "sentence-embeddings"))

import embed  # noqa: E402

FORTUNES = pathlib.Path("/usr/share/games/fortunes")


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


def onnx_runtime(model):
    """A function of inputs over ONNX Runtime: the last hidden state."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )

    return lambda feeds: session.run(["last_hidden_state"], feeds)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("query", nargs="*", default=["money does not make us happy"])
    parser.add_argument("--sentences", type=int, default=400, help="how many to search")
    parser.add_argument("--top", type=int, default=5, help="how many matches to print")
    options = parser.parse_args()
    if options.sentences < 1 or options.top < 1:
        parser.error("--sentences and --top are at least 1")
    query = " ".join(options.query)
    tokenizer = embed.tokenizer()

    start = time.perf_counter()
    artifact = ROOT / "build" / "minilm-l6-int8.ingot"
    session = ingot.Session(ingot.compile(embed.MODEL, artifact=artifact))
    compile_ms = (time.perf_counter() - start) * 1e3

    apart, spent = [0.0], [0.0]
    oracle = onnx_runtime(embed.MODEL)

    def run(feeds):
        hidden = session.run(feeds)["last_hidden_state"]
        spent[0] += session.last_run.milliseconds
        apart[0] = max(apart[0], float(np.abs(hidden - oracle(feeds)).max()))
        return hidden

    texts = sentences(options.sentences)
    vectors = embed.embed(tokenizer, texts, run)
    run_ms = spent[0]
    (wanted,) = embed.embed(tokenizer, [query], run)
    query_ms = spent[0] - run_ms

    scores = vectors @ wanted

    print(f"query: {query}")
    for number in np.argsort(-scores)[: options.top]:
        print(f"  {scores[number]:.3f}  {texts[number]}")
    print(f"compiled {embed.MODEL.name} in {compile_ms:.0f} ms")
    print(f"ran {len(texts)} sentences in {run_ms:.0f} ms, the query in {query_ms:.1f} ms")
    print(f"largest difference from ONNX Runtime: {apart[0]:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
