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
# # 07 Overfitting on small targets
#
# With ten labels a class, what keeps a network from learning them by heart, and what can no trick repair?
#
# **Time** 60 minutes (teaching 40, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. plan a comparison of five settings in sixteen runs, and read main effects and pairs with their intervals;
# 2. say before training whether an augmentation keeps the label, and measure by class what one costs that does not;
# 3. find a background that predicts the class with groups and Grad-CAM, and choose a way to mend it.

# %% tags=["parameters"]
task: str = "digits"  # images for the costs and the last part: a bundled set or a folder of images
backbone: str = "zoo-all"  # the pretrained network
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
from IPython.display import display

from transferlab import load_task, viz
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    grid07,
    lesson07,
    lesson07_background,
    lesson07_costs,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course.grids import stored_grid
from transferlab.evaluation.claims import direction, equivalent
from transferlab.evaluation.factorial import contrasts, half_fraction
from transferlab.evaluation.groups import worst_group

# %%
profile = chosen_profile(profile)
ledger = open_ledger("07", profile)
n_seeds = by_profile(profile, smoke=2, lesson=3, report=10)
seeds = range(seed, seed + n_seeds)

# %% [markdown]
# ## Warm-up

# %%
warm_up("07")

# %% [markdown]
# ## The idea
#
# A network with more numbers than you have labels can fit them all and still be wrong on the next image. Every remedy
# takes something away: *dropout* takes features, *weight decay* takes size, *early stopping* takes time (and labels
# to watch), *augmentation* takes the exact pixels. A *pretrained start* instead brings something: what was learnt
# from other images.
#
# No remedy knows what you meant. If the background gives the class away in your images, a model that reads the
# background has not overfitted your labels, it has understood them. That needs other images, or other numbers than
# accuracy. Below are some such scenes.

# %%
biased, exchanged = lesson07_background.collected(seed)
display(viz.examples(biased.images, biased.labels, biased.classes))

# %% [markdown]
# ## Predict: five settings
#
# Five settings, each off or on: pretrained start or from scratch, augmentation, dropout on the features, weight
# decay, early stopping. Early stopping watches a fifth of the labels; without it they *train* as well, so that every
# run spends the same ten labels a class.

# %%
predict("L07.factor", "Which setting moves the accuracy on materials most?", list(grid07.FACTORS))

# %%
predict("L07.digits", "Which start is ahead on handwritten digits?", list(lesson07.STARTS))

# %% [markdown]
# ## Experiment: sixteen runs instead of thirty-two
#
# Changing one setting at a time would miss pairs that work together. All combinations are 32. A *half fraction* takes
# 16: the last setting's sign is the product of the other four (Box and Hunter 1961).

# %% tags=["nbval-check-output"]
design = half_fraction(grid07.FACTORS)
print(
    len(design.signs),
    "runs; in the first, what is on:",
    [name for name, on in design.levels(0).items() if on],
)
print(
    "last column is the product of the others:",
    bool((design.signs[:, :4].prod(1) == design.signs[:, 4]).all()),
)

# %% [markdown]
# Each effect is the mean of the runs where its column is + less the mean of those where it is −. The columns of the
# five settings and of their ten pairs are orthogonal, so each effect is estimated as if the others were not there.

# %% tags=["nbval-check-output"]
columns = np.column_stack(list(contrasts(design).values()))
print(columns.shape[1], "effects, orthogonal:", np.array_equal(columns.T @ columns, 16 * np.eye(15)))

# %% [markdown]
# Sixteen runs for each of ten seeds are too many to wait for. They were computed once, with patches of twelve
# photographs (`materials`, a short and a long training) and with handwritten digits, and stored by
# `transferlab course grid 07_factorial`. One of them is computed again here: stored numbers should never be out of
# reach. On another processor the last digits may differ a little.

# %%
grid = stored_grid("07_factorial")
print(lesson07.rerun_sentence(grid[0]))

# %%
display(lesson07.main_effects_card(grid))

# %% [markdown]
# Pairs can say more than single settings. Here are all fifteen effects on the digits:

# %%
short, long, on_digits = grid
display(lesson07.effects_card(on_digits))
print("\n".join(lesson07.pairs_sentence(factorial) for factorial in grid))

# %% [markdown]
# ## Reveal: five settings

# %%
reveal("L07.factor", lesson07.largest_factor(long))
reveal("L07.digits", lesson07.better_start(on_digits))

