"""Guided stories about real runs: say what you expect, then see what happened."""

from unlearn_core.ui.pages.learn import lessons

lessons.show()
