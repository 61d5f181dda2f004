"""What the package's tests share: two artifacts that need no compiler, and the
answers that are known of them (test/unit/runtime/TestImage.c, TestDecoder.h)."""

import harness
import numpy as np

IMAGES = harness.BUILD / "test" / "unit" / "runtime" / "images"
#: Adds: inputs a, b f32[batch, n] and mode i32[1], outputs sum and report.
ADD = IMAGES / "test.ingot"
#: A decoder whose logits are a hash of all that it has read.
DECODER = IMAGES / "decoder.ingot"
MINILM = harness.MODELS / "minilm-l3.onnx"

FAIL, SPIN = 2, 3
MASK = (1 << 64) - 1


def feeds(batch=2, n=3, mode=0):
    """Inputs of ADD."""
    a = np.arange(batch * n, dtype=np.float32).reshape(batch, n)
    return {"a": a, "b": 2 * a, "mode": np.array([mode], np.int32)}


def _mix(value, number):
    value = ((value ^ number) * 0x100000001B3) & MASK
    return value ^ (value >> 29)


def decoder_logits(ids):
    """What DECODER's logits are after these ids, by its definition."""
    caches = [(0, 2, 5), (0, 1, 5), (1, 2, 3)]  # group, heads, key and value depth
    value = 1
    for number, (group, heads, depths) in enumerate(caches):
        first = max(0, len(ids) - 200) if group else 0
        for position in range(first, len(ids)):
            for head in range(heads):
                for depth in range(depths):
                    kept = int(ids[position]) * 311 + position * 7 + number * 53
                    value = _mix(value, (kept + head * 31 + depth * 3 + 1) % 60000)
    scores = [_mix(_mix(value, token), 7) % 2000 for token in range(64)]
    return np.array([np.float32(score) / np.float32(100) - np.float32(10) for score in scores])


def greedy(ids, count):
    """The likeliest continuation, of equal logits the lowest id."""
    ids = list(ids)
    for _ in range(count):
        ids.append(int(np.argmax(decoder_logits(ids))))
    return ids[-count:]
