// Checkpoints: what is written is read, and a file that lies changes nothing.
#include "engine/serialize.h"

#include <cstring>

#include "engine/context.h"
#include "tests/support/catch.h"
#include "tests/support/close.h"
#include "tests/support/hostile.h"
#include "tests/support/temp_folder.h"

namespace tobogan {
namespace {

using Catch::Matchers::ContainsSubstring;

struct Fixture {
  TempFolder folder;
  std::filesystem::path file = folder.path() / "state.safetensors";
  Machine machine{{.threads = 1}};
  Context context{machine, 1};
  const Device& on = machine.device();

  // A state of every kind of value, drawn anew at each call.
  State state() {
    State state;
    int i = 0;
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{2, 3, 4}, Shape{2, 3, 5, 4}, Shape{0, 3}})
      state.push_back({"part.tensor" + std::to_string(i++), context.rng["values"].normal(shape)});
    Counter counter(2, on);
    counter.set(std::vector<uint64_t>{static_cast<uint64_t>(i), 0xfedcba9876543210u});
    state.push_back({"a \"quoted\" name", counter});
    return state;
  }
};

// Everything in a state, as bytes.
std::vector<std::string> bytes_of(const State& state) {
  std::vector<std::string> all;
  for (const NamedValue& entry : state) {
    std::visit(
        [&](const auto& value) {
          const auto values = value.to_host();
          all.emplace_back(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
        },
        entry.value);
  }
  return all;
}

// A file made by hand.  `data_bytes` zeros follow the header.
void put_file(const std::filesystem::path& path, const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  Bytes bytes(8 + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  put(path, bytes);
}

TEST_CASE_METHOD(Fixture, "what is saved is loaded, bit for bit, with its metadata") {
  const State saved = state(), other = state();
  REQUIRE(bytes_of(saved) != bytes_of(other));
  save(file, saved, {{"epoch", "7"}, {"note", "ünïcode \"and\" \\ more\n"}});
  const Metadata metadata = load(file, other);
  CHECK(bytes_of(saved) == bytes_of(other));
  CHECK(metadata == Metadata{{"epoch", "7"}, {"note", "ünïcode \"and\" \\ more\n"}});
  CHECK(load(file, {}) == metadata);
  save(file, {});  // nothing is a state too, and replaces the file
  CHECK(load(file, {}).empty());
}

TEST_CASE_METHOD(Fixture, "a part of a file can be loaded, in any order") {
  const State saved = state(), other = state();
  save(file, saved);
  load(file, {other[4], other[1]});
  CHECK(bytes_of({other[4], other[1]}) == bytes_of({saved[4], saved[1]}));
  CHECK(bytes_of({other[2]}) != bytes_of({saved[2]}));
}

TEST_CASE_METHOD(Fixture, "images are stored as {N, C, H, W}, as Python reads them") {
  std::vector<Real> values(2 * 3 * 2 * 2);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Real>(i);
  save(file, {{"x", Tensor::from_host({2, 3, 2, 2}, values, on)}});
  const Bytes bytes = get(file);
  Real last;
  std::memcpy(&last, bytes.data() + bytes.size() - sizeof(Real), sizeof(Real));
  CHECK(last == 23);
  uint64_t header;
  std::memcpy(&header, bytes.data(), 8);
  CHECK(header % 8 == 0);
  std::vector<Real> stored(values.size());
  std::memcpy(stored.data(), bytes.data() + 8 + header, stored.size() * sizeof(Real));
  CHECK(stored == values);
}

TEST_CASE_METHOD(Fixture, "a file of every type that Python writes is read") {
  const std::string header =
      R"({"f":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},)"
      R"("i":{"dtype":"I32","shape":[1],"data_offsets":[16,20]},"u":{"dtype":"U8","shape":[4],"data_offsets":[20,24]},)"
      R"("l":{"dtype":"I64","shape":[],"data_offsets":[24,32]},"__metadata__":{"format":"pt"}}      )";
  put_file(file, header, 32);
  Bytes bytes = get(file);
  const float f[2] = {1.5f, -2};
  const double d = 0.25;
  const int32_t i = -7;
  const int64_t l = 1 << 20;
  uint8_t* data = bytes.data() + 8 + header.size();
  std::memcpy(data, f, 8), std::memcpy(data + 8, &d, 8), std::memcpy(data + 16, &i, 4), std::memcpy(data + 24, &l, 8);
  data[23] = 255;
  put(file, bytes);
  const auto tensors = read_tensors(file);
  CHECK(tensors.at("f").values == std::vector<Real>{1.5, -2});
  CHECK(tensors.at("d").values == std::vector<Real>{0.25});
  CHECK(tensors.at("i").values == std::vector<Real>{-7});
  CHECK(tensors.at("u").values == std::vector<Real>{0, 0, 0, 255});
  CHECK(tensors.at("l").shape == Shape{});
  CHECK(tensors.at("l").values == std::vector<Real>{1 << 20});
  const Tensor into = Tensor::zeros({1}, on);
  CHECK(load(file, {{"d", into}}) == Metadata{{"format", "pt"}});
  CHECK(into.item() == 0.25);
}

// Made by the safetensors package of Python.
TEST_CASE_METHOD(Fixture, "a file that Python made opens") {
  const auto tensors = read_tensors(std::string(TOBOGAN_SOURCE_DIR) + "/tests/golden/optimizers.safetensors");
  CHECK(tensors.size() > 10);
  for (const auto& [name, tensor] : tensors) CHECK(tensor.shape.count() == static_cast<int64_t>(tensor.values.size()));
}

// The header of a whole file, and where its regions end.
TEST_CASE_METHOD(Fixture, "a file cut anywhere is refused, and nothing is changed") {
  const State saved = state(), other = state();
  save(file, saved, {{"epoch", "7"}});
  const Bytes whole = get(file);
  const auto before = bytes_of(other);
  const auto cut = folder.path() / "cut.safetensors";
  for (size_t size = 0; size < whole.size(); ++size) {
    put(cut, std::span(whole).first(size));
    const std::string sentence = refusal([&] { load(cut, other); });
    INFO("cut to " << size << " of " << whole.size() << " bytes: " << sentence);
    if (sentence.find("cut.safetensors") == std::string::npos || bytes_of(other) != before) FAIL("not refused");
  }
  CHECK(refusal([&] { load(file, other); }) == "");
  CHECK(bytes_of(other) == bytes_of(saved));
}

TEST_CASE_METHOD(Fixture, "a file with any byte of its header broken is refused or harmless") {
  const State saved = state(), other = state();
  save(file, saved, {{"epoch", "7"}});
  Bytes bytes = get(file);
  uint64_t header;
  std::memcpy(&header, bytes.data(), 8);
  for (size_t i = 0; i < 8 + header; ++i) {
    for (const uint8_t flip : {1, 0x80, 0x55}) {
      bytes[i] ^= flip;
      put(file, bytes);
      refusal([&] { load(file, other); });  // an Error or none: anything else fails the test
      refusal([&] { read_tensors(file); });
      bytes[i] ^= flip;
    }
  }
}

TEST_CASE_METHOD(Fixture, "headers that lie are refused with a sentence that names the file and the entry") {
  const Tensor x = Tensor::full({2}, 5, on);
  const State wanted{{"x", x}};
  struct Row {
    std::string header;
    size_t data;
    const char* says;
  };
  const std::string good = R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  for (const Row& row : {
           Row{"", 0, "not a JSON object"},
           Row{"[1, 2]", 8, "not a JSON object"},
           Row{"{" + good, 8, "not a JSON object"},
           Row{"{}", 0, "no \"x\""},
           Row{R"({"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, "no \"x\""},
           Row{R"({"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", 12, "[3]"},
           Row{R"({"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})", 8, "[2,1]"},
           Row{R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}})", 12, "expected 8 bytes"},
           Row{R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "\"x\""},
           Row{R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 8, "\"x\""},
           Row{R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8, "\"x\""},
           Row{R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})", 8, "\"x\""},
           Row{R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8, "malformed"},
           Row{R"({"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "does not fit"},
           Row{R"({"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8, "does not fit"},
           Row{R"({"x":{"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}})", 0, "does not fit"},
           Row{R"({"x":{"dtype":"F32","shape":"two","data_offsets":[0,8]}})", 8, "malformed"},
           Row{R"({"x":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", 8, "F16"},
           Row{R"({"x":{"shape":[2],"data_offsets":[0,8]}})", 8, "malformed"},
           Row{R"({"x":7})", 8, "malformed"},
           Row{R"({"__metadata__":{"a":1},)" + good + "}", 8, "__metadata__"},
           Row{"{" + good + R"(,"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12, "overlap"},
           Row{"{" + good + R"(,"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, "overlap"},
           Row{"{" + good + R"(,"y":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16, "belong to no"},
           Row{"{" + good + "}", 12, "belong to no"},
       }) {
    put_file(file, row.header, row.data);
    const std::string sentence = refusal([&] { load(file, wanted); });
    INFO(row.header << " was refused with: " << sentence);
    CHECK(sentence.find("state.safetensors") != std::string::npos);
    CHECK(sentence.find(row.says) != std::string::npos);
    CHECK(x.to_host() == std::vector<Real>{5, 5});
  }
  put_file(file, "{" + good + "}", 8);
  load(file, wanted);
  CHECK(x.to_host() == std::vector<Real>{0, 0});
}

