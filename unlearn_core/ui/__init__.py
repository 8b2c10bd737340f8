"""The pages' pieces: the only part of the core that knows Streamlit."""
