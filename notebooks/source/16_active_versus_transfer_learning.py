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
# # 16 Active versus transfer learning
#
# You have images and few labels. Label more, label cleverer, or transfer better: what does each bring, what does each
# cost, and do they add up?
#
# **Time** 60 minutes (teaching 35, exercises 25). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. say what active and transfer learning each minimize, look at and ask for, and cross the two in one study;
# 2. tell an interaction from what a ceiling fakes, and read learning curves as labels saved and as money;
# 3. read a report on your own images, and say what would have to stand in it for you to follow it.

# %% tags=["parameters"]
task: str = "materials"  # images for the last experiment: a bundled set or a folder of images
backbone: str = "tiny"  # the pretrained network of the game and of the last experiment
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import time

import numpy as np
import torch
from IPython.display import display

from transferlab import load_task
from transferlab.active import query
from transferlab.active.factorial_effects import Corners, crossover, effects
from transferlab.active.factorial_summary import recommend
from transferlab.active.study_plan import Cell, cells, curve_name
from transferlab.course import by_profile, check, chosen_profile, open_ledger, predict, quiz, reveal, warm_up
from transferlab.course.compared import over_seeds
from transferlab.evaluation.claims import direction, equivalent, unresolved

profile = chosen_profile(profile)

# %%
from transferlab.course import grid16, lesson16, lesson16_cards, lesson16_gains, lesson16_money
from transferlab.course.lesson16 import FROZEN, MARGIN, OWN, PRETRAINED, RANDOM, SCRATCH, TUNED, TYPICAL, way
from transferlab.course.lesson16_game import board
from transferlab.course.lesson16_money import BETTER, BOTH, CLEVERER, MORE
from transferlab.course.lesson16_own import own_lines

ledger = open_ledger("16", profile)

# %% [markdown]
# ## Warm-up

# %%
warm_up("16")

# %% [markdown]
# ## The idea
#
# | | active learning | transfer learning |
# |---|---|---|
# | **lowers** | the labels asked for | the error that the labels at hand leave |
# | **looks at** | your images, and labels as they come | other images, learnt from before yours |
# | **asks** | a person, in rounds | nobody: somebody's work is taken over |
# | **when** | images are many, answers dear | something alike was learnt before |
# | **fails** | if it picks by features that know nothing | if the source lies too far |
#
# They are no rivals by nature: one decides *which* labels, the other *what* learns from them. So cross them. Below,
# what three strategies ask first, on pretrained features. **margin** has to wait for a first model; **typiclust**
# needs none.

# %%
results, images = grid16.stored_results(), grid16.study_images()
display(lesson16_cards.asked_card(results, images))

# %% [markdown]
# ## Predict: few labels, many labels
#
# Materials: 12 classes, 456 images that may be asked about. A head learns on frozen pretrained features. Who picks
# best?

# %%
PICKS = ("random", "margin", "typiclust", "none is told to be ahead of the others")
predict("L16.lowest", "With 24 labels, two a class on average: which picks are ahead of all others?", PICKS)

# %%
predict("L16.largest", "With 120 labels, a quarter of the pool: which picks are ahead of all others?", PICKS)

# %% [markdown]
# ## Experiment: the factorial
#
# Everything is crossed with everything: what is **trained**, by what **strategy** images are picked, on whose
# **features** (the network's own, or pretrained ones), how many labels, and the seed. A seed draws the first images
# and the first weights, the same for all.

# %% tags=["nbval-check-output"]
study = grid16.STUDY
print("trained:", *study.arms, "| picked by:", *study.strategies, "| on features:", *study.pickers)
print("labels in all:", *study.budgets, "| seeds:", len(study.seeds))
print(len(cells(study)), "learning curves, such as:", curve_name(("scratch", "margin", "pretrained")))

# %% [markdown]
# That would run for hours; its answers to every validation and test image are stored. Trust them as far as you can do
# one again: this curve is picked, labelled and trained here and now.

# %%
cell = Cell(by_profile(profile, smoke=FROZEN, lesson=TUNED, report=SCRATCH), MARGIN, PRETRAINED, 0)
[stored] = [r for r in results if r.cell == cell]
start = time.monotonic()
agree = lesson16.agreement(stored, grid16.rerun(cell))
print(lesson16_cards.anew_line(agree, time.monotonic() - start, curve_name(cell.curve)))

# %% [markdown]
# Another processor adds numbers in another order, so a few answers near a border may differ. Now all of it; the test
# is opened once, for all curves together. Strategies pick by the features of what is trained; from scratch there are
# none before the first label, and the first 12 images are drawn.

