// Keys of an item: digits choose in a question, N and P go from one to the next, ? lists all of them. What has a letter
// of its own carries it (`data-hotkey`). What is more than fields and groups of radio buttons says so in its template:
// `data-key-part` is one thing to answer, `data-key-choice` what a digit presses in it, `data-key-open` what is there
// as long as it is not answered. Everything is there without keys too.
(() => {
  const TEXT = "textarea, select, input:not([type=radio], [type=checkbox], [type=hidden], [type=button], [type=submit])";
  // One thing to answer each, in the order of the page.
  const GROUPS = "[role=radiogroup], [data-key-part]";
  const PARTS = `${GROUPS}, .check, ${TEXT}`;
  const BOXES = "input[type=radio], input[type=checkbox]";
  const CHOICES = `${BOXES}, [data-key-choice]`;

  const keysOn = () => document.querySelector("[data-hotkeys-toggle]")?.checked !== false;
  const form = () => document.querySelector("[data-answer]");
  const isThere = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert]");
  const isTyped = (element) => element.isContentEditable || element.matches(TEXT);

  const parts = () => {
    const ballot = form()?.querySelector("[data-ballot]");
    const all = ballot ? [...ballot.querySelectorAll(PARTS)].filter(isThere) : [];
    return all.filter((part) => !part.parentElement.closest(GROUPS));
  };
  const choicesOf = (part) => [...part.querySelectorAll(CHOICES)].filter((each) => isThere(each.parentElement));
  const wordsOf = (choice) => {
    const words = (choice.closest("label") ?? choice).cloneNode(true);
    for (const key of words.querySelectorAll("kbd, .visually-hidden, [aria-hidden=true]")) key.remove();
    return words.textContent.trim();
  };
  // A group whose answers have letters or digits of their own has no others.
  const hasOwnKeys = (part) => choicesOf(part).some((choice) => choice.dataset.hotkey);
  const isAnswered = (part) => {
    if (part.dataset.keyOpen) return !part.querySelector(part.dataset.keyOpen);
    if (part.matches(GROUPS) && part.querySelector(BOXES)) return Boolean(part.querySelector("input:checked"));
    if (part.matches(TEXT)) return part.value.trim() !== "";
    return true;
  };
  const here = (all) => all.findLast((part) => part.contains(document.activeElement));
  const focusOn = (part) => {
    const control = part.matches(TEXT) ? part : (part.querySelector("input:checked") ?? choicesOf(part)[0] ?? part);
    control.focus();
    part.scrollIntoView({ block: "nearest" });
  };

  // --- digits ------------------------------------------------------------------------------------------------------
  // A scale that has the digit among its numbers means that one; elsewhere digits count, and 0 is the tenth.
  const chosenBy = (digit, part) => {
    const choices = choicesOf(part);
    const named = choices.map(wordsOf);
    if (named.every((words) => /^\d+$/.test(words)) && named.includes(digit)) return choices[named.indexOf(digit)];
    return choices[digit === "0" ? 9 : Number(digit) - 1];
  };
  const carries = (part, digit) => choicesOf(part).find((choice) => choice.dataset.hotkey === digit);
  const pressed = (digit) => {
    const all = parts();
    const part = here(all);
    if (part && carries(part, digit)) return carries(part, digit);
    if (part && !hasOwnKeys(part)) return chosenBy(digit, part);
    // Who is nowhere that digits mean: one that stands on the page first, then whatever is not answered.
    if (all.some((each) => carries(each, digit))) return null;
    const open = all.find((each) => !isAnswered(each) && !hasOwnKeys(each) && !isTyped(each) && choicesOf(each).length);
    return open && chosenBy(digit, open);
  };

  // --- from one question to the next -------------------------------------------------------------------------------
  const move = (step) => {
    const all = parts();
    const at = all.indexOf(here(all));
    const first = all.find((part) => !isAnswered(part)) ?? all[0];
    const to = at < 0 ? first : all[at + step];
    if (to) focusOn(to);
    else if (step > 0) form()?.querySelector("button[type=submit]")?.focus();
  };

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !form() || form().inert || !keysOn()) return;
    if (isTyped(event.target) || document.querySelector("dialog[open]")) return;
    const step = { n: 1, p: -1 }[event.key.toLowerCase()];
    const choice = /^\d$/.test(event.key) ? pressed(event.key) : null;
    if (!step && !choice) return;
    event.preventDefault();
    if (step) return move(step);
    choice.focus();
    choice.click();
  };
  // Before the keys that stand on single answers: where somebody is comes first.
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !form() || form().inert) return;
    event.preventDefault();
    if (!event.repeat) form().requestSubmit();
  });

  // What is opened by its key is written into at once.
  document.addEventListener("toggle", (event) => {
    const aside = event.target;
    if (!aside.open || !aside.matches(".work__aside details") || !aside.contains(document.activeElement)) return;
    aside.querySelector("select, textarea, button").focus();
  }, true);

  // --- the list of keys --------------------------------------------------------------------------------------------
  const joined = (words) => words.filter(Boolean).join(": ").replaceAll("?: ", "? ");
  const titleOf = (element) => {
    const found = [];
    for (let group = element.closest("fieldset"); group; group = group.parentElement.closest("fieldset")) {
      const legend = group.querySelector("legend")?.cloneNode(true);
      for (const other of legend?.querySelectorAll("button, .field__optional") ?? []) other.remove();
      if (legend?.textContent.trim()) found.unshift(legend.textContent.trim());
    }
    return joined(found);
  };
  const labelOf = (element) => {
    const label = element.labels?.[0] ?? element.closest("label");
    return label ? wordsOf(label) : "";
  };
  const line = (list, keys, words) => {
    const term = document.createElement("dt");
    for (const [place, key] of keys.entries()) {
      const cap = document.createElement("kbd");
      cap.textContent = key.toUpperCase();
      term.append(...(place ? [" – ", cap] : [cap]));
    }
    const what = document.createElement("dd");
    what.textContent = words;
    list.append(term, what);
  };
  const saysOf = (element) => element.dataset.says ?? joined([titleOf(element), labelOf(element)]);

  const showKeys = () => {
    const dialog = document.querySelector("[data-keys-dialog]");
    const list = dialog.querySelector("[data-keys-list]");
    list.replaceChildren();
    for (const element of document.querySelectorAll(".work [data-hotkey]:not([data-keys])")) {
      if (element.parentElement.checkVisibility() && !element.closest("[inert]")) line(list, [element.dataset.hotkey], saysOf(element));
    }
    for (const part of form()?.inert ? [] : parts()) {
      const count = hasOwnKeys(part) || isTyped(part) ? 0 : choicesOf(part).length;
      if (!count) continue;
      const words = part.matches(".check") ? labelOf(part.querySelector("input")) : titleOf(choicesOf(part)[0]);
      const last = count < 10 ? String(count) : "0";
      line(list, count > 1 ? ["1", last] : ["1"], words);
    }
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) showKeys();
  });
})();
