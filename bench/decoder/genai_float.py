"""SmolLM2 with float32 weights for onnxruntime-genai: the ops of its own
builder's fp32 models, the weights dequantized from the GGUF's codes."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "smollm2"))

from convert import GraphWriter  # noqa: E402
from gguf_llama import Llama  # noqa: E402
from spellings import Microsoft  # noqa: E402


class MicrosoftFloat(Microsoft):
    """The microsoft spelling with MatMul and Gather in place of their
    quantized forms."""

    def weights(self, name):
        return self.m.matrix(f"{name}.weight").values()

    def embedding(self):
        self.table = self.g.weight("token_embd.weight", self.weights("token_embd"))
        return self.g.node("Gather", [self.table, "input_ids"], "embedding", axis=0)

    def matmul(self, x, name, output):
        weight = self.g.weight(f"{name}.turned", self.weights(name).T)
        return self.g.node("MatMul", [x, weight], output)


def config(model):
    """genai_config.json of a Llama model."""
    return {
        "model": {
            "type": "llama",
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 2,
            "context_length": model.positions,
            "vocab_size": model.vocabulary,
            "decoder": {
                "filename": "model.onnx",
                "session_options": {"provider_options": []},
                "head_size": model.depth,
                "hidden_size": model.hidden,
                "num_attention_heads": model.heads,
                "num_hidden_layers": model.layers,
                "num_key_value_heads": model.kv_heads,
                "inputs": {
                    "input_ids": "input_ids",
                    "attention_mask": "attention_mask",
                    "past_key_names": "past_key_values.%d.key",
                    "past_value_names": "past_key_values.%d.value",
                },
                "outputs": {
                    "logits": "logits",
                    "present_key_names": "present.%d.key",
                    "present_value_names": "present.%d.value",
                },
            },
        },
        "search": {"max_length": model.positions, "past_present_share_buffer": True},
    }


def write(gguf, folder):
    """Writes the model and its configuration."""
    model = Llama(gguf)
    folder.mkdir(parents=True, exist_ok=True)
    MicrosoftFloat(GraphWriter(folder), model).write()
    (folder / "tokenizer.json").write_text(model.tokenizer())
    (folder / "genai_config.json").write_text(json.dumps(config(model), indent=1))


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
