"""Run a method with many values of its hyperparameters, and see what each of them does."""

from unlearn_core.ui.pages.sweep import page

page.show()
