// Reading trusts nothing: the header's length, every offset, shape and type are checked against the file before a byte
// of data is used.
#include "engine/serialize.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/atomic_file.h"

namespace tobogan {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");
using Json = nlohmann::ordered_json;

constexpr uint64_t kLargestHeader = 100'000'000;  // the format's own limit
constexpr const char* kRealType = sizeof(Real) == 8 ? "F64" : "F32";

size_t bytes_of(const NamedValue& entry) {
  return std::visit([](const auto& value) { return value.count() * sizeof(*value.data()); }, entry.value);
}

std::vector<int> sizes_of(const Shape& shape) {
  std::vector<int> sizes;
  for (int axis = 0; axis < shape.rank(); ++axis) sizes.push_back(shape[axis]);
  return sizes;
}

// One entry of a file's header.
struct Item {
  std::string type;
  std::vector<int64_t> shape;
  uint64_t begin, end;  // within the data
};

size_t size_of_type(const std::string& type) {
  static constexpr std::pair<const char*, size_t> kSizes[] = {{"F32", 4}, {"F64", 8}, {"I32", 4},
                                                              {"I64", 8}, {"U64", 8}, {"U8", 1}};
  for (const auto& [name, size] : kSizes)
    if (type == name) return size;
  return 0;
}

// A safetensors file, open and checked.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), in_(path, std::ios::binary) {
    check(in_.good(), "cannot open the checkpoint ", path);
    std::error_code ignored;
    const uint64_t size = std::filesystem::file_size(path, ignored);
    uint64_t header = 0;
    in_.read(reinterpret_cast<char*>(&header), 8);
    check(in_.good() && header <= kLargestHeader && header <= size - 8, path, " is not a safetensors file: ", size,
          " bytes, header of ", header);
    data_begin_ = 8 + header;
    data_size_ = size - data_begin_;
    std::string text(header, ' ');
    in_.read(text.data(), static_cast<std::streamsize>(header));
    check(in_.good(), path, " ends within its header");
    parse(text);
  }

  const std::map<std::string, Item>& items() const { return items_; }
  const Metadata& metadata() const { return metadata_; }

  std::vector<char> bytes(const Item& item) {
    std::vector<char> bytes(item.end - item.begin);
    in_.seekg(static_cast<std::streamoff>(data_begin_ + item.begin));
    in_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    check(in_.good(), path_, " ends within its data");
    return bytes;
  }

 private:
  void parse(const std::string& text) {
    const Json header = Json::parse(text, nullptr, false);
    check(header.is_object(), path_, " is not a safetensors file: its header is not a JSON object");
    for (const auto& [name, entry] : header.items()) {
      try {
        if (name == "__metadata__") {
          metadata_ = entry.get<Metadata>();
          continue;
        }
        const auto offsets = entry.at("data_offsets").get<std::array<uint64_t, 2>>();
        items_[name] = {entry.at("dtype").get<std::string>(), entry.at("shape").get<std::vector<int64_t>>(), offsets[0],
                        offsets[1]};
      } catch (const Json::exception& problem) {
        throw Error(concat_text(path_, ": the entry \"", name, "\" is malformed (", problem.what(), ")"));
      }
      check_item(name, items_[name]);
    }
    check_covered();
  }

  void check_item(const std::string& name, const Item& item) const {
    const size_t element = size_of_type(item.type);
    check(element > 0, path_, ": \"", name, "\" has the type ", item.type, ", expected F32, F64, I32, I64, U64 or U8");
    uint64_t expected = element;
    for (int64_t size : item.shape) {
      check(size >= 0 && (size == 0 || expected <= data_size_ / static_cast<uint64_t>(size)), path_, ": \"", name,
            "\" does not fit into the file");
      expected *= static_cast<uint64_t>(size);
    }
    check(item.begin <= item.end && item.end <= data_size_ && item.end - item.begin == expected, path_, ": \"", name,
          "\" lies at bytes ", item.begin, " to ", item.end, " of ", data_size_, ", expected ", expected, " bytes");
  }

  // The format's rule: every byte of the data belongs to exactly one entry.
  void check_covered() const {
    std::map<std::pair<uint64_t, uint64_t>, std::string> by_place;
    for (const auto& [name, item] : items_) {
      const bool fresh = by_place.emplace(std::pair{item.begin, item.end}, name).second;
      check(fresh || item.begin == item.end, path_, ": \"", name, "\" overlaps another entry");
    }
    uint64_t covered = 0;
    for (const auto& [place, name] : by_place) {
      check(place.first >= covered, path_, ": \"", name, "\" overlaps another entry");
      check(place.first == covered, path_, ": bytes ", covered, " to ", place.first, " belong to no entry");
      covered = place.second;
    }
    check(covered == data_size_, path_, ": bytes ", covered, " to ", data_size_, " belong to no entry");
  }

  std::filesystem::path path_;
  std::ifstream in_;
  uint64_t data_begin_ = 0, data_size_ = 0;
  std::map<std::string, Item> items_;
  Metadata metadata_;
};

