// Tables beside the paper's: means, spreads, differences, and when there is no difference.
#include "experiments/run/table.h"

#include <cmath>

#include "engine/error.h"
#include "experiments/run/seeds.h"
#include "tests/support/catch.h"

using namespace tobogan;
using Catch::Matchers::ContainsSubstring;

namespace {

Table accuracy_table(Comparison comparison, int seeds = 3) {
  Table table({.name = "table2",
               .title = "Real against fake",
               .corner = "size",
               .rows = {"real", "fake"},
               .columns = {"500", "1K"},
               .digits = {4, 2},
               .seeds = seeds,
               .comparison = comparison});
  table.paper({{0.625, 0.875}, {0.6801, std::nullopt}});
  for (const double value : {0.5, 0.75, 1.0}) table.add("real", "500", value);
  table.add("real", "1K", 1);
  return table;
}

}  // namespace

TEST_CASE("mean and sample standard deviation") {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  CHECK(mean_of(values) == 5);
  CHECK(*spread_of(values) == Approx(std::sqrt(32.0 / 7)));
  CHECK_FALSE(spread_of(std::vector<double>{3}));
}

TEST_CASE("the terminal shows ours, the paper's and the difference, aligned") {
  CHECK(accuracy_table(Comparison::full).terminal() ==
        "Real against fake\n"
        "size                     500             1K\n"
        "real          0.7500 ±0.2500  1.00 (1 of 3)\n"
        "  paper               0.6250           0.88\n"
        "  difference         +0.1250          +0.12\n"
        "fake                     ...            ...\n"
        "  paper               0.6801\n");
}

TEST_CASE("a number that will never come is n/a and keeps no table from being complete") {
  Table table({.name = "t", .title = "T", .rows = {"r"}, .columns = {"FID", "IS"}, .digits = {1}});
  table.add("r", "IS", 2);
  CHECK_FALSE(table.complete());
  table.none("r", "FID");
  CHECK(table.complete());
  CHECK(table.terminal() == "T\n   FID   IS\nr  n/a  2.0\n");
  CHECK(table.json()["cells"][0]["none"] == true);
  CHECK_THROWS_AS(table.none("r", "KID"), Error);
}

TEST_CASE("no difference is taken from other settings or other images, and the table says so") {
  for (const Comparison comparison : {Comparison::other_settings, Comparison::synthetic_data}) {
    const Table table = accuracy_table(comparison);
    CHECK_FALSE(table.difference("real", "500"));
    CHECK_THAT(table.terminal(), !ContainsSubstring("+0.12") && ContainsSubstring("0.6250") &&
                                     ContainsSubstring(comparison_note(comparison)));
    CHECK_THAT(table.csv(), ContainsSubstring(",3,\n"));
  }
  CHECK_THAT(comparison_note(Comparison::synthetic_data), ContainsSubstring("data=synthetic"));
}

TEST_CASE("what may be compared follows from the data and the settings") {
  CHECK(comparison({.paper_settings = true}) == Comparison::full);
  CHECK(comparison({.paper_settings = false}) == Comparison::other_settings);
  CHECK(comparison({.synthetic_data = true, .paper_settings = true}) == Comparison::synthetic_data);
}

TEST_CASE("Markdown is a table whose fields cannot break it") {
  Table table({.name = "t", .title = "T", .corner = "a|b", .rows = {"r"}, .columns = {"c"}, .digits = {1}});
  table.add("r", "c", 1.25);
  CHECK(table.markdown() == "### T\n\n| a\\|b | c |\n|---|--:|\n| r | 1.2 |\n");
}

TEST_CASE("CSV carries full precision, quotes what needs it, and leaves unknown fields empty") {
  CHECK(Table::csv_head() + accuracy_table(Comparison::full).csv() ==
        "table,row,column,paper,ours,spread,seeds,difference\n"
        "table2,real,500,0.625,0.75,0.25,3,0.125\n"
        "table2,real,1K,0.875,1,,1,0.125\n"
        "table2,fake,500,0.6801,,,0,\n"
        "table2,fake,1K,,,,0,\n");
  Table table({.name = "t", .rows = {"a,\"b\""}, .columns = {"c"}});
  CHECK(table.csv() == "t,\"a,\"\"b\"\"\",c,,,,0,\n");
}

TEST_CASE("JSON says the same, seed by seed") {
  const nlohmann::json json = accuracy_table(Comparison::full).json();
  CHECK(json["cells"][0]["ours"] == nlohmann::json({0.5, 0.75, 1.0}));
  CHECK(json["cells"][0]["difference"].get<double>() == 0.125);
  CHECK(json["cells"][3]["paper"].is_null());
  CHECK(json["complete"] == false);
}

TEST_CASE("a table is complete when every entry has every seed") {
  Table table({.name = "t", .rows = {"r"}, .columns = {"c", "d"}, .seeds = 2});
  for (const char* column : {"c", "c", "d"}) table.add("r", column, 1);
  CHECK_FALSE(table.complete());
  table.add("r", "d", 1);
  CHECK(table.complete());
}

TEST_CASE("wrong names and sizes are refused with the table's name") {
  Table table = accuracy_table(Comparison::full);
  CHECK_THROWS_WITH(table.add("real", "2K", 1), "table table2 has no column '2K'");
  CHECK_THROWS_WITH(table.add("both", "500", 1), "table table2 has no row 'both'");
  CHECK_THROWS_WITH(table.paper({{1.0, 2.0}}), "table table2: expected the paper's 2 rows, got 1");
  CHECK_THROWS_WITH(table.paper({{1.0, 2.0}, {1.0}}),
                    "table table2: expected the paper's 2 numbers in row 'fake', got 1");
  CHECK_THROWS_WITH(Table({.name = "t", .rows = {"r", "r"}, .columns = {"c"}}), "table t has two rows of one name");
  CHECK_THROWS_WITH(Table({.name = "t", .rows = {"r"}, .columns = {}}), "table t has no columns");
  CHECK_THROWS_WITH(Table({.name = "t", .rows = {"r"}, .columns = {"a", "b", "c"}, .digits = {1, 2}}),
                    "table t: expected digits for one or for all of 3 columns, got 2");
}

TEST_CASE("claims pass, fail, or say why they were not tested") {
  const std::vector<Claim> claims = {Claim::tested("a > b", true, "2 > 1"), Claim::tested("b > a", false, "1 < 2"),
                                     Claim::untested("c", "needs CIFAR-10")};
  CHECK(terminal(claims) == "pass        a > b: 2 > 1\nfail        b > a: 1 < 2\nnot tested  c: needs CIFAR-10\n");
  CHECK_THAT(markdown(claims), ContainsSubstring("| b > a | **fail** | 1 < 2 |\n"));
  CHECK(json(claims)[2] == nlohmann::json({{"text", "c"}, {"verdict", "not tested"}, {"evidence", "needs CIFAR-10"}}));
}
