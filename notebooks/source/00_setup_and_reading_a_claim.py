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
# # 00 Setup and reading a claim
#
# Does everything work here, and when somebody says "86 % accurate", how much of that should you believe?
#
# **Time** 35 minutes (teaching 20, exercises 15). **Memory** about 1 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. classify images of your own with a bundled network in three lines, on a machine that you have checked;
# 2. say what a 95 % interval promises for 75 and for 1,000 test images, and what a spread over seeds leaves out;
# 3. compute an accuracy that does not depend on batches, and read a line of the claims ledger, null results included.

# %% tags=["parameters"]
task: str = "materials-colour"  # images to classify: a bundled set or a folder of images
backbone: str = "tiny"  # the bundled network
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
from IPython.display import display

from transferlab import FeatureExtraction, evaluate, load_task, viz
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    lesson00,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.evaluation import bootstrap_seeds_images, paired_difference, wilson
from transferlab.evaluation.claims import direction, equivalent, make_claim, said, unresolved
from transferlab.widgets import show

profile = chosen_profile(profile)
ledger = open_ledger("00", profile)
seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=3, report=10))

# %% [markdown]
# Three lines. They load images, put a new last layer on a network that was trained on other photographs, and sort
# images that it has not seen by the name that it gives them. Every row holds what was given *one* name: look for the
# intruders.

# %%
photographs = load_task(task, progress=False)
model = FeatureExtraction(backbone, device=device).fit(photographs.train)
viz.examples(photographs.test.images, model.predict(photographs.test.image_set), photographs.classes)

# %% [markdown]
# That is transfer learning, and it took seconds. How *good* is it? The rest of this lesson is about what a number that
# answers this is worth. First the machine:

# %%
print("\n".join(lesson00.environment()))

# %% [markdown]
# ## Warm-up
#
# There was no lesson before this one. These two ask what you bring along; nothing is graded.

# %%
warm_up("00")

# %% [markdown]
# ## The idea
#
# An accuracy is measured on some images and meant for all others. Draw other test images and it moves. A *95 %
# interval* comes with a promise about the procedure: over many tests, 95 of 100 such intervals hold the accuracy that
# all images would give.
#
# Such promises can be checked where the truth is known. Here, all right answers of a made-up model are known, and
# a hundred tests of 200 images are drawn; every bar is one test's interval, the line is the truth.

# %%
made_up = np.arange(1000) < 900
display(lesson00.repeated_card(made_up, [200], draws=100))

# %% [markdown]
# ## Predict: 75 images
#
# A network with a new last layer answers 75 test images. Most courses, and many papers, would stop there and print the
# accuracy with two decimals.

# %%
predict("L00.width", "How wide is the 95 % interval of an accuracy on 75 images?", list(lesson00.WIDTHS))

# %% [markdown]
# ## Experiment: 75 images
#
# We take handwritten digits as our world: all images of a set that no model here learns from. The accuracy on all of
# them is the truth, and a *test* is a small draw from them. Each model learns from ten labelled images a digit.

# %% tags=["nbval-check-output"]
print("images in the world:", sum(len(part) for part in lesson00.world()))
print("one test:", wilson(60, 75).n, "images;", "60 of them right is an accuracy of", wilson(60, 75).estimate)

# %%
tables = [lesson00.answers(backbone, s, device=device) for s in seeds]  # right or wrong: models by images
display(lesson00.repeated_card(tables[0][0]))

# %% [markdown]
# The interval is Wilson's (1927). It needs nothing but the number of right answers and of images, and for round numbers
# you can check it on paper:

# %% tags=["nbval-check-output"]
for right, n in ((60, 75), (800, 1000), (75, 75)):
    i = wilson(right, n)
    print(
        f"{right} of {n}: {100 * i.low:.1f} to {100 * i.high:.1f} %, {100 * (i.high - i.low):.1f} points wide"
    )

# %% [markdown]
# Note the last line. All right is not "100 %": the images that would have been answered wrongly were just not drawn.

# %% [markdown]
# ## Reveal: 75 images

# %%
widths = {n: [lesson00.mean_width(table[0], n) for table in tables] for n in (75, 1000)}
reveal("L00.width", lesson00.nearest(np.mean(widths[75]), lesson00.WIDTHS))

# %%
ledger.record(
    "L00.a-thousand-images-narrow-the-interval-of-75",
    np.subtract(widths[75], widths[1000]),
    "points",
    direction,
)

# %%
ledger.record(
    "L00.intervals-from-75-images-hold-the-truth-as-often-as-they-say",
    [100 * (lesson00.coverage(table[0], 75) - 0.95) for table in tables],
    "points",
    equivalent(2),
)

