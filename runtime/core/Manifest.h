//===- Manifest.h - what an artifact says about itself -*- C++ -*- --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The manifest as plain C++: the compiler fills one in, the writer encodes it
// (manifest.fbs), the reader verifies and decodes it.
#ifndef INGOT_RUNTIME_CORE_MANIFEST_H
#define INGOT_RUNTIME_CORE_MANIFEST_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::rt {

/// Element types. The values are those of ingot_dtype in ingot.h and are part
/// of the file format.
enum class DType : uint8_t {
  F32 = 1,
  F64 = 2,
  F16 = 3,
  BF16 = 4,
  Bool = 5,
  I8 = 6,
  I16 = 7,
  I32 = 8,
  I64 = 9,
  U8 = 10,
  U16 = 11,
  U32 = 12,
  U64 = 13,
  I4 = 14,
  U4 = 15,
  I2 = 16,
  U2 = 17,
};

/// True if the number is that of a DType.
bool isDType(unsigned number);

/// Bytes of one element.
unsigned elementBytes(DType dtype);

/// The name that messages use: "f32", "i64", "bool", ...
std::string_view dtypeName(DType dtype);

/// A static extent, or an expression over the manifest's symbols.
struct Dim {
  /// The extent; negative if symbolic.
  int64_t value = -1;
  /// The expression's text if symbolic ("batch", "seq * 2").
  std::string text;

  static Dim fixed(int64_t value) { return Dim{value, {}}; }
  static Dim symbolic(std::string text) { return Dim{-1, std::move(text)}; }
  bool isStatic() const { return value >= 0; }
  /// "12" or "seq * 2".
  std::string str() const { return isStatic() ? std::to_string(value) : text; }
};

/// A symbolic dim and the values that it may take, bounds included.
struct Symbol {
  std::string name;
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
};

/// An input or an output.
struct TensorInfo {
  std::string name;
  DType dtype = DType::F32;
  std::vector<Dim> dims;
};

/// A packed weight inside the weights section.
struct WeightInfo {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  DType dtype = DType::F32;
  std::vector<int64_t> dims;
};

/// How a kernel in a stage is cut, for people.
struct CutInfo {
  /// What it computes ("product 384x1536 of 32 bits"), and rows x columns x
  /// sums at once of a tile ("64x32x512"), or fewer of them.
  std::string of, tile;

  bool operator==(const CutInfo &) const = default;
};

/// One stage of the program, for people.
struct StageInfo {
  std::string name;
  /// The ops fused into it.
  std::string ops;
  /// The model's own nodes that they came from.
  std::string nodes;
  /// Expressions over the symbols.
  std::string flops, bytes, tiles;
  /// Whom its workers wait for and who runs it, words apart by blanks:
  /// "barrier" where all meet before it ("barrier*" unless each worker made for
  /// itself what it reads), "fetch:7" where whoever waits there fetches weights
  /// that its first tile of stage 7 reads, "joined" where it runs along with
  /// the one before, "each*" where every worker runs it for itself if it is one
  /// tile, "prologue*" where it is that and a part of the stage that follows.
  std::string sync;
  bool isJoined() const { return sync == "joined"; }
  bool isPrologue() const { return sync.ends_with("prologue*"); }
  /// Numbers of the program's buffers.
  std::vector<uint32_t> reads, writes;
  /// How often a run of the program runs it: what stands in a loop over layers
  /// is told once. Costs are those of one time.
  uint64_t times = 1;
  /// The kernels in it whose tiles were chosen.
  std::vector<CutInfo> cuts = {};
};

/// A buffer between the stages, for people.
struct BufferInfo {
  /// Of an input or an output; empty for a part of the arena.
  std::string name;
  /// Of a part of the arena: where it begins and how large it is, expressions
  /// over the symbols, empty where there is none.
  std::string offset, bytes;
  /// Whether every worker may have one for itself; offset and bytes are then
  /// those of one that they share.
  bool isEach = false;
};

/// How often an op was recognised.
struct OpCount {
  std::string name;
  uint64_t count = 0;
};

/// Keys and values of one attention, kept between runs.
struct CacheInfo {
  std::string name;
  /// Index of its CacheGroup.
  uint32_t group = 0;
  uint64_t heads = 0, keyDepth = 0, valueDepth = 0;
  /// F32 or F16.
  DType dtype = DType::F32;
  /// Where its keys and its values start in a page of the group.
  uint64_t keyOffset = 0, valueOffset = 0;
  /// The model's own names that it replaced; may be empty.
  std::string keyInput, valueInput, keyOutput, valueOutput;
};

/// Caches that share pages, because they keep the same positions.
struct CacheGroup {
  /// How many of the last positions are kept; 0 for all.
  uint64_t window = 0;
  uint64_t pageBytes = 0;
  /// Whether they are written once, before the first token, and then only read.
  bool isBound = false;
};

