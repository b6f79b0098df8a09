// Reading files that may lie: no size is believed before the bytes have come.  (Writing is engine/atomic_file.h's.)
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tobogan {

// The bytes of a file that is stored plain or compressed by gzip (told by its first two bytes).
// Nothing is inflated that was not asked for, so a small file cannot fill the memory.
class ByteReader {
 public:
  // Throws Error when there is no such regular file or it cannot be opened.
  explicit ByteReader(const std::filesystem::path& path);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  // Exactly the next `size` bytes; `what` names them in the message when the file ends before.  Memory grows with what
  // has arrived, never beyond `size`.
  std::vector<uint8_t> read(size_t size, std::string_view what);

  // Throws Error if anything follows, or if the gzip checksum does not match.
  void expect_end();

 private:
  struct Stream;
  size_t read_some(std::span<uint8_t> out);
  std::filesystem::path path_;
  std::unique_ptr<Stream> stream_;
};

// A whole regular file of at most `limit` bytes, as it is.
std::vector<uint8_t> read_file(const std::filesystem::path& path, size_t limit);

// Bytes compressed into one gzip member; the same bytes give the same result.  REQUIRES: less than 2^31 bytes.
std::vector<uint8_t> gzip(std::span<const uint8_t> bytes);

}  // namespace tobogan
