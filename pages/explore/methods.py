"""Try every method on one forget request, and compare all of them with the retrained model."""

from unlearn_core.ui.pages.methods import page

page.show()
