// The discriminator's and the generator's gradients are taken from one forward pass, before either is moved.
#include "experiments/abadi/gan.h"

#include "datasets/cifar.h"
#include "engine/nn/gan.h"
#include "experiments/run/machine.h"
#include "experiments/training/sampling.h"
#include "experiments/training/stored_images.h"

namespace tobogan::abadi {
namespace {

// Adam(0.001, 0.9, 0.999), epsilon 1e-7: Keras' defaults, of which the paper names only the rate.
const AdamOptions kAdam{.rate = 1e-3, .epsilon = 1e-7, .keras_form = true};

constexpr int kSampleBatch = 64;
constexpr int kCurvePoints = 100;

constexpr const char* kGreyFakes = "fakes";
constexpr const char* kColourFakes = "fakes.bin";

}  // namespace

ClassGan::ClassGan(Machine& machine, const GanConfig& config, const ImageSet& images)
    : Training(machine, config.seed),
      config_(config),
      form_(blank_like(images, 0)),
      images_(images, context_.device),
      batches_(context_, images_, {.batch = config.batch}),
      generator_(context_, "generator", config.network),
      discriminator_(context_, "discriminator", config.network),
      generator_adam_(generator_.named_parameters(), kAdam),
      discriminator_adam_(discriminator_.named_parameters(), kAdam),
      readings_(context_, 2, 1),
      step_(context_, [this] { train_once(); }) {
  log_ = nlohmann::json::array();
  set_steps(config.epochs * batches_.steps_per_epoch());
}

void ClassGan::step() {
  step_(batches_.next_size());
  if (is_one_of(kCurvePoints)) {
    const std::vector<Real> losses = readings_.take().back();
    log_.push_back({steps_done(), losses[0], losses[1]});
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

ImageSet ClassGan::sample(const CellRun& run, int count) {
  generator_.eval();
  const std::vector<int32_t> labels(count, config_.label);
  const auto generate = [&](const Indices& wanted) {
    if (run.stop_requested()) throw Interrupted();
    return generator_(context_.rng["samples"].normal({static_cast<int>(wanted.count()), config_.network.latent}));
  };
  ImageSet fakes = sample_images(context_.device, form_, labels, {}, generate, kSampleBatch);
  generator_.train();
  return fakes;
}

nlohmann::json run_gan(CellRun& run, const GanConfig& config, const ImageSet& images) {
  check(images.count >= 1, "class ", config.label, " has no images in this sample; draw a larger one");
  Machine machine(machine_options(run.options()));
  ClassGan gan(machine, config, images);
  gan.run(run);
  gan.save_generator(run.folder() / "generator.safetensors");
  write_images(run.folder(), gan.sample(run, config.fakes));
  return {{"steps", gan.steps_in_all()}, {"images", images.count}, {"losses", gan.log()}};
}

void write_images(const std::filesystem::path& folder, const ImageSet& images) {
  if (images.channels == 1) {
    store_images(folder, kGreyFakes, images);
  } else {
    write_cifar(images, folder / kColourFakes);
  }
}

ImageSet read_images(const std::filesystem::path& folder, const ImageSet& form) {
  const std::string source = "fakes of " + form.source;
  return form.channels == 1 ? read_idx(stored_files(folder, kGreyFakes), form.class_names, source)
                            : read_cifar(folder / kColourFakes, form.class_names, source);
}

}  // namespace tobogan::abadi