# %%
found = lesson07.factorial_effects(long, n_seeds)
ledger.record("L07.pretrained-start-beats-scratch-on-materials", found[grid07.START], "points", direction)

# %%
free, stopped = (lesson07.start_effect(on_digits, stopping=on, seeds=n_seeds) for on in (False, True))
name = "L07.pretrained-start-helps-on-digits-without-early-stopping"
display(ledger.record(name, free, "points", direction))
ledger.record("L07.early-stopping-takes-that-away-on-digits", free - stopped, "points", direction)

# %% [markdown]
# On materials the start outweighs all else, after twelve epochs and after forty: no remedy makes up for it. On digits
# its own effect favours scratch, but look at its pair with early stopping. A main effect is a mean over the other
# settings. Without early stopping the pretrained start is a little ahead there, too; with it, it is far behind. So
# read the pairs before you say that a source does not fit.
#
# Early stopping has a price that is easily forgotten: labels that watch cannot train. Counted at equal labels it cost
# accuracy in all three factorials, and on digits more with a pretrained start than from scratch: twenty labels that
# watch are a shaky referee, and tuning may have been stopped where it began. This design does not say which part of
# the price is the missing labels and which is stopping too soon; with other patience the answer may be another.

# %%
ledger.record(
    "L07.early-stopping-costs-accuracy-at-equal-labels", -found[grid07.STOPPING], "points", direction
)

# %% [markdown]
# And weight decay? It moves accuracy by less than two points either way. Why so little? AdamW multiplies each weight
# by 1 − rate × decay in each step. With few images there are few steps, and that product stays close to one (here
# forty epochs of four batches):

# %% tags=["nbval-check-output"]
for decay in (0.01, 0.1, 1.0):
    left = lesson07.shrinkage(decay, grid07.RATE, 160)
    print(f"decay {decay:4}: after 160 steps {left:.1%} of a weight is left")

# %%
ledger.record("L07.weight-decay-hardly-matters", found[grid07.DECAY], "points", equivalent(2))

# %% [markdown]
# ## Predict: half turns
#
# Augmentation says: *this change leaves the label as it is*. For photographs from above, half a turn does. Now we do
# it to printed digits: every training image comes a second time, turned by 180 degrees, under its old label. The
# control gets a plain copy instead, so that both train on equally many.

# %%
predict("L07.turns", "Which two digits lose most recall?", ["0 and 8", "2 and 5", "6 and 9", "none of them"])

# %% [markdown]
# ## Experiment: half turns

# %% tags=["nbval-check-output"]
few = grid07.seed_task("printed-digits", 20, 0)
turned = lesson07.half_turned(few.train)
twice = lesson07.half_turned(turned)
print("turned twice is as before:", np.array_equal(twice.images, few.train.images))
print("labels were not asked:", np.array_equal(turned.labels, few.train.labels))

# %%
turns = lesson07.turn_trial(seeds, backbone, device=device)
display(lesson07.turns_card(turns))

# %% [markdown]
# ## Reveal: half turns

# %%
reveal("L07.turns", lesson07.hardest_hit(turns))
ledger.record("L07.half-turns-cost-six-and-nine-more", turns.extra(), "points", direction)

# %% [markdown]
# A turned 6 *is* a 9, and we called it a 6. The model did as it was told. Most others pay as well, since a linear
# head has to make room for shapes that the test never shows; 0 and 8, which half a turn leaves alone, hardly do, and
# 6 and 9 pay most. Mean accuracy would have shown a loss; only the recall of each class shows why. Ask of each
# augmentation: would somebody who sees only the changed image give the same label? And: will such images come?

# %% [markdown]
# ## Predict: the background
#
# Now a fault that no validation image from the same source can show. Faces stand on grass and other things on gravel
# in 95 % of the training images (you saw them above). The test has every crop on *both* backgrounds.

# %%
options = ["less than 5 points", "5 to 20 points", "more than 20 points"]
predict("L07.background", "What does the other background cost the same crops?", options)

# %% [markdown]
# ## Experiment: the background
#
# Class and background make four groups. We train a linear head in three ways: on the images as collected; with the
# rare groups repeated until all four are equally large; and with each crop pasted on the other background too.

