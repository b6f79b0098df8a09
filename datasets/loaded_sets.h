// Data sets by name, each loaded when it is first asked for, by whichever thread asks, and then kept.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "datasets/dataset.h"

namespace tobogan {

class LoadedSets {
 public:
  // `load`: called once a name; what it throws reaches whoever asked, and the next to ask tries again.
  explicit LoadedSets(std::function<Dataset(const std::string& name)> load) : load_(std::move(load)) {}

  // Any thread may ask.  The reference holds as long as this object.
  const Dataset& get(const std::string& name) { return entry(name).set; }
  // tobogan::fingerprint() of the set, computed once.
  const std::string& fingerprint(const std::string& name) { return entry(name).fingerprint; }

 private:
  struct Entry {
    Dataset set;
    std::string fingerprint;
  };

  const Entry& entry(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    Entry entry{.set = load_(name), .fingerprint = {}};
    entry.fingerprint = tobogan::fingerprint(entry.set);
    return entries_.emplace(name, std::move(entry)).first->second;
  }

  std::function<Dataset(const std::string&)> load_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace tobogan
