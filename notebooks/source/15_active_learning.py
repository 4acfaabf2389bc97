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
# # 15 Active learning
#
# Labels cost time, images do not. Which images are worth asking a person about, when is chance as good, and when is it
# time to stop?
#
# **Time** 55 minutes (teaching 35, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. say what uncertain, diverse and typical queries ask for, and write two of them;
# 2. explain by experiments why a strategy can lose to random, and with which one to begin;
# 3. decide when to stop, and what wrong and missing answers cost.

# %% tags=["parameters"]
task: str = "materials"  # images for the last experiment: a bundled set or a folder of images
backbone: str = "tiny"  # the frozen network whose features everything here uses
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
from IPython.display import display

from transferlab import load_task
from transferlab.active import STRATEGIES, HiddenLabels, query
from transferlab.active.uncertainty import entropy, least_confidence, margin
from transferlab.course import by_profile, check, chosen_profile, open_ledger, predict, quiz, reveal, warm_up
from transferlab.evaluation.claims import direction, equivalent, unresolved

profile = chosen_profile(profile)

# %%
from transferlab.course import lesson15, lesson15_cards, lesson15_map, lesson15_oracles, lesson15_own
from transferlab.course.lesson15 import (
    ASKED_HONEST,
    BADGE,
    ENTROPY,
    K_CENTRE,
    MARGIN,
    RANDOM,
    STARTED,
    TYPICAL,
)
from transferlab.course.lesson15_oracles import OWN, STABLE
from transferlab.course.lesson15_plane import BORDER, ODD, plane_trial

ledger = open_ledger("15", profile)
seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=5, report=10))
more_seeds = range(seed, seed + by_profile(profile, smoke=3, lesson=5, report=20))

# %% [markdown]
# ## Warm-up

# %%
warm_up("15")

# %% [markdown]
# ## The idea
#
# There is a **pool** of images without labels and an **oracle**, as a rule a person, who knows them at a price. A
# **query strategy** picks the next images to ask, a head learns from the answers, and the next round begins. On frozen
# features a round costs milliseconds.
#
# - **uncertain**: *margin* asks for the smallest lead of the first class over the second;
# - **diverse**: *k-centre* takes the image farthest from all labelled ones, again and again;
# - **typical**: *TypiClust* takes the densest spot of each cluster without a label;
# - uncertain and diverse: *BADGE* wants large and different gradients.
#
# And **random**, which each has to beat. Below, a pool on a plane, and the first 12 questions of four strategies.

# %%
border = plane_trial(BORDER, seeds)
display(lesson15_cards.asked_card(border))

# %% [markdown]
# Margin asks along the model's own border, and so finds the true one. All strategies:

# %% tags=["nbval-check-output"]
for name, strategy in STRATEGIES.items():
    print(f"{name:22} {strategy.text}")

# %% [markdown]
# "Uncertain" has several meanings. Three images, three classes; which is least certain?

# %% tags=["nbval-check-output"]
p = np.array([[0.48, 0.46, 0.06], [0.42, 0.29, 0.29], [0.60, 0.30, 0.10]])
for score in (least_confidence, margin, entropy):
    print(f"{score.__name__:17}", score(p).round(2), "asks image", score(p).argmax())

# %% [markdown]
# ## Predict: two labels a class
#
# Now real images: patches of twelve materials, and handwritten digits. The pool has some hundred images; features are
# those of a small frozen network. A person is willing to label 24 images, two a class on average.

# %% tags=["nbval-check-output"]
for name in lesson15.SETS:
    n, places = len(lesson15.images(name)), lesson15.drawn(name, 0)
    print(f"{name:15} {len(lesson15.images(name).classes)} classes, {n} images, {len(places)} of them a pool")

# %%
FIRST = [RANDOM, MARGIN, K_CENTRE, TYPICAL]
predict("L15.first", "Who is right most often on materials with 24 labels?", FIRST)

# %% [markdown]
# ## Experiment: two labels a class
#
# Each seed draws a pool and, for random, margin and badge, a first batch. Test images are others, the same for all; the
# test is opened when all loops have ended, and nothing is chosen by it.

# %%
ways = [*FIRST, ENTROPY, BADGE, STARTED]
budgets = by_profile(profile, smoke=(1, 2, 3), lesson=lesson15.BUDGETS, report=lesson15.BUDGETS)
sets = ("materials", "digits")
first = {
    name: lesson15.loops_trial(name, ways, more_seeds, backbone=backbone, budgets=budgets) for name in sets
}
display(lesson15_cards.first_card(list(first.values()), ways[:-1]))

