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
# # 02 Transferability of layers
#
# How deep into a trained network can you go and still find something that serves another problem?
#
# **Time** 45 minutes (teaching 25, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. cut a network at any depth, keep what lies below, retrain what lies above, and check that the kept part was kept;
# 2. name the control that shows what was *learnt* in the kept stages, and read a curve over depth with it;
# 3. compare two representations with CKA, and say what a value near 1 does not mean.

# %% tags=["parameters"]
task: str = "digits"  # images for the last experiment: a bundled set or a folder of images
backbone: str = "zoo-all"  # the pretrained network for the last experiment
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
import torch
from IPython.display import display

from transferlab import load_task
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    lesson02,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course.compared import said
from transferlab.course.glyph_transfer import SHAPE, printed_digits
from transferlab.course.lesson02 import FROZEN, RANDOM, TUNED
from transferlab.evaluation.cka import linear_cka
from transferlab.evaluation.claims import direction, equivalent
from transferlab.transfer import FineTuning

# %%
profile = chosen_profile(profile)
ledger = open_ledger("02", profile)
# smoke trains just long enough to show the large effects; its two seeds settle nothing
seeds = by_profile(profile, smoke=2, lesson=3, report=10)
source_epochs, epochs = by_profile(profile, smoke=(10, 12), lesson=(12, 16), report=(12, 20))

# %% [markdown]
# ## Warm-up

# %%
warm_up("02")

# %% [markdown]
# ## The idea
#
# A network that reads letters has stages for strokes and corners, and later ones for letters. Digits have strokes,
# too. So *cut* the network: keep the stages below the cut as they are, put fresh random ones above, and train these
# on few digits. Do it at every depth. Where keeping helps, the stages were general; where it starts to hurt, they
# were specific to letters, or torn from stages that they had learnt with (Yosinski et al. 2014).
#
# Two controls go with it. *Fine-tuned*: the kept stages may learn on. *Random*: the kept stages were never trained.
# Frozen against random shows what the source's training was worth; frozen against fine-tuned what freezing costs.

# %%
display(lesson02.glimpse())

# %% tags=["nbval-check-output"]
letters, digits = lesson02.letters(), printed_digits()
print(len(letters.classes), "letters,", len(digits.classes), "digits")
print("fonts in common:", len(set(letters.groups) & set(digits.train.groups)))

# %% [markdown]
# A cut is a question of which arrays come from where. Above it nothing of the source is left:

# %% tags=["nbval-check-output"]
before = lesson02.train_source(seed, 1, device).backbone
after = lesson02.cut_at(before, "layer1", seed=7)
for stage, name in (("layer1", "layer1.0.conv1.weight"), ("layer2", "layer2.0.conv1.weight")):
    print(stage, "kept:", torch.equal(before.tensors()[name], after.tensors()[name]))

# %% [markdown]
# ## Predict: where to cut
#
# The target has twenty labels a class. Everything above the cut is trained on them, everything below is frozen. The
# network has five stages and a head; at the left end of the curve nothing is kept, which is training from scratch.

# %%
predict("L02.cut", "Which stages of the letter network are worth keeping frozen?", lesson02.KEEP)

# %% [markdown]
# And the control, with stages of the same shape that have learnt nothing:

# %%
predict("L02.random", "How do random frozen stages compare with trained ones?", lesson02.RANDOM_STAGES)

# %% [markdown]
# ## Experiment
#
# Each seed has a source network of its own, labels of its own, and random stages of its own.

# %%
sources = [lesson02.train_source(seed + i, source_epochs, device).backbone for i in range(seeds)]

# %%
cuts = by_profile(profile, smoke=[0, 1, 4], lesson=[0, 1, 2, 3, 4], report=[0, 1, 2, 3, 4])
printed = lesson02.cut_trial(digits, sources, cuts=cuts, epochs=epochs, device=device, seed=seed)
display(lesson02.cut_card([printed]))

# %% [markdown]
# ## Reveal
#
# Frozen letter stages are worth more than training those stages from nothing on the same labels, and the control says
# why: it is not freezing that helps. One random stage costs some points, since the stages above can work with most of
# what it lets through; a stack of them loses more than trained stages above can win back. What happens to kept stages
# that may learn on is yours to read off, in "Investigate".

# %%
reveal("L02.cut", lesson02.what_to_keep(printed))
reveal("L02.random", lesson02.random_story(printed))