# %% tags=["nbval-check-output"]
names, counts = np.unique(biased.groups, return_counts=True)
print("training:", dict(zip(names.tolist(), counts.tolist(), strict=True)))
toy = np.array([[1, 1, 1, 1, 0, 1]], bool)
print("a worst group, counted by hand:", worst_group(toy, np.array(list("aaaabb")))[0])

# %%
bias = lesson07_background.background_trial(seeds, backbone, device=device)
display(lesson07_background.groups_card(bias))

# %% [markdown]
# ## Reveal: the background

# %%
reveal("L07.background", options[int(np.digitize(bias.gap.mean(), [5, 20]))])
ledger.record("L07.the-other-background-costs-accuracy", bias.gap, "points", direction)

# %% [markdown]
# The crops are the same; only what surrounds them changed. How could you find out without such a test? Look where the
# evidence lies. Grad-CAM (Selvaraju et al. 2017) colours the places that raise the named class:

# %%
display(lesson07_background.heat_card(bias))

# %% [markdown]
# A hot background in a *wrong* answer is a suspicion, no proof: heat maps are coarse. Compare the share in the title
# with the share of the picture: the maps alone would convict nobody. They may suggest which groups to count; the
# proof is the accuracy of the groups.

# %% [markdown]
# Repeating the rare groups balances the vote, but two images remain two images. Pasting each crop on both backgrounds
# makes the background say nothing, and the worst group gains. It needs to know where the object is; if you do not,
# collect a few dozen images of the rare groups. No setting of the first half knows which group is rare.

# %%
gain = bias.mended(lesson07_background.EXCHANGED)
display(ledger.record("L07.exchanged-backgrounds-lift-the-worst-group", gain, "points", direction))
more = gain - bias.mended(lesson07_background.BALANCED)
ledger.record("L07.exchanging-beats-repeating", more, "points", direction)

# %% [markdown]
# ## Experiment: what a network costs
#
# Is a larger network the answer? Here are bundled networks under a linear head, on the images of `task`, with their
# size and the time of one image. Three architectures of timm stand beside them for size and time alone: without
# downloaded weights there is no accuracy to speak of.

# %% tags=["nbval-check-output"]
for name in (*lesson07_costs.NETWORKS, *lesson07_costs.WITHOUT_WEIGHTS):
    print(f"{name:24}{lesson07_costs.parameters(name):12,} parameters")

# %%
own = load_task(task)
per_class = min(10, own.labels_available)
prices = lesson07_costs.cost_trial(own, seeds, per_class, device)
display(lesson07_costs.cost_card(prices, own.name))

# %% [markdown]
# ## Reveal: what a network costs
#
# Read the row of zoo-untrained before you credit any training: where it is close to the others, the architecture and
# the head do most of the work. Networks of one size can reach different accuracies, and more parameters need not mean
# as much more time, which also depends on the machine. So compare all three columns on yours.

# %% [markdown]
# ## Investigate
#
# How strong must a coincidence be? Change the share of training images whose background agrees with the class, from
# 0.5 (it says nothing) to 1. At which share would you have noticed it by looking at twenty images?

# %%
agreement = 0.8
played = lesson07_background.background_trial(seeds, backbone, agreement, device)
print(
    f"agreement {agreement:.0%}: the other background costs {played.gap.mean():+.0f} points, {n_seeds} seeds"
)

# %% [markdown]
# ### Ten honest lines on people in pictures
#
# 1. The faces here come from news photographs; nobody in them was asked.
# 2. That an image can be downloaded is no consent to train on it.
# 3. A licence settles copyright; it settles neither privacy nor consent.
# 4. Weights carry the terms, and the habits, of the images they learnt from; read both cards.
# 5. Few images are few people: whoever is missing from them is missing from your accuracy.
# 6. Name the groups before you test, and report the worst one with its n and interval.
# 7. A group of five images allows no promise; its interval will say so.
# 8. Leaving out an attribute does not remove it: a background can stand in for it.
# 9. Equal accuracy is one idea of fairness among several that can contradict each other.
# 10. Some models should not be built, however well they score; that is decided by people, before training.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# Write a function that takes the right answers (an array of True and False) and the group of each image, and gives
# the accuracy of the worst group. Groups may differ in size.


# %% tags=["exercise"]
def worst(correct, groups): ...


check.L07_worst(worst)


# %% tags=["solution"]
def worst(correct, groups):
    return min(correct[groups == g].mean() for g in np.unique(groups))


