"""Sessions: arrays in and out, errors, limits, other runtimes' habits."""

import os
import signal
import threading
import time

import artifacts
import harness
import ingot
import numpy as np
import pytest


@pytest.fixture(scope="module")
def session():
    return ingot.Session(artifacts.ADD, threads=2)


def test_describes_itself(session):
    model = session.model
    assert [info.name for info in model.inputs] == ["a", "b", "mode"]
    assert model.inputs[0].shape == ["batch", "n"] and model.inputs[0].type == "tensor(float)"
    assert model.inputs[2].shape == [1] and model.inputs[2].dtype == np.int32
    assert [info.name for info in model.outputs] == ["sum", "report"]
    assert model.state is None and session.threads == 2
    assert "in memory" not in repr(model)


def test_adds(session):
    feeds = artifacts.feeds(3, 5)
    outputs = session.run(feeds)
    assert list(outputs) == ["sum", "report"]
    assert outputs["sum"].dtype == np.float32 and outputs["report"].tolist() == [15]
    # The image adds its first weight too.
    extra = outputs["sum"] - 3 * feeds["a"]
    assert np.ptp(extra) == 0 and extra[0, 0] == extra[0, 0]
    assert session.last_run.milliseconds > 0 and session.last_run.workers == 2
    assert session.shapes(feeds) == {"sum": (3, 5), "report": (1,)}


def test_outputs_outlive_everything():
    session = ingot.Session(artifacts.ADD, threads=1)
    outputs = session.run(artifacts.feeds())
    want = outputs["sum"].copy()
    kept = outputs.pop("sum")
    del session, outputs
    assert kept.tobytes() == want.tobytes()
    kept += 1  # the array is the caller's


@pytest.mark.parametrize(
    "change",
    [
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape),
        lambda a: a.astype(">f4"),
        lambda a: a.tolist(),
    ],
    ids=["fortran", "strided", "unaligned", "big-endian", "list"],
)
def test_any_layout(session, change):
    feeds = artifacts.feeds(4, 6)
    want = session.run(feeds)["sum"]
    got = session.run({**feeds, "a": change(feeds["a"])})["sum"]
    assert got.tobytes() == want.tobytes()


def test_read_only_input(session):
    feeds = artifacts.feeds()
    feeds["a"].setflags(write=False)
    session.run(feeds)


def test_dlpack(session):
    """An object that has nothing but DLPack, both ways."""

    class Only:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    feeds = artifacts.feeds(2, 8)
    want = session.run(feeds)["sum"]
    outputs = session.run({**feeds, "a": Only(feeds["a"])})
    assert np.from_dlpack(Only(outputs["sum"])).tobytes() == want.tobytes()


def test_preallocated(session):
    feeds = artifacts.feeds(2, 3)
    want = session.run(feeds)
    mine = np.full((2, 3), -1, np.float32)
    outputs = session.run(feeds, {"sum": mine, "report": None})
    assert outputs["sum"] is mine and mine.tobytes() == want["sum"].tobytes()
    assert outputs["report"].tolist() == want["report"].tolist()
    assert list(session.run(feeds, ["report"])) == ["report"]


@pytest.mark.parametrize(
    "mine, words",
    [
        (np.empty((2, 3)), "is of type float32"),
        (np.empty((3, 2), np.float32), "has the shape (2, 3)"),
        (np.empty((3, 2), np.float32).T, "C-contiguous"),
        (np.frombuffer(bytes(24), np.float32).reshape(2, 3), "read-only"),
    ],
    ids=["dtype", "shape", "layout", "read-only"],
)
def test_wrong_preallocated(session, mine, words):
    with pytest.raises(ingot.InvalidArgument) as caught:
        session.run(artifacts.feeds(2, 3), {"sum": mine})
    assert words in str(caught.value) and "'sum'" in str(caught.value)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"a": np.zeros((2, 3))}, "a"),
        ({"a": np.zeros(3, np.float32)}, "a"),
        ({"a": np.zeros((2, 4), np.float32)}, "n"),
        ({"a": [["x"]]}, "a"),
        ({"a": [[1.5 + 2j]]}, "a"),
        ({"mode": [1.5]}, "mode"),
        ({"other": np.zeros(1)}, "other"),
    ],
    ids=["dtype", "rank", "dims", "text", "complex", "fraction", "name"],
)
def test_wrong_inputs(session, change, words):
    with pytest.raises(ingot.InvalidArgument) as caught:
        session.run({**artifacts.feeds(), **change})
    assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert caught.value.status is ingot.Status.INVALID_ARGUMENT


