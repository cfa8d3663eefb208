# SPDX-License-Identifier: Apache-2.0
"""Many Python threads on one model, the interpreter's lock, and processes that fork."""

import concurrent.futures
import contextlib
import os
import subprocess
import sys
import threading
import time

import numpy
import pytest

import octet
from conftest import PIXELS, random_pixels


@contextlib.contextmanager
def other_thread_proceeds():
    """Fails unless another thread gets to run in the block. The interpreter never makes a thread hand on its lock here:
    only one that releases it lets another run."""
    before, proceeded, ready = sys.getswitchinterval(), [], threading.Event()

    def proceed():
        ready.wait()
        proceeded.append(time.perf_counter())

    thread = threading.Thread(target=proceed)
    thread.start()
    sys.setswitchinterval(1000)
    try:
        ready.set()
        yield
        end = time.perf_counter()
    finally:
        sys.setswitchinterval(before)
        thread.join()
    assert proceeded[0] < end


def spin():
    end = time.perf_counter() + 0.3
    while time.perf_counter() < end:
        pass


def test_the_proof_of_the_lock_can_fail():
    with pytest.raises(AssertionError):
        with other_thread_proceeds():
            spin()


def test_the_lock_is_free_while_a_model_runs(model_path):
    model = octet.load(model_path, isa="scalar")
    pixels = random_pixels(20000)
    with other_thread_proceeds():
        model(pixels)


def test_the_lock_is_free_while_a_model_loads(model_path):
    file = model_path.read_bytes()
    for source in model_path, file:
        with other_thread_proceeds():
            for _ in range(300):
                octet.load(source)


def test_the_lock_is_free_while_a_network_is_converted(onnx, tmp_path):
    with other_thread_proceeds():
        octet.convert(onnx, tmp_path / "net.octet", calibrate=random_pixels(2000), normalize=PIXELS, samples=2000)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_many_threads_on_one_model(model_path, threads):
    model = octet.load(model_path, threads=threads)
    batches = [random_pixels(samples) for samples in (1, 2, 5, 64, 300)]
    expected = [octet.load(model_path, isa="scalar")(batch).tobytes() for batch in batches]

    def run(seed):
        for i in numpy.random.default_rng(seed).integers(0, len(batches), 150):
            assert model(batches[i]).tobytes() == expected[i]
        return seed

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(8))) == list(range(8))


def test_threads_that_convert_at_once(onnx, tmp_path):
    def convert(i):
        path = tmp_path / f"{i}.octet"
        octet.convert(onnx, path, calibrate=random_pixels(100), normalize=PIXELS)
        return path.read_bytes()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(convert, range(4)))) == 1


# A child has none of the threads of its parent's model: it must neither wait for them nor change a result.
FORK = """
import os, signal, sys
import numpy, octet

def wait_for(child):
    assert os.waitpid(child, 0)[1] == 0

x = numpy.arange(1000 * 784, dtype=numpy.uint32).astype(numpy.uint8).reshape(1000, 784)
for threads in 1, 2, 1 + os.cpu_count():
    model = octet.load(sys.argv[1], threads=threads)
    expected = model(x).tobytes()
    if (child := os.fork()) == 0:
        signal.alarm(30)
        good = all(model(x).tobytes() == expected for _ in range(3))
        del model
        os._exit(0 if good else 1)
    wait_for(child)
    if (child := os.fork()) == 0:
        signal.alarm(30)
        del model
        os._exit(0)
    wait_for(child)
    assert model(x).tobytes() == expected
"""


def test_fork(model_path):
    subprocess.run([sys.executable, "-c", FORK, str(model_path)], check=True, timeout=60)


# The interpreter ends while threads, which it does not wait for, are on their way back to it.
EXIT = """
import sys, threading, time
import numpy, octet
model = octet.load(sys.argv[1], isa="scalar")
x = numpy.zeros((500, 784), numpy.uint8)
started = threading.Barrier(5)

def forever(work):
    started.wait()
    while True:
        work()

for work in [lambda: model(x), lambda: model(x[:1]), lambda: octet.load(sys.argv[1]),
             lambda: octet.convert(sys.argv[2], sys.argv[3], calibrate=x)]:
    threading.Thread(target=forever, args=[work], daemon=True).start()
started.wait()
time.sleep(0.1)
"""


def test_exit_with_daemon_threads(model_path, onnx, tmp_path):
    for _ in range(2):
        line = [sys.executable, "-c", EXIT, model_path, onnx, tmp_path / "net.octet"]
        done = subprocess.run(list(map(str, line)), capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
