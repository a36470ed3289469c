// Loaded blocking in the head, so that a chosen theme is there before the first paint.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = localStorage.getItem("cardinal-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {
    // Storage can be refused; the system's theme then stands.
  }
})();
