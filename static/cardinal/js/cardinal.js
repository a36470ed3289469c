// Behaviour that pages ask for by data attributes. Everything works without it, only less comfortably.
(() => {
  const root = document.documentElement;
  const language = root.lang || "en";
  const toasts = document.getElementById("toasts");

  const remember = (key, value) => {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      // Refused storage only means that the choice lasts for this page.
    }
  };
  const recall = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  // Theme: the button goes to the other one; choosing what the system says forgets the choice.
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const paintThemeColor = () => {
    const color = getComputedStyle(document.body).backgroundColor;
    const page = color === "rgba(0, 0, 0, 0)" ? getComputedStyle(root).backgroundColor : color;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.content = page;
  };
  const switchTheme = () => {
    const wanted = isDark() ? "light" : "dark";
    const isSystem = (wanted === "dark") === systemDark.matches;
    if (isSystem) delete root.dataset.theme;
    else root.dataset.theme = wanted;
    remember("cardinal-theme", isSystem ? null : wanted);
    paintThemeColor();
  };

  // Times come in UTC and are shown in the reader's zone; some stay in UTC, and all have one form.
  const inUtc = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  const formats = {
    utc: { format: (then) => `${inUtc.format(then)} UTC` },
    date: new Intl.DateTimeFormat(language, { dateStyle: "medium" }),
    datetime: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }),
    time: new Intl.DateTimeFormat(language, { timeStyle: "short" }),
  };
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const ago = (then) => {
    const seconds = (then - Date.now()) / 1000;
    for (const [unit, size] of steps) {
      if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
    }
    return relative.format(0, "minute");
  };
  const localizeTimes = (scope) => {
    for (const element of scope.querySelectorAll("time[data-local]")) {
      const then = new Date(element.dateTime);
      if (Number.isNaN(then.getTime())) continue;
      element.textContent =
        element.dataset.local === "relative" ? ago(then) : formats[element.dataset.local || "datetime"].format(then);
    }
  };

  // Toasts. Errors stay until they are closed; the rest leaves unless it is being read.
  const showToast = (text, level = "info") => {
    const template = document.getElementById("toast-template");
    if (!toasts || !template || !text) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.querySelector(".toast__text").textContent = text;
    if (level === "error") toast.setAttribute("role", "alert");
    toasts.append(toast);
    while (toasts.children.length > 3) toasts.firstElementChild.remove();
    if (level === "error") return;
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 3000) : toast.remove());
    setTimeout(leave, 7000);
  };

  const explainFailure = (xhr) => {
    if ((xhr.getResponseHeader("HX-Trigger") || "").includes("toast")) return;
    const isPlain = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    if (isPlain && xhr.responseText.length < 300) return showToast(xhr.responseText, "error");
    const texts = toasts.dataset;
    const byStatus = { 403: texts.forbidden, 404: texts.missing, 409: texts.conflict, 429: texts.busy };
    showToast(byStatus[xhr.status] || texts.server, "error");
  };

  // Keys press what carries them, never while somebody types.
  const typesText = (element) =>
    element.isContentEditable ||
    element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=button], [type=submit])");
  const hotkeysOn = () => recall("cardinal-hotkeys") !== "off";
  const pressHotkey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !hotkeysOn()) return;
    if (typesText(event.target)) return;
    const key = event.key.toLowerCase();
    for (const element of document.querySelectorAll("[data-hotkey]")) {
      const hasKey = element.dataset.hotkey.toLowerCase().split(" ").includes(key);
      if (!hasKey || element.disabled || element.closest("[inert]") || !element.parentElement.checkVisibility()) continue;
      event.preventDefault();
      element.focus({ preventScroll: true });
      element.click();
      return;
    }
  };

  const submitOnEnter = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (!event.target.matches("[data-enter-submits]") || !matchMedia("(hover: hover)").matches) return;
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  };

  const fill = (button, event) => {
    event.preventDefault(); // it may be a link, for who has no script
    const field = document.querySelector(button.dataset.fill);
    field.value = button.dataset.text || button.textContent.trim();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  };

  // What cannot be copied (no permission, no secure address) is at least selected.
  const copy = async (button) => {
    const field = document.querySelector(button.dataset.copy);
    field.focus();
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      showToast(button.dataset.copied, "success");
    } catch {
      showToast(button.dataset.selected);
    }
  };

  const actions = [
    ["[data-theme-toggle]", switchTheme],
    ["[data-toast-close]", (button) => button.closest(".toast").remove()],
    ["[data-fill]", fill],
    ["[data-copy]", copy],
    ["[data-print]", () => window.print()],
  ];

  document.addEventListener("click", (event) => {
    for (const [selector, act] of actions) {
      const element = event.target.closest(selector);
      if (element) act(element, event);
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    submitOnEnter(event);
    if (!event.defaultPrevented) pressHotkey(event);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-hotkeys-toggle]")) {
      remember("cardinal-hotkeys", event.target.checked ? null : "off");
    }
  });

  // A plain form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
  });

  // What scrolls sideways inside a text can be reached by keyboard in every browser.
  const reachScrollers = (scope) => {
    for (const element of scope.querySelectorAll(".prose :is(pre, table, math[display=block], .math-block)")) {
      if (element.scrollWidth > element.clientWidth + 1) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  };

  // On a phone a row of pages is wider than the window. Sideways only: the page stays where a fault or a link put it.
  const showCurrent = (scope) => {
    for (const current of scope.querySelectorAll(".tabs [aria-current]")) {
      const row = current.closest(".tabs");
      const [middle, shown] = [row, current].map((each) => each.getBoundingClientRect()).map((box) => box.x + box.width / 2);
      row.scrollLeft += shown - middle;
    }
  };

  const prepare = (scope) => {
    showCurrent(scope);
    localizeTimes(scope);
    reachScrollers(scope);
    for (const box of scope.querySelectorAll("[data-hotkeys-toggle]")) box.checked = hotkeysOn();
  };
  document.addEventListener("htmx:load", (event) => prepare(event.target));
  document.addEventListener("htmx:oobAfterSwap", (event) => prepare(event.target));
  document.addEventListener("htmx:sseMessage", (event) => reachScrollers(event.target));
  window.addEventListener("resize", () => reachScrollers(document));
  document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.level));
  document.addEventListener("htmx:responseError", (event) => explainFailure(event.detail.xhr));
  document.addEventListener("htmx:sendError", () => showToast(toasts.dataset.network, "error"));
  document.addEventListener("htmx:timeout", () => showToast(toasts.dataset.network, "error"));

  prepare(document);
  if (root.dataset.theme) paintThemeColor();
  setInterval(() => localizeTimes(document), 60000);
})();
