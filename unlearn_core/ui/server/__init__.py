"""What stands between browsers and Streamlit: who they are, which files are theirs, and where requests lead."""