check.L07_worst(worst)

# %% [markdown]
# ### Exercise 2 (optional)
#
# You are about to flip images of printed capital letters from left to right. Which letters keep their label? Write
# them in one string.

# %% tags=["exercise"]
letters = ...
check.L07_mirror(letters)

# %% tags=["solution"]
letters = "AHIMOTUVWXY"
check.L07_mirror(letters)

# %% [markdown]
# ### Exercise 3 (optional)
#
# Instead of repeating images one can weigh them in the loss. The groups have 38, 2, 2 and 38 images. What does one
# image of each group have to count, so that the four groups count alike?

# %% tags=["exercise"]
weights = ...
check.L07_weights(weights)

# %% tags=["solution"]
weights = [1 / 38, 1 / 2, 1 / 2, 1 / 38]
check.L07_weights(weights)

# %% [markdown]
# ## On your own images
#
# The factorial, the half turns and the backgrounds are bound to sets that we control; the costs above and the
# comparison below run on your folder, with a folder for each class in it. A start that leads after twenty epochs need
# not lead after forty:
#
# `transferlab course run 07 -p task=path/to/images`

# %%
length = by_profile(profile, smoke=2, lesson=20, report=20)
ours = lesson07.own_trial(
    own, backbone, seeds=seeds, labels_per_class=per_class, epochs=length, device=device
)
display(lesson07.own_card(ours, own.name, length))

# %% [markdown]
# Grad-CAM is short enough to write by hand. The folded cell does it in plain PyTorch, with a network of timm, and
# compares the heat with that of the package. Look for the line in which the gradient is averaged over places: it is
# what turns a gradient into one weight a channel.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import timm
import torch

from transferlab import load_backbone
from transferlab.backbones import grad_cam

net, pictures = load_backbone("zoo-all"), biased.images[:4]
head = np.random.default_rng(0).normal(size=(2, net.feature_dim)).astype(np.float32)
model = timm.create_model("transferlab_zoo_all", pretrained=True, num_classes=0).eval()
with torch.no_grad():
    maps = model.forward_features(net.preprocess(pictures))  # layer4, before pooling
maps.requires_grad_(True)
logits = model.forward_head(maps, pre_logits=True) @ torch.from_numpy(head).T
logits[:, 0].sum().backward()
importance = maps.grad.mean((2, 3), keepdim=True)  # one weight a channel
heat = torch.relu((importance * maps.detach()).sum(1, keepdim=True))
heat = torch.nn.functional.interpolate(heat, size=pictures.shape[2:], mode="bilinear", align_corners=False)[
    :, 0
]
top = heat.amax((1, 2), keepdim=True)
heat = (heat / torch.where(top > 0, top, 1)).numpy()
theirs = grad_cam(net, head, pictures, np.zeros(4, int), stage="layer4")
print("same heat as grad_cam:", np.allclose(heat, theirs, atol=1e-4))

# %% [markdown]
# ## What would change this conclusion
#
# More labels would help networks from scratch, and a source nearer to the target would make its start worth more. We
# ran two sets, ten labels a class and one strength of each remedy. A network hundreds of times larger, trained for
# hundreds of epochs, gives weight decay and dropout steps enough to matter: "hardly matters" is said of short
# training on few images. Our background was made, and strong; real ones are weaker and there are several at once, and
# pasting objects leaves edges that a network can learn as well. One half fraction cannot tell a main effect from an
# effect of four settings together, nor a pair from an effect of the other three.

# %% [markdown]
# ## Exit quiz

# %%
quiz("07")

# %% [markdown]
# ## Three things to take away
#
# 1. With few labels first look for a start that fits; compare remedies at the same number of labels, with intervals.
# 2. An augmentation is a claim about labels. Check it by class.
# 3. Accuracy cannot show what all your images have in common. Count groups, look where the evidence lies.

# %% [markdown]
# ## References
#
# - Box, G. E. P. and Hunter, J. S. (1961). The 2^(k-p) fractional factorial designs. Technometrics.
# - Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.
# - Sagawa, S. et al. (2020). Distributionally robust neural networks for group shifts. ICLR.
# - Selvaraju, R. R. et al. (2017). Grad-CAM: visual explanations from deep networks. ICCV.
# - Srivastava, N. et al. (2014). Dropout: a simple way to prevent neural networks from overfitting. JMLR.