template <class From, class To>
std::vector<To> convert(const std::vector<char>& bytes) {
  std::vector<From> from(bytes.size() / sizeof(From));
  if (!bytes.empty()) std::memcpy(from.data(), bytes.data(), bytes.size());
  return std::vector<To>(from.begin(), from.end());
}

template <class To>
std::vector<To> values_as(const std::string& type, const std::vector<char>& bytes) {
  if (type == "F32") return convert<float, To>(bytes);
  if (type == "F64") return convert<double, To>(bytes);
  if (type == "I32") return convert<int32_t, To>(bytes);
  if (type == "I64") return convert<int64_t, To>(bytes);
  if (type == "U64") return convert<uint64_t, To>(bytes);
  return convert<uint8_t, To>(bytes);
}

bool has_shape(const Item& item, const std::vector<int>& sizes) {
  return std::equal(item.shape.begin(), item.shape.end(), sizes.begin(), sizes.end());
}

Json header_of(const State& state, const Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const NamedValue& entry : state) {
    check(!header.contains(entry.name), "checkpoint: two values are called \"", entry.name, "\"");
    const Tensor* tensor = std::get_if<Tensor>(&entry.value);
    const uint64_t end = offset + bytes_of(entry);
    header[entry.name] = {{"dtype", tensor ? kRealType : "U64"},
                          {"shape", tensor ? Json(sizes_of(tensor->shape()))
                                           : Json(std::vector<int64_t>{std::get<Counter>(entry.value).count()})},
                          {"data_offsets", {offset, end}}};
    offset = end;
  }
  return header;
}

}  // namespace

void save(const std::filesystem::path& path, const State& state, const Metadata& metadata) {
  std::string text = header_of(state, metadata).dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const NamedValue& entry : state)
    std::visit(
        [&](const auto& value) {
          const auto values = value.to_host();
          file.write(std::as_bytes(std::span(values)));
        },
        entry.value);
  file.commit();
}

Metadata load(const std::filesystem::path& path, const State& state,
              const std::function<void(const Metadata&)>& accept) {
  Reader reader(path);
  if (accept) accept(reader.metadata());
  for (const NamedValue& entry : state) {
    const auto item = reader.items().find(entry.name);
    check(item != reader.items().end(), path, " has no \"", entry.name, "\"");
    if (const Tensor* tensor = std::get_if<Tensor>(&entry.value)) {
      check(has_shape(item->second, sizes_of(tensor->shape())), path, ": \"", entry.name, "\" has shape ",
            nlohmann::json(item->second.shape).dump(), ", expected ", tensor->shape());
    } else {
      const int64_t count = std::get<Counter>(entry.value).count();
      check(item->second.type == "U64" && item->second.shape == std::vector<int64_t>{count}, path, ": \"", entry.name,
            "\" is not ", count, " unsigned 64-bit numbers");
    }
  }
  for (const NamedValue& entry : state) {
    const Item& item = reader.items().at(entry.name);
    const std::vector<char> bytes = reader.bytes(item);
    if (const Tensor* tensor = std::get_if<Tensor>(&entry.value)) {
      Tensor(*tensor).set(values_as<Real>(item.type, bytes));
    } else {
      Counter(std::get<Counter>(entry.value)).set(values_as<uint64_t>(item.type, bytes));
    }
  }
  return reader.metadata();
}

std::map<std::string, HostTensor> read_tensors(const std::filesystem::path& path) {
  Reader reader(path);
  std::map<std::string, HostTensor> tensors;
  for (const auto& [name, item] : reader.items()) {
    check(item.shape.size() <= 4, path, ": \"", name, "\" has more than four axes");
    std::vector<int> sizes;
    for (const int64_t size : item.shape) {
      check(size <= std::numeric_limits<int>::max(), path, ": an axis of \"", name, "\" has the size ", size);
      sizes.push_back(static_cast<int>(size));
    }
    tensors[name] = {Shape(sizes), values_as<Real>(item.type, reader.bytes(item))};
  }
  return tensors;
}

}  // namespace tobogan
