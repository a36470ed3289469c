// Comfort for the campaign editor. Without it everything can be written and saved all the same.
(() => {
  // What was changed and not saved is not lost by leaving the page in passing.
  const dirty = () => document.querySelector("form[data-guard][data-dirty]");
  const changed = (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (!form) return;
    form.dataset.dirty = "";
    const state = form.querySelector("[data-dirty-state]");
    if (state && !state.textContent) state.textContent = state.dataset.dirtyText;
  };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener("submit", (event) => {
    // A button of htmx's own stays on the page.
    if (!event.submitter?.hasAttribute("hx-post")) delete event.target.dataset.dirty;
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty()) event.preventDefault();
  });

  // The ballot in the preview has keys; while somebody writes beside it, they are not meant.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key.length === 1 && !event.target.closest?.("[data-preview]")) event.stopPropagation();
    },
    true,
  );

  // Files for a text: sent at once, and named where the cursor was. The text itself is saved by its own button.
  const insertInto = (form, names) => {
    const field = form.querySelector("textarea");
    const named = names.map((name) => `![](${/[\s()<>]/.test(name) ? `<media:${name}>` : `media:${name}`})`).join("\n\n");
    const [start, end] = [field.selectionStart, field.selectionEnd];
    field.setRangeText(named, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    field.setSelectionRange(start + 2, start + 2);
  };
  document.addEventListener("change", async (event) => {
    const box = event.target.closest?.("[data-media-insert]");
    if (!box || !event.target.files?.length) return;
    event.stopImmediatePropagation();
    const form = box.closest("form");
    const body = new FormData();
    for (const file of event.target.files) body.append("file", file);
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const said = box.querySelector("[data-media-said]");
    said.textContent = "…";
    try {
      const answer = await fetch(box.dataset.address, { method: "POST", body });
      const told = await answer.json();
      said.textContent = told.said;
      if (told.names.length) insertInto(form, told.names);
    } catch (error) {
      said.textContent = String(error);
    }
    event.target.value = "";
  }, true);

  // What the pay comes to, as it is typed. The server works it out anew.
  const number = (form, name) => Number((form.elements[name]?.value || "").replace(",", ".")) || 0;
  const project = () => {
    const projection = document.querySelector("[data-projection]");
    const form = projection && document.querySelector("form[data-guard]");
    if (!form) return;
    const pay = number(form, "pay_per_judgment");
    const seconds = number(form, "expected_seconds");
    const hourly = pay > 0 && seconds > 0 ? (pay * 3600) / seconds : null;
    const shown = projection.querySelector("[data-projected]");
    shown.textContent = hourly === null ? "–" : `${hourly.toFixed(2)} ${form.elements.pay_currency.value.toUpperCase()}`;
    projection.querySelector("[data-below]").hidden = hourly === null || hourly >= number(form, "pay_floor");
  };
  document.addEventListener("input", project);
  project();
})();
