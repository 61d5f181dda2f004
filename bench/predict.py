"""Predicts how long a program takes on more cores than this machine has, and
holds the prediction for 1 and 2 cores against what is measured here. Prints one
Markdown row a number of cores.

    python bench/predict.py MODEL --dim batch_size=1 --dim sequence_length=128
    python bench/predict.py DECODER.ingot --entry decode --prompt 512 --dim ...

The model, per stage, from what `ingot explain` counts and `ingot bench` measures:

    compute = flops / (FMA peak of a core) * ceil(tiles / cores) / tiles
    memory  = bytes / min(cores * bandwidth of a core, bandwidth of the socket)
    stage   = max(compute, memory) + wait
    wait    = busy * HANDOVER where there is a barrier in front, else 0

Busy are those of the cores that had a tile since the barrier before, for which
the others wait. Stages of one tile take as long on every number of cores. Stages
that are dealt together are one. Where workers wait for the tiles that they need
and not for each other (`counters` in front of a stage), nothing is lost to a
stage before whose tiles do not come out even,

    compute = flops / (FMA peak of a core) * max(1 / cores, 1 / tiles)
    wait    = HANDOVER * min(cores, tiles)

the latter since whoever waits for all columns of a row waits for as many
hand-overs of the line that counts them. The last column is what could be had at
best if that were so in front of every stage.

HANDOVER is what it costs that the line with the barrier's
counter goes from core to core: half of the 96 ns that two threads need here
(docs/benchmarks.md). Not in the model: unequal cores, clocks that sink when all
cores work, memory of other sockets."""

import argparse
import json
import math
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
INGOT = ROOT / "build" / "bin" / "ingot"

HANDOVER = 48e-9


def report(command, model, *options):
    """The JSON that `ingot COMMAND` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "report.json"
        subprocess.run([INGOT, command, model, "--json", path, *map(str, options)],
                       check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        return json.loads(path.read_text())


class Stage:
    """What is dealt together: tiles, flops and bytes, and whether workers meet
    in front of it, or tiles wait for tiles, so many times in a run."""

    def __init__(self, row, waits, counts):
        self.times = row["times"]
        self.waits, self.counts = waits, counts
        self.is_awaited = False  # by tiles of the next stage, not by workers
        self.tiles = self.flops = self.bytes = 0
        self.is_known = True
        self.before = 0  # cores that are waited for in front of it, at most
        self.join(row)

    def join(self, row):
        self.tiles += row.get("tiles_value", 1)
        self.is_known &= "tiles_value" in row
        self.flops += row.get("flops_value", 0)
        self.bytes += row.get("bytes_value", 0)

    def seconds(self, cores, peak, bandwidth, socket):
        if self.is_awaited:
            return self.seconds_at_best(cores, peak, bandwidth, socket)
        share = math.ceil(self.tiles / cores) / self.tiles if self.tiles else 1
        compute = self.flops / peak * share
        memory = self.bytes / min(cores * bandwidth, socket)
        return self.times * max(compute, memory) + self.wait(cores)

    def seconds_at_best(self, cores, peak, bandwidth, socket):
        """With a counter for what tiles need in place of each barrier."""
        tiles = max(self.tiles, 1)
        compute = self.flops / peak * max(1 / cores, 1 / tiles)
        memory = self.bytes / min(cores * bandwidth, socket)
        is_wait = (self.waits or self.counts) and cores > 1
        wait = HANDOVER * min(cores, tiles) if is_wait else 0
        return self.times * (max(compute, memory) + wait)

    def wait(self, cores):
        busy = min(cores, self.before)
        return self.times * busy * HANDOVER if self.waits and cores > 1 else 0

    def busy(self):
        """How many cores it keeps busy, if there are as many."""
        return self.tiles if self.is_known else math.inf


def stages_of(rows):
    """A prologue is a stage of its own here: each core runs its tile."""
    stages = []
    for row in rows:
        words = row["sync"].split()
        if words == ["joined"] and stages:
            stages[-1].join(row)
            continue
        # Nobody waits for what each core computed for itself; each time of a loop
        # ends with a barrier.
        many = bool(stages) and stages[-1].tiles > 1
        begins = row["times"] > 1 and bool(stages) and stages[-1].times != row["times"]
        waits = "barrier" in words or ("barrier*" in words and many) or begins
        counts = "counters" in words
        if counts and stages:
            stages[-1].is_awaited = True
        stages.append(Stage(row, waits, counts))
    busy = 0
    for stage in stages:
        if stage.waits:
            stage.before, busy = busy, 0
        busy = max(busy, stage.busy())
    return stages


def measured(model, sizes, threads, peak):
    """Seconds of a run, or of a token, here; and a core's peak and bandwidth."""
    bench = report("bench", model, *sizes, "--threads", threads)
    ceilings, work = bench["ceilings"], bench["works"][-1]
    rates = [ceilings[kind]["rate"]["median"] / threads for kind in (peak, "reads")]
    return work["seconds"]["median"], *rates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", help="an artifact or an ONNX file")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=N")
    parser.add_argument("--entry", help="of a decoder compiled for generation: decode")
    parser.add_argument("--prompt", help="of such a decoder: tokens to read before the timed ones")
    parser.add_argument("--peak", choices=["fma", "int8"], default="fma", help="of the products")
    parser.add_argument("--cores", type=int, nargs="*", default=[8, 16, 32, 64])
    parser.add_argument("--socket", type=float, default=200, help="GB/s that all cores share")
    options = parser.parse_args()
    sizes = [part for dim in options.dim for part in ("--dim", dim)]
    entry = ["--entry", options.entry] if options.entry else []
    run = ["--prompt", options.prompt] if options.prompt else sizes
    stages = stages_of(report("explain", options.model, *sizes, *entry)["stages"])
    print("| cores | predicted ms | measured ms | waits ms | with counters ms |")
    print("|---|---|---|---|---|")
    for cores in (1, 2):
        seconds, peak, bandwidth = measured(options.model, run, cores, options.peak)
        row(stages, cores, peak, bandwidth, cores * bandwidth, f"{seconds * 1e3:.2f}")
    for cores in options.cores:
        row(stages, cores, peak, bandwidth, options.socket * 1e9, "")


def row(stages, cores, peak, bandwidth, socket, seconds):
    """Prints one line of the table."""
    total = sum(stage.seconds(cores, peak, bandwidth, socket) for stage in stages)
    waits = sum(stage.wait(cores) for stage in stages)
    best = sum(stage.seconds_at_best(cores, peak, bandwidth, socket) for stage in stages)
    print(f"| {cores} | {total * 1e3:.2f} | {seconds} | {waits * 1e3:.2f} | {best * 1e3:.2f} |")


if __name__ == "__main__":
    main()
