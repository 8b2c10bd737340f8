"""The script that the server runs for every visit and click: the frame, then the page.

It lies apart from `app.py` because Streamlit takes a folder `pages` beside its script for a menu of its own, and then
greets whoever opens a link first after a restart with a dialog "Page not found".
"""

from unlearn_core.ui.shell import navigation

if __name__ == "__main__":
    navigation.show()
