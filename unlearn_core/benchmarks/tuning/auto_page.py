"""Writes docs/auto.md: how the preset `auto` works."""

from unlearn_core.domain.tuning import STEPS_PER_EPOCH, USUAL_CLASSES
from unlearn_core.engine.tuning import budget, early_stop, find_settings

PAGE = f"""# Settings that fit

<!-- Made by `make docs`: edit the code instead. -->

Hyperparameters that forget a class of one classifier do nothing on another. The preset `auto`, the default for every
classifier but the bundled ResNet-20 on which the presets were tuned, finds them at the start of the run.

1. **A rule.** Small data is shown in as many optimiser steps as the data on which the preset was tuned, in batches so
   small that an epoch has at least {STEPS_PER_EPOCH} of them. More than {USUAL_CLASSES} classes have as many steps
   each. The hyperparameters that decide how much is forgotten, mostly the learning rate, are those of the preset times
   a strength, at first 1.
2. **A search.** The run tries up to {budget.MOST_TRIES} strengths, each from the original model:
   {find_settings.STRIDE:g} times as strong if too much is left, a quarter if the retain set suffers, then in between.
   It goes on with the first that reaches the goal, or else with the closest, and then the report says that none did.
3. **The goal.** At most {find_settings.CLASS_LEFT:.0%} of a class is left; single images are predicted as well as
   images of the same classes that the model never saw, within {100 * find_settings.IMAGES_TOLERANCE:g} points; the
   retain set loses at most {100 * find_settings.TOLERANCE:g} points, or {find_settings.FEWEST_LOST} images if that is
   more. Training and validation images decide, never test images.
4. **The cost.** At most half of the run itself, or about two seconds where half is less. Where whole tries cost more,
   each has fewer epochs, and then fewer images. Where forgetting grows with the number of steps, such a try is as many
   times stronger. Its retain set may lose {100 * find_settings.REPAIRED_LATER:g} points more, which the run repairs.
   The cost is counted in images, so the same spec gives the same weights.
5. **Early stopping.** While the method trains in its last phase, the run compares up to {early_stop.MOST_LOOKS} states
   of the model on the same images. It keeps the one that reaches the goal with the highest retain accuracy, or else the
   closest one; of those within one standard error of it, the last. It ends when the goal is reached and
   {early_stop.PATIENCE} further states are no better. It is a hyperparameter of its own
   (`early_stop`), which only this preset switches on; methods with a stopping rule of their own do not have it.

A hyperparameter that you set is left alone, on the page, in a link and on the command line:

```bash
python -m unlearn_core run --classifier mlp-moons --forget-classes night --method unsir --set impair_lr=0.01
```

The report shows the tries, and the state that was kept, in *How it went*; *Use these settings* there takes the settings
over into the page *Method*.

## Before the run

A method that is not expected to work says so before the run, on the page and on the command line, and names the others:
gradient ascent and boundary unlearning without retained data, L2UL on single images or with frozen batch norm, and
fixed hyperparameters where every request needs its own. The run can be started nevertheless.

## How often it succeeds

[RESULTS.md](../RESULTS.md#the-preset-auto-on-other-classifiers) has a grid of classifiers, methods and requests, with
every failure. `make auto` measures what is missing of it.
"""


def auto_page() -> str:
    """Return docs/auto.md."""
    return PAGE
