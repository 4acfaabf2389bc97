# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 Feature extraction
#
# You have a few labels a class and a network that somebody trained on other images. Do not train it: read it.
#
# **Time** 50 minutes (teaching 30, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. put a head on a frozen network, and choose the head, without touching a weight of the network;
# 2. say what the pretraining was worth with each label budget, against four baselines that could refute you;
# 3. recognize three traps: images that do not need the network, a shortcut, and wrong preprocessing.

# %% tags=["parameters"]
task: str = "materials"  # what is learnt: a bundled set or a folder of images
backbone: str = "tiny"  # the network that stays frozen
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
from dataclasses import replace

import numpy as np
from IPython.display import display

from transferlab import FeatureExtraction, evaluate, load_backbone, load_task, viz
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    grid04,
    lesson04,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course.compared import points, said
from transferlab.data.statistics import intensity_statistics
from transferlab.evaluation import paired_difference
from transferlab.evaluation.claims import direction, equivalent
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.transfer import HEADS
from transferlab.widgets import label_ruler, show

# %%
profile = chosen_profile(profile)
ledger = open_ledger("04", profile)
seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=3, report=10))
budgets = by_profile(profile, smoke=[1, 5, 48], lesson=[1, 2, 5, 20, 48], report=[1, 5, 20, 48])
scratch_budgets = by_profile(profile, smoke=(5,), lesson=(5, 20, 48), report=(5, 20))
epochs = 24  # of the network from scratch: more do not help it

# %% [markdown]
# ## Warm-up

# %%
warm_up("04")

# %% [markdown]
# ## The idea
#
# A classifier network is two things: a *backbone*, which turns an image into a few hundred numbers, its
# *features*, and a *head*, one linear layer that turns features into answers. The features were learnt for other
# classes, but edges, textures and parts serve many problems (Razavian et al. 2014).
#
# **Feature extraction** keeps the backbone *frozen* and fits a new head. Few numbers are learnt, so few labels may
# do; and since the frozen part gives the same features for an image every time, they are computed once.

# %% tags=["nbval-check-output"]
net = load_backbone("tiny")
frozen = sum(stage.parameters for stage in net.stages)
print(f"frozen: {frozen:,} numbers; features of an image: {net.feature_dim}")
print(f"head for 12 classes: {(net.feature_dim + 1) * 12:,} numbers to learn")

# %% [markdown]
# These are the images of this lesson. All patches of `materials` have the same mean and spread of grey.

# %%
data = load_task(task, progress=False)
drawn = data.draw(lesson04.affordable(data, [5])[0], seed)
display(viz.examples(drawn.train.images, drawn.train.labels, data.classes, max_classes=6))

# %% [markdown]
# ## Predict: what is pretraining worth?
#
# `materials` are grey patches of twelve photographs; training and test patches come from different halves of each.
# Five rivals see the same labels:
#
# - **six intensity numbers** of an image, in a random forest: no shape, no place;
# - **raw pixels** under the same linear head;
# - a **random network, frozen**: the architecture without the training;
# - a small network **from scratch**, with fewer weights, since few images cannot teach millions;
# - the **pretrained network, frozen**.

# %%
predict(
    "L04.rival",
    "With five labels a class: which rival comes closest to the pretrained network?",
    lesson04.RIVALS,
)

# %% [markdown]
# ## Experiment
#
# Frozen must mean frozen. The hash of all weights says so, and the cache counts images: three heads are fitted
# below, on the same images.

# %% tags=["nbval-check-output"]
materials = load_task("materials", labels_per_class=5)
cache, before = BoundaryCache(), net.weights_digest
models = {
    h: FeatureExtraction(net, head=h, cache=cache).fit(materials.train)
    for h in ("logistic", "ridge", "nearest-centroid")
}
print("weights as before:", {m.backbone_.weights_digest == before for m in models.values()})
print(f"images through the network: {cache.computed}; taken from the cache: {cache.reused}")

