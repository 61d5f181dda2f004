//===- Npz.cpp - numpy's .npz files: zip archives of .npy members ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Npy.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <zlib.h>

using namespace ingot::cli;

namespace {

constexpr uint32_t localMagic = 0x04034b50, centralMagic = 0x02014b50,
                   endMagic = 0x06054b50, end64Magic = 0x06064b50,
                   locator64Magic = 0x07064b50;
constexpr uint32_t full32 = 0xffffffff;

/// One member, from the central directory.
struct Member {
  std::string name;
  unsigned flags = 0, method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0, offset = 0;
};

/// Bounds-checked reading of little-endian fields.
class ZipReader {
public:
  ZipReader(std::span<const std::byte> bytes, const std::string &what)
      : bytes(bytes), what(what) {}

  std::vector<Tensor> readAll() {
    std::vector<Tensor> tensors;
    std::set<std::string> names;
    for (const Member &member : directory()) {
      std::string name = member.name;
      if (name.ends_with(".npy"))
        name.resize(name.size() - 4);
      if (!names.insert(name).second)
        fail("two members are named '" + name + "'");
      std::string label = what + ": " + member.name;
      tensors.push_back(decodeNpy(contents(member), label));
      tensors.back().name = name;
    }
    return tensors;
  }

private:
  [[noreturn]] void fail(const std::string &reason) {
    throw Error(what + ": not a valid .npz file: " + reason);
  }

  uint64_t number(uint64_t at, unsigned width) {
    if (at > bytes.size() || bytes.size() - at < width)
      fail("it ends too early");
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, width);
    return value;
  }

  std::span<const std::byte> range(uint64_t at, uint64_t length) {
    if (at > bytes.size() || bytes.size() - at < length)
      fail("it ends too early");
    return bytes.subspan(at, length);
  }

  std::vector<Member> directory() {
    if (bytes.size() < 22)
      fail("it is no zip archive");
    // The end record is last but for a comment of up to 64 KiB.
    uint64_t last = bytes.size() - 22, end = last + 1;
    for (uint64_t back = 0; back <= last && back <= 0xffff; ++back)
      if (number(last - back, 4) == endMagic) {
        end = last - back;
        break;
      }
    if (end > last)
      fail("it is no zip archive");
    uint64_t count = number(end + 10, 2), at = number(end + 16, 4);
    if (end >= 20 && number(end - 20, 4) == locator64Magic) {
      uint64_t end64 = number(end - 20 + 8, 8);
      if (number(end64, 4) != end64Magic)
        fail("the zip64 end record is missing");
      range(end64, 56);
      count = number(end64 + 32, 8);
      at = number(end64 + 48, 8);
    }
    if (count > bytes.size() / 46)
      fail("the directory is longer than the file");
    std::vector<Member> members(count);
    for (Member &member : members)
      at = directoryEntry(at, member);
    return members;
  }

  uint64_t directoryEntry(uint64_t at, Member &member) {
    if (number(at, 4) != centralMagic)
      fail("a directory entry is damaged");
    range(at, 46);
    member.flags = unsigned(number(at + 8, 2));
    member.method = unsigned(number(at + 10, 2));
    member.crc = uint32_t(number(at + 16, 4));
    member.packed = number(at + 20, 4);
    member.size = number(at + 24, 4);
    uint64_t nameLength = number(at + 28, 2), extra = number(at + 30, 2),
             comment = number(at + 32, 2);
    member.offset = number(at + 42, 4);
    auto name = range(at + 46, nameLength);
    member.name.assign(reinterpret_cast<const char *>(name.data()),
                       name.size());
    range(at + 46 + nameLength, extra);
    zip64(at + 46 + nameLength, at + 46 + nameLength + extra, member);
    return at + 46 + nameLength + extra + comment;
  }

  /// Takes the fields that do not fit in 32 bits from the extra field.
  void zip64(uint64_t at, uint64_t end, Member &member) {
    while (at + 4 <= end) {
      uint64_t id = number(at, 2), length = number(at + 2, 2);
      at += 4;
      if (length > end - at)
        fail("a directory entry is damaged");
      if (id == 1) {
        uint64_t field = at;
        for (uint64_t *value : {&member.size, &member.packed, &member.offset})
          if (*value == full32 && field + 8 <= at + length) {
            *value = number(field, 8);
            field += 8;
          }
      }
      at += length;
    }
  }

  std::vector<std::byte> contents(const Member &member) {
    auto failHere = [&](const char *reason) {
      fail("member '" + member.name + "' " + reason);
    };
    if (member.flags & 1)
      failHere("is encrypted");
    if (number(member.offset, 4) != localMagic)
      failHere("has a damaged header");
    uint64_t start = member.offset + 30 + number(member.offset + 26, 2) +
                     number(member.offset + 28, 2);
    auto packed = range(start, member.packed);
    std::vector<std::byte> data;
    if (member.method == 0) {
      if (member.packed != member.size)
        failHere("has two sizes");
      data.assign(packed.begin(), packed.end());
    } else if (member.method == 8) {
      // Deflate cannot expand by more than 1032: a larger size is a lie, and
      // must not make us allocate it.
      if (member.size / 1032 > member.packed)
        failHere("claims an impossible size");
      data.resize(member.size);
      if (!inflateRaw(packed, data))
        failHere("is damaged (deflate)");
    } else {
      failHere("is compressed by a method other than deflate");
    }
    if (checksum(data) != member.crc)
      failHere("is damaged (checksum)");
    return data;
  }