# %%
found = lesson16.factorial(results, images)
display(lesson16_cards.curves_card(found))

# %% [markdown]
# ## Reveal: few labels, many labels

# %%
low, high = found.budgets[1], found.budgets[-1]
reveal("L16.lowest", lesson16_cards.leader(found, FROZEN, low) or PICKS[3])
reveal("L16.largest", lesson16_cards.leader(found, FROZEN, high) or PICKS[3])

# %%
display(lesson16_cards.choosing_card(found, (low, high)))

# %% [markdown]
# Who compares often finds something by luck. Over all strategies, arms and budgets, corrected by Holm:

# %%
print(*lesson16_cards.corrected_lines(found), sep="\n")

# %%
typical, margin, chance = (way(FROZEN, s) for s in (TYPICAL, MARGIN, RANDOM))
gain = found.gain(typical, chance, found.budgets[0])
display(ledger.record("L16.typical-images-beat-random-with-12-labels", gain, "points", direction))
gain = found.gain(typical, margin, low)
display(ledger.record("L16.typical-images-beat-uncertain-ones-with-24-labels", gain, "points", direction))
gain = found.gain(typical, chance, high)
ledger.record("L16.typical-images-still-beat-random-with-120-labels", gain, "points", direction)

# %% [markdown]
# Two things are often said: typical images win while labels are few, uncertain ones later. The first was found here.
# The second was not: with 120 labels, ten a class on average, typical images are still ahead, and uncertain ones are
# not told from chance:

# %%
gain = found.gain(margin, chance, high)
ledger.record("L16.uncertain-images-are-not-told-from-random-with-120-labels", gain, "points", unresolved)

# %% [markdown]
# It may turn round beyond 120 labels; nobody looked there. Note also where margin starts: its first 12 images are
# random, since there is no model yet that could be in doubt.

# %% [markdown]
# ## Predict: do they add up?
#
# Transfer raises a curve, choosing raises a curve. Is choosing worth less once there is transfer, since good features
# leave less to win?

# %%
MEETS = ("less with transfer", "more with transfer", "no difference is shown")
predict("L16.interaction", "What typiclust gains over random with 24 labels, in log odds, is", MEETS)

# %% [markdown]
# ## Experiment: do they add up?
#
# The **interaction** is the gain with transfer less the gain without. Accuracy is a poor scale for it. Double the
# odds of a right answer, and look at the points:

# %% tags=["nbval-check-output"]
for line in lesson16_gains.ceiling_lines():
    print(line)

# %% [markdown]
# On accuracy nearly everything "interacts" where one curve is near the ceiling. In **log odds** a gain counts the
# same everywhere. The four corners of a small study, in which choosing doubles the odds with and without transfer:

# %% tags=["nbval-check-output"]
rights = (300, 450, 750, 818)  # of 900: scratch at random and chosen, transferred at random and chosen
four = Corners(*((np.arange(900) < right)[None, None].repeat(3, 1) for right in rights))
print(f"in points of accuracy: {100 * ((818 - 750) - (450 - 300)) / 900:+.1f}")
print(f"in log odds: {abs(effects(four)[0]['interaction'].estimate):.2f}")

# %% [markdown]
# And the study itself:

# %%
display(lesson16_gains.effects_card(found, TYPICAL))

# %%
display(lesson16_gains.scales_card(found, TYPICAL))

# %% [markdown]
# ## Reveal: do they add up?

# %%
meets = found.interaction(TYPICAL, low)
_, least, most = over_seeds(meets)
reveal("L16.interaction", MEETS[0 if most < 0 else 1 if least > 0 else 2])

# %%
display(
    ledger.record("L16.transfer-raises-what-typical-images-gain-with-24-labels", meets, "log odds", direction)
)
gain = found.gain(way(SCRATCH, TYPICAL), way(SCRATCH, RANDOM), low)
ledger.record("L16.from-scratch-choosing-typical-images-changes-little", gain, "points", equivalent(5))

# %% [markdown]
# Transfer does not eat the gain here, it makes it possible. "Typical" is a matter of features. Count the classes
# among the first 24 images:

# %%
for curve in (way(SCRATCH, RANDOM), way(SCRATCH, TYPICAL), way(FROZEN, TYPICAL)):
    mean, least, most = over_seeds(lesson16.classes_met(found, curve, low))
    print(
        f"{curve_name(curve):40} {mean:.1f} of 12 classes (95 % interval {least:.1f} to {min(most, 12):.1f})"
    )