# %%
display(
    ledger.record(
        "L02.four-kept-stages-beat-scratch", printed.points((FROZEN, 4), (FROZEN, 0)), "points", direction
    )
)
display(
    ledger.record(
        "L02.trained-stages-beat-random-ones", printed.points((FROZEN, 4), (RANDOM, 4)), "points", direction
    )
)
display(
    ledger.record(
        "L02.deep-random-stages-harm", printed.points((FROZEN, 0), (RANDOM, 4)), "points", direction
    )
)
ledger.record(
    "L02.one-random-stage-costs-little", printed.points((RANDOM, 1), (FROZEN, 1)), "points", equivalent(10)
)

# %% [markdown]
# ## Predict: another target
#
# Now digits that were written by hand, small and centred. The same networks, the same cuts. Look at the *gap* between
# keeping stages and training from scratch.

# %%
GAPS = ("as large as with printed digits, or larger", "smaller than with printed digits")
predict("L02.handwritten", "How large is the gain from kept stages?", GAPS)

# %% [markdown]
# ## Experiment: handwritten digits

# %%
written = lesson02.cut_trial(
    lesson02.handwritten_digits(), sources, cuts=[0, 4], epochs=epochs, device=device, seed=seed
)
display(lesson02.cut_card([written]))

# %% [markdown]
# ## Reveal: handwritten digits
#
# A target on which scratch does about as well as four kept stages cannot show where features turn specific. Had it
# been the only one, you might have reported that depth hardly matters. The printed target is no trick: it is one on
# which the answers can differ.

# %%
gains = [np.array(t.points((FROZEN, 4), (FROZEN, 0))) for t in (printed, written)]
reveal("L02.handwritten", GAPS[int(gains[1].mean() < gains[0].mean())])
ledger.record("L02.handwriting-hides-the-gain", gains[0] - gains[1], "points", direction)

# %% [markdown]
# ## Predict: what fine-tuning changes
#
# Accuracy says *whether* kept stages serve. It does not say what happens to them when they may learn on. Centred
# kernel alignment (CKA, Kornblith et al. 2019) compares what two networks make of the same images: 1 where the
# representations differ by a rotation and a scale alone, about 0 where they have nothing in common.

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(0)
x = rng.normal(size=(50, 8))
turned = np.linalg.qr(rng.normal(size=(8, 8)))[0]
print(f"with itself {linear_cka(x, x):.3f}, turned and scaled {linear_cka(x, 3 * x @ turned):.3f}")

# %% [markdown]
# The plain formula has a fault: with far more columns than images it can near 1 for two unrelated ones. The version
# used here rests on an unbiased estimate (Song et al. 2012), and we hold it against that case:

# %% tags=["nbval-check-output"]
wide = [rng.normal(size=(50, 5000)) for _ in range(2)]
centred = [w - w.mean(0) for w in wide]
grams = [c @ c.T for c in centred]
plain = (grams[0] * grams[1]).sum() / np.linalg.norm(grams[0]) / np.linalg.norm(grams[1])
print("noise against noise, above one half:", plain > 0.5, "(plain)", linear_cka(*wide) > 0.5, "(unbiased)")

# %%
kept = printed.stages[: max(printed.cuts)]
predict("L02.cka", "Four stages are kept and fine-tuned. Which of them ends least like it was?", kept)

# %% [markdown]
# ## Experiment: CKA by stage
#
# Each source stands beside itself after fine-tuning, beside a network that learnt the same letters from another
# start, and beside a network that learnt nothing. Without the last two a value of CKA says little.

# %%
alike = lesson02.cka_trial(sources, printed, digits)
display(lesson02.cka_card(alike, printed))

# %% [markdown]
# ## Reveal: CKA by stage
#
# Fine-tuning moves stages, and CKA says how far on these images. The last stage was fresh: what it shares with the
# letter network comes from the stages below and from what both tasks ask for. A high value is no praise: CKA asks no
# labels.

# %%
tuned = alike["after fine-tuning"]
reveal("L02.cka", kept[int(tuned[:, : len(kept)].mean(0).argmin())])
ledger.record(
    "L02.kept-stages-stay-more-alike-than-the-fresh-one",
    tuned[:, : len(kept)].mean(1) - tuned[:, -1],
    "CKA",
    direction,
)

# %% [markdown]
# ## Investigate
#
# Choose a way and how many stages are kept, and read the difference. Which pairs can these images not tell apart?

# %%
way, stages_kept = TUNED, 4  # FROZEN, TUNED or RANDOM; 1 to 4
print(said(printed.compare((way, stages_kept), (FROZEN, 0)), printed.target))
print(said(printed.compare((way, stages_kept), (FROZEN, stages_kept)), printed.target))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# Cut a network by hand. Write a function of three things: `learnt` and `fresh`, two state dicts (name to array, such
# as `"layer1.bn.running_mean"`), and `kept`, a list of stages. It gives the state dict of the cut network. Mind what
# belongs to a stage besides weights, and that a name may *begin* like another.

