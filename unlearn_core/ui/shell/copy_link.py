"""A button that copies the URL of the current page, including everything that is chosen on it."""

from streamlit.components.v2 import component

_HTML = """
<button type="button">
  <svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
    <path d="M10 7H7a5 5 0 0 0 0 10h3M14 7h3a5 5 0 0 1 0 10h-3M8 12h8" stroke-linecap="round"/>
  </svg>
  <span class="words" aria-live="polite">Copy link</span>
</button>
<input readonly hidden aria-label="The link to this page">
"""

_CSS = """
button {
  display: inline-flex; align-items: center; gap: 0.4rem; padding: 0.25rem 0.5rem; min-height: 2.5rem;
  border: 1px solid transparent; border-radius: var(--st-button-radius); background: transparent; cursor: pointer;
  color: var(--st-text-color); font-family: var(--st-font); font-size: 0.875rem;
}
button:hover, button:focus-visible { text-decoration: underline; }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
input { width: 100%; font-family: var(--st-code-font); color: inherit; background: transparent; border: 0; }
"""

# The URL is read when the button is pressed: hyperparameters and filters change it without a rerun of this button.
# Browsers allow the clipboard only on https and localhost; elsewhere the link is shown and selected, to be copied.
_JS = """
export default function ({ parentElement }) {
  const button = parentElement.querySelector("button");
  const words = parentElement.querySelector(".words");
  const field = parentElement.querySelector("input");
  const say = (text) => { words.textContent = text; setTimeout(() => (words.textContent = "Copy link"), 2500); };
  button.onclick = async () => {
    const link = window.location.href;
    try {
      await navigator.clipboard.writeText(link);
      say("Copied");
    } catch {
      field.hidden = false; field.value = link; field.focus(); field.select();
      say("Press Ctrl+C");
    }
  };
}
"""

_button = component("copy-link", html=_HTML, css=_CSS, js=_JS)


def copy_link_button(key_scope: str) -> None:
    """Draw the button; `key_scope` distinguishes several of them on one page."""
    _button(key=f"copy-link-{key_scope}", height="content", width="content")
