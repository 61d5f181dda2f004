"""Reference of the packed layouts of quantized_linear, in plain numpy."""

import numpy as np


def pack_codes(codes, bits, block):
    """Unsigned codes (K x N) as ceil(N/16) x blocks x words x 16."""
    depth, width = codes.shape
    blocks, groups, per = -(-depth // block), -(-width // 16), 32 // bits
    whole = np.zeros((blocks * block, groups * 16), np.uint32)
    whole[:depth, :width] = codes
    parts = whole.reshape(blocks, block // per, per, groups, 16)
    words = np.zeros((blocks, block // per, groups, 16), np.uint32)
    for k in range(per):
        words |= parts[:, :, k] << np.uint32(k % 2 * 16 + k // 2 * bits)
    return np.ascontiguousarray(words.transpose(2, 0, 1, 3)).view(np.int32)


def pack_parameter(values):
    """Scales or zero points (blocks x N) as ceil(N/16) x blocks x 16."""
    blocks, width = values.shape
    groups = -(-width // 16)
    whole = np.zeros((blocks, groups * 16), values.dtype)
    whole[:, :width] = values
    return np.ascontiguousarray(whole.reshape(blocks, groups, 16).transpose(1, 0, 2))


def rounded(x, bits, block):
    """What activations of 8, 16 or 24 bits stand for, in f64."""
    rows, depth = x.shape
    blocks = -(-depth // block)
    whole = np.zeros((rows, blocks * block), np.float32)
    whole[:, :depth] = x
    parts = whole.reshape(rows, blocks, block)
    top = np.float32(127 if bits == 8 else 32767)
    scale = np.abs(parts).max(-1, keepdims=True) / top
    ratio = parts / np.where(scale == 0, np.float32(1), scale)
    codes = np.clip(np.rint(ratio), -top, top)
    if bits == 24:
        rest = np.clip(np.rint((ratio - codes) * np.float32(256)), -127, 127)
        codes = codes.astype("f8") + rest / 256
    values = codes.astype("f8") * scale.astype("f8")
    return values.reshape(rows, -1)[:, :depth]


def spread(parameter, depth, block):
    """Scales or zero points of blocks for every row of a K x N matrix."""
    if parameter.shape[0] == 1:
        return np.repeat(parameter, depth, 0)
    return np.repeat(parameter, block, 0)[:depth]
