"""Writes the model that the ONNX: lines of a test describe in ONNX's textual
form: onnx_text.py TEST MODEL. Lines `ONNX-BIG: name rows columns` add float
initializers of that shape, for which the text would be too long,
`ONNX-BYTES: name dims...` those of unsigned bytes; `ONNX-CUT: n`
keeps only the first n bytes of the file."""

import sys

import numpy
import onnx
import onnx.numpy_helper
import onnx.parser


def lines_of(path, key):
    with open(path) as test:
        for line in test:
            head, found, rest = line.partition(key + ":")
            if found and head.strip() in ("#", "//"):
                yield rest.rstrip("\n")


def main():
    test, target = sys.argv[1:]
    model = onnx.parser.parse_model("\n".join(lines_of(test, "ONNX")))
    for line in lines_of(test, "ONNX-BIG"):
        name, *shape = line.split()
        shape = [int(extent) for extent in shape]
        values = numpy.arange(numpy.prod(shape), dtype=numpy.float32).reshape(shape)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    for line in lines_of(test, "ONNX-BYTES"):
        name, *shape = line.split()
        shape = [int(extent) for extent in shape]
        values = numpy.arange(numpy.prod(shape)).astype(numpy.uint8).reshape(shape)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    data = model.SerializeToString()
    for line in lines_of(test, "ONNX-CUT"):
        data = data[: int(line)]
    with open(target, "wb") as file:
        file.write(data)


main()
