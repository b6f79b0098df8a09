// One flock per cell keeps the tasks of a job array apart; one rename makes a result appear at once.
#include "experiments/run/cell_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "engine/atomic_file.h"
#include "engine/error.h"

namespace tobogan {
namespace fs = std::filesystem;
namespace {

constexpr const char* kResult = "result.json";
constexpr const char* kLock = ".lock";

void check_names(const std::vector<Cell>& cells) {
  std::set<std::string> names;
  for (const Cell& cell : cells) {
    const bool fit = !cell.name.empty() && cell.name.size() <= 150 && cell.name[0] != '.' &&
                     std::all_of(cell.name.begin(), cell.name.end(),
                                 [](unsigned char c) { return std::isalnum(c) || std::strchr("._=+-", c) != nullptr; });
    check(fit, "a cell's name is 1 to 150 letters, digits and ._=+- and does not begin with a point, got '", cell.name,
          "'");
    check(names.insert(cell.name).second, "two cells are called ", cell.name);
  }
}

// The value as a reader of the file gets it (NaN becomes null), so that a fresh result and a cached one are the same.
nlohmann::json as_stored(const nlohmann::json& value) {
  return nlohmann::json::parse(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Computes identities in the order of needs; the chain of names finds circles.
class Identities {
 public:
  Identities(const Study& study, const RunOptions& options, const std::vector<Cell>& cells)
      : common_({{"experiment", study.name},
                 {"version", study.version},
                 {"profile", to_string(options.profile)},
                 {"device", device_text(options)}}) {
    for (const Cell& cell : cells) cells_[cell.name] = &cell;
  }

  const nlohmann::json& of(const std::string& name) {
    if (const auto known = identities_.find(name); known != identities_.end()) return known->second;
    const auto repeated = std::find(chain_.begin(), chain_.end(), name);
    std::string circle;
    for (auto link = repeated; link != chain_.end(); ++link) circle += *link + " needs ";
    check(repeated == chain_.end(), "cells need each other in a circle: ", circle, name);
    chain_.push_back(name);
    nlohmann::json identity = common_;
    const Cell& cell = *cells_.at(name);
    identity["cell"] = name;
    identity["config"] = as_stored(cell.config);
    for (const std::string& need : cell.needs) {
      check(cells_.contains(need), "cell ", name, " needs ", need, ", which is no cell of this experiment");
      identity["needs"][need] = fnv1a_hex(of(need).dump());
    }
    chain_.pop_back();
    return identities_[name] = std::move(identity);
  }

 private:
  nlohmann::json common_;
  std::map<std::string, const Cell*> cells_;
  std::map<std::string, nlohmann::json> identities_;
  std::vector<std::string> chain_;
};

// REQUIRES: `file` is JSON text.  Throws Error with what is wrong.
Finished parse_result(const std::string& text, const nlohmann::json& identity) {
  const nlohmann::json file = nlohmann::json::parse(text, nullptr, false);
  check(!file.is_discarded(), "it is not JSON");
  check(file.is_object() && file.contains("result") && file.contains("checksum") && file.contains("identity") &&
            file.contains("seconds") && file["seconds"].is_number(),
        "a field is missing");
  check(file["checksum"] == fnv1a_hex(file["result"].dump()), "its checksum is wrong");
  check(file["identity"] == identity, "it is the result of another configuration");
  return {file["result"], {}, file["seconds"]};
}

}  // namespace

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  check(!problem, "cannot create the folder ", folder.native(), ": ", problem.message());
}

std::string fnv1a_hex(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  std::string hex(16, '0');
  for (int i = 15; i >= 0; --i, hash >>= 4) hex[static_cast<std::size_t>(i)] = "0123456789abcdef"[hash & 15];
  return hex;
}

CellLock::~CellLock() {
  if (file_ >= 0) close(file_);
}

CellStore::CellStore(const Study& study, const RunOptions& options, const std::vector<Cell>& cells)
    : options_(options) {
  check_names(cells);
  Identities identities(study, options, cells);
  for (const Cell& cell : cells) {
    const nlohmann::json& identity = identities.of(cell.name);
    entries_[cell.name] = {identity, fnv1a_hex(identity.dump())};
  }
}

void CellStore::prepare() const {
  make_folder(options_.out / "cells");
  AtomicFile probe(options_.out / "cells" / "probe");  // says now, not after an hour, that nothing can be written
}

fs::path CellStore::folder_in(const fs::path& out, const std::string& cell) const {
  return out / "cells" / (cell + "-" + entries_.at(cell).hash);
}

std::optional<Finished> CellStore::load_from(const fs::path& out, const Cell& cell, std::string* damage) const {
  const fs::path folder = folder_in(out, cell.name);
  if (!fs::exists(folder / kResult)) return std::nullopt;
  try {
    Finished finished = parse_result(read_text(folder / kResult), entries_.at(cell.name).identity);
    finished.folder = folder;
    return finished;
  } catch (const Error& error) {
    if (damage) *damage = (folder / kResult).native() + " is damaged and not used: " + error.what();
    return std::nullopt;
  }
}

std::optional<Finished> CellStore::load_own(const Cell& cell) const {
  return load_from(options_.out, cell, nullptr);
}

std::optional<Finished> CellStore::load(const Cell& cell, std::string* damage) const {
  if (auto finished = load_from(options_.out, cell, damage)) return finished;
  for (const fs::path& root : options_.merge)
    if (auto finished = load_from(root, cell, damage)) return finished;
  return std::nullopt;
}

bool CellStore::any_in(const fs::path& out) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return fs::exists(folder_in(out, entry.first) / kResult); });
}

std::optional<CellLock> CellStore::try_lock(const Cell& cell) const {
  make_folder(folder(cell));
  const fs::path path = folder(cell) / kLock;
  CellLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  check(lock.file() >= 0, "cannot create ", path.native(), ": ", std::strerror(errno));
  if (flock(lock.file(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::nullopt;
  // Some cluster file systems have no locks.  Running a cell twice there wastes time, and the slower process may find
  // its checkpoint gone and fail; but no file is ever half written, and both write the same.
  check(errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOLCK, "cannot lock ", path.native(), ": ",
        std::strerror(errno));
  lock.share();
  return lock;
}

void CellStore::save(const Cell& cell, const nlohmann::json& result, double seconds) const {
  const nlohmann::json stored = as_stored(result);
  const nlohmann::json file = {{"identity", entries_.at(cell.name).identity},
                               {"result", stored},
                               {"checksum", fnv1a_hex(stored.dump())},
                               {"seconds", seconds}};
  atomic_write(folder(cell) / kResult, file.dump(1) + "\n");
  std::error_code ignored;  // the result is safe; a checkpoint too many only takes room
  fs::remove(folder(cell) / kCheckpoint, ignored);
  fs::remove(folder(cell) / "checkpoint.seconds", ignored);
}

void CellStore::start_over(const Cell& cell) const {
  for (const auto& entry : fs::directory_iterator(folder(cell)))
    if (entry.path().filename() != kLock) fs::remove_all(entry.path());
}

void CellStore::sweep(const Cell& cell) const {
  for (const auto& entry : fs::directory_iterator(folder(cell)))
    if (entry.path().filename().native().find(".tmp-") != std::string::npos) fs::remove(entry.path());
}

}  // namespace tobogan
