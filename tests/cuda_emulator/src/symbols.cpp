// Reading an ELF file's symbol table, once for each file.
#include "symbols.h"

#include <dlfcn.h>
#include <elf.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

namespace cuda_emulator {
namespace {

using Names = std::map<uintptr_t, std::string>;

template <class T>
std::vector<T> read_table(const std::string& file, uint64_t offset, uint64_t bytes) {
  std::vector<T> table(offset + bytes <= file.size() ? bytes / sizeof(T) : 0);
  if (!table.empty()) file.copy(reinterpret_cast<char*>(table.data()), table.size() * sizeof(T), offset);
  return table;
}

Names read_names(const char* path) {
  Names names;
  std::ostringstream contents;
  contents << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string file = contents.str();
  const auto headers = read_table<Elf64_Ehdr>(file, 0, sizeof(Elf64_Ehdr));
  if (headers.empty() || headers[0].e_shentsize != sizeof(Elf64_Shdr)) return names;
  const auto sections = read_table<Elf64_Shdr>(file, headers[0].e_shoff, headers[0].e_shnum * sizeof(Elf64_Shdr));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const uint64_t strings = sections[section.sh_link].sh_offset;
    for (const Elf64_Sym& symbol : read_table<Elf64_Sym>(file, section.sh_offset, section.sh_size))
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && strings + symbol.st_name < file.size())
        names[symbol.st_value] = file.c_str() + strings + symbol.st_name;
  }
  return names;
}

}  // namespace

uintptr_t address_in_file(const void* address) {
  Dl_info info{};
  if (!dladdr(address, &info)) return reinterpret_cast<uintptr_t>(address);
  const auto* header = static_cast<const Elf64_Ehdr*>(info.dli_fbase);
  const bool relocated = header->e_type == ET_DYN;
  return reinterpret_cast<uintptr_t>(address) - (relocated ? reinterpret_cast<uintptr_t>(info.dli_fbase) : 0);
}

std::string symbol_name(const void* function) {
  static auto* files = new std::map<const void*, Names>;  // by where they are loaded
  Dl_info info{};
  if (dladdr(function, &info)) {
    auto [found, is_new] = files->try_emplace(info.dli_fbase);
    if (is_new) found->second = read_names(info.dli_fname);
    const auto name = found->second.find(address_in_file(function));
    if (name != found->second.end()) return name->second;
  }
  char text[40];
  std::snprintf(text, sizeof text, "at %p", function);
  return text;
}

}  // namespace cuda_emulator
