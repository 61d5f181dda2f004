"""Times generation with SmolLM2: Ingot, onnxruntime-genai and llama.cpp, each
in a process of its own, taking turns.

    python bench/decoder/decoder.py --peers PYTHON

PYTHON is the interpreter of an environment with onnxruntime-genai, onnx, gguf
and llama-cpp-python; what it lacks is left out and said. Each peer reads a
file, and Ingot the same codes:

float32   the weights of the GGUF, dequantized, for onnxruntime-genai
int4      the file given by --genai-int4, written by onnxruntime-genai's builder
q4        the GGUF itself, for llama.cpp; Ingot reads the microsoft spelling

All sides read the same ids. A round lets every side read a prompt and write
tokens; the ratios are medians over the rounds, those of one round having been
measured next to each other. Above one is in Ingot's favour."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "examples" / "smollm2")]

import ingot  # noqa: E402
import smollm2  # noqa: E402

MODELS = ROOT / "models" / "bench"


class Side:
    """An engine with a model, in a process of its own."""

    def __init__(self, name, python, kind, model, threads):
        self.name, self.kind, self.model = name, kind, model
        self._process = subprocess.Popen(
            [python, HERE / "engines.py", kind, str(model), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.load = self._read()["load"]

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has ended: {self._process.wait()}")
        return json.loads(line)

    def _ask(self, line):
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._read()

    def run(self, prompt, count):
        """Seconds of prefill and decode, and the ids."""
        return self._ask(json.dumps({"prompt": prompt, "count": count}))

    def end(self):
        """Ends the process; returns the most memory that it held."""
        peak = self._ask("")["peak"]
        self._process.wait()
        return peak


def has(python, module):
    """Whether an interpreter can import a module."""
    command = [python, "-c", f"import {module}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def compiled(source, name, **options):
    """The artifact of an ONNX file for generation."""
    MODELS.mkdir(parents=True, exist_ok=True)
    return smollm2.artifact_of(source, MODELS / f"{name}.ingot", **options)


def float_model(python):
    """The folder of the float32 model, written once."""
    folder = MODELS / "genai-float32"
    if not (folder / "genai_config.json").exists():
        command = [python, HERE / "genai_float.py", smollm2.GGUF, folder]
        subprocess.run(command, check=True)
    return folder


def start_sides(options):
    """Groups of sides: the peer and Ingot on the same codes."""
    python, threads = options.peers, options.threads
    genai, llama = has(python, "onnxruntime_genai"), has(python, "llama_cpp")
    for there, package in ((genai, "onnxruntime-genai"), (llama, "llama-cpp-python")):
        if not there:
            print(f"{package} is not installed for {python}: left out\n")
    ours = lambda name, artifact: Side(name, sys.executable, "ingot", artifact, threads)
    peer = lambda name, kind, model: Side(name, python, kind, model, threads)
    groups = {}
    if genai and "float32" in options.groups:
        folder = float_model(python)
        artifact = compiled(folder / "model.onnx", "float32")
        groups["float32"] = [
            peer("onnxruntime-genai", "genai", folder), ours("Ingot", artifact),
        ]  # fmt: skip
    if genai and options.genai_int4 and "int4" in options.groups:
        artifact = compiled(options.genai_int4 / "model.onnx", "int4")
        groups["int4"] = [
            peer("onnxruntime-genai", "genai", options.genai_int4), ours("Ingot", artifact),
        ]  # fmt: skip
    if llama and "q4" in options.groups:
        source = smollm2.onnx_file("microsoft")
        groups["q4"] = [
            peer("llama.cpp", "llama.cpp", smollm2.GGUF),
            ours("Ingot", compiled(source, "q4")),
            ours("Ingot, int8", compiled(source, "q4-int8", activations="int8")),
        ]  # fmt: skip
    return groups


def prompt_of(words, length):
    """The first `length` ids of a text that goes on."""
    text = "The river had been rising for three days when the bridge went down. "
    ids = words.encode(text * (1 + length // 8))
    return ids[:length]


def explained(artifact, *dims):
    """The report of `ingot explain` as a dictionary."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "report.json"
        command = [ROOT / "build" / "bin" / "ingot", "explain", artifact, "--json", file]
        subprocess.run([*command, *(part for dim in dims for part in ("--dim", dim))], check=True)
        return json.loads(file.read_text())


def bytes_per_token(artifact, length):
    """What decoding reads and writes after `length` tokens, as explain counts."""
    dims = [f"{symbol['name']}=1" for symbol in explained(artifact)["symbols"]]
    report = explained(artifact, *dims)
    stages = sum(
        (stage.get("bytes_value") or 0) * stage["times"] for stage in report["stages"]
    )
    return stages + length * report["state"]["bytes_per_token"]