# %% tags=["nbval-check-output"]
print({name: model.trainable_parameters_ for name, model in models.items()})

# %% [markdown]
# The test labels are *sealed*: all models are fitted first, then one call scores all of them, in one look. If we
# looked, changed something and looked again, the test would have chosen it. The counter is printed with each look; this
# lesson takes one for each of its comparisons and changes nothing because of what it saw.

# %%
arms = lesson04.frozen_arms(backbone, device)
scratch = lesson04.scratch_arm(data, epochs, device)
budgets = lesson04.affordable(data, budgets)
results = lesson04.sweep(data, arms, budgets, seeds, scratch=scratch, scratch_budgets=scratch_budgets)

# %%
display(viz.learning_curves(lesson04.rows(results)))

# %%
at_five = lesson04.at(results, 5 if 5 in budgets else budgets[-1])
for rival in [name for name in at_five.probabilities if name != "feature_extraction"]:
    print(said(at_five.compare("feature_extraction", rival)))

# %% [markdown]
# ## Reveal

# %%
reveal("L04.rival", lesson04.best(at_five, lesson04.RIVALS))

# %%
ledger.record("L04.pretrained-beats-every-rival", lesson04.lead(at_five), "points", direction)

# %% [markdown]
# On `materials` the pretrained features lead at every budget. The random network tells you how much of that is
# architecture: the rest is what was learnt from other images. Raw pixels are at chance: a texture has no fixed
# place, so no single pixel says anything. A second label a class hardly helps, since labels that validate count too: of
# two, one is held out.

# %% [markdown]
# ## Predict: a counter-example, digits
#
# `digits` are handwritten, eight by eight pixels, one in the middle of each image. The same network, the same heads.

# %%
predict("L04.digits", "Which is most accurate with five labels a class?", lesson04.ON_DIGITS)

# %% [markdown]
# ## Experiment

# %%
digits = load_task("digits")
small = lesson04.scratch_arm(digits, epochs, device)
chosen = by_profile(profile, smoke=[5], lesson=[1, 5, 20, 50], report=[1, 5, 20])
on_digits = lesson04.sweep(digits, arms, chosen, seeds, scratch=small, scratch_budgets=scratch_budgets[:2])

# %%
display(viz.learning_curves(lesson04.rows(on_digits)))

# %%
few = lesson04.at(on_digits, 5)
for rival in ("pixels", "random_frozen", "scratch"):
    print(said(few.compare(rival, "feature_extraction")))

# %% [markdown]
# ## Reveal

# %%
reveal("L04.digits", lesson04.best(few, lesson04.ON_DIGITS))

# %%
gap = points(few.correct("pixels"), few.correct("feature_extraction"))
ledger.record("L04.pixels-beat-pretrained-on-digits", gap, "points", direction)

# %%
gap = points(few.correct("feature_extraction"), few.correct("random_frozen"))
ledger.record("L04.trained-about-as-random-on-digits", gap, "points", equivalent(5))

# %% [markdown]
# Pretraining wins nothing here. Raw pixels do better, and the random network is about as good as the trained one. The
# digits are centred, so each pixel means the same in every image, which is just what a linear head needs; and strokes
# blown up from eight pixels are far from the photographs that the features were made for. The network is not bad, it
# is *not needed*. Had we shown you this set without its baselines, you might have called the frozen network a success.

# %% [markdown]
# ## Predict: a shortcut, materials in colour
#
# `materials-colour` holds the same patches as they are, in colour. The six numbers are now the mean and spread of
# red, green and blue.

# %%
predict("L04.colour", "How far do six numbers get in colour?", lesson04.IN_COLOUR)

# %% [markdown]
# ## Experiment

# %%
colour = load_task("materials-colour")
pair = {name: arms[name] for name in ("statistics", "feature_extraction")}
in_colour = lesson04.sweep(colour, pair, chosen[:3], seeds)
in_grey = lesson04.sweep(load_task("materials"), pair, chosen[:3], seeds)

