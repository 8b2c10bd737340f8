"""What should it forget: whole classes, or single pictures?"""

import streamlit as st

from unlearn_core.ui import class_gallery, gallery, strip

plan = strip.show()
st.title("What should it forget?", anchor=False)
gallery.kind(plan)
if plan.setup.by == "classes":
    class_gallery.show(plan)
else:
    gallery.pictures(plan)
gallery.foot(plan)