  static bool inflateRaw(std::span<const std::byte> from,
                         std::vector<std::byte> &to) {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      return false;
    // zlib counts in 32 bits; feed both sides in pieces. One byte more than
    // expected shows data that goes on.
    std::byte extra;
    uint64_t taken = 0, made = 0;
    int status = Z_OK;
    constexpr uint64_t piece = 1u << 30;
    while (status == Z_OK) {
      stream.next_in = const_cast<Bytef *>(
          reinterpret_cast<const Bytef *>(from.data() + taken));
      stream.avail_in = uInt(std::min<uint64_t>(piece, from.size() - taken));
      bool full = made == to.size();
      stream.next_out =
          reinterpret_cast<Bytef *>(full ? &extra : to.data() + made);
      stream.avail_out =
          full ? 1 : uInt(std::min<uint64_t>(piece, to.size() - made));
      uInt in = stream.avail_in, out = stream.avail_out;
      status = inflate(&stream, Z_NO_FLUSH);
      taken += in - stream.avail_in;
      made += out - stream.avail_out;
      if (made > to.size())
        status = Z_DATA_ERROR;
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END && made == to.size();
  }

public:
  static uint32_t checksum(std::span<const std::byte> data) {
    return uint32_t(
        crc32_z(0, reinterpret_cast<const Bytef *>(data.data()), data.size()));
  }

private:
  std::span<const std::byte> bytes;
  const std::string &what;
};

} // namespace

static void append(std::string &out, uint64_t value, unsigned width) {
  out.append(reinterpret_cast<const char *>(&value), width);
}

std::vector<Tensor> ingot::cli::decodeNpz(std::span<const std::byte> bytes,
                                          const std::string &what) {
  return ZipReader(bytes, what).readAll();
}

std::vector<Tensor> ingot::cli::readNpz(const std::string &path) {
  return decodeNpz(readFile(path), path);
}

std::string ingot::cli::encodeNpz(const std::vector<Tensor> &tensors) {
  std::string out, central;
  // Sizes are always given in 64 bits, so that one form serves all.
  for (const Tensor &tensor : tensors) {
    std::string data = encodeNpy(tensor), name = tensor.name + ".npy";
    uint32_t crc = ZipReader::checksum(std::as_bytes(std::span(data)));
    uint64_t offset = out.size();

    auto common = [&](std::string &to) {
      append(to, 0x0800, 2); // names are UTF-8
      append(to, 0, 2);      // stored
      append(to, 0, 2);
      append(to, 0x21, 2); // 1 January 1980: same inputs, same file
      append(to, crc, 4);
      append(to, full32, 4);
      append(to, full32, 4);
      append(to, name.size(), 2);
    };
    append(out, localMagic, 4);
    append(out, 45, 2);
    common(out);
    append(out, 20, 2);
    out += name;
    append(out, 1, 2);
    append(out, 16, 2);
    append(out, data.size(), 8);
    append(out, data.size(), 8);
    out += data;

    append(central, centralMagic, 4);
    append(central, 45, 2);
    append(central, 45, 2);
    common(central);
    append(central, 28, 2);
    append(central, 0, 2);
    append(central, 0, 2);
    append(central, 0, 2);
    append(central, 0, 4);
    append(central, full32, 4);
    central += name;
    append(central, 1, 2);
    append(central, 24, 2);
    append(central, data.size(), 8);
    append(central, data.size(), 8);
    append(central, offset, 8);
  }
  uint64_t directory = out.size();
  out += central;
  uint64_t end64 = out.size();
  append(out, end64Magic, 4);
  append(out, 44, 8);
  append(out, 45, 2);
  append(out, 45, 2);
  append(out, 0, 4);
  append(out, 0, 4);
  append(out, tensors.size(), 8);
  append(out, tensors.size(), 8);
  append(out, central.size(), 8);
  append(out, directory, 8);
  append(out, locator64Magic, 4);
  append(out, 0, 4);
  append(out, end64, 8);
  append(out, 1, 4);
  append(out, endMagic, 4);
  append(out, 0, 4);
  append(out, std::min<uint64_t>(tensors.size(), 0xffff), 2);
  append(out, std::min<uint64_t>(tensors.size(), 0xffff), 2);
  append(out, full32, 4);
  append(out, full32, 4);
  append(out, 0, 2);
  return out;
}

void ingot::cli::writeNpz(const std::string &path,
                          const std::vector<Tensor> &tensors) {
  for (const Tensor &tensor : tensors)
    if (tensor.name.size() + 4 > 0xffff)
      throw Error(path + ": a tensor's name is too long for a zip archive");
  writeFile(path, encodeNpz(tensors));
}