# %% [markdown]
# These are two lines of the *claims ledger*. Each is a sentence that this course asserts, with the number of this run
# beside the released one, which comes from ten seeds. The first is a claim of **direction**: the whole interval lies
# above zero. The second is one of **equivalence**: the intervals keep their promise to within two points.
#
# Thirteen times as many images make the interval less than four times as narrow: it shrinks with the square root.
# That is why two accuracies on 75 images which look different often are not:

# %% tags=["nbval-check-output"]
ours, theirs = np.zeros((2, 1, 75), bool)
ours[0, :64], theirs[0, 5:67] = True, True  # 64 and 62 right; both right on most of them
c = paired_difference(ours, theirs)
print(f"{ours.mean():.1%} against {theirs.mean():.1%}: {100 * c.difference:+.1f} points")
print(f"95 % interval {100 * c.low:+.1f} to {100 * c.high:+.1f}, p = {c.p_value:.2f} ({c.method})")

# %% [markdown]
# ## Predict: ten seeds
#
# So run it ten times! Ten models of the same recipe, each with labelled images of its own, are tested on the *same* 75
# images. Their mean and its standard error give a new, narrow interval.

# %%
predict(
    "L00.seeds",
    "Over many draws of 75 images: how often does that interval hold the ten models' true mean accuracy?",
    list(lesson00.HELD),
)

# %% [markdown]
# ## Experiment: ten seeds

# %%
drawn = np.random.default_rng(seed).integers(tables[0].shape[1], size=75)
low, high = lesson00.seeds_alone(tables[0][:, drawn].mean(1))
both = bootstrap_seeds_images(tables[0][:, drawn])
print(f"over seeds alone:      {low:.1%} to {high:.1%}")
print(
    f"over seeds and images: {both.low:.1%} to {both.high:.1%} (n = {both.n} test images, {both.seeds} seeds)"
)

# %%
held = {n: [lesson00.coverage_of_seeds_alone(table, n) for table in tables] for n in (75, 1000)}
for n, shares in held.items():
    print(
        f"{n} images, seeds alone: holds the truth in {np.mean(shares):.0%} of tests ({len(shares)} × 10 models)"
    )

# %% [markdown]
# ## Reveal: ten seeds

# %%
reveal("L00.seeds", lesson00.nearest(100 * np.mean(held[75]), lesson00.HELD))
ledger.record(
    "L00.seeds-alone-miss-the-truth-more-often-than-they-say",
    [100 * (0.95 - share) for share in held[75]],
    "points",
    direction,
)

# %% [markdown]
# If the 75 images happen to be easy, all ten models look good together, and the ten agree on a wrong number. More seeds
# make it worse, since the interval gets narrower around the same luck:

# %%
of_four = [lesson00.coverage_of_seeds_alone(table[:4], 75) for table in tables]
ledger.record(
    "L00.ten-seeds-alone-miss-more-often-than-four", 100 * np.subtract(of_four, held[75]), "points", direction
)

# %% [markdown]
# From here on every accuracy in this course is
# resampled over seeds *and* images (Owen 2007), and two methods are compared on the same images.
#
# Now a claim of the third kind. Of each ten models, take the first two: same recipe, other labelled images. Is the
# second better? There is no reason why it should be, and the ledger must be able to say so.

# %%
ledger.record(
    "L00.the-second-draw-of-labels-beats-the-first",
    [lesson00.second_less_first(table, seed=i) for i, table in enumerate(tables)],
    "points",
    unresolved,
)

# %% [markdown]
# **Unresolved** says: we looked and cannot tell. It is a null result, and it is printed like any other. It does *not*
# say that both are equal (Altman and Bland 1995). Read the same made-up numbers as each of the three kinds:

# %% tags=["nbval-check-output"]
values = [-0.5, 1.0, 0.4, -0.2, 0.6]  # one a seed
for kind in (direction, equivalent(2), unresolved):
    claim = make_claim("L00.made-up", values, "points", kind)
    print(f"{kind!s:14} {said(claim)}: {'holds' if claim.holds else 'is not shown'}")

# %% [markdown]
# ## Predict: batches
#
# Test images go through a network in batches: 75 images as 32, 32 and 11. Many programs print the mean of the batches'
# accuracies.

# %%
predict("L00.batches", "How far is that mean from the counted accuracy, on average?", list(lesson00.GAPS))

# %% [markdown]
# ## Experiment: batches
#
# Ten images on paper: a batch of eight, all right, and one of two, one right. Then the first digits of the world.

# %% tags=["nbval-check-output"]
paper = [np.ones(8, bool), np.array([True, False])]
print("averaged:", lesson00.averaged(paper), " counted:", lesson00.counted(paper))

# %%
real = lesson00.batches(tables[0][0][drawn])
print("batches:", [f"{part.mean():.1%} of {len(part)}" for part in real])
print(
    f"averaged: {lesson00.averaged(real):.1%}   counted: {lesson00.counted(real):.1%} (n = 75 test images, 1 seed)"
)

