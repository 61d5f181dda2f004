"""Other processes, other orders of dying, nothing left behind."""

import gc
import multiprocessing
import os
import pickle
import random
import signal
import threading

import artifacts
import ingot
import numpy as np
import pytest

SESSION = None


def add(size):
    """In a worker process: with the parent's session after a fork, with an own
    one after a spawn."""
    session = SESSION or ingot.Session(artifacts.ADD, threads=2)
    return session.run(artifacts.feeds(size, 5))["sum"].tobytes()


def add_with(session):
    """In a worker process, with a session that was sent to it."""
    return session.run(artifacts.feeds(2, 5))["sum"].tobytes()


def interrupted(_):
    """In a worker process: Ctrl-C still works."""
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    try:
        SESSION.run(artifacts.feeds(mode=artifacts.SPIN), time_limit=30)
    except KeyboardInterrupt:
        return "interrupted"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools(method, monkeypatch):
    monkeypatch.setitem(globals(), "SESSION", ingot.Session(artifacts.ADD, threads=2))
    want = [add(size) for size in range(1, 9)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(add, range(1, 9)) == want
        if method == "fork":
            assert pool.apply(interrupted, [None]) == "interrupted"
        else:
            assert pool.apply(add_with, [SESSION]) == want[1]
    assert [add(size) for size in range(1, 9)] == want


def test_fork_during_runs():
    """Children are born while other threads run; both sides go on."""
    session = ingot.Session(artifacts.ADD, threads=2)
    want = session.run(artifacts.feeds(3, 5))["sum"].tobytes()
    ended = threading.Event()

    def work():
        while not ended.is_set():
            session.run(artifacts.feeds(3, 5))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                same = session.run(artifacts.feeds(3, 5))["sum"].tobytes() == want
                os._exit(0 if same else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_pickles():
    session = pickle.loads(pickle.dumps(ingot.Session(artifacts.ADD, threads=1)))
    assert session.threads == 1 and session.model.path == str(artifacts.ADD)
    error = pickle.loads(pickle.dumps(ingot.TimeLimit("too long")))
    assert isinstance(error, ingot.TimeLimit) and str(error) == "too long"


def test_any_order_of_dying():
    """Models, sessions, sequences and outputs, dropped in random orders, are all
    freed in the end."""
    gc.collect()
    before = ingot._ingot.live_handles()
    order = random.Random(5)
    for _ in range(30):
        model, decoder = ingot.load(artifacts.ADD), ingot.load(artifacts.DECODER)
        session, talking = ingot.Session(model, threads=1), ingot.Session(decoder, threads=1)
        sequence = talking.sequence()
        things = [
            model, decoder, session, talking, sequence, sequence.fork(),
            session.run(artifacts.feeds())["sum"], sequence.generate([1, 2], 3),
        ]  # fmt: skip
        del model, decoder, session, talking, sequence
        order.shuffle(things)
        while things:
            things.pop()
    gc.collect()
    assert ingot._ingot.live_handles() == before


def test_failures_leave_nothing():
    session = ingot.Session(artifacts.ADD, threads=1)
    before = ingot._ingot.live_handles()
    array = np.zeros((2, 3), np.float32)
    for _ in range(50):
        with pytest.raises(ingot.Error):
            session.run({"a": array})
        with pytest.raises(ingot.Error):
            session.run(artifacts.feeds(mode=artifacts.FAIL))
    gc.collect()
    assert ingot._ingot.live_handles() == before


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_runs_leave_no_memory():
    """Half a megabyte of output a run, not kept: memory stays."""
    session = ingot.Session(artifacts.ADD, threads=1)
    feeds = artifacts.feeds(1, 1 << 17)
    for _ in range(20):
        session.run(feeds)
    before = resident()
    for _ in range(200):
        session.run(feeds)
    assert resident() - before < 16 << 20