def test_errors_are_pythons_own(tmp_path):
    with pytest.raises(FileNotFoundError):
        ingot.load(tmp_path / "none.ingot")
    with pytest.raises(FileNotFoundError, match="none.onnx"):
        ingot.compile(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.ingot"
    damaged.write_bytes(artifacts.ADD.read_bytes()[:-1])
    with pytest.raises(ingot.CorruptArtifact, match="damaged.ingot"):
        ingot.load(damaged)
    with pytest.raises(ingot.RuntimeCheck):
        ingot.Session(artifacts.ADD).run(artifacts.feeds(mode=artifacts.FAIL))
    with pytest.raises(MemoryError):
        ingot.Session(artifacts.ADD, max_arena_bytes=1).run(artifacts.feeds())
    for kind in ingot.Error.__subclasses__():
        assert ingot.Status(kind.status) and issubclass(kind, ingot.Error)


def test_time_limit(session):
    with pytest.raises(TimeoutError):
        session.run(artifacts.feeds(mode=artifacts.SPIN), time_limit=0.05)


def test_cancel(session):
    """A spinning run ends when another thread asks; the GIL is free meanwhile."""
    cancel = ingot.Cancel()
    timer = threading.Timer(0.1, cancel.request)
    timer.start()
    with pytest.raises(ingot.Cancelled):
        session.run(artifacts.feeds(mode=artifacts.SPIN), cancel=cancel)
    timer.join()
    with pytest.raises(ingot.Cancelled):
        session.run(artifacts.feeds(), cancel=cancel)
    cancel.reset()
    session.run(artifacts.feeds(), cancel=cancel)


@pytest.mark.parametrize("own", [False, True])
def test_interrupt(session, own):
    """Ctrl-C cancels the run and raises KeyboardInterrupt; a token that was
    given is as it was before."""
    cancel = ingot.Cancel() if own else None
    for _ in range(3):
        timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            session.run(artifacts.feeds(mode=artifacts.SPIN), cancel=cancel)
        timer.join()
        session.run(artifacts.feeds(), cancel=cancel)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_hosts_own_handler_is_left_alone(session):
    """A host that only takes a note gets its result."""
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        timer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with pytest.raises(ingot.TimeLimit):
            session.run(artifacts.feeds(mode=artifacts.SPIN), time_limit=0.3)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen


def test_threads(session):
    """Eight threads on one session; every result is right."""
    wrong = []

    def work(size):
        feeds = artifacts.feeds(size, 7)
        want = ingot.Session(session.model, threads=1).run(feeds)["sum"].tobytes()
        for _ in range(30):
            if session.run(feeds)["sum"].tobytes() != want:
                wrong.append(size)

    threads = [threading.Thread(target=work, args=[size]) for size in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_bf16_bits():
    """Without a bf16 model at hand: the dtype's two forms."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    from ingot._model import TensorInfo
    from ingot._session import lower_input

    info = TensorInfo("x", [2], "tensor(bfloat16)", 4)
    assert info.dtype == ml_dtypes.bfloat16
    values = np.array([1, 2], ml_dtypes.bfloat16)
    for given in (values, values.view(np.uint16)):
        _, bits, number = lower_input(info, "x", given)
        assert number == 4 and bits.tobytes() == values.tobytes()


def test_swapped_in_for_onnxruntime():
    """The same function runs on either session."""
    import onnxruntime

    def host(session):
        feeds = {}
        for info in session.get_inputs():
            assert info.type == "tensor(int64)"
            shape = [size if isinstance(size, int) else 4 for size in info.shape]
            feeds[info.name] = np.ones(shape, np.int64)
        names = [info.name for info in session.get_outputs()]
        assert "CPUExecutionProvider" in session.get_providers()
        described = [(info.name, info.type, len(info.shape)) for info in session.get_inputs()]
        return described, session.run(names[:1], feeds), session.run(None, feeds)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    path, providers = str(artifacts.MINILM), ["CPUExecutionProvider"]
    ours = host(ingot.InferenceSession(path, options, providers=providers))
    theirs = host(onnxruntime.InferenceSession(path, options, providers=providers))
    assert ours[0] == theirs[0]
    for got, want in zip(ours[1] + ours[2], theirs[1] + theirs[2], strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        assert np.abs(got - want).max() <= 1e-4


def test_compiles_with_progress(tmp_path):
    heard = []
    model = ingot.compile(
        artifacts.MINILM, artifact=tmp_path / "m.ingot", target="x86-64-v3",
        progress=lambda phase, share: heard.append((phase, share)),
    )  # fmt: skip
    assert (tmp_path / "m.ingot").exists() and model.path == str(tmp_path / "m.ingot")
    assert heard and all(0 <= share <= 1 for _, share in heard)
    with pytest.raises(ZeroDivisionError):
        ingot.compile(artifacts.MINILM, progress=lambda phase, share: 1 / 0)
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(ingot.CompileFailed, match="bad.onnx"):
        ingot.compile(tmp_path / "bad.onnx")
    # What the program says, whether the model has a file or not.
    said = harness.ingot_ok("explain", model.path, "--full", "--dim", "batch_size=2").stdout
    assert model.explain(batch_size=2) == said
    unnamed = ingot.compile(artifacts.MINILM, target="x86-64-v3").explain(batch_size=2)
    assert unnamed.splitlines()[1:] == said.splitlines()[1:]
    with pytest.raises(ingot.InvalidArgument, match="no symbolic dim 'none'"):
        model.explain(none=3)


def test_compile_options():
    """Constants in place of inputs, and the form of activations."""
    path = artifacts.MINILM
    assert "activations of 16 bits" in ingot.compile(path, activations="int16").explain()
    with pytest.raises(ValueError, match="'int4', not one of"):
        ingot.compile(path, activations="int4")
    with pytest.raises(ingot.CompileFailed, match="no input 'nothing' to set"):
        ingot.compile(path, constants={"nothing": True})


def test_bar_on_a_terminal():
    """The bar is drawn on a terminal only, and is gone at the end."""
    code = f"import ingot; ingot.compile({str(artifacts.MINILM)!r})"
    import pty
    import subprocess
    import sys

    try:
        ours, theirs = pty.openpty()
    except OSError:
        pytest.skip("this system has no terminals to give")
    environment = {**os.environ, "PYTHONPATH": str(harness.BUILD / "python")}
    child = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=environment)
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(ours)
    assert child.wait(timeout=60) == 0, text
    assert b"compiling minilm-l3.onnx [" in text and text.endswith(b"\r\x1b[K")
    quiet = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, timeout=60
    )
    assert quiet.returncode == 0 and quiet.stderr == b""


def test_waiting_is_not_spinning(session):
    """Nothing of a finished session keeps a thread busy."""
    session.run(artifacts.feeds())
    time.sleep(0.2)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.2
