"""Makes wrong programs of right ones: small changes of the text of planned mega
programs, which the checkers behind `ingot compile --prove` have to refuse. It
knows the text of the dialect and nothing of the checkers.

    python test/e2e/mutate.py PROGRAM.mlir... [--count N] [--seed N]

prints a line for each mutant that still verifies, and which were not refused.
"""

import argparse
import collections
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import harness

OPT = harness.BUILD / "bin" / "ingot-opt"
CHECKERS = "builtin.module(mega.program(mega-prove-order,mega-prove-writes,mega-prove-memory))"
ACCESS = re.compile(r"mega\.access (\w+) (%\w+)(?:\[(.*?)\] \[(.*?)\] \[(.*?)\])?")
TILES = re.compile(r"mega\.tiles \((.*?)\) in \((.*?)\) step \((.*?)\)")


class Program:
    """Lines of a module, and where its stages are."""

    def __init__(self, text):
        self.lines = text.split("\n")
        self.maps = dict(re.findall(r"^(#map\d*) = (affine_map<.*>)$", text, re.M))
        self.stages = []  # first and last line
        self.fetched = set()  # lines of what is fetched ahead, which computes nothing
        for number, line in enumerate(self.lines):
            if re.fullmatch(r"    mega\.stage (prologue )?(each %\w+ )?{", line):
                end = next(i for i in range(number, len(self.lines)) if self.lines[i] == "    }")
                self.stages.append((number, end))
            if line == "    mega.prefetch {":
                self.fetched |= set(range(number, self.lines.index("    }", number)))

    def find(self, pattern):
        lines = [i for i, line in enumerate(self.lines) if re.search(pattern, line)]
        return [i for i in lines if i not in self.fetched]

    def conditions(self, number):
        """Conditions of stages and barriers in front of a line, of one program."""
        begin = max(i for i in self.find(r"^  mega\.program") if i < number)
        text = "\n".join(self.lines[begin:number])
        stands = r"^ +(?:}|mega\.stage|mega\.barrier)(?: prologue)? (?:each|unless) (%\w+)"
        return sorted(set(re.findall(stands, text, re.M)))

    def prologue(self, number):
        """Of a stage that begins with one: the lines of its tiles, the barrier
        behind them or None, and the number of the line where it ends."""
        ends = (i for i, line in enumerate(self.lines) if i > number and line.startswith("    }"))
        end = next(ends)
        inside = self.lines[number + 1 : end]
        barrier = next((line for line in inside if "mega.barrier" in line), None)
        return [line for line in inside if line != barrier], barrier, end

    def edited(self, edits):
        """The text with lines replaced: {number: line, or None for none}."""
        changed = [edits.get(i, line) for i, line in enumerate(self.lines)]
        return "\n".join(line for line in changed if line is not None)

    def before(self, number):
        """The line of the stage around a line, where values may be put."""
        return next(begin for begin, end in self.stages if begin <= number <= end)


    def argument(self, role):
        """The names, of all programs, of the argument with a role."""
        return re.findall(rf'(%\w+): [^{{,]* {{ingot.role = "{role}"}}', "\n".join(self.lines))


def shifted(value, by, indent):
    """Lines that compute `value` + `by`, and the name of the sum."""
    return (
        f"{indent}%mutant_by = arith.constant {by} : index\n"
        f"{indent}%mutant = arith.addi {value}, %mutant_by : index\n"
    ), "%mutant"


def changed_list(items, at, by, indent):
    """A list of numbers and values with one changed; what computes it."""
    items = list(items)
    if not items[at].startswith("%"):
        items[at] = str(int(items[at]) + by)
        return "", items
    lines, items[at] = shifted(items[at], by, indent)
    return lines, items


def drop_barrier(program, pick):
    return program.edited({pick.choice(program.find(r"^ +mega\.barrier")): None})


def wait_never(program, pick):
    """Nobody waits at a barrier that some runs do without."""
    number = pick.choice(program.find(r"^ +mega\.barrier unless"))
    edits = {number: re.sub(r"%\w+", "%mutant", program.lines[number])}
    front = number if program.lines[number].startswith("    mega") else program.before(number)
    edits[front] = "    %mutant = arith.constant true\n" + edits.get(front, program.lines[front])
    return program.edited(edits)