# %% [markdown]
# ## Reveal: two labels a class

# %%
materials, digits = first["materials"], first["digits"]
reveal("L15.first", max(FIRST, key=lambda way: materials.spread(way, 24)[0]))

# %%
gain = materials.gain(TYPICAL, 24)
display(
    ledger.record("L15.two-labels-a-class-typical-images-beat-random-on-materials", gain, "points", direction)
)
gain = digits.gain(TYPICAL, 20)
display(
    ledger.record("L15.two-labels-a-class-typical-images-beat-random-on-digits", gain, "points", direction)
)
gain = materials.gain(MARGIN, 24)
ledger.record(
    "L15.two-labels-a-class-margin-is-not-told-from-random-on-materials", gain, "points", unresolved
)

# %% [markdown]
# This is the **cold start**. After the first round the head is wrong about two images of three, and it has not met all
# classes. Any question corrects a mistake then, so knowing where the head is unsure is worth little. Typical images
# need no head: they stand for whole regions of the features, and the features were there before the first label.
#
# Uncertainty can even harm: entropy, spread over classes most of which the head hardly knows, loses to random. And if
# the start is what ails, a typical first batch must help margin. If it is the *head* that is not ready, typical
# images must still be the better questions after it.

# %%
lost = materials.gain(RANDOM, 36, over=ENTROPY)
display(
    ledger.record("L15.three-labels-a-class-random-beats-entropy-on-materials", lost, "points", direction)
)
gain = materials.gain(STARTED, 24, over=MARGIN)
display(ledger.record("L15.a-typical-first-batch-mends-the-start-of-margin", gain, "points", direction))
gain = materials.gain(TYPICAL, 36, over=STARTED)
ledger.record("L15.typical-images-go-on-leading-after-a-typical-first-batch", gain, "points", direction)

# %% [markdown]
# ## Predict: odd images
#
# Pools are not clean. On the next plane one image in ten is odd: it lies anywhere, and its label means nothing, as with
# a blurred photograph, a wrong file, or two things in one picture.

# %%
SHARES = ("about a tenth", "about a quarter", "more than a half")
predict("L15.odd", "Which share of its first 12 questions does k-centre spend on odd images?", SHARES)

# %% [markdown]
# ## Experiment: odd images

# %%
odd = plane_trial(ODD, seeds)
display(lesson15_cards.asked_card(odd))

# %% [markdown]
# ## Reveal: odd images

# %%
share = odd.odd_share(K_CENTRE)[0]
reveal("L15.odd", SHARES[0 if share < 0.18 else 1 if share < 0.5 else 2])

# %%
more = 100 * (odd.asked_odd[K_CENTRE] - odd.asked_odd[RANDOM])
display(ledger.record("L15.k-centre-asks-more-odd-images-than-random", more, "% of questions", direction))
lost = odd.gain(RANDOM, 2, over=K_CENTRE)
display(ledger.record("L15.k-centre-loses-to-random-among-odd-images", lost, "points", direction))
far = materials.remote[K_CENTRE] - materials.remote[RANDOM]
ledger.record("L15.k-centre-asks-far-off-images-of-materials", far, "percentiles", direction)

# %% [markdown]
# What is far from everything stands for nothing but itself. k-centre promises that no image is far from a labelled one,
# and odd images are what makes this dear. So diversity alone is no reason to ask; on real images, too, its questions
# come from the edge of the pool (the last claim: 100 is the farthest image, random has about 50).

# %% [markdown]
# ## Predict: more labels
#
# It is said that typical images win at first and uncertain ones later. Now there are 20 labels a class, and two more
# sets: letters and printed digits, in many fonts.

# %%
WHERE = ("on all of the sets", "on some of them", "on none")
predict("L15.later", "Where is margin ahead of random with 20 labels a class?", WHERE)

# %% [markdown]
# ## Experiment: more labels
#
# One more way: a *ridge head* is asked how unsure it is, while the logistic head still learns and answers. The ridge
# head sets its probabilities by images that it left out; the logistic one reads them off a fit that is perfect.