# %% [markdown]
# ## Reveal: batches

# %%
gaps = [lesson00.batch_gap(table[0], seed=i) for i, table in enumerate(tables)]
reveal("L00.batches", lesson00.nearest(np.mean(gaps), lesson00.GAPS))
ledger.record("L00.averaging-batches-moves-the-accuracy-of-75-images", gaps, "points", direction)

# %% [markdown]
# It is wrong in a way that hides: sometimes up, sometimes down, and gone when the number of images is a multiple of the
# batch. The same model gets another accuracy when only the batch size is changed. So count.

# %% [markdown]
# ## Investigate
#
# Move the sliders, by mouse or by the arrow keys. If the picture follows, widgets work here. How many images does it
# take until 80 % and 84 % have intervals that do not touch?

# %% tags=["widget"]
show(lesson00.interval_slider(), lesson00.interval_card(0.8, 75))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# `batches` is a list of bool arrays, one a batch: right or wrong for each image. Complete the function so that it gives
# the *counted* accuracy, a fraction.


# %% tags=["exercise"]
def counted(batches): ...


check.L00_counted(counted)


# %% tags=["solution"]
def counted(batches):
    return sum(batch.sum() for batch in batches) / sum(len(batch) for batch in batches)


check.L00_counted(counted)

# %% [markdown]
# ### Exercise 2 (optional)
#
# You want to claim an accuracy of about 80 % with a 95 % interval that is at most 4 points wide, end to end. How many
# test images do you have to label? To within a hundred or so; `wilson` helps.

# %% tags=["exercise"]
test_images = ...
check.L00_images_needed(test_images)

# %% tags=["solution"]
intervals = (wilson(round(0.8 * n), n) for n in range(100, 5000))
test_images = next(i.n for i in intervals if i.high - i.low <= 0.04)
check.L00_images_needed(test_images)

# %% [markdown]
# ### Exercise 3 (optional)
#
# The ledger says of "the new head beats the old": **unresolved, +0.4 points (95 % interval −1.3 to +2.1; 10 seeds)**.
# Which of these follow? (a) The heads are equally good. (b) It was not shown that the new head is better. (c) In 95 of
# 100 runs the heads differ by less than 2.1 points. (d) A mean difference of one point either way is not ruled out.

# %% tags=["exercise"]
follow = ...  # a list of letters
check.L00_reading(follow)

# %% tags=["solution"]
follow = ["b", "d"]
check.L00_reading(follow)

# %% [markdown]
# ## On your own images
#
# A folder with a folder of images for each class is enough. The three lines and the accuracy below are then about your
# images; the experiments keep the digits, since they need a world whose truth is known:
#
# `transferlab course run 00 -p task=path/to/images`

# %%
own = evaluate({"feature_extraction": FeatureExtraction(backbone, device=device)}, photographs, seeds)
display(
    viz.arms([{"method": row.name, **vars(row)} for row in own.rows], chance=1 / len(photographs.classes))
)

# %% [markdown]
# The folded cell has Wilson's interval and a counted accuracy in plain PyTorch.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import torch
from torch.utils.data import DataLoader

right_answers = torch.arange(75) < 60
loader = DataLoader(right_answers, batch_size=32)
total = sum(batch.sum().item() for batch in loader)
n, z = len(right_answers), torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(0.975, dtype=torch.float64))
p = total / n
middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt()
package = wilson(total, n)
print("counted:", p, " same as without batches:", p == right_answers.double().mean().item())
print("same interval:", np.allclose([middle - half, middle + half], [package.low, package.high], atol=1e-6))

# %% [markdown]
# ## What would change this conclusion
#
# Intervals for images that are independent of one another are too narrow for images that are not: twenty photographs of
# the same patient, ten frames of a film. Then whole groups have to be drawn, and so they are in this course. No
# interval knows of a test that is not like the images you will meet: a new camera, another season. And the more test
# images there are, the smaller is their share of the doubt: in the end the spread over seeds is the larger half.

# %% [markdown]
# ## Exit quiz

# %%
quiz("00")

# %% [markdown]
# ## Three things to take away
#
# 1. An accuracy without its test images and interval is half a sentence; on 75 images, small differences drown.
# 2. Seeds do not replace test images: resample both, and compare methods on the same images.
# 3. Count right answers instead of averaging batches, and print null results like all others.

# %% [markdown]
# ## References
#
# - Altman, D. G. and Bland, J. M. (1995). Absence of evidence is not evidence of absence. BMJ.
# - Bouthillier, X. et al. (2021). Accounting for variance in machine learning benchmarks. MLSys.
# - McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions. Psychometrika.
# - Owen, A. B. (2007). The pigeonhole bootstrap. Annals of Applied Statistics.
# - Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA.
