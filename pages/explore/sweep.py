"""Many runs that differ in some knobs: what each knob does, and which settings come nearest to what you want."""

from unlearn_core.ui.pages.sweep import page

page.show()