# %%
budgets = by_profile(profile, smoke=(5, 10, 20), lesson=(1, 2, 5, 10, 20), report=(1, 2, 5, 10, 20))
ways, sets = [RANDOM, MARGIN, ASKED_HONEST, TYPICAL], lesson15.SETS[: 3 if profile == "smoke" else 4]
later = {n: lesson15.loops_trial(n, ways, more_seeds, backbone=backbone, budgets=budgets) for n in sets}
display(lesson15_cards.later_card(list(later.values())))

# %% [markdown]
# ## Reveal: more labels

# %%
ahead = [name for name, trial in later.items() if trial.verdict(MARGIN, 20 * trial.classes) == "ahead"]
reveal("L15.later", WHERE[0 if len(ahead) == len(sets) else 1 if ahead else 2])

# %% [markdown]
# A few seeds may say otherwise than twenty; the released lines are of twenty pools. Where labels are clean and nothing
# else is in the way, as on the plane with the clean border, margin is ahead. Among images it is shown ahead on letters,
# and there it leads typical images, too: the order has turned round. On materials and digits it ends within three
# points of random, either side.

# %%
at_twenty = {name: np.array(trial.gain(MARGIN, 20 * trial.classes)) for name, trial in later.items()}
display(ledger.record("L15.margin-beats-random-on-a-clean-border", border.gain(MARGIN), "points", direction))
words = "L15.twenty-labels-a-class-margin-beats-random-on-letters"
display(ledger.record(words, at_twenty["letters"], "points", direction))
words = "L15.twenty-labels-a-class-margin-beats-typical-images-on-letters"
display(ledger.record(words, later["letters"].gain(MARGIN, 520, over=TYPICAL), "points", direction))
for name in ("materials", "digits"):
    words = f"L15.twenty-labels-a-class-margin-is-within-three-points-of-random-on-{name}"
    display(ledger.record(words, at_twenty[name], "points", equivalent(3)))

# %% [markdown]
# Margin does ask the better *questions*, on every set. Here is how often the head was wrong about what the last round
# asked:

# %%
for name, trial in later.items():
    told = ", ".join(f"{way} {100 * trial.wrong[way][:, -1].mean():.0f} %" for way in ways)
    print(f"{name:15} {told}")

# %% [markdown]
# So it finds twice the mistakes, and gains a point or two, or nothing. To be wrong about an image is no proof that its
# label teaches anything about others. Does it matter who says "unsure"? Asked by a ridge head, whose probabilities are
# not read off its own fit, margin is a little ahead on average over the sets.

# %%
more = 100 * (later["digits"].wrong[MARGIN] - later["digits"].wrong[RANDOM])[:, -1]
display(
    ledger.record("L15.margin-finds-more-mistakes-than-random-on-digits", more, "% of questions", direction)
)
honest = np.mean([trial.gain(ASKED_HONEST, 20 * trial.classes) for trial in later.values()], axis=0)
ledger.record("L15.margins-of-a-ridge-head-beat-random-over-the-sets", honest, "points", direction)

# %% [markdown]
# ## Predict: what a loop believes of itself
#
# When is it time to stop? The obvious way: look at the accuracy on the labels that there are, each left out once, and
# stop when it rises no more. Say that the loop has asked 120 images by margin.

# %%
SIDES = ("too low", "about right", "too high")
predict("L15.own", "Leave-one-out accuracy on the images that margin asked, against test images, is…", SIDES)

# %% [markdown]
# ## Experiment: what a loop believes of itself
#
# Loops go on far beyond any rule, so that it can be seen what stopping would have cost. *No gain*: accuracy by
# leave-one-out (a ridge head's, in closed form) has not risen in three rounds. *Stable predictions*: answers to the
# whole pool hardly change from round to round (their kappa averages above 0.97); no label is needed for it.

# %%
rounds = by_profile(profile, smoke=12, lesson=30, report=30)
own = lesson15_oracles.stopping_trial("materials", more_seeds, most=rounds, backbone=backbone)
display(lesson15_cards.own_card(own, 120))

# %%
print(*lesson15_cards.stops_lines(own), sep="\n")

# %% [markdown]
# ## Reveal: what a loop believes of itself

# %%
below = own.misjudged(MARGIN, 120).mean()
reveal("L15.own", SIDES[0 if below > 3 else 2 if below < -3 else 1])