# %%
display(viz.learning_curves(lesson04.rows(in_colour)))

# %%
coloured, grey = lesson04.at(in_colour, 5), lesson04.at(in_grey, 5)
for name in pair:
    gained = paired_difference(coloured.correct(name), grey.correct(name))
    print(said(replace(gained, a="in colour", b="in grey"), viz.method_name({"method": name})))

# %% [markdown]
# ## Reveal

# %%
reveal("L04.colour", lesson04.in_colour_against(coloured, grey))

# %%
gap = points(coloured.correct("statistics"), grey.correct("statistics"))
ledger.record("L04.colour-is-a-shortcut", gap, "points", direction)

# %% [markdown]
# Six numbers that know no shape gain much. The network gains as well, and not by seeing texture better: each class is
# one photograph, and photographs differ in colour. Its higher score says *less* about textures, which is why the set
# above is grey. Run such a *shortcut baseline* on your images first (`Shortcuts`): where it does well, a new camera or
# a cloudy day may ruin the model.

# %% tags=["nbval-check-output"]
flat = np.full((1, 3, 32, 32), 0, np.uint8)
flat[:, 0] = 200
print("red square, mean and spread of each channel:", intensity_statistics(flat)[0].tolist())

# %% [markdown]
# ## Predict: which head?
#
# A head is cheap: the features are there. *Logistic* regression and *ridge* regression are linear; *nearest centroid*
# asks which class mean is closest; *nearest neighbour* asks for the most similar image.

# %%
predict("L04.head", "Which of the four is least accurate with the most labels?", HEADS)

# %% [markdown]
# ## Experiment

# %%
heads = {head: FeatureExtraction(backbone, head=head, device=device) for head in HEADS}
by_head = lesson04.sweep(data, heads, budgets, seeds)
display(viz.learning_curves(lesson04.rows(by_head)))

# %%
most = by_head[-1]
for head in HEADS[1:]:
    print(said(most.compare("logistic", head)))

# %% [markdown]
# ## Reveal

# %%
reveal("L04.head", lesson04.least(most))

# %%
gap = points(most.correct("logistic"), most.correct("nearest-centroid"))
ledger.record("L04.linear-heads-use-many-labels", gap, "points", direction)

# %% [markdown]
# Linear heads weigh features, distances count all of them alike. With one label a class there is little to weigh, and
# a mean of one image is that image; with many labels the linear heads draw ahead. Between logistic and ridge, take the
# one that is quicker for you.

# %% [markdown]
# ## Predict: wrong preprocessing and its price
#
# Weights belong with the preprocessing that they were trained with: size, range, mean and standard deviation of each
# channel. No error is raised where it is wrong. This is what black and white become:

# %% tags=["nbval-check-output"]
black_and_white = np.stack([np.zeros((3, 64, 64), np.uint8), np.full((3, 64, 64), 255, np.uint8)])
for name, variant in lesson04.wrong_preprocessings(net).items():
    x = variant.preprocess(black_and_white)
    print(f"{name:20} {tuple(x.shape[1:])}  red from {x[0, 0].mean():.2f} to {x[1, 0].mean():.2f}")

# %% [markdown]
# Each mistake is made in two ways: **always**, in fitting the head and in using it, so that the head can adapt; and
# **in use alone**, as when an application is written after the training by somebody else.

# %%
predict("L04.price", "Which mistake costs most when it is made in use alone?", lesson04.MISTAKES)

# %% [markdown]
# ## Experiment

# %%
k = lesson04.affordable(data, [20])[0]
prices = evaluate(lesson04.preprocessing_arms(backbone, device), data, seeds, labels_per_class=k)
display(viz.arms(lesson04.rows([prices]), chance=1 / len(data.classes)))