# %% [markdown]
# Good features know what is alike before any label; those of a network that has seen two dozen images do not. So
# "with transfer there is nothing left to choose" is refuted on these images, on both scales, with few labels.
#
# With 120 labels look at both panels again: in points the interaction is not told from 0, in log odds it just is,
# since the frozen curve is the nearer one to the ceiling. And margin? Nothing to raise:

# %%
meets = found.interaction(MARGIN, low)
ledger.record("L16.no-interaction-is-shown-for-uncertain-images", meets, "log odds", unresolved)

# %% [markdown]
# ## Predict: a cheap head picks for a network
#
# A network that is trained from scratch for each round is slow, and at first its opinion of images is worth little. A
# head on pretrained features is there in milliseconds. Let it pick, and train the slow network on what it picked.
# Mind the name: nothing pretrained is trained on, but the *choice* is transferred. That is transfer learning, too.

# %%
CHEAP = ("gains", "costs", "neither is shown")
predict("L16.picker", "With 120 labels by margin, the network from scratch that is picked for", CHEAP)

# %% [markdown]
# ## Experiment: a cheap head picks for a network

# %%
display(lesson16_cards.picks_card(found))

# %% [markdown]
# ## Reveal: a cheap head picks for a network

# %%
picked, own = (way(SCRATCH, MARGIN, picker) for picker in (PRETRAINED, OWN))
lent = found.compare(picked, own, high)
reveal("L16.picker", CHEAP[0 if lent.low > 0 else 1 if lent.high < 0 else 2])

# %%
later = found.budgets[1:]  # the first images are drawn, whoever picks afterwards
loss = np.mean([found.gain(own, picked, budget) for budget in later], axis=0)
display(
    ledger.record("L16.doubts-of-a-pretrained-head-cost-a-network-from-scratch", loss, "points", direction)
)
loss = found.gain(way(SCRATCH, RANDOM), picked, high)
ledger.record("L16.with-120-labels-its-doubts-are-worse-than-random-picks", loss, "points", direction)

# %% [markdown]
# What is uncertain to one model need not teach another one. The head is in doubt about images at borders that only
# its features see; a network that has yet to learn what an edge is may find them the hardest, and here they served it
# worse than images drawn by lot. A cheap head is no stand-in for a network with other features. For one that *shares*
# its features it is: the pretrained network whose last stage is trained on gets far better images from the cheap head
# than by chance, and no worse ones than from itself, as far as is shown:

# %%
cheap, slow, chance = (way(TUNED, *how) for how in ((TYPICAL, PRETRAINED), (TYPICAL, OWN), (RANDOM,)))
gain = found.gain(cheap, chance, low)
display(ledger.record("L16.typical-picks-of-a-cheap-head-serve-the-tuned-network", gain, "points", direction))
gain = found.gain(cheap, slow, low)
ledger.record("L16.picks-of-the-tuned-network-itself-are-not-told-apart", gain, "points", unresolved)

# %% [markdown]
# ## Predict: what it costs
#
# Validation images decide, as they would for you. The accuracy to reach is what a network from scratch has with all
# 120 labels picked at random, rounded down to 5 %.

# %%
FEW = ("about 12, the fewest tried", "about 30", "about 60", "more than 90")
predict(
    "L16.money", "How many labels, picked at random, does a head on pretrained features need for that?", FEW
)

# %% [markdown]
# ## Experiment: what it costs

# %%
target = lesson16_money.within_reach(found, SCRATCH)
needed = lesson16_money.labels_each(found, TYPICAL, target)
display(lesson16_money.needed_card(found, needed, target))

# %% [markdown]
# ## Reveal: what it costs

# %%
labels = needed[BETTER].needed
reveal("L16.money", FEW[0 if labels < 15 else 1 if labels < 45 else 2 if labels < 90 else 3])

# %%
more = found.gain(way(FROZEN, RANDOM), way(SCRATCH, RANDOM), low, than=high)
ledger.record("L16.24-labels-with-transfer-beat-120-without", more, "points", direction)

# %% [markdown]
# No label is shown to be saved by choosing where features know nothing. Now a higher aim: what a head on pretrained
# features has with all 120 labels picked at random. From scratch nobody gets there with the labels tried. How many
# would be needed is not known; "over 120" is the answer, and no line is drawn further:

# %%
higher = lesson16_money.within_reach(found, FROZEN)
further = lesson16_money.labels_each(found, TYPICAL, higher)
display(lesson16_money.needed_card(found, further, higher))

