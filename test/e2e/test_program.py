"""What the compiled program promises: memory that grows with the number of
tokens and not with its square, results that depend neither on threads nor on
neighbours, an image that needs nothing, a runtime without LLVM."""

import json
import struct
import subprocess
import threading

import harness
import ingot
import numpy as np
import pytest
import small_models as small

MINILM = harness.MODELS / "minilm-l3.onnx"


@pytest.fixture(scope="module")
def minilm():
    """The artifact of MiniLM-L3."""
    return harness.compiled(MINILM)


@pytest.fixture(scope="module")
def long_minilm(tmp_path_factory):
    """MiniLM-L3 with 8192 positions: (model, artifact)."""
    folder = tmp_path_factory.mktemp("long")
    model = small.with_positions(MINILM, folder / "long.onnx", 8192)
    harness.ingot_ok("compile", model, "-o", folder / "long.ingot")
    return model, folder / "long.ingot"


def arena_bytes(artifact, batch, length):
    """The planned arena at one size."""
    return harness.explained(artifact, batch_size=batch, sequence_length=length)["arena_bytes"]


def test_arena_grows_linearly(long_minilm):
    """From 1024 to 8192 tokens, the second difference of the plan is nothing
    but alignment, and S x S floats of one head would not fit into it."""
    artifact = long_minilm[1]
    lengths = [1024, 2048, 4096, 8192]
    sizes = [arena_bytes(artifact, 1, n) for n in lengths]
    per_token = [(b - a) / (m - n) for a, b, n, m in zip(sizes, sizes[1:], lengths, lengths[1:])]
    print("arena bytes", dict(zip(lengths, sizes)))
    assert max(per_token) <= 1.01 * min(per_token) + 1, per_token
    assert sizes[-1] < 8192 * 8192 * 4


def test_runs_2048_tokens(long_minilm):
    """The long program computes what ONNX Runtime does where that still fits."""
    model, artifact = long_minilm
    feeds = harness.sentence_batch(1, 2048)
    want = harness.oracle_run(harness.oracle(model), feeds)
    assert harness.largest_difference(harness.run(artifact, feeds), want) <= 1e-4


def test_peak_memory_at_8192_tokens(long_minilm, tmp_path):
    """The process that runs 8192 tokens stays far below one S x S matrix a head."""
    np.savez(tmp_path / "in.npz", **harness.sentence_batch(1, 8192))
    peak = harness.peak_memory(
        "run", long_minilm[1], "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz"
    )
    print("peak MiB", peak >> 20)
    assert peak < 600 << 20  # twelve heads' scores alone would take 3 GiB


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (3, 50), (2, 129)], ids=str)
def test_threads_change_no_bit(minilm, size):
    """Neither do more of them than most stages have tiles."""
    feeds = harness.sentence_batch(*size)
    runs = [harness.run(minilm, feeds, "--threads", count) for count in (1, 2, 3, 40)]
    for other in runs[1:]:
        for name, array in runs[0].items():
            assert array.tobytes() == other[name].tobytes(), name


# More threads than tiles, for most of which nobody waits; tiles that wait for
# the rows of others.
@pytest.mark.parametrize("batch, length, threads", [(2, 40, 24), (5, 100, 3)])
def test_stopped(minilm, batch, length, threads):
    """A run can be stopped at any time, and the next one is right."""
    feeds = harness.sentence_batch(batch, length)
    session = ingot.Session(minilm, threads=threads)
    want, stopped = session.run(feeds), 0
    for step in range(1, 40):
        try:
            got = session.run(feeds, time_limit=step * 1e-4)
        except ingot.TimeLimit:
            stopped += 1
            got = session.run(feeds)
        for name, array in want.items():
            assert array.tobytes() == got[name].tobytes(), name
    # A tenth of a millisecond is too short for any.
    assert stopped > 0


def test_tiles_wait_for_tiles(minilm, tmp_path):
    """Stages of which each tile needs some rows of the one before are no reason
    for all workers to meet: half of a layer's meetings are left."""
    report = tmp_path / "report.json"
    harness.ingot_ok("explain", minilm, "--json", report)
    sync = [stage["sync"] for stage in json.loads(report.read_text())["stages"]]
    assert sum("counters" in words for words in sync) >= 9
    assert sum("barrier" in words.split() for words in sync) <= 7


