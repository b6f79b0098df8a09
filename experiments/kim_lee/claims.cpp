// What the paper says its tables show, asked of ours.
#include <fmt/format.h>

#include "experiments/kim_lee/tables.h"

namespace tobogan::kim_lee {
namespace {

// A sentence about one case and its numbers; nothing while one of them is missing.
struct Check {
  bool holds;
  std::string evidence;
};

// Why a claim was not tested: one of these numbers is missing, for now or for good.
Claim untested(const Results& r, const Case& c, const std::string& text, const std::vector<Variant>& variants,
               const std::vector<std::string>& keys) {
  for (const Variant variant : variants)
    for (const std::string& key : keys)
      if (r.none(variant, c, key))
        return Claim::untested(text,
                               "a number it needs does not exist: there are too few qualified fakes, or test images");
  return Claim::untested(text, "not all of the cells it needs are finished");
}

std::optional<Check> largest_is_cls_r(const Results& r, const Case& c, const std::string& key, const char* form) {
  const auto cls_r = r.value(Variant::cls_r, c, key), acgan = r.value(Variant::acgan, c, key),
             cluster = r.value(Variant::cluster, c, key);
  if (!cls_r || !acgan || !cluster) return std::nullopt;
  return Check{*cls_r > *acgan && *cls_r > *cluster,
               fmt::format(fmt::runtime(std::string("CLS-R ") + form + ", ACGAN " + form + ", ClusterGAN " + form),
                           *cls_r, *acgan, *cluster)};
}

std::optional<Check> accuracy_order(const Results& r, const Case& c) {
  const auto cls_r = r.value(Variant::cls_r, c, "acc"), acgan = r.value(Variant::acgan, c, "acc"),
             cluster = r.value(Variant::cluster, c, "acc");
  if (!cls_r || !acgan || !cluster) return std::nullopt;
  return Check{*cls_r > *acgan && *acgan > *cluster && *cls_r >= 97,
               fmt::format("CLS-R {:.2f}, ACGAN {:.2f}, ClusterGAN {:.2f}", *cls_r, *acgan, *cluster)};
}

void add_case(Report& report, const Results& r, const Case& c) {
  const std::string where = " (" + title_of(c) + ")";
  const auto add = [&](const std::string& text, const std::vector<std::string>& keys,
                       const std::optional<Check>& check) {
    report.add(check ? Claim::tested(text + where, check->holds, check->evidence)
                     : untested(r, c, text + where, {Variant::cls_r, Variant::acgan, Variant::cluster}, keys));
  };
  add("Accuracy: CLS-R GAN above ACGAN above ClusterGAN, CLS-R GAN at least 97", {"acc"}, accuracy_order(r, c));
  const auto nmi = largest_is_cls_r(r, c, "nmi", "{:.3f}"), ari = largest_is_cls_r(r, c, "ari", "{:.3f}");
  add("CLS-R GAN has the largest NMI and ARI", {"nmi", "ari"},
      nmi && ari ? std::optional(Check{nmi->holds && ari->holds, "NMI " + nmi->evidence + "; ARI " + ari->evidence})
                 : std::nullopt);
  add("CLS-R GAN has the largest diversity", {"div"}, largest_is_cls_r(r, c, "div", "{:.3f}"));
}

void add_ablation(Report& report, const Results& r, const Case& c, bool quality) {
  const Variant variant = quality ? Variant::no_quality : Variant::no_encoder;
  const bool inception = !r.plan.inception.empty();  // the paper's IS
  const char *first = !quality ? "nmi" : inception ? "is_inception" : "is_h", *second = quality ? "div" : "ari";
  const std::string text =
      (quality ? "Without quality loss diversity and IS fall" : "Without encoder NMI and ARI fall by at least 0.3") +
      (" (" + title_of(c) + ")");
  const auto a = r.value(Variant::cls_r, c, first), b = r.value(Variant::cls_r, c, second),
             a_without = r.value(variant, c, first), b_without = r.value(variant, c, second);
  if (!a || !b || !a_without || !b_without) {
    report.add(untested(r, c, text, {Variant::cls_r, variant}, {first, second}));
    return;
  }
  const auto falls = [&](double with, double without) { return quality ? without < with : with - without >= 0.3; };
  const char* name = !quality ? "NMI" : inception ? "IS" : "IS(H)";
  report.add(Claim::tested(text, falls(*a, *a_without) && falls(*b, *b_without),
                           fmt::format("{} {:.3f} to {:.3f}, {} {:.3f} to {:.3f}", name, *a, *a_without,
                                       quality ? "Div." : "ARI", *b, *b_without)));
}

}  // namespace

void add_claims(Report& report, const Results& r) {
  for (const Case& c : r.cases())
    if (c.data != kOwnImages) add_case(report, r, c);
  for (const int number : r.wanted.tables) {
    if (number < 5) continue;
    for (const Bias bias : r.wanted.biases)
      add_ablation(report, r, {number % 2 ? kMnist : kFashion, bias}, number <= 6);
  }
}

}  // namespace tobogan::kim_lee
