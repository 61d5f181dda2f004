//===- ElfImage.cpp - loads a compiled image ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/ElfImage.h"

#include <cstring>
#include <elf.h>
#include <sys/mman.h>

using namespace ingot::rt;

/// The largest pages that a machine may have; segments are this far apart. The
/// kind of CPU, and its relocation that adds the base.
#if defined(__aarch64__)
static constexpr uint64_t pageBytes = 65536;
static constexpr unsigned thisMachine = EM_AARCH64;
static constexpr unsigned relativeRelocation = R_AARCH64_RELATIVE;
#else
static constexpr uint64_t pageBytes = 4096;
static constexpr unsigned thisMachine = EM_X86_64;
static constexpr unsigned relativeRelocation = R_X86_64_RELATIVE;
#endif
/// An image larger than this in memory is refused before it is allocated.
static constexpr uint64_t maxSpan = uint64_t(1) << 30;
static constexpr unsigned maxSegments = 64;

template <typename... Parts> static Status refuse(const Parts &...parts) {
  return failure(Code::CorruptArtifact, "the image ", parts...);
}

static uint64_t pageDown(uint64_t value) { return value & ~(pageBytes - 1); }
static uint64_t pageUp(uint64_t value) {
  return pageDown(value + pageBytes - 1);
}

template <typename T> bool ElfImage::read(uint64_t address, T &out) const {
  if (!isInside(address, sizeof(T)))
    return false;
  std::memcpy(&out, memory.data() + address, sizeof(T));
  return true;
}

//===----------------------------------------------------------------------===//
// Headers and segments
//===----------------------------------------------------------------------===//

static Status checkFileHeader(const Elf64_Ehdr &header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return refuse("is not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != thisMachine)
    return refuse("is not for this kind of CPU");
  if (header.e_type != ET_DYN || header.e_ident[EI_VERSION] != EV_CURRENT)
    return refuse("is not a shared object");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum > maxSegments)
    return refuse("has ", header.e_phnum, " program headers of ",
                  header.e_phentsize, " bytes");
  return {};
}

static Status checkSegment(const Elf64_Phdr &segment, uint64_t fileBytes) {
  if (segment.p_offset > fileBytes ||
      segment.p_filesz > fileBytes - segment.p_offset)
    return refuse("has a segment that ends outside the file");
  if (segment.p_filesz > segment.p_memsz)
    return refuse("has a segment larger in the file than in memory");
  if (segment.p_vaddr > maxSpan || segment.p_memsz > maxSpan)
    return refuse("spans more than ", maxSpan, " bytes");
  if (segment.p_type == PT_LOAD && segment.p_align > pageBytes)
    return refuse("has a segment aligned to ", segment.p_align, " bytes");
  if ((segment.p_flags & PF_W) && (segment.p_flags & PF_X))
    return refuse("has a segment that is writable and executable");
  return {};
}

static int protectionOf(uint32_t flags) {
  return ((flags & PF_R) ? PROT_READ : 0) | ((flags & PF_W) ? PROT_WRITE : 0) |
         ((flags & PF_X) ? PROT_EXEC : 0);
}

Status ElfImage::loadSegments(std::span<const unsigned char> file) {
  Elf64_Ehdr header;
  if (file.size() < sizeof(header))
    return refuse("is too short for an ELF file (", file.size(), " bytes)");
  std::memcpy(&header, file.data(), sizeof(header));
  if (Status status = checkFileHeader(header); !status.ok())
    return status;
  uint64_t tableBytes = header.e_phnum * sizeof(Elf64_Phdr);
  if (header.e_phoff > file.size() || tableBytes > file.size() - header.e_phoff)
    return refuse("has program headers outside the file");

  std::vector<Elf64_Phdr> loads;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, file.data() + header.e_phoff + i * sizeof(Elf64_Phdr),
                sizeof(segment));
    if (Status status = checkSegment(segment, file.size()); !status.ok())
      return status;
    Range range{segment.p_vaddr, segment.p_memsz,
                protectionOf(segment.p_flags)};
    switch (segment.p_type) {
    case PT_LOAD:
      if (!segments.empty() &&
          pageUp(segments.back().start + segments.back().size) >
              pageDown(range.start))
        return refuse("has segments that overlap or are out of order");
      segments.push_back(range);
      loads.push_back(segment);
      break;
    case PT_DYNAMIC:
      dynamicSection = range;
      break;
    case PT_GNU_RELRO:
      readOnlyAfterRelocation.push_back(range);
      break;
    case PT_TLS:
      return refuse("has thread-local storage");
    case PT_INTERP:
      return refuse("asks for a program interpreter");
    default: // Notes, stack flags, unwind tables: nothing to do.
      break;
    }
  }
  if (loads.empty() || dynamicSection.size == 0)
    return refuse("has no segment to load or no dynamic section");

  auto allocated =
      Mapping::allocate(pageUp(segments.back().start + segments.back().size));
  if (!allocated.ok())
    return allocated.status();
  memory = std::move(*allocated);
  for (const Elf64_Phdr &load : loads)
    if (load.p_filesz != 0)
      std::memcpy(memory.data() + load.p_vaddr, file.data() + load.p_offset,
                  load.p_filesz);
  return {};
}

