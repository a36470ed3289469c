// Keys of the review pages: j and k go from row to row, ? lists what each key does. All of it is there without keys too.
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")];

  // From the row that has the focus, or from before the first.
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement.closest?.("tr")?.querySelector("[data-row]"));
    const place = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
    all[place].focus();
    all[place].scrollIntoView({ block: "nearest" });
  };

  const showKeys = () => {
    const dialog = document.querySelector("[data-keys-dialog]");
    const list = dialog.querySelector("[data-keys-list]");
    list.replaceChildren();
    for (const element of document.querySelectorAll("[data-review] [data-key-name]")) {
      const key = document.createElement("dt");
      const cap = document.createElement("kbd");
      cap.textContent = element.dataset.hotkey.toUpperCase();
      key.append(cap);
      const what = document.createElement("dd");
      what.textContent = element.dataset.keyName;
      list.append(key, what);
    }
    dialog.showModal();
  };

  // Never while somebody types; the switch for all keys holds here too.
  const keysOn = () => document.querySelector("[data-hotkeys-toggle]")?.checked !== false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keysOn() || !rows().length) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const step = { j: 1, k: -1 }[event.key.toLowerCase()];
    if (!step) return;
    event.preventDefault();
    move(step);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) showKeys();
    const to = event.target.closest("[data-focus]");
    if (to) document.querySelector(to.dataset.focus)?.focus();
  });
})();
