// Write beside, fsync, rename, fsync the folder: the order that survives both kill -9 and a power cut.
#include "engine/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "engine/error.h"

namespace tobogan {
namespace {

// A rename is on the disk when its folder is.  Some file systems refuse to sync a folder; the file is complete anyway.
void sync_folder(const std::filesystem::path& folder) {
  const int handle = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  fsync(handle);
  close(handle);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  // O_EXCL and a counter instead of mkstemp: the file gets the permissions the user's umask gives to every other file.
  for (int attempt = 0; file_ < 0; ++attempt) {
    beside_ = concat_text(path_.native(), ".tmp-", getpid(), "-", attempt);
    file_ = open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0 && errno != EEXIST) fail("cannot create", errno);
  }
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  close(file_);
  unlink(beside_.c_str());
}

void AtomicFile::fail(const char* what, int reason) const {
  throw Error(concat_text(what, " ", path_.native(), ": ", std::strerror(reason)));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  check(file_ >= 0, "cannot write ", path_.native(), ": it has already been committed");
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  check(file_ >= 0, "cannot write ", path_.native(), ": it has already been committed");
  if (fsync(file_) != 0 && errno != EINVAL) fail("cannot write", errno);
  const int closed = close(std::exchange(file_, -1));  // a network file system may report a full disk only now
  const int reason = closed != 0 ? errno : std::rename(beside_.c_str(), path_.c_str()) != 0 ? errno : 0;
  if (reason != 0) {
    unlink(beside_.c_str());
    fail("cannot write", reason);
  }
  sync_folder(path_.parent_path());
}

void atomic_write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void atomic_write(const std::filesystem::path& path, std::string_view text) {
  atomic_write(path, std::as_bytes(std::span(text.data(), text.size())));
}

std::string read_text(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(file >= 0, "cannot read ", path.native(), ": ", std::strerror(errno));
  std::string text;
  ssize_t count = 1;
  for (char part[65536]; count != 0;) {
    count = read(file, part, sizeof part);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) text.append(part, static_cast<std::size_t>(count));
  }
  const int reason = errno;
  close(file);
  check(count == 0, "cannot read ", path.native(), ": ", std::strerror(reason));
  return text;
}

}  // namespace tobogan