//===----------------------------------------------------------------------===//
// Dynamic section
//===----------------------------------------------------------------------===//

Status ElfImage::readDynamic(Range section, Dynamic &dynamic) {
  uint64_t count = section.size / sizeof(Elf64_Dyn);
  for (uint64_t i = 0; i < count; ++i) {
    Elf64_Dyn entry;
    if (!read(section.start + i * sizeof(entry), entry))
      return refuse("has its dynamic section outside its memory");
    uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
    case DT_NULL:
      return {};
    case DT_SYMTAB:
      dynamic.symbols = value;
      break;
    case DT_STRTAB:
      dynamic.strings = value;
      break;
    case DT_STRSZ:
      dynamic.stringBytes = value;
      break;
    case DT_HASH:
      dynamic.hash = value;
      break;
    case DT_GNU_HASH:
      dynamic.gnuHash = value;
      break;
    case DT_RELA:
      dynamic.relocations = value;
      break;
    case DT_RELASZ:
      dynamic.relocationBytes = value;
      break;
    case DT_SYMENT:
      if (value != sizeof(Elf64_Sym))
        return refuse("has symbols of ", value, " bytes");
      break;
    case DT_RELAENT:
      if (value != sizeof(Elf64_Rela))
        return refuse("has relocations of ", value, " bytes");
      break;
    // What says nothing that we need.
    case DT_SONAME:
    case DT_FLAGS:
    case DT_FLAGS_1:
    case DT_RELACOUNT:
    case DT_DEBUG:
      break;
    case DT_NEEDED:
      return refuse("needs another library");
    default:
      // Initialisers, text relocations, lazy binding... Refused after the
      // symbols were read, because a missing symbol says more.
      dynamic.unsupported = entry.d_tag;
      break;
    }
  }
  return refuse("has a dynamic section without end");
}

Status ElfImage::relocate(const Dynamic &dynamic) {
  uint64_t count = dynamic.relocationBytes / sizeof(Elf64_Rela);
  for (uint64_t i = 0; i < count; ++i) {
    Elf64_Rela relocation;
    if (!isInside(dynamic.relocations, 0) ||
        !read(dynamic.relocations + i * sizeof(relocation), relocation))
      return refuse("has relocations outside its memory");
    if (ELF64_R_TYPE(relocation.r_info) != relativeRelocation)
      return refuse("has a relocation of unsupported type ",
                    ELF64_R_TYPE(relocation.r_info));
    bool isWritable = false;
    for (const Range &segment : segments)
      isWritable |= (segment.protection & PROT_WRITE) &&
                    segment.contains(relocation.r_offset, sizeof(uint64_t));
    if (!isWritable || relocation.r_addend < 0 ||
        !isInside(relocation.r_addend, 0))
      return refuse("has a relocation that leaves its memory");
    uint64_t value = reinterpret_cast<uint64_t>(memory.data()) +
                     static_cast<uint64_t>(relocation.r_addend);
    std::memcpy(memory.data() + relocation.r_offset, &value, sizeof(value));
  }
  return {};
}