# %%
below = own.misjudged(MARGIN, 120)
display(ledger.record("L15.a-loop-by-margin-believes-too-little-of-itself", below, "points", direction))
more = own.lost(MARGIN, OWN) - own.lost(MARGIN, STABLE)
ledger.record(
    "L15.asking-by-margin-no-gain-stops-at-a-dearer-time-than-stable-predictions", more, "points", direction
)

# %% [markdown]
# Margin asked for hard images, and they are no sample of the pool. Whoever reports that number sells the model too low,
# and a rule that looks at it stops at the wrong time. By random the number is a little too high: the pool's patches
# and those of the test are from two halves of each photograph. An honest number needs images drawn at random from
# where the model will be used.

# %% [markdown]
# ## Predict: an oracle that errs

# %%
COSTS = ("a wrong answer in five", "a missing answer in five", "no difference is shown")
predict("L15.oracle", "What costs more accuracy with 120 questions?", COSTS)

# %% [markdown]
# ## Experiment: an oracle that errs

# %% tags=["nbval-check-output"]
for noise, abstention in ((0, 0), (0.4, 0), (0, 0.4)):
    oracle = HiddenLabels([0, 1, 2, 0, 1, 2], noise=noise, abstention=abstention, seed=3)
    print(f"noise {noise}, abstention {abstention}:", [answer.label for answer in oracle.ask(range(6))])

# %%
oracles = lesson15_oracles.oracles_trial("materials", seeds, backbone=backbone)
display(lesson15_cards.oracles_card(oracles))

# %% [markdown]
# ## Reveal: an oracle that errs

# %%
apart = lesson15_oracles.wrong_less_missing(oracles)
reveal("L15.oracle", COSTS[2 if abs(apart.mean()) < 1 else 0 if apart.mean() > 0 else 1])

# %%
ledger.record("L15.wrong-answers-cost-more-than-missing-ones", apart, "points", direction)

# %% [markdown]
# ## Investigate
#
# The map shows every loop from the first question on. Play margin among odd images, and watch what it does while it has
# not met all classes; then k-centre. Behind the clean border, compare margin with typiclust after 20 labels. On
# materials, letters begin the names of classes, and distances on the map are those of a projection.

# %% tags=["widget"]
from transferlab.widgets import query_map, show

cases = lesson15_map.cases([odd, border], seeds[:5], backbone)
show(query_map.view(cases), query_map.static(cases))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 10 minutes)
#
# One round by margin. `probabilities` (N, K) are a model's, `labelled` the positions that have labels. Ask the oracle
# about the `n` others with the smallest lead of the first class over the second, and return its answers:
# `oracle.ask(positions)`. Every answer is paid for.


# %% tags=["exercise"]
def ask_by_margin(probabilities, labelled, n, oracle): ...


check.L15_ask_by_margin(ask_by_margin)


# %% tags=["solution"]
def ask_by_margin(probabilities, labelled, n, oracle):
    two = np.sort(probabilities, axis=1)[:, -2:]
    lead = two[:, 1] - two[:, 0]
    lead[labelled] = np.inf  # never again
    return oracle.ask(np.argsort(lead)[:n])


check.L15_ask_by_margin(ask_by_margin)

# %% [markdown]
# ### Exercise 2 (required, 8 minutes)
#
# Typical images. `features` (N, D), `clusters` (N,) and `labelled` positions are given. Of the `n` largest clusters
# without a label give one position each, the largest cluster first: the image with the smallest mean distance to its
# `k` nearest neighbours in the cluster.


# %% tags=["exercise"]
def typical(features, clusters, labelled, n, k): ...


check.L15_typical(typical)


# %% tags=["solution"]
def typical(features, clusters, labelled, n, k):
    from scipy.spatial.distance import cdist

    ids, sizes = np.unique(clusters, return_counts=True)
    free = [c for c in ids[np.argsort(-sizes)] if c not in clusters[labelled]]
    picks = []
    for c in free[:n]:
        members = np.flatnonzero(clusters == c)
        far = np.sort(cdist(features[members], features[members]), axis=1)
        picks.append(members[far[:, 1 : k + 1].mean(1).argmin()])  # column 0 is the image itself
    return picks


check.L15_typical(typical)

# %% [markdown]
# ### Exercise 3 (optional)
#
# When to stop. `predictions` (R, N) are the answers to the whole pool after each round, counted from 0. Give the first
# round at which the last three agreements, each of a round with the one before, average above `level`, or None.
# Agreement is Cohen's kappa, since two rounds that both say one class to nearly all agree by chance.