# %% [markdown]
# An owner would ask for one sentence. It is made from validation images alone; a strategy is taken only where it is
# told from random picks after Holm's correction. Beside it stands what the test says of that choice:

# %%
print(recommend(found.validation, higher).sentence(found.test))

# %% [markdown]
# The test says less than was aimed at. Its patches come from the other half of each photograph, validation's from the
# pool's own; a new place is always somewhat new. Allow for it, or keep validation images from another place.
#
# Labels are not all that costs. A loop that asks in rounds has to be run by somebody, a pretrained network has to be
# found and kept. Two ways cost the same where a label's price makes up for that, the **crossover**:

# %% tags=["nbval-check-output"]
print("240 labels, or 40 labels and 30 besides: the same at a price of", crossover(240, 0, 40, 30), "a label")

# %% [markdown]
# Fixed costs below are made up; put in your own.

# %%
fixed = {MORE: 0, CLEVERER: 10, BETTER: 30, BOTH: 40}
display(lesson16_money.money_card(found, needed, fixed, target))

# %%
display(lesson16_money.money_card(found, further, fixed, higher))

# %% [markdown]
# ## Investigate
#
# Your turn. 96 images of the pool, none with a label. Pick 12; their labels are shown, a head on frozen features
# learns from them, and validation images say how good it is, beside chance and three strategies on the same 96 images
# and the same budget. After three rounds the test is opened. Arrow keys move, Enter picks, u takes back, r reveals.
# Before you begin: will you pick what is typical, what is odd, or one of each look?

# %% tags=["widget"]
from transferlab.widgets import label_game, show

plays = by_profile(profile, smoke=2, lesson=6, report=10)
game = board(images, backbone, seed, draws=10 * plays, plays=plays)
show(label_game.LabelGame(game), label_game.static(game))

# %% [markdown]
# In print, the game above is played by somebody who takes one image of each class in turn. Nobody has the classes
# before asking, but eyes come close: yours have been pretrained, too. One game is one seed; set `seed` in the
# parameters for another.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 10 minutes)
#
# Labels saved, from curves. `validation` and `test` hold accuracies of two strategies at `budgets`. Give the name of
# the strategy that is better at `budget`, and the factor: how many times `budget` the other one needs to be as
# accurate. Make curves monotone (what was reached once counts), interpolate linearly between budgets, and say
# `np.inf` where the other never gets there. A colleague's beginning stands in the comments. What is wrong with it?


# %% tags=["exercise"]
def labels_saved(budgets, validation, test, budget):
    # at = list(budgets).index(budget)
    # better = max(test, key=lambda name: test[name][at])
    ...


check.L16_labels_saved(labels_saved)


# %% tags=["solution"]
def labels_saved(budgets, validation, test, budget):
    at = list(budgets).index(budget)
    curves = {name: np.maximum.accumulate(curve) for name, curve in validation.items()}
    better, rival = sorted(curves, key=lambda name: -curves[name][at])
    height, curve = curves[better][at], curves[rival]
    return better, np.interp(height, curve, budgets) / budget if height <= curve[-1] else np.inf


check.L16_labels_saved(labels_saved)

# %% [markdown]
# ### Exercise 2 (optional)
#
# The interaction. Four corners have so many right answers of `n`. Give what choosing gains with transfer less what it
# gains without, in log odds, with 0.5 added to right and to wrong ones.


# %% tags=["exercise"]
def interaction(scratch_random, scratch_chosen, transferred_random, transferred_chosen, n): ...


check.L16_interaction(interaction)


# %% tags=["solution"]
def interaction(scratch_random, scratch_chosen, transferred_random, transferred_chosen, n):
    def log_odds(right):
        return np.log((right + 0.5) / (n - right + 0.5))

    with_transfer = log_odds(transferred_chosen) - log_odds(transferred_random)
    return with_transfer - (log_odds(scratch_chosen) - log_odds(scratch_random))


check.L16_interaction(interaction)

# %% [markdown]
# ### Exercise 3 (optional)
#
# The crossover. Way a needs `labels_a` labels and costs `fixed_a` whatever a label costs; way b likewise. Give the
# price of a label at which both cost the same, or None where there is none above 0 (or one never gets there: infinite
# labels).


# %% tags=["exercise"]
def price(labels_a, fixed_a, labels_b, fixed_b): ...


check.L16_crossover(price)


