// Comfort and measurement for the questions of a judgment. Without it they can be asked and answered all the same.
(() => {
  // Longer without a sign of life, and somebody reads something else.
  const IDLE_AFTER = 60000;
  const TICK = 1000;
  // So long without a key, and what was typed is meant.
  const SETTLED_AFTER = 700;
  const ZERO = /^\s*0+([.,]0*)?\s*$/;

  let lastSign = performance.now();
  let lastTick = lastSign;

  const deviceClass = () => {
    if (!matchMedia("(pointer: coarse)").matches) return "desktop";
    return Math.min(screen.width, screen.height) < 600 ? "phone" : "tablet";
  };

  const measure = (process, key) => process.querySelector(`[data-measure="${key}"]`);

  // A ballot that comes back with errors says how long ago it was first shown.
  const shownAt = new WeakMap();
  const startClock = (process) => {
    if (shownAt.has(process)) return;
    shownAt.set(process, performance.now() - Number(process.dataset.elapsed));
    measure(process, "device_class").value = deviceClass();
  };

  const recordTouch = (ballot) => {
    const process = ballot.querySelector("[data-process]");
    if (!process) return;
    const field = measure(process, "first_touch_ms");
    if (field.value === "") field.value = Math.round(performance.now() - shownAt.get(process));
  };

  const recordActivity = () => {
    const now = performance.now();
    const present = document.visibilityState === "visible" && now - lastSign < IDLE_AFTER;
    for (const process of present ? document.querySelectorAll("[data-process]") : []) {
      if (!shownAt.has(process)) continue;
      const field = measure(process, "active_ms");
      const since = Math.max(lastTick, shownAt.get(process) + Number(process.dataset.elapsed));
      field.value = Math.round(Number(field.value) + Math.max(0, now - since));
    }
    lastTick = now;
  };

  // What an amount of zero means is asked once zero has been typed, not on the way to 0.50.
  const askAboutZero = (ballot, mayShow) => {
    for (const part of ballot.querySelectorAll("[data-asks-zero]")) {
      const inputs = part.closest("fieldset").querySelectorAll("[data-amount]");
      const isZero = [...inputs].some((input) => input.checkVisibility() && ZERO.test(input.value));
      if (isZero ? mayShow : true) part.hidden = !isZero;
    }
  };

  // A question that hangs on an earlier answer is asked once that answer has one of its marks. The server decides anew.
  const marksOf = (question) => {
    const checked = question.hidden ? [] : question.querySelectorAll("[data-marks]:checked");
    return new Set([...checked].flatMap((input) => input.dataset.marks.split(" ")));
  };
  const askFollowing = (ballot) => {
    for (const question of ballot.querySelectorAll("[data-after]")) {
      const earlier = ballot.querySelector(`[data-question="${question.dataset.after}"]`);
      const marks = earlier ? marksOf(earlier) : new Set();
      question.hidden = !question.dataset.afterValues.split(",").some((value) => marks.has(value));
    }
  };

  // A radio button cannot be taken back by itself; where an answer is optional, this does it.
  const paintClear = (group) => {
    const button = group.querySelector("[data-clears]");
    button.classList.toggle("ballot__clear--idle", !group.querySelector("input:checked"));
  };
  const addClear = (group) => {
    if (group.querySelector("[data-clears]")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "ballot__clear";
    button.dataset.clears = "";
    button.textContent = group.closest("[data-ballot]").dataset.clear;
    group.querySelector("legend").append(button);
    paintClear(group);
  };
  const clear = (group) => {
    const chosen = group.querySelector("input:checked");
    chosen.checked = false;
    chosen.dispatchEvent(new Event("change", { bubbles: true }));
    chosen.focus();
  };

  const prepare = () => {
    for (const process of document.querySelectorAll("[data-process]")) startClock(process);
    for (const group of document.querySelectorAll("[data-ballot] [data-clearable]")) addClear(group);
    for (const ballot of document.querySelectorAll("[data-ballot]")) askFollowing(ballot);
  };

  const showRefusal = (scope) => {
    const refused = scope.querySelector("[data-ballot] [aria-invalid=true]");
    const control = refused?.matches("fieldset") ? refused.querySelector("input") : refused;
    control?.focus();
  };

  // What was refused is being answered anew: what was said of the old answer is over. The server judges the new one.
  const forgive = (control) => {
    const refused = control.closest("[aria-invalid=true]");
    if (!refused) return;
    refused.removeAttribute("aria-invalid");
    for (const id of refused.getAttribute("aria-describedby")?.split(" ") ?? []) {
      const text = document.getElementById(id);
      if (text?.getAttribute("role") === "alert") text.remove();
    }
  };

  let settling = 0;
  const answered = (event) => {
    const ballot = event.target.closest?.("[data-ballot]");
    if (!ballot) return;
    // Whoever is quick answers before a swapped ballot was made ready.
    prepare();
    forgive(event.target);
    recordTouch(ballot);
    clearTimeout(settling);
    askFollowing(ballot);
    askAboutZero(ballot, event.type === "change");
    settling = setTimeout(askAboutZero, SETTLED_AFTER, ballot, true);
    for (const group of ballot.querySelectorAll("[data-clearable]")) paintClear(group);
  };
  document.addEventListener("input", answered);
  document.addEventListener("change", answered);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-clears]");
    if (button) clear(button.closest("[data-clearable]"));
  });

  for (const sign of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove", "scroll"]) {
    document.addEventListener(sign, () => { lastSign = performance.now(); }, { capture: true, passive: true });
  }
  document.addEventListener("visibilitychange", recordActivity);
  document.addEventListener("submit", recordActivity, true);
  setInterval(recordActivity, TICK);

  document.addEventListener("htmx:load", prepare);
  document.addEventListener("htmx:afterSettle", (event) => showRefusal(event.target));
  prepare();
  showRefusal(document);
})();
