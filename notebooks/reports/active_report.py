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
# # Active report
#
# Label more, label cleverer, or transfer better: what each brings on your images, and what it costs. All images here
# have labels; the study hides them and tells one at a time, as a person would.

# %% tags=["parameters"]
images: str = "materials"  # labelled: a bundled set, torchvision/NAME, a folder or a CSV file
source: str = ""  # labelled images of the same classes from elsewhere; then arms without any label join
backbone: str = "tiny"  # name of a pretrained network
profile: str = "lesson"  # smoke, lesson or report
strategies: list = []  # names; empty takes the profile's
arms: list = []  # scratch, frozen, last-stage, all; empty takes the profile's
budgets: list = []  # labels in all; empty takes the profile's
seeds: int = 0  # repetitions; 0 takes the profile's number
seed: int = 0  # the first of them
target: float = 0.0  # accuracy to reach, a fraction; 0 takes one from validation images
label_price: float = 1.0  # of a label, in any unit
fixed_costs: list = []  # texts such as those of --fixed-cost: what an arm costs whatever is labelled
device: str = "auto"  # auto, cpu or cuda
group_regex: str = ""  # its first capture group names what no split may straddle
mirror: str = ""  # folder with torchvision's data sets
command: str = ""  # the command line that asked for this
out: str = "."  # folder for results.json

# %%
from IPython.display import HTML, display

from transferlab.reports import active_costs as costs
from transferlab.reports import active_figures as figures
from transferlab.reports import active_findings as findings
from transferlab.reports import active_gains as gains
from transferlab.reports import active_results as results
from transferlab.reports import active_study as study
from transferlab.reports import active_text as text
from transferlab.reports.active_request import Request

request = Request(
    backbone, profile, strategies, arms, budgets, seeds, seed, target, label_price, fixed_costs, device
)
task, parts = study.load_active_images(images, source, backbone, group_regex=group_regex, mirror=mirror)
plan = study.make_active_plan(task, parts, request, source_name=source)
HTML(text.summary(plan))

# %% [markdown]
# ## The images

# %%
HTML(text.audit(plan))

# %%
for card in figures.pool_cards(plan):
    display(card)

# %% [markdown]
# ## The choice
#
# Every arm is trained on what every strategy picks, at every budget and with the same seeds. Validation images choose;
# the test labels are still sealed.

# %%
fits = study.run_active(plan)
HTML(text.choice(plan, fits))

# %% [markdown]
# ## Learning curves
#
# Now the seal is opened, once, for all curves together. Seeds vary the first images, the draw of every pick, the
# initial weights and the order of training; the test images stay.

# %%
test = study.open_active(plan, fits)
found = findings.find(fits.validation, test, fits.choice)
HTML(text.tested(fits, found, test))

# %%
display(figures.curves_card(plan, found, test))
HTML(text.curves_table(found, test))

# %% [markdown]
# ## What transfer brings, what choosing brings
#
# In log odds, in which a ceiling at 100 % fakes no interaction. The arm and the strategy were taken on validation
# images. A strategy that needs answers of a model begins with images drawn at random, and can gain nothing there.

# %%
if found.main is not None:
    display(figures.effects_card(found.main, test))
HTML(gains.effects_html(fits, found, test))

# %% [markdown]
# ## Whose features pick
#
# What is trained and what picks its images are crossed.

# %%
HTML(gains.picking_html(found))

# %%
if found.picking:
    display(figures.picking_card(found, test))

# %% [markdown]
# ## Labels saved, and what it costs

# %%
HTML(costs.saved_html(fits, found))

# %%
display(figures.needed_card(plan, fits, found, test))
HTML(costs.costs_html(plan, fits, found, test))

# %% [markdown]
# ## All comparisons

# %%
HTML(gains.comparisons(found))

# %% [markdown]
# ## What is asked first
#
# Strategies that need answers of a model begin with images drawn at random; those are passed over here.

# %%
for card in figures.first_asked_cards(plan, fits, found):
    display(card)

# %% [markdown]
# ## How this was made

# %%
content = results.active_results(plan, fits, found, test, command)
results.write_active_results(out, content)
HTML(text.made_with(plan, content))
