// The networks of Kim & Lee and Mudavathu: as many parameters as the papers' specification counts, images of the right
// size and range, a class that matters; and, in double, the derivative of the gradient penalty through a whole critic.
#include "engine/autograd.h"
#include "models/cls_r_gan.h"
#include "models/expert_classifier.h"
#include "models/gated_gan.h"
#include "models/upsampling_acgan.h"
#include "tests/support/catch.h"

namespace tobogan {
namespace {

struct Fixture {
  Machine machine{{.threads = 2}};
  Context context{machine, 7};
  const NoGrad off;

  Indices labels(const std::vector<int32_t>& classes) { return Indices(classes, machine.device()); }
  Tensor images(int count) { return context.rng["images"].uniform({count, 1, 28, 28}); }
};

void check_range(const Tensor& images, double low, double high) {
  double least = high, most = low;
  for (const double value : images.to_host()) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  CHECK(least >= low);
  CHECK(most <= high);
  CHECK(least < most);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<Real> x = a.to_host(), y = b.to_host();
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(double{x[i]} - y[i]));
  return largest;
}

TEST_CASE("ClusterGAN's networks and the classifier of CLS-R GAN") {
  Fixture f;
  ClusterGenerator generator(f.context, "generator", {});
  ClusterCritic critic(f.context, "critic", {});
  ClusterEncoder encoder(f.context, "encoder", {});
  IndependentClassifier classifier(f.context, "classifier");
  CHECK(generator.parameter_count() == 6'604'161);
  CHECK(critic.parameter_count() == 6'556'865);
  CHECK(encoder.parameter_count() == 6'596'840);
  CHECK(classifier.parameter_count() == 421'642);
  const ClusterLatent latent = ClusterLatent::draw(f.context.rng["latent"], 3, {}, 0.1);
  const Tensor fake = generator(latent.z);
  CHECK(fake.shape() == Shape{3, 1, 28, 28});
  check_range(fake, 0, 1);
  CHECK(critic(fake).shape() == Shape{3, 1});
  CHECK(encoder(fake).noise.shape() == Shape{3, 30});
  CHECK(encoder(fake).logits.shape() == Shape{3, 10});
  CHECK(classifier(fake).shape() == Shape{3, 10});
  CHECK(classifier.features(fake).shape() == Shape{3, 128});
}

TEST_CASE("a latent is the noise and then the class, one-hot") {
  Fixture f;
  const ClusterLatent latent = ClusterLatent::draw(f.context.rng["latent"], 500, {}, 0.1);
  const std::vector<Real> z = latent.z.to_host(), noise = latent.noise.to_host();
  const std::vector<int32_t> labels = latent.labels.to_host();
  double square = 0;
  std::vector<int> of_class(10);
  for (int i = 0; i < 500; ++i) {
    for (int j = 0; j < 30; ++j) {
      REQUIRE(z[i * 40 + j] == noise[i * 30 + j]);
      square += double{noise[i * 30 + j]} * noise[i * 30 + j];
    }
    for (int k = 0; k < 10; ++k) REQUIRE(z[i * 40 + 30 + k] == (labels[i] == k));
    ++of_class[labels[i]];
  }
  CHECK(std::abs(std::sqrt(square / (500 * 30)) - 0.1) < 0.003);               // five deviations of the estimate
  for (int k = 0; k < 10; ++k) CHECK((of_class[k] > 15 && of_class[k] < 85));  // 50 +- five deviations
}

TEST_CASE("the classifier that judges") {
  Fixture f;
  ExpertClassifier expert(f.context, "expert");
  CHECK(expert.parameter_count() == 1'748'138);
  const Tensor x = f.images(3);
  CHECK(expert(x).shape() == Shape{3, 10});
  expert.eval();
  CHECK(expert.features(x).shape() == Shape{3, 256});
  CHECK(largest_difference(expert(x), expert.scores(expert.features(x))) == 0);
}

// Both AC-GANs: the class must matter, the rest must not change.
template <class Generator, class Discriminator, class Options>
void check_acgan(const Options& options, int64_t generator_count, int64_t discriminator_count) {
  Fixture f;
  Generator generator(f.context, "generator", options);
  Discriminator discriminator(f.context, "discriminator", options);
  CHECK(generator.parameter_count() == generator_count);
  CHECK(discriminator.parameter_count() == discriminator_count);
  generator.eval();
  const Tensor z = f.context.rng["latent"].normal({2, 100});
  const Tensor fake = generator(z, f.labels({3, 4})), other = generator(z, f.labels({3, 5}));
  CHECK(fake.shape() == Shape{2, 1, 28, 28});
  check_range(fake, -1, 1);
  CHECK(largest_difference(slice(fake, 0, 0, 1), slice(other, 0, 0, 1)) == 0);
  CHECK(largest_difference(slice(fake, 0, 1, 2), slice(other, 0, 1, 2)) > 0);
  const AcganVerdict verdict = discriminator(fake);
  CHECK(verdict.source.shape() == Shape{2, 1});
  CHECK(verdict.label.shape() == Shape{2, 10});
}

TEST_CASE("AC-GAN in Keras' form") {
  check_acgan<AcganGenerator, AcganDiscriminator>(AcganOptions{}, 2'656'745, 525'835);
}

TEST_CASE("Mudavathu's AC-GAN, with the paper's stem and with Keras-GAN's") {
  check_acgan<UpsamplingGenerator, FourLayerDiscriminator>(UpsamplingAcganOptions{}, 173'529, 119'883);
  check_acgan<UpsamplingGenerator, FourLayerDiscriminator>(UpsamplingAcganOptions{.stem = 128}, 857'065, 119'883);
}

TEST_CASE("Mudavathu's gated GAN") {
  Fixture f;
  GatedGenerator generator(f.context, "generator", {});
  GatedDiscriminator discriminator(f.context, "discriminator", {});
  // The specification's sum, 209,617, leaves out the 32 of the batch norm behind the dense layer that it lists.
  CHECK(generator.parameter_count() == 209'617 + 2 * 16);
  CHECK(discriminator.parameter_count() == 342'081);
  const Tensor fake = generator(f.context.rng["latent"].uniform({3, 64}));
  CHECK(fake.shape() == Shape{3, 1, 28, 28});
  check_range(fake, 0, 1);
  CHECK(discriminator(fake).shape() == Shape{3, 1});
}

// In float a difference quotient keeps three digits and proves nothing.
TEST_CASE("the critic's loss has the derivatives that differences say, through the gradient penalty") {
  if (sizeof(Real) != 8) return;
  Machine machine({.threads = 2});
  Context context(machine, 3);
  const ClusterGanOptions options{.width = 1.0 / 64};
  ClusterCritic critic(context, "critic", options);
  // Weights of 0.02 would make slopes, and so the penalty's derivative, vanish beside the rest.
  for (const Tensor& weight : critic.parameters())
    Tensor(weight).set(context.rng["weights"].normal(weight.shape(), 0, 0.3).to_host());
  const Tensor real = context.rng["real"].uniform({3, 1, 28, 28}), fake = context.rng["fake"].uniform({3, 1, 28, 28}),
               u = context.rng["u"].uniform({3, 1, 1, 1});
  const auto loss = [&] { return cluster_critic_loss(critic, real, fake, u); };
  const auto penalty = [&] { return gradient_penalty([&](const Tensor& x) { return critic(x); }, real, fake, u); };
  CHECK(penalty().item() > 0.1);
  for (const auto& scalar : {std::function<Tensor()>(loss), std::function<Tensor()>(penalty)}) {
    const std::vector<Tensor> wrt = critic.parameters(), found = grad(scalar(), wrt);
    for (size_t p = 0; p < wrt.size(); ++p) {
      INFO(critic.named_parameters()[p].name);
      const std::vector<Real> start = wrt[p].to_host(), slope = found[p].to_host();
      Tensor weight = wrt[p];
      double largest = 0;
      for (const double value : slope) largest = std::max(largest, std::abs(value));
      const size_t step = start.size() > 200 ? start.size() / 100 : 1;  // a hundred elements of the dense layer
      for (size_t i = 0; i < start.size(); i += step) {
        constexpr double kStep = 1e-6;
        const auto at = [&](double value) {
          std::vector<Real> moved = start;
          moved[i] = static_cast<Real>(value);
          weight.set(moved);
          return double{scalar().item()};
        };
        const double difference = (at(start[i] + kStep) - at(start[i] - kStep)) / (2 * kStep);
        CHECK(std::abs(difference - slope[i]) <= 1e-6 * std::max(1.0, largest));
      }
      weight.set(start);
    }
  }
}

}  // namespace
}  // namespace tobogan