# %%
for mistake in prices.comparisons("as trained"):
    print(said(mistake))

# %% [markdown]
# ## Reveal

# %%
reveal("L04.price", lesson04.dearest(prices))

# %%
always, in_use = (prices.correct(f"no mean, no std, {when}") for when in ("always", "in use alone"))
ledger.record("L04.in-use-alone-costs-more", points(always, in_use), "points", direction)

# %% [markdown]
# Accuracy that is merely disappointing is the dangerous kind: a head fitted behind undivided pixels still answers far
# above chance, and nobody is told. A mistake in use alone costs more, since the head never met such features. So keep
# preprocessing *with* the weights, as `Backbone` does, and send a few images with known labels through the finished
# application.

# %% [markdown]
# ## Predict: time to a given accuracy
#
# Half of the answers shall be right, with these labels. The pass through the frozen network counts as time.

# %%
predict("L04.race", "Who gets there, and who is first?", lesson04.ARRIVALS)

# %% [markdown]
# ## Experiment

# %%
lengths = by_profile(profile, smoke=[1, 3], lesson=[8, 24], report=[8, 24])
race = lesson04.timed(data, backbone, labels_per_class=k, epochs=lengths, seeds=seeds, device=device)
display(viz.accuracy_over_time(race, wanted=0.5))

# %% [markdown]
# ## Reveal

# %%
reveal("L04.race", lesson04.arrival(race, 0.5))

# %% [markdown]
# Seconds are those of this machine, and of what else it did meanwhile. On `materials` the network from scratch does not
# arrive at all: more epochs do not make up for labels that are missing. Where your own images let it arrive, compare
# the ratio rather than the seconds: one pass over the images against dozens, forwards and backwards.

# %% [markdown]
# ## Investigate
#
# How many labels did pretraining save? Hold the ruler at an accuracy and read it off both curves. Then move it on the
# digits: what does it say where nothing was saved? The curves were made beforehand by
# `transferlab course grid 04_ruler` with one architecture for all networks; one point of them is made again here.

# %%
print(grid04.rerun_sentence("digits", 5))

# %% tags=["widget"]
curves = grid04.rulers(data.name, results)
show(label_ruler.view(curves), label_ruler.static(curves))

# %% [markdown]
# And the labels of the *source*: `tiny-ssl` has the same architecture and never saw one. Is it worth as much as `tiny`?
# Change the number of labels, or the set.

# %%
pair = {name: FeatureExtraction(name, device=device) for name in ("tiny", "tiny-ssl")}
without_labels = evaluate(pair, load_task("materials"), seeds, labels_per_class=5)
print(said(without_labels.compare("tiny", "tiny-ssl")))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# Be the head. Write `centroids`: from features `(N, D)` and labels `(N,)` it computes the mean feature of each class,
# and it answers each row of `unseen` with the class whose mean has the smallest Euclidean distance.

# %%
labelled = load_task("materials", labels_per_class=20)
features, labels = net.features(labelled.train.images), labelled.train.labels
unseen, truth = net.features(labelled.validation.images), labelled.validation.labels


# %% tags=["exercise"]
def centroids(features, labels, unseen):
    """One class, 0, 1, 2, …, for each row of unseen."""
    ...


check.L04_centroids(centroids)


# %% tags=["solution"]
def centroids(features, labels, unseen):
    """One class, 0, 1, 2, …, for each row of unseen."""
    means = np.stack([features[labels == c].mean(0) for c in range(labels.max() + 1)])
    return np.linalg.norm(unseen[:, None] - means, axis=2).argmin(1)


print(
    f"{(centroids(features, labels, unseen) == truth).mean():.2f} of {len(truth)} validation answers are right"
)
check.L04_centroids(centroids)

# %% [markdown]
# ### Exercise 2 (optional)
#
# Four heads are fitted on the same 240 training images, and each answers the same 576 test images. How many images go
# through the frozen network, with a cache and without one?