/// The number of symbols is only in the hash tables.
Status ElfImage::countSymbols(const Dynamic &dynamic, uint64_t &count) const {
  if (dynamic.hash) {
    uint32_t sizes[2]; // buckets, chains; there is a chain for each symbol
    if (!isInside(dynamic.hash, 0) || !read(dynamic.hash, sizes))
      return refuse("has a hash table outside its memory");
    count = sizes[1];
    return {};
  }
  uint32_t header[4]; // buckets, first hashed symbol, bloom words, bloom shift
  if (!dynamic.gnuHash || !isInside(dynamic.gnuHash, 0) ||
      !read(dynamic.gnuHash, header))
    return refuse("has no hash table of symbols");
  uint64_t buckets =
      dynamic.gnuHash + sizeof(header) + header[2] * sizeof(uint64_t);
  uint64_t chains = buckets + header[0] * sizeof(uint32_t);
  uint64_t last = 0;
  for (uint32_t i = 0; i < header[0]; ++i) {
    uint32_t first;
    if (!read(buckets + i * sizeof(uint32_t), first))
      return refuse("has a hash table outside its memory");
    last = std::max<uint64_t>(last, first);
  }
  count = header[1];
  if (last < header[1])
    return {};
  // The end of the last chain is marked by its lowest bit.
  for (uint32_t link = 0; !(link & 1); ++last)
    if (!read(chains + (last - header[1]) * sizeof(uint32_t), link))
      return refuse("has a hash table outside its memory");
  count = last;
  return {};
}

Status ElfImage::readSymbols(const Dynamic &dynamic) {
  if (!isInside(dynamic.strings, dynamic.stringBytes) ||
      !isInside(dynamic.symbols, 0))
    return refuse("has its symbol names outside its memory");
  uint64_t count = 0;
  if (Status status = countSymbols(dynamic, count); !status.ok())
    return status;
  const char *strings =
      reinterpret_cast<const char *>(memory.data()) + dynamic.strings;
  for (uint64_t i = 1; i < count; ++i) {
    Elf64_Sym symbol;
    if (!read(dynamic.symbols + i * sizeof(symbol), symbol))
      return refuse("has symbols outside its memory");
    const void *end = nullptr;
    if (symbol.st_name < dynamic.stringBytes)
      end = std::memchr(strings + symbol.st_name, 0,
                        dynamic.stringBytes - symbol.st_name);
    if (!end)
      return refuse("has a symbol without a name");
    std::string name = strings + symbol.st_name;
    if (symbol.st_shndx == SHN_UNDEF)
      return refuse("needs the symbol '", name, "', which nobody provides");
    if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
      functions.push_back({std::move(name), symbol.st_value});
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Protection and the whole
//===----------------------------------------------------------------------===//

Status ElfImage::protect() {
  // Some CPUs fetch instructions past what was written as data.
  char *begin = reinterpret_cast<char *>(memory.data());
  __builtin___clear_cache(begin, begin + memory.size());
  auto set = [&](uint64_t start, uint64_t end, int protection) -> Status {
    if (start < end &&
        mprotect(memory.data() + start, end - start, protection) != 0)
      return failure(Code::IoError,
                     "cannot protect the image: ", systemError());
    return {};
  };
  // The gaps between segments become inaccessible.
  if (Status status = set(0, memory.size(), PROT_NONE); !status.ok())
    return status;
  for (const Range &range : segments)
    if (Status status = set(pageDown(range.start),
                            pageUp(range.start + range.size), range.protection);
        !status.ok())
      return status;
  for (const Range &range : readOnlyAfterRelocation) {
    if (!isInside(range.start, range.size))
      return refuse("protects memory outside its own");
    if (Status status = set(pageUp(range.start),
                            pageDown(range.start + range.size), PROT_READ);
        !status.ok())
      return status;
  }
  return {};
}

Result<ElfImage> ElfImage::load(std::span<const unsigned char> file) {
  ElfImage image;
  Dynamic dynamic;
  if (Status status = image.loadSegments(file); !status.ok())
    return status;
  if (Status status = image.readDynamic(image.dynamicSection, dynamic);
      !status.ok())
    return status;
  if (Status status = image.readSymbols(dynamic); !status.ok())
    return status;
  if (dynamic.unsupported)
    return refuse("has a dynamic entry of unsupported kind ",
                  dynamic.unsupported);
  if (Status status = image.relocate(dynamic); !status.ok())
    return status;
  if (Status status = image.protect(); !status.ok())
    return status;
  return image;
}

Result<void *> ElfImage::function(std::string_view name) const {
  for (const Function &candidate : functions) {
    if (candidate.name != name)
      continue;
    for (const Range &segment : segments)
      if ((segment.protection & PROT_EXEC) &&
          segment.contains(candidate.address, 1))
        return static_cast<void *>(memory.data() + candidate.address);
    return refuse("has its function '", name, "' outside its code");
  }
  return refuse("does not export the function '", name, "'");
}
