"""One engine in a process of its own, for decoder.py:

    engines.py KIND MODEL THREADS

loads the model and answers lines on standard input. A line of JSON asks for
`count` tokens, the likeliest ones, after the ids of `prompt`; the answer has
the seconds until the first of them (prefill), those for the rest (decode) and
the ids. The first line of output says how long loading took; an empty line
ends the process, whose last answer is the most memory that it held."""

import itertools
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "test" / "e2e"))

import memory_use  # noqa: E402


class Ingot:
    """An artifact compiled with --generate."""

    def __init__(self, model, threads):
        sys.path.insert(0, str(ROOT / "build" / "python"))
        import ingot

        self.session = ingot.Session(model, threads)

    def tokens(self, prompt):
        return self.session.generate(prompt)


class GenAI:
    """A folder with genai_config.json, for onnxruntime-genai."""

    def __init__(self, model, threads):
        import onnxruntime_genai as genai

        self.genai = genai
        config = genai.Config(model)
        options = {"intra_op_num_threads": threads}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
        self.model = genai.Model(config)

    def tokens(self, prompt):
        parameters = self.genai.GeneratorParams(self.model)
        parameters.set_search_options(max_length=len(prompt) + 256, do_sample=False)
        generator = self.genai.Generator(self.model, parameters)
        generator.append_tokens(prompt)
        while True:
            generator.generate_next_token()
            yield int(generator.get_next_tokens()[0])


class LlamaCpp:
    """A GGUF file, for llama.cpp."""

    def __init__(self, model, threads):
        import llama_cpp

        # It writes its log to the process's own error stream.
        self.model = llama_cpp.Llama(
            model, n_ctx=4096, n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def tokens(self, prompt):
        return self.model.generate(prompt, temp=0, top_k=1, repeat_penalty=1, reset=True)


KINDS = {"ingot": Ingot, "genai": GenAI, "llama.cpp": LlamaCpp}


def answer(engine, prompt, count):
    """Times one continuation."""
    if isinstance(engine, LlamaCpp):  # else it keeps what two prompts share
        engine.model.reset()
    start = time.perf_counter()
    tokens = engine.tokens(prompt)
    ids = [int(next(tokens))]
    first = time.perf_counter()
    ids += map(int, itertools.islice(tokens, count - 1))
    end = time.perf_counter()
    return {"prefill": first - start, "decode": end - first, "ids": ids}


def main():
    kind, model, threads = sys.argv[1:]
    # Answers alone go to the standard output; what libraries print does not.
    output = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    start = time.perf_counter()
    engine = KINDS[kind](model, int(threads))
    print(json.dumps({"load": time.perf_counter() - start}), file=output)
    for line in sys.stdin:
        if not line.strip():
            break
        print(json.dumps(answer(engine, **json.loads(line))), file=output)
    print(json.dumps({"peak": memory_use.peak()}), file=output)


if __name__ == "__main__":
    main()
