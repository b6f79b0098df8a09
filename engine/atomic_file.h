// A file is either the old one or the whole new one, never half of it: it is written beside its place, brought to the
// disk, and renamed.  A process killed at any moment leaves at most a stray "<name>.tmp-<pid>-<n>".
//
//   atomic_write("results/table.csv", text);          // a piece at once
//   AtomicFile file("checkpoint.safetensors");        // or piece by piece
//   file.write(header); file.write(weights); file.commit();
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tobogan {

class AtomicFile {
 public:
  // Opens the file beside `path`.  Throws Error when the folder is missing or cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  // Without commit() the new file is thrown away and the old one stays.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Throws Error naming the file and the reason ("No space left on device").
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  // The new file takes the place of the old one.  Throws Error; then the old file is still there.
  // REQUIRES: called once, after the last write().
  void commit();

 private:
  [[noreturn]] void fail(const char* what, int reason) const;

  std::filesystem::path path_, beside_;
  int file_ = -1;
};

void atomic_write(const std::filesystem::path& path, std::span<const std::byte> bytes);
void atomic_write(const std::filesystem::path& path, std::string_view text);

// The whole file; throws Error when it cannot be read.
std::string read_text(const std::filesystem::path& path);

}  // namespace tobogan
