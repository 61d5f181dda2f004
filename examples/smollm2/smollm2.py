"""SmolLM2 for the examples: its ONNX file, its session, its words.

scripts/fetch-models brings models/smollm2.gguf; what is made of it is made when
it is first asked for, and kept in models/smollm2/."""

import codecs
import os
import pathlib
import shutil
import sys
import tempfile

import ingot
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
GGUF = ROOT / "models" / "smollm2.gguf"
FOLDER = ROOT / "models" / "smollm2"
SPELLINGS = ("microsoft", "onnx", "primitives")
DEFAULT = "microsoft"
NAME = "smollm2-135m-instruct"
# What the model was trained for (llama.context_length of the GGUF).
CONTEXT = 8192
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def onnx_file(spelling):
    """The ONNX file of a spelling, converted if it is not there yet."""
    folder = FOLDER / spelling
    if not (folder / "model.onnx").exists():
        if not GGUF.exists():
            raise SystemExit(f"{GGUF.relative_to(ROOT)} is missing: run scripts/fetch-models")
        from convert import convert

        FOLDER.mkdir(parents=True, exist_ok=True)
        # Appears under its name only when it is complete.
        part = pathlib.Path(tempfile.mkdtemp(prefix=f"{spelling}.part-", dir=FOLDER))
        try:
            convert(GGUF, part, spelling)
            os.rename(part, folder)
        except OSError:
            if not (folder / "model.onnx").exists():  # else another process was faster
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder / "model.onnx"


def artifact_of(source, kept, **options):
    """The artifact `kept` of an ONNX file for generation, compiled if it is not
    there, or older than the file or the compiler."""
    compiler = pathlib.Path(ingot.__file__).with_name("lib") / "libIngotCompiler.so"
    made_of = [path.stat().st_mtime for path in (source, compiler) if path.exists()]
    if kept.exists() and kept.stat().st_mtime >= max(made_of):
        try:
            ingot.load(kept, verify=False)
            return kept
        except (ingot.UnsupportedVersion, ingot.UnsupportedCpu):
            pass  # by another Ingot, or on another machine
    ingot.compile(source, generate=True, artifact=kept, **options)
    return kept


def session(spelling, threads=0, artifact=None):
    """A session for generation. `artifact` is one that was compiled before."""
    if artifact is None:
        source = onnx_file(spelling)
        artifact = artifact_of(source, source.with_suffix(".ingot"))
    return ingot.Session(artifact, threads)


def add_model_options(parser):
    """The options that say which model runs; `session` takes their values."""
    parser.add_argument(
        "--spelling", choices=SPELLINGS, default=DEFAULT,
        help=f"how convert.py writes the ONNX file ({DEFAULT})",
    )  # fmt: skip
    parser.add_argument("--artifact", help="an artifact of SmolLM2 that was compiled before")
    parser.add_argument("--threads", type=int, default=0)


def run(main):
    """Runs an example. What it is refused is one line, Ctrl-C is none, and
    neither is a reader of its output that has gone."""
    try:
        main()
        sys.stdout.flush()
    except ingot.Error as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Python would try to write once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _byte_alphabet():
    """Byte-level BPE writes each byte as a letter: {letter: byte}."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {chr(byte): byte for byte in plain}
    letters.update((chr(256 + place), byte) for place, byte in enumerate(others))
    return letters


class Words:
    """Text to ids and back."""

    def __init__(self, spelling=DEFAULT):
        self._tokenizer = Tokenizer.from_file(str(onnx_file(spelling).with_name("tokenizer.json")))
        # What users type never becomes a control token.
        self._tokenizer.encode_special_tokens = True
        self.start = self._tokenizer.token_to_id("<|im_start|>")
        self.end = self._tokenizer.token_to_id("<|im_end|>")
        #: Ids after which the model has nothing to say.
        self.stop = [self.end, self._tokenizer.token_to_id("<|endoftext|>")]
        special = self._tokenizer.get_added_tokens_decoder()
        letters = _byte_alphabet()
        #: The bytes of each id; none for control tokens.
        self.bytes = [
            b"" if id in special else bytes(letters[x] for x in self._tokenizer.id_to_token(id))
            for id in range(self._tokenizer.get_vocab_size())
        ]

    def encode(self, text):
        """The ids of a text. Bytes that were no UTF-8 become question marks."""
        return self._tokenizer.encode(text.encode(errors="replace").decode()).ids

    def message(self, role, text):
        """The ids of one whole message of a conversation."""
        return [self.start, *self.encode(f"{role}\n{text}"), self.end, *self.encode("\n")]

    def answer(self):
        """The ids with which the model's own message begins."""
        return [self.start, *self.encode("assistant\n")]

    def stream(self):
        """A function from ids, one by one, to the text that is complete so far:
        a letter may take several tokens. None instead of an id ends it."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return lambda id: decoder.decode(b"" if id is None else self.bytes[id], id is None)
