"""Programs with which people rewrite ONNX files before they run them. What they
write goes beside the file that it is made of, whose external data it may use."""

import pathlib
import shutil

import onnx
import onnxruntime


def runtime(source, target):
    """ONNX Runtime's own graph optimizer, with its fused ops."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    # It would let products of dequantized weights round activations to bytes.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "0")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(source), options, ["CPUExecutionProvider"])


def transformers(kind):
    """onnxruntime.transformers' optimizer for one kind of model."""

    def rewrite(source, target):
        from onnxruntime.transformers import optimizer

        # Offline fusions alone: ONNX Runtime's own are a rewriter above.
        model = optimizer.optimize_model(str(source), model_type=kind, opt_level=0)
        model.save_model_to_file(str(target))

    return rewrite


def simplifier(source, target):
    """onnxsim."""
    import onnxsim

    model, _ = onnxsim.simplify(str(source))
    onnx.save(model, target)


ALL = {
    "runtime": runtime,
    "transformers": transformers("bert"),
    "transformers-gpt2": transformers("gpt2"),
    "simplifier": simplifier,
}


def rewrite(name, source, folder):
    """What a rewriter makes of a file, in `folder`, to which the file and its
    external data are copied where it lies elsewhere: onnx reads no links."""
    source, folder = pathlib.Path(source), pathlib.Path(folder)
    target = folder / f"{name}.onnx"
    if source.parent != folder:
        for part in source.parent.glob(f"{source.name}*"):
            shutil.copy(part, folder / part.name)
    ALL[name](folder / source.name, target)
    return target
