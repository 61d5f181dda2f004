"""What the compiler tells of its progress: movement within phases, forward only."""

import ctypes

import harness

REPORT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double)


class Options(ctypes.Structure):
    """IngotCompileOptions of ingot-c/Compiler.h."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("target_cpu", ctypes.c_char_p),
        ("verify_each", ctypes.c_int),
        ("erase_dims", ctypes.c_int),
        ("timing", ctypes.c_int),
        ("progress", REPORT),
        ("user", ctypes.c_void_p),
        ("dump_dir", ctypes.c_char_p),
        ("generate", ctypes.c_int),
        ("kv_type", ctypes.c_char_p),
        ("settings", ctypes.POINTER(ctypes.c_char_p)),
        ("setting_count", ctypes.c_int),
        ("dims", ctypes.POINTER(ctypes.c_char_p)),
        ("dim_count", ctypes.c_int),
        ("activation_bits", ctypes.c_int),
        ("prove", ctypes.c_int),
        ("stages_from", ctypes.c_char_p),
        ("tiles", ctypes.POINTER(ctypes.c_char_p)),
        ("tile_count", ctypes.c_int),
        ("tune_seconds", ctypes.c_double),
        ("tune_from", ctypes.c_char_p),
        ("cancelled", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)),
    ]


def test_progress_moves_within_phases(tmp_path):
    """Every phase that runs passes or copies weights reports several steps."""
    seen = []
    report = REPORT(lambda _, phase, share: seen.append((phase.decode(), share)))
    library = ctypes.CDLL(str(harness.BUILD / "lib" / "libIngotCompiler.so"))
    error = ctypes.c_char_p()
    options = Options(struct_size=ctypes.sizeof(Options), progress=report)
    model, out = harness.MODELS / "minilm-l3.onnx", tmp_path / "a.ingot"
    status = library.ingot_compiler_compile(
        str(model).encode(), str(out).encode(), ctypes.byref(options), ctypes.byref(error)
    )
    assert status == 0, error.value
    shares = [share for _, share in seen]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    for phase in ("recognise", "lower", "generate code", "write"):
        assert len({share for name, share in seen if name == phase}) >= 3, (phase, seen)
    # The machine code comes function by function.
    assert len({share for share in shares if 0.6 < share < 0.85}) >= 3, seen
    # No phase runs into the next one.
    for phase, limit in (("recognise", 0.1), ("lower", 0.2), ("generate code", 0.85)):
        assert max(share for name, share in seen if name == phase) <= limit + 1e-9


def test_options_of_another_version_are_refused(tmp_path):
    library = ctypes.CDLL(str(harness.BUILD / "lib" / "libIngotCompiler.so"))
    error, out = ctypes.c_char_p(), tmp_path / "a.ingot"
    options = Options(struct_size=ctypes.sizeof(Options) - 8)
    model = str(harness.MODELS / "minilm-l3.onnx").encode()
    arguments = model, str(out).encode(), ctypes.byref(options), ctypes.byref(error)
    assert library.ingot_compiler_compile(*arguments) == 1 and not out.exists()
    assert b"the compiler library is of another version" in error.value
