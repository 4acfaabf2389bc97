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
# # Adaptation report
#
# A model learnt on labelled source images, brought to target images whose labels nobody has: whether that is needed,
# which method to take, and what remains unknown.

# %% tags=["parameters"]
source: str = "printed-digits"  # labelled: a bundled set, torchvision/NAME, a folder or a CSV file
target: str = "digits"  # the same, or a folder of images without class folders
backbone: str = "tiny"  # name of a pretrained network
profile: str = "lesson"  # smoke, lesson or report
methods: list = []  # names; empty takes the profile's
device: str = "auto"  # auto, cpu or cuda
seeds: int = 0  # repetitions; 0 takes the profile's number
seed: int = 0  # the first of them
resolution: int = 0  # pixels a side that both domains are reduced to; 0 takes the smaller of their own
group_regex: str = ""  # its first capture group names what no split may straddle
mirror: str = ""  # folder with torchvision's data sets
command: str = ""  # the command line that asked for this
out: str = "."  # folder for results.json and model/

# %%
from IPython.display import HTML, display

from transferlab.reports import adaptation_domains as domains
from transferlab.reports import adaptation_figures as figures
from transferlab.reports import adaptation_look as look
from transferlab.reports import adaptation_results as results
from transferlab.reports import adaptation_study as study
from transferlab.reports import adaptation_text as text
from transferlab.reports.adaptation_profiles import get_adaptation_profile

most = get_adaptation_profile(profile).most
data = domains.load_domains(
    source, target, backbone, resolution=resolution, most=most, group_regex=group_regex, mirror=mirror
)
plan = study.make_adaptation_plan(
    data, profile=profile, methods=methods, seeds=seeds, seed=seed, device=device
)
HTML(text.summary(data))

# %% [markdown]
# ## The two domains

# %%
for card in figures.domain_pictures(plan):
    display(card)
HTML(text.audits(data))

# %% [markdown]
# ## The choice
#
# Every method is trained on the same source and sees the same target images, without labels. A validator that needs
# no target label chooses; labels the target may have are still sealed.

# %%
fits = study.run_adaptation(plan)
HTML(text.recommendation(plan, fits))

# %%
display(figures.scores_card(plan, fits))
HTML(text.scores_table(fits))

# %% [markdown]
# ## Do the domains differ?
#
# Judged by features of the source-only model of the first seed, on source images that it was not trained on.

# %%
HTML(text.diagnosis(fits))

# %% [markdown]
# ## Features before and after
#
# Source images that the source-only model was not trained on, and target images. How far groups lie apart on such a
# plane, and how large they are, means little. Domains that overlap are no proof either: classes may have been put on
# top of the wrong ones; and a method may mend answers where the domains still can be told apart.

# %%
found = look.embedded(plan, fits)
display(figures.embeddings_card(plan, found))

# %% [markdown]
# ## Where it disagrees with the source-only model
#
# Look at these: they are the quickest way to see, without labels, whether adaptation repairs or spoils. Many methods
# make a model sure of its answers, right or wrong, so that its confidence alone is no evidence.

# %%
differences = look.disagreements(plan, fits)
display(figures.disagreement_card(plan, fits, differences))

# %% [markdown]
# ## What target labels say
#
# Now, with the choice made, the seal is opened, where there are labels: once, for all methods together.

# %%
opened = study.open_target(plan, fits)
if opened is not None:
    display(figures.opened_card(plan, fits, opened))
HTML(text.opened_text(fits, opened))

# %%
content = results.adaptation_results(plan, fits, opened, differences, found, command)
HTML(text.table(content["results"]))

# %% [markdown]
# ## How this was made

# %%
results.write_adaptation_results(out, content)
results.write_adaptation_model(out, plan, fits, content)
HTML(text.made_with(content))
