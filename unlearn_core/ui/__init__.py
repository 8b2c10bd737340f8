"""What the pages are made of: the only part of the core that uses Streamlit."""