TEST_CASE_METHOD(Fixture, "a header that claims to be huge is refused before memory is taken") {
  for (const uint64_t claimed : {uint64_t{1} << 63, ~uint64_t{0}, uint64_t{100'000'001}, uint64_t{9}}) {
    Bytes bytes(16, ' ');
    std::memcpy(bytes.data(), &claimed, 8);
    put(file, bytes);
    CHECK_THROWS_WITH(load(file, {}), ContainsSubstring("not a safetensors file"));
  }
  put_file(file, std::string(1000000, '['), 0);  // nesting must not be recursion
  CHECK_THROWS_AS(load(file, {}), Error);
  CHECK_THROWS_WITH(load(folder.path() / "absent", {}), ContainsSubstring("absent"));
  CHECK_THROWS_AS(load(folder.path(), {}), Error);
}

TEST_CASE_METHOD(Fixture, "counters take nothing but as many counters") {
  Counter counter(1, on);
  counter.set(std::vector<uint64_t>{9});
  save(file, {{"c", Tensor::zeros({1}, on)}, {"two", Counter(2, on)}});
  CHECK_THROWS_WITH(load(file, {{"c", counter}}), ContainsSubstring("\"c\""));
  CHECK_THROWS_WITH(load(file, {{"two", counter}}), ContainsSubstring("\"two\""));
  CHECK(counter.to_host() == std::vector<uint64_t>{9});
}

TEST_CASE_METHOD(Fixture, "one bad entry spares the good ones") {
  const Tensor good = Tensor::full({2}, 5, on), bad = Tensor::full({3}, 5, on);
  save(file, {{"good", Tensor::zeros({2}, on)}, {"bad", Tensor::zeros({4}, on)}});
  CHECK_THROWS_WITH(load(file, {{"good", good}, {"bad", bad}}),
                    ContainsSubstring("\"bad\"") && ContainsSubstring("{3}"));
  CHECK(good.to_host() == std::vector<Real>{5, 5});
}

TEST_CASE_METHOD(Fixture, "what cannot be written is refused, and the old file stays") {
  save(file, {{"x", Tensor::full({1}, 3, on)}});
  CHECK_THROWS_WITH(save(file, {{"x", Tensor::zeros({1}, on)}, {"x", Tensor::zeros({1}, on)}}),
                    ContainsSubstring("\"x\""));
  CHECK(read_tensors(file).at("x").values == std::vector<Real>{3});
  CHECK_THROWS_AS(save(folder.path() / "no" / "folder", {}), Error);
}

}  // namespace
}  // namespace tobogan
