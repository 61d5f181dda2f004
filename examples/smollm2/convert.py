"""Writes the Llama model of a GGUF file as ONNX, its codes kept as they are.

    convert.py MODEL.gguf FOLDER --spelling microsoft|onnx|primitives

The three spellings compute the same function:

microsoft   com.microsoft's MatMulNBits, GroupQueryAttention and
            SkipSimplifiedLayerNormalization, as onnxruntime-genai writes models
onnx        opset 23: Attention, RMSNormalization, RotaryEmbedding, and
            DequantizeLinear of 4-bit and 8-bit blocks
primitives  float32 weights, and MatMul, Softmax, Concat and the like, as
            exporters of older opsets write models

FOLDER gets model.onnx, model.onnx.data and tokenizer.json."""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.external_data_helper import set_external_data

from gguf_llama import Llama
from spellings import SPELLINGS


class GraphWriter:
    """Collects nodes and weights; the weights' bytes go to a file of their own
    as they come."""

    def __init__(self, folder):
        self.nodes, self.weights = [], []
        self._folder = folder
        self._data = open(folder / "model.onnx.data", "wb")
        self._known = {}

    def node(self, op, inputs, name, *, domain="", outputs=1, **attributes):
        """Adds a node; returns its output, or the list of them if several."""
        names = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(
            helper.make_node(op, inputs, names, name=name, domain=domain, **attributes)
        )
        return names[0] if outputs == 1 else names

    def weight(self, name, array, kind=None, dims=None):
        """Adds an initializer. `kind` and `dims` say what packed bytes mean."""
        if name in self._known:
            return name
        self._known[name] = True
        array = np.ascontiguousarray(array)
        tensor = TensorProto(name=name, dims=dims or array.shape)
        tensor.data_type = kind or helper.np_dtype_to_tensor_dtype(array.dtype)
        if array.nbytes < 1024:
            tensor.raw_data = array.tobytes()
        else:
            self._data.write(bytes(-self._data.tell() % 64))
            # Only sets the fields; the bytes are never part of the message.
            tensor.raw_data = b""
            set_external_data(tensor, "model.onnx.data", self._data.tell(), array.nbytes)
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            self._data.write(array.tobytes())
        self.weights.append(tensor)
        return name

    def constant(self, name, values, dtype=np.int64):
        """Adds a small constant once."""
        return self.weight(name, np.array(values, dtype=dtype))

    def finish(self, inputs, outputs, opsets):
        """Writes model.onnx."""
        self._data.close()
        graph = helper.make_graph(self.nodes, "llama", inputs, outputs, self.weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(*opset) for opset in opsets],
            ir_version=11 if max(version for _, version in opsets) >= 23 else 10,
            producer_name="gguf-to-onnx",
        )
        onnx.save(model, self._folder / "model.onnx")


def convert(path, folder, spelling):
    """Writes one spelling of the model at `path` into `folder`."""
    model = Llama(path)
    folder.mkdir(parents=True, exist_ok=True)
    writer = SPELLINGS[spelling](GraphWriter(folder), model)
    writer.write()
    (folder / "tokenizer.json").write_text(model.tokenizer())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--spelling", choices=SPELLINGS, default="microsoft")
    options = parser.parse_args()
    convert(options.gguf, options.folder, options.spelling)


if __name__ == "__main__":
    main()
