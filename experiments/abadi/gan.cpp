// The discriminator's and the generator's gradients are taken from one forward pass, before either is moved.
#include "experiments/abadi/gan.h"

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "engine/autograd.h"
#include "engine/nn/gan.h"
#include "experiments/run/machine.h"

namespace tobogan::abadi {
namespace {

// Adam(0.001, 0.9, 0.999), epsilon 1e-7: Keras' defaults, of which the paper names only the rate.
const AdamOptions kAdam{.rate = 1e-3, .epsilon = 1e-7, .keras_form = true};

constexpr int kSampleBatch = 64;
constexpr int kCurvePoints = 100;

IdxFiles idx_in(const std::filesystem::path& folder) {
  return {folder / "fakes-images-idx3-ubyte", folder / "fakes-labels-idx1-ubyte"};
}

}  // namespace

ClassGan::ClassGan(Machine& machine, const GanConfig& config, const ImageSet& images)
    : config_(config),
      form_(blank_like(images, 0)),
      context_(machine, config.seed),
      images_(images, context_.device),
      batches_(context_, images_, {.batch = config.batch}),
      generator_(context_, "generator", config.network),
      discriminator_(context_, "discriminator", config.network),
      generator_adam_(generator_.named_parameters(), kAdam),
      discriminator_adam_(discriminator_.named_parameters(), kAdam),
      readings_(context_, 2, 1),
      step_(context_, [this] { train_once(); }) {}

void ClassGan::step() {
  ++steps_done_;
  step_(batches_.next_size());
  if (steps_done_ % std::max<int64_t>(1, steps_in_all() / kCurvePoints) == 0) {
    const std::vector<Real> losses = readings_.take().back();
    losses_.push_back({steps_done_, losses[0], losses[1]});
  }
}

void ClassGan::train_once() {
  const Tensor real = batches_.next().images;
  const Tensor z = context_.rng["latent"].normal({real.shape()[0], config_.network.latent});
  const GanGradients gradients = gan_gradients(
      real, generator_(z), [this](const Tensor& x) { return discriminator_(x); }, discriminator_adam_.parameters(),
      generator_adam_.parameters());
  discriminator_adam_.step(gradients.discriminator);
  generator_adam_.step(gradients.generator);
  readings_.add({gradients.discriminator_loss, gradients.generator_loss});
}

State ClassGan::state() {
  State state;
  append(state, "model", generator_.state());
  append(state, "model", discriminator_.state());
  append(state, "adam", generator_adam_.state());
  append(state, "adam_discriminator", discriminator_adam_.state());
  append(state, "batches", batches_.state());
  return state;
}

void ClassGan::save(const std::filesystem::path& path) {
  save_checkpoint(path, context_.rng, state(),
                  {{"steps_done", std::to_string(steps_done_)}, {"losses", losses_.dump()}});
}

void ClassGan::load(const std::filesystem::path& path) {
  const Metadata metadata = load_checkpoint(path, context_.rng, state());
  steps_done_ = std::stoll(metadata.at("steps_done"));
  losses_ = nlohmann::json::parse(metadata.at("losses"));
}

ImageSet ClassGan::sample(int count) {
  const NoGrad off;
  generator_.eval();
  ImageSet fakes = form_;
  fakes.source = "fakes of " + form_.source;
  for (int done = 0; done < count; done += kSampleBatch) {
    const int batch = std::min(kSampleBatch, count - done);
    const Tensor z = context_.rng["samples"].normal({batch, config_.network.latent});
    const std::vector<uint8_t> bytes = to_bytes(generator_(z));
    fakes.pixels.insert(fakes.pixels.end(), bytes.begin(), bytes.end());
  }
  fakes.count = count;
  fakes.labels.assign(count, config_.label);
  generator_.train();
  return fakes;
}

nlohmann::json run_gan(CellRun& run, const GanConfig& config, const ImageSet& images) {
  check(images.count >= 1, "class ", config.label, " has no images in this sample; draw a larger one");
  Machine machine(machine_options(run.options()));
  ClassGan gan(machine, config, images);
  if (run.has_checkpoint()) gan.load(run.checkpoint());
  const int64_t in_all = gan.steps_in_all();
  while (gan.steps_done() < in_all) {
    gan.step();
    run.tick(gan.steps_done(), in_all, [&] { gan.save(run.checkpoint()); });
  }
  gan.save_generator(run.folder() / "generator.safetensors");
  write_images(run.folder(), gan.sample(config.fakes));
  return {{"steps", in_all}, {"images", images.count}, {"losses", gan.losses()}};
}

void write_images(const std::filesystem::path& folder, const ImageSet& images) {
  if (images.channels == 1) {
    write_idx(images, idx_in(folder));
  } else {
    write_cifar(images, folder / "fakes.bin");
  }
}

ImageSet read_images(const std::filesystem::path& folder, const ImageSet& form) {
  const std::string source = "fakes of " + form.source;
  return form.channels == 1 ? read_idx(idx_in(folder), form.class_names, source)
                            : read_cifar(folder / "fakes.bin", form.class_names, source);
}

}  // namespace tobogan::abadi