/// The state of a program that was compiled for generation. Its inputs are
/// tokens [rows, seq], and how many positions each row has cached and how many
/// of its tokens are real, both i64 [rows]; its output is logits [rows, vocab]
/// of each row's last real token.
struct StateInfo {
  /// Positions in a page.
  uint64_t pagePositions = 128;
  /// Longest sequence that the model itself admits (such as the length of a
  /// table of rotary angles); 0 for no limit.
  uint64_t maxPositions = 0;
  std::vector<CacheGroup> groups;
  std::vector<CacheInfo> caches;
  std::string tokensInput, pastInput, countInput, logitsOutput;
  /// With bound caches: one more input, how many positions each row has of
  /// them, i64 [rows]; else empty.
  std::string boundInput;
  /// How many positions the entry "bind" writes: a number, or one of the dims
  /// of its inputs.
  Dim boundLength;
  /// What became of the model's other inputs and outputs, a line each, for
  /// people: "attention_mask: all ones".
  std::vector<std::string> replaced;
};

/// A further entry point of the image: another program over the same weights
/// and state. "all" gives the logits of all tokens, [rows, seq, vocab];
/// "decode" is the main program for one token a row; "bind" fills the bound
/// caches and has inputs of the model's own beside the past and count; "sample"
/// chooses a token by logits (Sampling.h) and touches neither weights nor
/// state; "generate" does token after token (TokenLoop.h), with "sample" as
/// call 0 and "decode" as call 1. Without a state, "otherwise" is what a
/// DeciderInfo says.
struct EntryInfo {
  std::string name;
  /// Names of the image's exported functions (Abi.h).
  std::string sizesSymbol, entrySymbol;
  std::vector<Symbol> symbols;
  std::vector<TensorInfo> inputs, outputs;
  std::vector<StageInfo> stages;
  /// The arena's size as an expression over the entry's symbols.
  std::string arena;
  std::vector<BufferInfo> buffers;
};

/// A boolean input of one element whose value decides between two programs of
/// the same inputs and outputs, which differ in dims of outputs: the entry is
/// run where it is false, the main program where it is true.
struct DeciderInfo {
  std::string input, entry;
};

/// A tile that was tried, and the seconds of the stages with it at each size.
struct TriedTile {
  std::string tile;
  std::vector<double> seconds;
};

/// What was tried for kernels of a shape.
struct TunedShape {
  /// Of a CutInfo, and the tile that was taken.
  std::string of, tile;
  /// The usual tile first.
  std::vector<TriedTile> tried;
};

/// How tiles were chosen by measuring, for people.
struct TuningInfo {
  uint32_t workers = 0;
  /// What was run: "batch=1 seq=128".
  std::vector<std::string> sizes;
  std::vector<TunedShape> shapes;
  /// Seconds of whole runs at each size, with the usual tiles and with these;
  /// empty where the usual ones were taken.
  std::vector<double> before, after;
};

/// Everything an artifact says about itself.
struct Manifest {
  std::string producer = "ingot";
  std::string version;
  /// The model's file name, and the options that it was compiled with.
  std::string source, options;
  std::string triple = "x86_64-unknown-linux-gnu";
  /// LLVM's names of what the CPU must have ("avx2", "fma", "avx512f").
  std::vector<std::string> cpuFeatures;
  /// Names of the image's exported functions (Abi.h).
  std::string sizesSymbol = "ingot_sizes";
  std::string entrySymbol = "ingot_entry";
  std::vector<Symbol> symbols;
  std::vector<TensorInfo> inputs, outputs;
  /// Message of each error id. Id 0 means no error: errors[0] is "".
  std::vector<std::string> errors;
  std::vector<WeightInfo> weights;
  std::vector<StageInfo> stages;
  /// The arena's size as an expression over the symbols.
  std::string arena;
  std::vector<BufferInfo> buffers;
  std::vector<OpCount> ops;
  /// Set if the model was compiled for generation.
  std::optional<StateInfo> state;
  std::vector<EntryInfo> entries;
  /// The outputs are then those of both programs: a dim that differs has the
  /// text of both.
  std::optional<DeciderInfo> decider;
  /// Set if tiles were chosen by measuring.
  std::optional<TuningInfo> tuning;
};

/// Checks what both sides rely on: names given and unique, dtypes known, dims
/// non-negative or with text, symbol bounds in order, errors[0] empty, weights
/// inside a section of `weightsBytes`, caches inside their pages and apart from
/// each other, the inputs and outputs that a state names there, two
/// programs alike where an input decides between them, and a time for each size
/// of a tuning.
Status checkManifest(const Manifest &manifest, uint64_t weightsBytes);

/// The manifest section's bytes.
std::vector<unsigned char> encodeManifest(const Manifest &manifest);

/// Verifies and decodes bytes that may come from anywhere. `bytes` must be
/// aligned to 16.
Result<Manifest> decodeManifest(std::span<const unsigned char> bytes);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_MANIFEST_H