# %% tags=["exercise"]
def stop(predictions, level): ...


check.L15_stop(stop)


# %% tags=["solution"]
def stop(predictions, level):
    from sklearn.metrics import cohen_kappa_score

    agreed = [cohen_kappa_score(predictions[r - 1], predictions[r]) for r in range(1, len(predictions))]
    calm = [r for r in range(3, len(predictions)) if np.mean(agreed[r - 3 : r]) > level]
    return calm[0] if calm else None


check.L15_stop(stop)

# %% [markdown]
# ## On your own images
#
# The next cell hides the labels of `task`, lets three strategies ask for them, and opens the test once. For a folder
# with a folder for each class:
#
# `transferlab course run 15 -p task=path/to/images`

# %%
chosen = load_task(task, progress=False)
print(*lesson15_own.own_lines(chosen, backbone, seed), sep="\n")

# %% [markdown]
# Now you are the oracle: eight typical images. Keys 1 to 9 or a class's letters answer, *n* is none of these, *s*
# skips, *u* takes back. Each answer is in `labels/15.csv` at once, and a restart loses none.

# %%
show(*lesson15_own.to_label(chosen, backbone))

# %% [markdown]
# For images that nobody has labelled, in a folder of their own, this writes the next 20 as a CSV file to fill in and a
# sheet to look at:
#
# `transferlab active next LABELLED --unlabelled FOLDER --n 20`
#
# The folded cell does a whole round of margin in plain PyTorch, and asks for the same images as the package.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import torch

generator = torch.Generator().manual_seed(0)
features = torch.randn(60, 5, generator=generator)
classes = (features[:, 0] > 0).long() + (features[:, 1] > 0.5).long()
labelled = torch.arange(12)
head = torch.nn.Linear(5, 3)
torch.nn.init.zeros_(head.weight), torch.nn.init.zeros_(head.bias)
optimizer = torch.optim.SGD(head.parameters(), lr=0.5)
for _ in range(100):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(head(features[labelled]), classes[labelled]).backward()
    optimizer.step()
with torch.no_grad():
    probabilities = head(features).softmax(1)
top = probabilities.topk(2, dim=1).values
lead = top[:, 0] - top[:, 1]
lead[labelled] = torch.inf  # never again
asked = lead.argsort()[:4].tolist()
theirs = query("margin", probabilities=probabilities.numpy(), labelled=labelled.tolist(), n=4)
print("asked next, same as the package:", asked == theirs.tolist())

# %% [markdown]
# ## What would change this conclusion
#
# Pools here have some hundred images, of classes that are all equally common, and a head on frozen features of one
# small network. Where a class is rare, or a pool holds hundred thousands of near copies, random wastes most of its
# questions, and uncertain ones may gain more than here. Where features say little of the classes, clusters are not
# regions of one class, and typical images stand for nothing. A network that is trained anew may be unsure of other
# images than a head. And strategies have settings; they are those of the publications, not tuned on these sets, as you
# could not tune them without labels. What stays: random is a rival to be beaten on *your* images, and what was asked is
# no sample.

# %% [markdown]
# ## Exit quiz

# %%
quiz("15")

# %% [markdown]
# ## Three things to take away
#
# 1. Begin with typical images: at first the model knows too little to say what it does not know.
# 2. A strategy can lose to random: it asks odd images, or many that teach the same. Compare, over seeds.
# 3. What a strategy asked is no sample: keep some random images for an honest accuracy, and let people say "I do not
#    know".

# %% [markdown]
# ## References
#
# - Ash, J. T. et al. (2020). Deep batch active learning by diverse, uncertain gradient lower bounds. ICLR.
# - Bloodgood, M. and Vijay-Shanker, K. (2009). A method for stopping active learning based on stabilizing predictions.
#   CoNLL.
# - Hacohen, G., Dekel, A. and Weinshall, D. (2022). Active learning on a budget: opposite strategies suit high and low
#   budgets. ICML.
# - Scheffer, T., Decomain, C. and Wrobel, S. (2001). Active hidden Markov models for information extraction. IDA.
# - Sener, O. and Savarese, S. (2018). Active learning for convolutional neural networks: a core-set approach. ICLR.
# - Settles, B. (2009). Active learning literature survey. University of Wisconsin-Madison.