class Tools:
    """The programs that this benchmark asks beside the engines."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self._host = pathlib.Path(self._folder.name) / "host"
        library = ROOT / "build" / "lib"
        ingot = [f"-I{ROOT / 'runtime' / 'c'}", f"-L{library}", "-lingot", f"-Wl,-rpath,{library}"]
        command = ["cc", "-O3", "-pthread", HERE / "host.c", "-o", self._host, *ingot]
        subprocess.run(command, check=True)

    def reads(self, threads):
        """What memory delivers now, in GB/s."""
        file = pathlib.Path(self._folder.name) / "machine.json"
        options = ["--threads", str(threads), "--seconds", "0", "--json", file]
        subprocess.run([ROOT / "build" / "bin" / "ingot", "bench", *options], check=True)
        return json.loads(file.read_text())["ceilings"]["reads"]["rate"]["median"] * 1e-9

    def host(self, artifact, threads):
        """Load time and memory in the C host, after a prompt of 512 tokens."""
        command = [self._host, artifact, str(threads), "512", "32"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(groups, prompt, rounds, count, reads):
    """{group: [[answers of a round by side]]}. Each answer gets what `reads`
    says right behind it, since other machines may share this one's memory."""
    found = {name: [] for name in groups}
    for number in range(rounds + 1):
        for name, sides in groups.items():
            answers = [side.run(prompt, count) | {"reads": reads()} for side in sides]
            if number:  # the first warms up
                found[name].append(answers)
    return found


def agreeing(a, b):
    """How many ids two continuations have in common at their beginning."""
    same = [x == y for x, y in zip(a, b)]
    return same.index(False) if False in same else len(same)


HEADING = (
    "| codes | engine | prompt | prefill ms | ratio | tokens/s | ratio | MB/token | of reads | same ids |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def report(side, answers, peers, length):
    """A row of the table, without the group: one side after prompts of one
    length. `peers` are the answers of the side that it is compared with."""
    count = len(answers[0]["ids"])
    prefill = statistics.median(a["prefill"] for a in answers)
    decode = statistics.median(a["decode"] for a in answers) / (count - 1)
    faster = lambda part: statistics.median(b[part] / a[part] for a, b in zip(answers, peers))
    ratios, moved = ["", ""], ["", "", ""]
    if answers is not peers:
        ratios = [f"{faster(part):.2f}" for part in ("prefill", "decode")]
    if side.kind == "ingot":
        size = bytes_per_token(side.model, length + count // 2)
        same = agreeing(peers[0]["ids"], answers[0]["ids"])
        speed = [size * (count - 1) / a["decode"] * 1e-9 / a["reads"] for a in answers]
        share = statistics.median(speed)
        moved = [f"{size * 1e-6:.1f}", f"{share:.0%}", f"{same}/{count}"]
    cells = [side.name, length, f"{prefill * 1e3:.1f}", ratios[0], f"{1 / decode:.1f}", ratios[1]]
    return " | ".join(map(str, [*cells, *moved]))


def report_memory(groups, threads, tools):
    """How long loading took, and memory."""
    print("\n| codes | engine | load ms | peak MB |\n|---|---|---|---|")
    for name, sides in groups.items():
        for side in sides:
            load, peak = side.load * 1e3, side.end() * 1e-6
            print(f"| {name} | {side.name} | {load:.0f} | {peak:.0f} |")
            if side.kind == "ingot":
                host = tools.host(side.model, threads)
                file = side.model.stat().st_size * 1e-6
                peak, cache = host["peak"] * 1e-6, host["cache"] * 1e-6
                print(
                    f"| {name} | {side.name} in C | {host['load'] * 1e3:.0f} | "
                    f"{peak:.0f} = {file:.0f} file + {cache:.0f} cache + {peak - file - cache:.0f} |"
                )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", default=sys.executable, help="the peers' interpreter")
    parser.add_argument("--genai-int4", type=pathlib.Path, help="a model folder of its builder")
    parser.add_argument("--prompts", type=int, nargs="+", default=[5, 512, 2000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=33, help="to write after each prompt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--groups", nargs="+", default=["float32", "int4", "q4"], help="which codes to run"
    )
    options = parser.parse_args()
    words, groups, tools = smollm2.Words("microsoft"), start_sides(options), Tools()
    print(f"{options.threads} threads, {options.rounds} rounds\n\n{HEADING}", flush=True)
    for length in options.prompts:
        prompt, reads = prompt_of(words, length), lambda: tools.reads(options.threads)
        found = measure(groups, prompt, options.rounds, options.tokens, reads)
        for name, sides in groups.items():
            columns = list(zip(*found[name]))
            for side, answers in zip(sides, columns):
                print(f"| {name} | {report(side, answers, columns[0], length)} |", flush=True)
    report_memory(groups, options.threads, tools)
    return 0


if __name__ == "__main__":
    sys.exit(main())