# %% tags=["exercise"]
cut = ...  # def cut(learnt, fresh, kept): ...
check.L02_cut(cut)


# %% tags=["solution"]
def cut(learnt, fresh, kept):
    return {name: (learnt if name.split(".")[0] in kept else fresh)[name] for name in fresh}


check.L02_cut(cut)

# %% [markdown]
# ### Exercise 2 (optional)
#
# Write linear CKA of two arrays with a row for each image. The plain version will do.

# %% tags=["exercise"]
cka = ...  # def cka(x, y): ...
check.L02_cka(cka)


# %% tags=["solution"]
def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


check.L02_cka(cka)

# %% [markdown]
# ### Exercise 3 (optional)
#
# The arms are `"scratch"` and, for cuts 1 and 3, `"trained, frozen, cut 3"`, `"trained, tuned, cut 3"` and `"random,
# frozen, cut 3"`. Which pair shows what was learnt in the first three stages? Which shows what freezing them costs?

# %% tags=["exercise"]
controls = ...  # {"what was learnt": ["…", "…"], "freezing": ["…", "…"]}
check.L02_controls(controls)

# %% tags=["solution"]
controls = {
    "what was learnt": ["trained, frozen, cut 3", "random, frozen, cut 3"],
    "freezing": ["trained, frozen, cut 3", "trained, tuned, cut 3"],
}
check.L02_controls(controls)

# %% [markdown]
# ## On your own images
#
# The glyphs are a controlled set and stay whatever `task` says. The next cell cuts `backbone` at three depths and
# retrains it on `task`. For your images, a folder with a folder for each class:
#
# `transferlab course run 02 -p task=path/to/images`

# %%
own = load_task(task, progress=False)
own_epochs = by_profile(profile, smoke=2, lesson=10, report=10)
on_own = lesson02.own_trial(own, backbone, seeds=min(seeds, 3), epochs=own_epochs, device=device, seed=seed)
display(lesson02.cut_card([on_own]))

# %% [markdown]
# In the folded cell the same cut is made in plain PyTorch and compared with the package: copy by name, freeze and put
# into eval mode what was copied, train the rest.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import math

few, source = digits.draw(5, 0).train, sources[0]
x, y = source.preprocess(few.images), torch.from_numpy(few.labels)
model, learnt = SHAPE.build(7), source.tensors()
below = ("conv1", "bn1", "layer1")
own_state = model.state_dict()
model.load_state_dict({n: learnt[n] if n.split(".")[0] in below else v for n, v in own_state.items()})
torch.manual_seed(0)
model.fc = torch.nn.Linear(model.fc.in_features, 10)
model.requires_grad_(False).eval()
above = [model.layer2, model.layer3, model.layer4, model.fc]
parameters = [p for part in above for p in part.requires_grad_(True).parameters()]
optimizer = torch.optim.AdamW(parameters, weight_decay=0)
for step in range(steps := 10):
    for part in above:
        part.train()
    done = step / steps
    share = max(done / 0.1, 1e-3) if done < 0.1 else 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))
    optimizer.param_groups[0]["lr"] = 2e-3 * share
    torch.nn.functional.cross_entropy(model(x), y).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 5.0)
    optimizer.step()
    optimizer.zero_grad()
with torch.no_grad():
    by_hand = model.eval()(x).softmax(1).numpy()
ours = FineTuning(
    lesson02.cut_at(source, "layer1", 7),
    trainable_from=2,
    head_first=False,
    source_statistics=False,
    epochs=10,
    batch_size=len(few),
    learning_rate=2e-3,
    weight_decay=0,
    device="cpu",
).fit(few)
print("same answers as FineTuning:", np.allclose(by_hand, ours.predict_proba(few), atol=1e-3))

# %% [markdown]
# ## What would change this conclusion
#
# Many labels would: with enough of them scratch catches up and frozen late stages become a burden. So would a target
# farther away than digits are from letters. A wider network may forgive random stages longer. The depth at which
# features turn specific belongs to a pair of source and target, never to a network alone.

# %% [markdown]
# ## Exit quiz

# %%
quiz("02")

# %% [markdown]
# ## Three things to take away
#
# 1. Cut and retrain: what helps when frozen is general enough for *this* target.
# 2. Trained against random at the same cut shows what was learnt; frozen against tuned, what freezing costs.
# 3. CKA says how alike two representations are on some images, not how good either is.

# %% [markdown]
# ## References
#
# - Kornblith, S. et al. (2019). Similarity of neural network representations revisited. ICML.
# - Song, L. et al. (2012). Feature selection via dependence maximization. JMLR 13.
# - Yosinski, J. et al. (2014). How transferable are features in deep neural networks? NeurIPS.