def wait_seldom(program, pick):
    """A barrier that all runs need is left out where some condition holds."""
    number = pick.choice(program.find(r"^    mega\.barrier$"))
    condition = pick.choice(program.conditions(number))
    return program.edited({number: f"    mega.barrier unless {condition}"})


def deal_stage(program, pick):
    """What each worker should run for itself is dealt."""
    number = pick.choice(program.find(r"^    mega\.stage (prologue )?each"))
    if "prologue" not in program.lines[number]:
        return program.edited({number: "    mega.stage {"})
    tiles, barrier, end = program.prologue(number)
    rest = [barrier[2:]] if barrier else []
    rest += [program.lines[end].replace("}", "mega.stage")]
    lines = ["    mega.stage {", *tiles, "    }", *rest]
    return "\n".join(program.lines[:number] + lines + program.lines[end + 1 :])


def drop_prologue(program, pick):
    number = pick.choice(program.find(r"^    mega\.stage prologue"))
    *_, end = program.prologue(number)
    rest = [program.lines[end].replace("}", "mega.stage")]
    return "\n".join(program.lines[:number] + rest + program.lines[end + 1 :])


def wait_early(program, pick):
    """Workers wait in front of a prologue, not behind it."""
    number = pick.choice(program.find(r"^    mega\.stage prologue"))
    tiles, barrier, end = program.prologue(number)
    assert barrier
    lines = [barrier[2:], program.lines[number], *tiles]
    return "\n".join(program.lines[:number] + lines + program.lines[end:])


def own_offset(program, pick):
    """The line that chooses where a worker's own buffer lies."""
    scratch = pick.choice(program.find(r"^    %\w+ = mega\.scratch .* each "))
    offset = re.search(r"\[(%\w+)\]", program.lines[scratch])[1]
    define = re.compile(rf"    {offset} = arith\.select (%\w+), (%\w+), (%\w+) : index$")
    at = max(i for i in range(scratch) if define.match(program.lines[i]))
    return at, offset, define.match(program.lines[at])


def share_own(program, pick):
    """Each worker's own buffer is the same memory."""
    at, offset, select = own_offset(program, pick)
    line = f"    {offset} = arith.select {select[1]}, {select[3]}, {select[3]} : index"
    return program.edited({at: line})


def always_own(program, pick):
    """Workers have different memory for what is one buffer."""
    at, offset, select = own_offset(program, pick)
    line = f"    {offset} = arith.select {select[1]}, {select[2]}, {select[2]} : index"
    return program.edited({at: line})


def one_copy_less(program, pick):
    """Room for the copies of all workers but one."""
    workers = "|".join(set(program.argument("workers")))
    number = pick.choice(program.find(rf"^    %\w+ = arith\.muli %\w+, (?:{workers}) : index$"))
    line = program.lines[number]
    count = re.findall(r"%\w+", line)[-1]
    extra, name = shifted(count, -1, "    ")
    return program.edited({number: extra + line.replace(f", {count} :", f", {name} :")})


def drop_stage(program, pick):
    begin, end = pick.choice(program.stages)
    return program.edited({i: None for i in range(begin, end + 1)})


def swap_stages(program, pick):
    """Exchanges two stages that follow each other; what is between them stays
    in front where the second needs it."""
    at = pick.randrange(len(program.stages) - 1)
    (a, b), (c, d) = program.stages[at : at + 2]
    lines = program.lines
    between = lines[b + 1 : c]
    values = [line for line in between if "mega.barrier" not in line]
    barriers = [line for line in between if "mega.barrier" in line]
    order = lines[:a] + values + lines[c : d + 1] + barriers + lines[a : b + 1] + lines[d + 1 :]
    return "\n".join(order)


def access_line(program, pick, modes, part=True):
    found = []
    for number in program.find(r"mega\.access"):
        match = ACCESS.search(program.lines[number])
        if match and match[1] in modes and (match[3] or not part):
            found.append((number, match))
    return pick.choice(found)


def shift_access(modes):
    def mutate(program, pick):
        number, match = access_line(program, pick, modes)
        offsets = match[3].split(", ")
        dynamic = [i for i, offset in enumerate(offsets) if offset.startswith("%")]
        at, by = pick.choice(dynamic), pick.choice([-1, 1, 8])
        extra, offsets = changed_list(offsets, at, by, "        ")
        line = program.lines[number]
        line = line[: match.start(3)] + ", ".join(offsets) + line[match.end(3) :]
        return program.edited({number: extra + line})

    return mutate


