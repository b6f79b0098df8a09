// ByteReader is zlib's inflate driven by hand: the gz* functions would silently ignore bytes behind the gzip stream.
#include "datasets/files.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/error.h"

namespace tobogan {
namespace {

constexpr size_t kChunk = size_t{1} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

File open_regular(const std::filesystem::path& path) {
  std::error_code ignored;  // a path that cannot be asked about is "not there" for the user too
  check(std::filesystem::exists(path, ignored), "there is no file ", path.native());
  check(std::filesystem::is_regular_file(path, ignored), path.native(), " is not a regular file");
  File file(std::fopen(path.c_str(), "rb"));
  check(file != nullptr, "cannot open ", path.native(), ": ", std::strerror(errno));
  return file;
}

}  // namespace

struct ByteReader::Stream {
  File file;
  std::array<uint8_t, 1 << 16> buffer;
  z_stream zlib = {};  // next_in and avail_in describe what is left of the buffer, compressed or not
  bool compressed = false, ended = false;

  // Leaves at least one byte in the buffer unless the file has ended.
  void refill(const std::filesystem::path& path) {
    if (zlib.avail_in > 0) return;
    zlib.next_in = buffer.data();
    zlib.avail_in = static_cast<uInt>(std::fread(buffer.data(), 1, buffer.size(), file.get()));
    check(!std::ferror(file.get()), "cannot read ", path.native(), ": ", std::strerror(errno));
  }

  // Moves what fits from the buffer; returns the number of bytes.
  size_t copy(std::span<uint8_t> out) {
    const size_t taken = std::min<size_t>(zlib.avail_in, out.size());
    std::copy_n(zlib.next_in, taken, out.begin());
    zlib.next_in += taken;
    zlib.avail_in -= static_cast<uInt>(taken);
    ended = taken == 0;
    return taken;
  }

  // The same through inflate.
  size_t inflate_into(std::span<uint8_t> out, const std::filesystem::path& path) {
    check(zlib.avail_in > 0, path.native(), ": the gzip stream is cut off");
    const auto room = static_cast<uInt>(std::min(out.size(), kChunk));
    zlib.next_out = out.data();
    zlib.avail_out = room;
    const int status = inflate(&zlib, Z_NO_FLUSH);
    check(status == Z_STREAM_END || status == Z_OK, path.native(), ": the gzip stream is damaged (",
          zlib.msg ? zlib.msg : "zlib error", ")");
    if (status == Z_STREAM_END) {
      // A gzip file is a series of members (RFC 1952), each of which begins with 0x1f.
      refill(path);
      ended = zlib.avail_in == 0 || *zlib.next_in != 0x1f || inflateReset(&zlib) != Z_OK;
    }
    return room - zlib.avail_out;
  }
};

ByteReader::ByteReader(const std::filesystem::path& path) : path_(path), stream_(std::make_unique<Stream>()) {
  stream_->file = open_regular(path);
  stream_->refill(path_);
  const bool compressed = stream_->zlib.avail_in >= 2 && stream_->buffer[0] == 0x1f && stream_->buffer[1] == 0x8b;
  constexpr int kGzipWindow = 15 + 16;
  if (compressed) check(inflateInit2(&stream_->zlib, kGzipWindow) == Z_OK, path.native(), ": zlib cannot start");
  stream_->compressed = compressed;
}

ByteReader::~ByteReader() {
  if (stream_->compressed) inflateEnd(&stream_->zlib);
}

size_t ByteReader::read_some(std::span<uint8_t> out) {
  size_t filled = 0;
  while (filled < out.size() && !stream_->ended) {
    stream_->refill(path_);
    const auto rest = out.subspan(filled);
    filled += stream_->compressed ? stream_->inflate_into(rest, path_) : stream_->copy(rest);
  }
  return filled;
}

std::vector<uint8_t> ByteReader::read(size_t size, std::string_view what) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < size) {
    const size_t before = bytes.size();
    if (before == bytes.capacity()) bytes.reserve(std::min(size, std::max(kChunk, 2 * before)));
    bytes.resize(std::min(size, bytes.capacity()));
    const size_t got = read_some(std::span(bytes).subspan(before));
    check(before + got == bytes.size(), path_.native(), ": expected ", size, " bytes of ", what,
          ", the file ends after ", before + got);
  }
  return bytes;
}

void ByteReader::expect_end() {
  uint8_t one_more;
  check(read_some({&one_more, 1}) == 0, path_.native(), ": the file goes on after the last byte its header announces");
  stream_->refill(path_);
  check(stream_->zlib.avail_in == 0, path_.native(), ": bytes follow the end of the gzip stream");
}

std::vector<uint8_t> read_file(const std::filesystem::path& path, size_t limit) {
  const File file = open_regular(path);
  std::error_code unknown;
  const uintmax_t told = std::filesystem::file_size(path, unknown);  // decides only how much is asked for at a time
  const size_t chunk = std::clamp<uintmax_t>(told, 4095, kChunk - 1) + 1;
  std::vector<uint8_t> bytes;
  for (size_t got = chunk; got == chunk;) {
    const size_t before = bytes.size();
    bytes.resize(before + chunk);
    got = std::fread(bytes.data() + before, 1, chunk, file.get());
    bytes.resize(before + got);
    check(bytes.size() <= limit, path.native(), " is larger than the ", limit, " bytes that are read");
  }
  check(!std::ferror(file.get()), "cannot read ", path.native(), ": ", std::strerror(errno));
  return bytes;
}

std::vector<uint8_t> gzip(std::span<const uint8_t> bytes) {
  z_stream zlib = {};
  constexpr int kGzipWindow = 15 + 16, kUsualMemory = 8;
  const int started =
      deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kUsualMemory, Z_DEFAULT_STRATEGY);
  check(started == Z_OK, "gzip: zlib cannot start");
  std::vector<uint8_t> packed(deflateBound(&zlib, bytes.size()));
  zlib.next_in = const_cast<uint8_t*>(bytes.data());  // zlib's interface predates const
  zlib.avail_in = static_cast<uInt>(bytes.size());
  zlib.next_out = packed.data();
  zlib.avail_out = static_cast<uInt>(packed.size());
  const int finished = deflate(&zlib, Z_FINISH);
  packed.resize(zlib.total_out);
  deflateEnd(&zlib);
  check(finished == Z_STREAM_END, "gzip: zlib failed on ", bytes.size(), " bytes");
  return packed;
}

}  // namespace tobogan
