"""What should it forget: whole classes, or single images?"""

import streamlit as st

from unlearn_core.ui.components import run_bar
from unlearn_core.ui.gallery import likeness
from unlearn_core.ui.pages.forget import class_picker, copy_notice, image_picker, selection_history

selection_history.record()
plan = run_bar.show()
st.title("What should it forget?", anchor=False)
image_picker.kind_choice(plan)
likeness.show_outputs(plan.classifier)
if plan.setup.by == "classes":
    class_picker.show(plan)
else:
    image_picker.single_images(plan)
copy_notice.show(plan)
image_picker.footer(plan)