def resize_access(program, pick):
    number, match = access_line(program, pick, {"read", "write", "update"})
    sizes = match[4].split(", ")
    dynamic = [i for i, size in enumerate(sizes) if size.startswith("%")]
    extra, sizes = changed_list(sizes, pick.choice(dynamic), pick.choice([-1, 1]), "        ")
    line = program.lines[number]
    line = line[: match.start(4)] + ", ".join(sizes) + line[match.end(4) :]
    return program.edited({number: extra + line})


def change_tiles(group, choices):
    def mutate(program, pick):
        number = pick.choice(program.find(r"mega\.tiles"))
        line = program.lines[number]
        match = TILES.search(line)
        items = match[group].split(", ")
        at = pick.randrange(len(items))
        by = pick.choice(choices(match[3].split(", ")[at]))
        extra, items = changed_list(items, at, by, "    ")
        edits = {number: line[: match.start(group)] + ", ".join(items) + line[match.end(group) :]}
        if extra:
            begin = program.before(number)
            edits[begin] = extra + program.lines[begin]
        return program.edited(edits)

    return mutate


def change_minimum(program, pick):
    """What tiles are cut off to: another constant in one `affine.min`."""
    number = pick.choice(program.find(r"affine\.min #map"))
    name = re.search(r"#map\d*", program.lines[number])[0]
    text = program.maps[name]
    at = pick.choice(list(re.finditer(r"(?<![ds\d])\b\d+\b", text)))
    value = str(int(at[0]) + pick.choice([-1, 1]))
    text = text[: at.start()] + value + text[at.end() :]
    return program.edited({number: re.sub(r"#map\d*", text, program.lines[number], count=1)})


def arena_view(program, pick):
    arena = re.findall(r'(%\w+): memref<\?xi8> \{ingot.role = "arena"\}', "\n".join(program.lines))
    return pick.choice(program.find(rf"^    %\w+ = memref\.view (?:{'|'.join(arena)})\["))


def shift_view(program, pick):
    number = arena_view(program, pick)
    line = program.lines[number]
    offset = re.search(r"\[(%\w+)\]", line)
    extra, name = shifted(offset[1], pick.choice([-64, 64, 4]), "    ")
    line = line[: offset.start(1)] + name + line[offset.end(1) :]
    return program.edited({number: extra + line})


def move_view(program, pick):
    """Takes the place of another buffer."""
    number, other = arena_view(program, pick), arena_view(program, pick)
    where = [re.search(r"\[(%\w+)\]", program.lines[i]) for i in (number, other)]
    assert where[0][1] != where[1][1]
    line = program.lines[number]
    line = line[: where[0].start(1)] + where[1][1] + line[where[0].end(1) :]
    return program.edited({number: line})


def redirect(modes):
    def mutate(program, pick):
        number, match = access_line(program, pick, modes, part=False)
        line = program.lines[number]
        source = re.search(r" : (memref<.*?>) to ", line)[1]
        views = [
            re.match(r"    (%\w+) = memref\.view", text)[1]
            for text in program.lines[:number]
            if re.match(r"    %\w+ = memref\.view", text) and text.endswith(f"to {source}")
        ]
        other = pick.choice([view for view in views if view != match[2]])
        return program.edited({number: line[: match.start(2)] + other + line[match.end(2) :]})

    return mutate


def share_scratch(program, pick):
    """A worker's own memory at a place that all have."""
    number = pick.choice(program.find(r"^      .*mega\.scratch"))
    view = re.search(r"memref\.view %\w+\[(%\w+)\]", program.lines[arena_view(program, pick)])[1]
    line = re.sub(r"(mega\.scratch %\w+\[)%\w+", lambda m: m[1] + view, program.lines[number])
    return program.edited({number: line})


def shrink_arena(program, pick):
    number = pick.choice(program.find(r"^    mega\.return"))
    line = program.lines[number]
    total = re.findall(r"%\w+", line)[-1]
    extra, name = shifted(total, pick.choice([-1, -64]), "    ")
    at = line.rindex(total)
    return program.edited({number: extra + line[:at] + name + line[at + len(total) :]})


def drop_line(pattern):
    def mutate(program, pick):
        return program.edited({pick.choice(program.find(pattern)): None})

    return mutate