# %% tags=["exercise"]
passes = (..., ...)  # with a cache, without
check.L04_passes(passes)

# %% tags=["solution"]
passes = (240 + 576, 4 * (240 + 576))
check.L04_passes(passes)

# %% [markdown]
# ### Exercise 3 (optional)
#
# Write the shortcut baseline for your own colour images: six numbers an image, the mean of red, green and blue, then
# the spread (standard deviation) of each.


# %% tags=["exercise"]
def six_numbers(images):
    """Shape (N, 6) from uint8 images (N, 3, H, W)."""
    ...


check.L04_six_numbers(six_numbers)


# %% tags=["solution"]
def six_numbers(images):
    """Shape (N, 6) from uint8 images (N, 3, H, W)."""
    return np.hstack([images.mean((2, 3)), images.std((2, 3))])


check.L04_six_numbers(six_numbers)

# %% [markdown]
# ## On your own images
#
# `transferlab course run 04 -p task=path/to/images` runs everything but the counter-example, the shortcut in colour,
# the checks and the exercises on your folder; those keep their controlled sets, since they need images whose answer is
# known.
#
# The folded cell below does the same in plain PyTorch: resize, normalize, one pass without gradients, a linear layer
# fitted by L-BFGS.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch"]
import torch
from torch.nn import functional as F

network = net.trainable_copy(0).eval().requires_grad_(False)  # an ordinary torch.nn.Module
mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def plain_features(images):
    x = torch.from_numpy(images).float().expand(-1, 3, -1, -1) / 255
    x = F.interpolate(x, (64, 64), mode="bilinear", antialias=True)
    with torch.inference_mode():
        return torch.cat([network((part - mean) / std) for part in x.split(64)]).clone()


x, y = plain_features(labelled.train.images), torch.from_numpy(labelled.train.labels)
centre, scale = x.mean(0), x.std(0, unbiased=False)
layer = torch.nn.Linear(x.shape[1], 12)
search = torch.optim.LBFGS(layer.parameters(), max_iter=500, line_search_fn="strong_wolfe")


def closure():
    search.zero_grad()
    loss = F.cross_entropy(layer((x - centre) / scale), y, reduction="sum") + layer.weight.square().sum() / 2
    loss.backward()
    return loss


search.step(closure)
with torch.inference_mode():
    plain = layer((plain_features(labelled.validation.images) - centre) / scale).argmax(1).numpy()
ours = FeatureExtraction(net).fit(labelled.train).predict(labelled.validation)
print(f"the same answers on {np.mean(plain == ours):.0%} of {len(ours)} images")

# %% [markdown]
# ## What would change this conclusion
#
# Images far from photographs (spectrograms, scans of print), many thousands of labels, a difference that photographs of
# things never needed (a hairline crack). Then train some of the network: lesson 05. And "pretrained" means *this*
# network: a larger one at 224 pixels is usually better.

# %% [markdown]
# ## Exit quiz

# %%
quiz("04")

# %% [markdown]
# ## Three things to take away
#
# 1. Freeze, compute features once, fit a linear head: do this first, it takes seconds.
# 2. Never report it without pixels, six numbers and a random network beside it.
# 3. Preprocessing belongs to the weights; nothing but a measurement tells you that it is wrong.

# %% [markdown]
# ## References
#
# - Donahue et al. (2014). DeCAF: a deep convolutional activation feature for generic visual recognition. ICML.
# - Geirhos et al. (2020). Shortcut learning in deep neural networks. Nature Machine Intelligence.
# - Kornblith, Shlens & Le (2019). Do better ImageNet models transfer better? CVPR.
# - Razavian, Azizpour, Sullivan & Carlsson (2014). CNN features off-the-shelf: an astounding baseline for recognition.
#   CVPR workshops.
# - Saxe et al. (2011). On random weights and unsupervised feature learning. ICML.
