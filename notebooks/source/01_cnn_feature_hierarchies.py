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
# # 01 CNN feature hierarchies
#
# What does each stage of a convolutional network know? You will need this to decide where to cut a network.
#
# **Time** 45 minutes (teaching 27, exercises 18). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. say what filters, feature maps and receptive fields are, and measure the field that a network *uses*;
# 2. find out with a linear probe at which depth a property can be read, with a control that could refute you;
# 3. look for the evidence of one answer with Grad-CAM and occlusion, and check that the picture means anything.

# %% tags=["parameters"]
task: str = "faces"  # whose answers are explained: a bundled set or a folder of images
backbone: str = "tiny"  # the network that is taken apart
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
from IPython.display import display

from transferlab import FeatureExtraction, backbones, load_backbone, load_task, viz
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    lesson01,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.data.bundled.photographs import photographs
from transferlab.evaluation.claims import direction
from transferlab.widgets import microscope, show

profile = chosen_profile(profile)
ledger = open_ledger("01", profile)
seeds = by_profile(profile, smoke=2, lesson=3, report=10)
drawn = by_profile(profile, smoke=240, lesson=600, report=600)

# %% [markdown]
# ## Warm-up

# %%
warm_up("01")

# %% [markdown]
# ## The idea
#
# A network for images is a chain of *stages*. Each stage turns maps into maps: a *channel* is one filter's answer
# at every place. Going up, maps have fewer places and more channels, and one place sees more of the image.
#
# "Early layers see edges and colours, late layers see objects", popular articles say. That is a claim about what
# can be *read* at each depth, so it can be measured: fit a linear classifier on the channels of one stage (a
# *linear probe*) and see how often it names the property on images it never saw.

# %% tags=["nbval-check-output"]
net = load_backbone("tiny")
for stage in net.stages:
    print(
        f"{stage.name:8} {stage.output_shape}  stride {stage.stride:2}  field {stage.receptive_field:3} pixels"
    )

# %% [markdown]
# A photograph in all stages. In which do you stop recognizing it?

# %%
views = photographs(256)
large = load_backbone(backbone).with_input_size(256)
cat = views.images[views.classes.index("cat")]
maps = {stage.name: backbones.stage_maps(large, cat[None], stage.name)[0] for stage in large.stages}
display(viz.feature_maps(cat, maps))

# %% [markdown]
# Low stages keep where things are. High stages keep *that* something is there, at few places.

# %% [markdown]
# ## Predict: the field that is used
#
# The *receptive field* of a place is the square of pixels that can change it at all; it follows from kernel sizes
# and strides. How much each pixel *does* change it is another matter.

# %%
predict(
    "L01.field",
    "Half way up: from how much of the theoretical field's width come nine tenths of the influence?",
    list(lesson01.PARTS_OF_FIELD),
)

# %% [markdown]
# ## Experiment
#
# The first convolution multiplies small coloured patterns with the image. Nobody designed these: they were learnt
# from photographs.

# %% tags=["nbval-check-output"]
weights = backbones.first_filters(net)
print(weights.shape)
print(sum(stage.parameters for stage in net.stages), "numbers were learnt in all stages,")
print(net.feature_dim, "features come out for each image; the shape of one image inside:")
print(tuple(net.preprocess(np.zeros((1, 3, 80, 80), np.uint8)).shape))

# %%
display(viz.filters(weights))

# %% [markdown]
# Some are edges, some are blobs of colour, some are noise: no rule says that every filter must be of use.
#
# Now the fields: follow the gradient back from the middle of a map to the pixels, over large photographs, so that
# no border cuts it.

# %%
untrained = backbones.random_backbone(large, seed)
low_stages = [stage.name for stage in large.stages if stage.receptive_field != "global"][:4]
fields = [backbones.effective_field(n, s, views.images) for n in (large, untrained) for s in low_stages]
display(viz.effective_fields(fields, ["trained"] * len(low_stages) + ["untrained"] * len(low_stages)))

