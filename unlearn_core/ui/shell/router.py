"""The script that the server runs for every visit and click: the frame, then the page.

It is separate from `app.py` because Streamlit makes a menu of its own from a folder `pages` beside the script. The
first link that is opened after a restart would then show a dialog "Page not found".
"""

from unlearn_core.ui.shell import navigation

if __name__ == "__main__":
    navigation.show()
