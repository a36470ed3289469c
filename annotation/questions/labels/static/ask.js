// "None of these" and a label exclude each other: the one ticked last stands. The server refuses both together.
(() => {
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.checked || !box.closest?.("[data-labels-set]")) return;
    for (const other of box.closest("[data-labels-set]").querySelectorAll("input:checked")) {
      if (other === box || other.hasAttribute("data-labels-none") === box.hasAttribute("data-labels-none")) continue;
      other.checked = false;
      other.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
})();
