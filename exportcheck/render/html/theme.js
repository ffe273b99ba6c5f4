// The light and the dark theme.

/** The theme of the system until somebody chooses; a choice is remembered where that is allowed. */
function setUpTheme() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  const kept = stored();
  if (kept) root.dataset.theme = kept;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    stored(root.dataset.theme);
    label();
  });
  system.addEventListener("change", label);
  label();
}

/** The chosen theme, after storing `value` if there is one; null where a browser keeps nothing. */
function stored(value) {
  try {
    if (value) localStorage.setItem("exportcheck-theme", value);
    const kept = localStorage.getItem("exportcheck-theme");
    return ["dark", "light"].includes(kept) ? kept : null;
  } catch {
    return null;
  }
}
