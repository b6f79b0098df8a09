// Where finished cells live: <out>/cells/<name>-<hash>/result.json and, beside it, their artefacts.
//
// The hash is of everything a cell's result depends on: its configuration, the study (experiment, version),
// profile, device, and the hashes of the cells it needs.  The thing hashed is stored too and compared in full, so a
// result is used only by the configuration that made it.  Threads, jobs and folders are left out: they change nothing.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/run/cell.h"

namespace tobogan {

// A cell that this process alone may run.  Freed by the destructor or by the death of the process.
class CellLock {
 public:
  explicit CellLock(int file) : file_(file) {}
  CellLock(CellLock&& other) noexcept : file_(std::exchange(other.file_, -1)), exclusive_(other.exclusive_) {}
  CellLock& operator=(CellLock&&) = delete;
  ~CellLock();
  int file() const { return file_; }
  // False where the file system has no locks: others may be running the cell too.
  bool exclusive() const { return exclusive_; }
  void share() { exclusive_ = false; }

 private:
  int file_;
  bool exclusive_ = true;
};

class CellStore {
 public:
  // Throws Error for names that are doubled or not fit for a folder, and for unknown or circular needs.
  CellStore(const Study& study, const RunOptions& options, const std::vector<Cell>& cells);

  // Makes <out>/cells; throws Error when it cannot be made or written to.
  void prepare() const;

  std::filesystem::path folder(const Cell& cell) const { return folder_in(options_.out, cell.name); }

  // The result in --out, else in one of --merge; nothing if there is none.  A file that is no result of this cell
  // counts as none; `damage` then gets a sentence.
  std::optional<Finished> load(const Cell& cell, std::string* damage = nullptr) const;

  // The result in --out alone.
  std::optional<Finished> load_own(const Cell& cell) const;

  // Is any of the cells finished in this result folder?
  bool any_in(const std::filesystem::path& out) const;

  // Makes the cell's folder and locks it; nothing while another process or thread holds it.
  std::optional<CellLock> try_lock(const Cell& cell) const;

  // REQUIRES of the following: the caller holds the lock.
  void save(const Cell& cell, const nlohmann::json& result, double seconds) const;  // then deletes the checkpoint
  void start_over(const Cell& cell) const;                                          // deletes all but the lock
  void sweep(const Cell& cell) const;  // deletes what killed writers left behind

 private:
  struct Entry {
    nlohmann::json identity;
    std::string hash;
  };
  std::optional<Finished> load_from(const std::filesystem::path& out, const Cell& cell, std::string* damage) const;
  std::filesystem::path folder_in(const std::filesystem::path& out, const std::string& cell) const;

  const RunOptions& options_;
  std::map<std::string, Entry> entries_;
};

// Makes the folder and those above it.  Throws Error with the reason where it cannot.
void make_folder(const std::filesystem::path& folder);

// FNV-1a, 64 bits, as 16 hexadecimal digits.
std::string fnv1a_hex(const std::string& text);

}  // namespace tobogan