# %% [markdown]
# ## Reveal

# %%
half_way = fields[min(2, len(low_stages) - 1)]
reveal("L01.field", lesson01.part_of_field(half_way))

# %%
gaps = lesson01.field_gaps(large, half_way.stage, views, seeds)
ledger.record("L01.used-field-is-smaller", gaps, "pixels", direction)

# %% tags=["nbval-check-output"]
tiny_fields = [
    backbones.effective_field(net.with_input_size(256), s, views.images[:4]) for s in ("layer2", "layer3")
]
print([field.theoretical for field in tiny_fields])
print("used field smaller than the theoretical one:", [f.side < f.theoretical for f in tiny_fields])

# %% [markdown]
# The field that is used is much smaller (Luo et al. 2016). A network "sees" a thing only if it fits into the used
# field: with small input images and large things, look for a stage high enough.

# %% [markdown]
# ## Predict: at which depth can what be read?
#
# Three properties, each varied while everything else varies at random: the **hue** of textured patches, the
# **orientation** of noisy gratings, the **letter** of printed capitals. The probes are tested on patches, phases
# and *fonts* that they never saw. Every stage is cut to the same number of dimensions, so that wide stages have no
# advantage. The control is the same network with random weights: what it can do is due to the architecture.

# %%
predict("L01.letters", "Where does the trained network's probe read letters best?", list(lesson01.DEPTHS))

# %%
predict("L01.orientation", "Who still reads orientation better in the last stage?", list(lesson01.LEADERS))

# %% [markdown]
# ## Experiment

# %% tags=["nbval-check-output"]
shown = [lesson01.stimuli(kind, 24, 0, held_out=False) for kind in lesson01.KINDS]
print({kind: (len(s.classes), s.images.shape[1:]) for kind, s in zip(lesson01.KINDS, shown, strict=True)})
held_out = lesson01.stimuli("letter", 500, 0, held_out=True)
training = lesson01.stimuli("letter", 500, 0, held_out=False)
print("fonts in both:", len(set(held_out.groups) & set(training.groups)))

# %%
display(viz.examples(shown[0].images, shown[0].labels, [f"hue {c}" for c in shown[0].classes], 2, 4))
display(viz.examples(shown[1].images, shown[1].labels, [f"direction {c}" for c in shown[1].classes], 2, 4))

# %%
networks = {"trained": load_backbone(backbone), "random": load_backbone(backbone)}
hue = lesson01.probe("hue", networks, seeds=seeds, n=drawn)

# %%
orientation = lesson01.probe("orientation", networks, seeds=seeds, n=drawn)

# %%
letter = lesson01.probe("letter", networks, seeds=seeds, n=drawn)

# %%
display(lesson01.probe_figure([hue, orientation, letter], seeds))

# %%
for points in (hue, orientation, letter):
    print(lesson01.sentence(points))

# %% [markdown]
# ## Reveal

# %%
reveal("L01.letters", lesson01.depth(letter))

# %%
reveal("L01.orientation", lesson01.leader(orientation, -1))

# %% [markdown]
# **Hue** needs no network: the mean colour of the pixels says it, and every stage can only lose it.

# %%
fading = lesson01.gap(hue, ("trained", 0), ("trained", -1))
ledger.record("L01.hue-fades-on-the-way-up", fading, "points", direction)

# %% [markdown]
# **Orientation** cannot be read from mean pixels at all. One filter bank is enough for it, and random filters
# read it, too; only the *trained* network still has it at the top.

# %%
by_random_filters = lesson01.gap(orientation, ("random", 1), ("random", 0))
ledger.record("L01.random-filters-read-orientation", by_random_filters, "points", direction)

# %%
at_the_top = lesson01.gap(orientation, ("trained", -1), ("random", -1))
ledger.record("L01.training-keeps-orientation", at_the_top, "points", direction)