def change_await(group, choices):
    """Tiles wait for other tiles: from another number on, or for another count."""

    def mutate(program, pick):
        number = pick.choice(program.find(r"mega\.await"))
        line = program.lines[number]
        match = re.search(r"\[(%\w+)\]\[(%\w+)\] of (%\w+)", line)
        extra, name = shifted(match[group], pick.choice(choices), "        ")
        line = line[: match.start(group)] + name + line[match.end(group) :]
        return program.edited({number: extra + line})

    return mutate


def move_signal(program, pick):
    """Tiles count where others do."""
    signals = program.find(r"mega\.signal")
    one, other = pick.sample(signals, 2)
    return program.edited({one: program.lines[other]})


def extent_changes(step):
    return [-1, 1] if step.startswith("%") else [-1, 1, int(step), -int(step)]


def step_changes(step):
    return [1] if step == "1" else [-1, 1] if step == "2" else [-1, 1, -(int(step) // 2)]


MUTATIONS = {
    "drop a barrier": drop_barrier,
    "wait never": wait_never,
    "wait seldom": wait_seldom,
    "deal what each runs": deal_stage,
    "drop a prologue": drop_prologue,
    "wait too early": wait_early,
    "share what is each one's own": share_own,
    "own what all share": always_own,
    "one copy too few": one_copy_less,
    "drop a stage": drop_stage,
    "swap two stages": swap_stages,
    "shift what a tile reads": shift_access({"read"}),
    "shift what a tile writes": shift_access({"write", "update"}),
    "resize what a tile touches": resize_access,
    "change an extent": change_tiles(2, extent_changes),
    "change a step": change_tiles(3, step_changes),
    "change a minimum": change_minimum,
    "shift a view of the arena": shift_view,
    "move a view of the arena": move_view,
    "write to another buffer": redirect({"write", "update"}),
    "read another buffer": redirect({"read"}),
    "share scratch": share_scratch,
    "shrink the arena": shrink_arena,
    "await nothing": drop_line(r"mega\.await"),
    "signal nothing": drop_line(r"mega\.signal"),
    "leave counters as they are": drop_line(r"linalg\.fill .*memref<\?x8xi64>"),
    "await from another number on": change_await(1, [-1, 1]),
    "await more or less": change_await(2, [-1, 1]),
    "await another count": change_await(3, [-1, 1]),
    "signal in other counters": move_signal,
}


def mutants(text, count, seed):
    """Up to `count` different mutants of a program, as (name, text)."""
    program, pick = Program(text), random.Random(seed)
    seen, names = set(), list(MUTATIONS)
    for attempt in range(count * 20):
        name = names[attempt % len(names)]
        try:
            mutant = MUTATIONS[name](program, pick)
        except (IndexError, AssertionError, ValueError, StopIteration):
            continue  # the program has nothing of the kind
        if mutant != text and mutant not in seen:
            seen.add(mutant)
            yield name, mutant
        if len(seen) >= count:
            return


def opt(path, *options):
    command = [OPT, path, "-mlir-print-op-on-diagnostic=false", "-o", "/dev/null", *options]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def judged(text, folder):
    """Whether the checkers refuse a program, and their first error; None for one
    that does not verify."""
    path = pathlib.Path(folder) / "mutant.mlir"
    path.write_text(text)
    if opt(path).returncode != 0:
        return None
    done = opt(path, f"-pass-pipeline={CHECKERS}")
    assert done.returncode in (0, 1), f"the checkers ended with {done.returncode}: {done.stderr}"
    errors = re.findall(r"error: (.*)", done.stderr)
    return done.returncode == 1, errors[0] if errors else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="a folder for the mutants that were not refused")
    options = parser.parse_args()
    totals = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for path in options.programs:
            text = pathlib.Path(path).read_text()
            for number, (name, mutant) in enumerate(mutants(text, options.count, options.seed)):
                judgement = judged(mutant, folder)
                if judgement is None:
                    continue
                refused, error = judgement
                totals[name, refused] += 1
                verdict = error[:150] if refused else "NOT REFUSED"
                print(f"{path} {number} {name}: {verdict}", flush=True)
                if options.keep and not refused:
                    kept = f"{pathlib.Path(path).parent.name}-{number}.mlir"
                    pathlib.Path(options.keep, kept).write_text(mutant)
    for name in MUTATIONS:
        print(f"{name}: {totals[name, True]} refused, {totals[name, False]} not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