# %% tags=["solution"]
def price(labels_a, fixed_a, labels_b, fixed_b):
    if not np.isfinite([labels_a, labels_b]).all() or labels_a == labels_b:
        return None
    even = (fixed_b - fixed_a) / (labels_a - labels_b)
    return even if even > 0 else None


check.L16_crossover(price)

# %% [markdown]
# ## On your own images
#
# The next cell asks the small question of `task`: on frozen features, how many labels, and is choosing worth it? For
# a folder with a folder for each class:
#
# `transferlab course run 16 -p task=path/to/images`

# %%
own_seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=3, report=10))
for line in own_lines(load_task(task, progress=False), backbone, own_seeds, device):
    print(line)

# %% [markdown]
# The whole question is a report's. It prints how long it will take before it starts, and goes on where it was broken
# off:
#
# `transferlab report active path/to/images`
#
# Read it with these questions. They suit any study that says "our method needs fewer labels".
#
# | ask | a good answer | a bad one |
# |---|---|---|
# | What chose? | validation images; the test was opened once, after that | the best line of the test |
# | On how much does it rest? | hundreds of images, ten seeds, an interval | one seed, or no interval |
# | Is the strategy told from random picks? | in pairs, corrected for all comparisons | "best of seven" |
# | Labels or points? | labels to one accuracy, "over 120" where not reached | points at the last budget |
# | Does choosing still help with transfer? | corners, in log odds or labels | points near the ceiling |
# | Who picked? | whose features, and they count as transfer | a pretrained picker, not mentioned |
# | Was scratch given a chance? | the same effort, and it ends above chance | a few epochs, then a triumph |
# | What does it cost? | your prices, and where the order turns round | labels as if all else were free |
# | Is the test like tomorrow? | groups kept apart, another place or day | one burst of images in both |

# %% [markdown]
# The folded cell does one round in plain PyTorch: a frozen body, a head on twelve labels, and the twelve images next
# to ask about.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
torch.manual_seed(0)
body = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU()).requires_grad_(False)  # as if pretrained
pictures = torch.randn(200, 8)
names = (pictures[:, 0] > 0).long() + (pictures[:, 1] > 0).long()
asked, features = torch.arange(12), body(pictures)
head = torch.nn.Linear(16, 3)
optimizer = torch.optim.LBFGS(head.parameters(), max_iter=50)


def loss():
    optimizer.zero_grad()
    found = torch.nn.functional.cross_entropy(head(features[asked]), names[asked])
    found = found + 0.01 * head.weight.square().sum()
    found.backward()
    return found


optimizer.step(loss)
p = head(features).detach().double().softmax(1)
first, second = p.topk(2).values.T
lead = (first - second).index_fill(0, asked, float("inf"))  # what has a label is not asked again
package = query("margin", probabilities=p.numpy(), labelled=asked.numpy(), n=12)
print(
    "the same images asked as by the package:",
    sorted(lead.argsort()[:12].tolist()) == sorted(package.tolist()),
)

# %% [markdown]
# ## What would change this conclusion
#
# Each class here is one photograph, cut into patches: what is typical of it is easy to find. With classes that look
# many ways, typical images may cover less. Budgets end at 120; margin may win at hundreds of labels. The networks
# from scratch are small, trained for seconds, and end at a third of the answers: one that learns more from 120 labels
# might choose better by itself. The source of the pretrained network lies near; from a far one its features may know
# as little as those from scratch, and then the head's picks with them. The oracle made no mistake and every label
# cost the same. What stays: choosing is as good as the features it goes by.

# %% [markdown]
# ## Exit quiz

# %%
quiz("16")

# %% [markdown]
# ## Three things to take away
#
# 1. Active learning lowers labels, transfer lowers error; cross them, since neither answers for the other.
# 2. Choosing is as good as the features it goes by: here transfer raised its gain, and another network's doubts harmed.
# 3. Choose on validation, count in labels and money, stop at the last budget, and open the test once.

# %% [markdown]
# ## References
#
# - Ash, J. T. et al. (2020). Deep batch active learning by diverse, uncertain gradient lower bounds. ICLR.
# - Haldane, J. B. S. (1956). The estimation and significance of the logarithm of a ratio of frequencies. Annals of
#   Human Genetics.
# - Hacohen, G., Dekel, A. and Weinshall, D. (2022). Active learning on a budget: opposite strategies suit high and low
#   budgets. ICML.
# - Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics.
# - Lowell, D., Lipton, Z. C. and Wallace, B. C. (2019). Practical obstacles to deploying active learning. EMNLP.
# - Settles, B. (2009). Active learning literature survey. University of Wisconsin-Madison.