def test_neighbours_change_no_bit(minilm):
    """A row's result is the same alone and in a batch."""
    feeds = harness.sentence_batch(4, 24)
    together = harness.run(minilm, feeds)
    for row in range(4):
        alone = harness.run(minilm, {name: array[row : row + 1] for name, array in feeds.items()})
        for name, array in alone.items():
            assert array.tobytes() == together[name][row : row + 1].tobytes(), name


def test_same_model_same_artifact(tmp_path):
    """Compiling twice gives the same bytes."""
    model = small.save(small.dense(), tmp_path / "dense.onnx")
    for name in ("one", "two"):
        harness.ingot_ok("compile", model, "-o", tmp_path / f"{name}.ingot")
    assert (tmp_path / "one.ingot").read_bytes() == (tmp_path / "two.ingot").read_bytes()


def test_memory_and_file_are_one_path(tmp_path):
    """Running the .onnx file gives the bits of running its artifact."""
    model = small.save(small.dense(), tmp_path / "dense.onnx")
    harness.ingot_ok("compile", model, "-o", tmp_path / "dense.ingot")
    feeds = {"x": np.ones((3, 4), np.float32), "z": np.ones((3, 8), np.float32)}
    direct = harness.run(model, feeds)
    through = harness.run(tmp_path / "dense.ingot", feeds)
    assert direct["y"].tobytes() == through["y"].tobytes()


def test_processes_at_once(minilm):
    """Two programs at the same time on the same artifact agree with one alone."""
    feeds = harness.sentence_batch(2, 33)
    want = harness.run(minilm, feeds)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(harness.run(minilm, feeds))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for got in found:
        assert all(got[name].tobytes() == array.tobytes() for name, array in want.items())


def shared_objects(program):
    """What the dynamic linker loads for `program`."""
    return subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("program", ["bin/ingot", "lib/libingot.so"])
def test_runtime_needs_no_llvm(program):
    listed = shared_objects(harness.BUILD / program)
    for word in ("LLVM", "MLIR", "lld", "protobuf"):
        assert word not in listed, listed


def image_of(artifact, target):
    """Writes the ELF image inside an artifact to `target`."""
    data = artifact.read_bytes()
    assert data[:8] == b"INGOTART"
    offset, size = struct.unpack_from("<QQ", data, 40)
    target.write_bytes(data[offset : offset + size])
    return target


@pytest.mark.parametrize("model", ["minilm-l3", "minilm-l6-int8", "rxnmap"])
def test_image_needs_nothing(model, tmp_path):
    """No undefined symbol, no needed library, only relative relocations, no
    segment that is writable and executable."""
    image = image_of(harness.compiled(harness.MODELS / f"{model}.onnx"), tmp_path / "image.so")

    def tool(name, *options):
        command = [harness.LLVM_BIN / name, *options, image]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert tool("llvm-nm", "--dynamic", "--undefined-only").strip() == ""
    assert "NEEDED" not in tool("llvm-readelf", "--dynamic-table")
    relocations = tool("llvm-readelf", "--relocations").splitlines()
    kinds = {line.split()[2] for line in relocations if " R_X86_64_" in f" {line}"}
    assert kinds <= {"R_X86_64_RELATIVE"}, kinds
    for line in tool("llvm-readelf", "--segments", "--wide").splitlines():
        if line.split()[:1] == ["LOAD"]:
            assert "RWE" not in line, line


def test_one_session_from_several_threads(minilm):
    """Runs of one session from four threads at once, of different sizes, give
    the bits of the same runs one after the other."""
    session = ingot.Session(minilm, threads=2)
    feeds = [harness.sentence_batch(*size) for size in ((1, 5), (2, 31), (1, 64), (3, 7))]
    want = [session.run(each) for each in feeds]
    wrong = []

    def work(number):
        for _ in range(10):
            got = session.run(feeds[number])
            if any(got[name].tobytes() != array.tobytes() for name, array in want[number].items()):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_two_models_at_once(minilm):
    """Two models in one process, each with its own session."""
    other = harness.compiled(harness.MODELS / "minilm-l6-int8.onnx")
    sessions = [ingot.Session(path, threads=2) for path in (minilm, other)]
    feeds = [harness.sentence_batch(2, 9), harness.sentence_batch(2, 9, token_types=True)]
    want = [session.run(each) for session, each in zip(sessions, feeds)]
    for _ in range(3):
        for session, each, before in zip(sessions, feeds, want):
            for name, array in session.run(each).items():
                assert array.tobytes() == before[name].tobytes(), name