# %% [markdown]
# **Letters** in unknown fonts are read best late, and the last stage, made for the photographs of the training
# set, is not the best place.

# %%
ledger.record(
    "L01.letters-are-read-late", lesson01.gap(letter, ("trained", -2), ("trained", 1)), "points", direction
)

# %%
ledger.record(
    "L01.letters-fade-at-the-end", lesson01.gap(letter, ("trained", -2), ("trained", -1)), "points", direction
)

# %% [markdown]
# So each property has a depth of its own. "Colour and edges early" is true of what *appears* there, not of where
# it ends: orientation stays readable up to the top of a trained network.

# %% [markdown]
# ## Predict: where is the evidence for one answer?
#
# A head on the frozen network answers; *Grad-CAM* (Selvaraju et al. 2017) weighs the maps of a stage by the
# gradient of the answer and sums them up. *Occlusion* covers places with grey and looks at what is lost.

# %%
predict("L01.sanity", "What does Grad-CAM draw if the weights are made random?", list(lesson01.MAPS))

# %% [markdown]
# ## Experiment

# %%
data = load_task(task, progress=False).draw(None, seed)
model = FeatureExtraction(backbone, device=device).fit(data.train)
head, bias = model.linear_
pictures = data.test.images[:: max(1, len(data.test) // 6)][:6]
answers = model.predict(pictures)

# %%
heat = backbones.grad_cam(model.backbone_, head, pictures, answers)
sanity = backbones.randomization_check(model.backbone_, head, pictures, answers)
captions = [(f"answer: {data.classes[a]}",) for a in answers]
display(viz.heat_maps(pictures, heat, captions, lesson01.heat_sentence(sanity)))

# %%
square = max(4, pictures.shape[-1] // 4)
lost = backbones.occlusion(
    model.backbone_, head, bias, pictures, answers, size=square, stride=max(1, square // 2)
)
display(viz.heat_maps(pictures, lost, captions, lesson01.occlusion_sentence(lost, square), most=lost.max()))

# %% [markdown]
# ## Reveal

# %%
reveal("L01.sanity", lesson01.MAPS[0 if sanity.passed else 1])

# %% [markdown]
# The first figure's title is a **sanity check** (Adebayo et al. 2018): if a network with random weights drew the same
# maps, they would show edges of the image and not what the network learnt. Never show a heat map without it.
#
# Grad-CAM is quick and coarse, occlusion slow and direct. Where both agree you may start to believe them. Neither
# says *why* the evidence is evidence.

# %% [markdown]
# ## Investigate
#
# The microscope goes the whole way back from one value: choose an image, a stage and a channel, then a place by
# mouse or arrow keys. It shows which pixels move the value, the patches that excite the channel most, and the sum
# of weights times inputs that made it. Look for a channel that you can name; then for a patch that refutes the name.

# %% tags=["widget"]
slides = microscope.prepare(large, views)
show(microscope.view(slides), microscope.static(slides))

# %% [markdown]
# Here are patches for three channels at once. Find a word for each row, and ask how you would notice if you were
# wrong: four patches fit many words. That is why this lesson measures.

# %%
stage, channels = low_stages[-1], [3, 10, 40]
found = backbones.strongest_patches(large, stage, channels, views.images)
display(viz.patches(found, stage, channels, len(views)))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 6 minutes)
#
# A defect is some pixels wide in your images. Complete `lowest`: it takes a network and a width, and gives the name
# of the lowest stage whose *theoretical* receptive field is at least that wide.


# %% tags=["exercise"]
def lowest(net, width):
    """Name of the lowest stage that can see a thing of this width."""
    ...


check.L01_lowest(lowest)


# %% tags=["solution"]
def lowest(net, width):
    """Name of the lowest stage that can see a thing of this width."""
    return next(s.name for s in net.stages if s.receptive_field >= width)


print(lowest(net, 24))
check.L01_lowest(lowest)

# %% [markdown]
# ### Exercise 2 (optional)
#
# `backbones.randomized(net, "layer3")` makes the weights random from `layer3` on. Which stages' maps stay just as
# they are? Name them first, then probe letters in that network and see.

# %% tags=["exercise"]
unchanged = [...]  # names of stages
check.L01_unchanged(unchanged)

# %% tags=["solution"]
half_random = backbones.randomized(net, "layer3")
for point in lesson01.probe("letter", {"half random": half_random}, seeds=2, n=240):
    print(f"{point.boundary:8} {point.interval.estimate:.2f}")
unchanged = ["stem", "layer1", "layer2"]
check.L01_unchanged(unchanged)

# %% [markdown]
# ### Exercise 3 (optional)
#
# Write Grad-CAM's last step yourself: `maps` are a stage's maps of one image, `slopes` the gradient of the answer
# with respect to them, both of shape `(C, h, w)`.


# %% tags=["exercise"]
def cam(maps, slopes):
    """One map (h, w): evidence for the answer, its largest value 1; zero where there is none."""
    ...


check.L01_cam(cam)


# %% tags=["solution"]
def cam(maps, slopes):
    """One map (h, w): evidence for the answer, its largest value 1; zero where there is none."""
    evidence = np.maximum((slopes.mean((1, 2), keepdims=True) * maps).sum(0), 0)
    return evidence / max(evidence.max(), 1e-12)


check.L01_cam(cam)

# %% [markdown]
# ## On your own images
#
# `transferlab course run 01 -p task=path/to/images` explains answers on your folder; the probes keep their controlled
# stimuli, since only those separate one property from all others.
#
# The folded cell below reads one stage with a forward hook and draws the same Grad-CAM in plain PyTorch.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import torch

network = net.trainable_copy(0).eval().requires_grad_(False)  # an ordinary torch.nn.Module
*_, last = network.modules_by_stage()["layer4"]
kept = {}
handle = last.register_forward_hook(
    lambda module, inputs, output: kept.update(maps=output.requires_grad_(True))
)
image = np.random.default_rng(0).integers(0, 255, (1, 3, 64, 64), np.uint8)
scores = network(net.preprocess(image)) @ torch.eye(3, net.feature_dim).abs().T
handle.remove()
(slope,) = torch.autograd.grad(scores[0, 1], kept["maps"])
by_hand = (slope.mean((2, 3), keepdim=True) * kept["maps"]).sum(1, keepdim=True).relu()
by_hand = torch.nn.functional.interpolate(by_hand, (64, 64), mode="bilinear")[0, 0].detach()
by_hand = by_hand / by_hand.max().clamp_min(1e-12)
ours = backbones.grad_cam(net, np.eye(3, net.feature_dim, dtype=np.float32), image, np.array([1]))[0]
print("the same map:", bool(np.allclose(ours, by_hand.numpy(), atol=1e-4)))

# %% [markdown]
# ## What would change this conclusion
#
# Another source task (a network trained on print might keep letters to the top), probes that see places as well
# as channels, other stimuli, a much larger network. Depths are of *this* network: measure yours.

# %% [markdown]
# ## Exit quiz

# %%
quiz("01")

# %% [markdown]
# ## Three things to take away
#
# 1. A probe says what can be read linearly at a depth; without a random network beside it, it says little.
# 2. The receptive field that is used is far smaller than the theoretical one.
# 3. A heat map without a sanity check is decoration.

# %% [markdown]
# ## References
#
# - Adebayo et al. (2018). Sanity checks for saliency maps. NeurIPS.
# - Alain & Bengio (2017). Understanding intermediate layers using linear classifier probes. ICLR workshop.
# - Luo, Li, Urtasun & Zemel (2016). Understanding the effective receptive field in deep CNNs. NeurIPS.
# - Selvaraju et al. (2017). Grad-CAM: visual explanations from deep networks. ICCV.
# - Zeiler & Fergus (2014). Visualizing and understanding convolutional networks. ECCV.
