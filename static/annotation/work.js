// One item after another without a reload: drafts, the next item ahead of time, and answers that wait for the network.
// Without it every form is an ordinary form.
(() => {
  const SAVE_AFTER = 1200; // of silence
  const SAVE_AT_LEAST = 4000; // while somebody types on
  const RESEND = 5000;
  const QUEUE = "cardinal-answers";

  let next = null; // {assignment, html}
  let dirtySince = 0;
  let timer = 0;
  let saving = null;

  const page = () => document.querySelector("[data-work]");
  const answerForm = () => document.querySelector("[data-answer]");
  const notices = () => document.querySelector("[data-notices]");

  const note = (level, text, role = "status") => {
    const box = document.createElement("div");
    box.className = `notice notice--${level}`;
    box.setAttribute("role", role);
    const body = document.createElement("div");
    body.className = "notice__body";
    const line = document.createElement("p");
    line.textContent = text;
    body.append(line);
    box.append(body);
    notices()?.replaceChildren(box);
  };

  // --- showing -----------------------------------------------------------------------------------------------------
  const show = (html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const inside = parsed.querySelector("main") ?? parsed.body;
    const main = document.getElementById("main");
    main.replaceChildren(...inside.childNodes);
    window.htmx?.process(main);
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: main } }));
    const refused = main.querySelector("[aria-invalid=true]");
    const target = refused?.matches("fieldset") ? refused.querySelector("input") : refused;
    (target ?? main.querySelector("[autofocus], h1[tabindex]") ?? main).focus({ preventScroll: Boolean(!target) });
    if (!target) scrollTo({ top: 0 });
    begin();
  };

  const fade = () => {
    for (const part of document.querySelectorAll("[data-expires]")) {
      setTimeout(() => part.remove(), Number(part.dataset.expires) * 1000);
    }
  };

  // --- the next item -----------------------------------------------------------------------------------------------
  const lookAhead = async () => {
    next = null;
    const here = page();
    if (!here) return;
    try {
      const answer = await fetch(`${here.dataset.ahead}?shown=${here.dataset.assignment}`, { headers: { "HX-Request": "true" } });
      if (answer.status !== 200 || here !== page()) return;
      next = { assignment: answer.headers.get("X-Assignment"), html: await answer.text() };
    } catch {
      // Offline: the answer itself will tell.
    }
  };

  // --- drafts ------------------------------------------------------------------------------------------------------
  const savedState = (text) => {
    const place = document.querySelector("[data-saved-state]");
    if (place) place.textContent = text;
  };

  const save = async () => {
    clearTimeout(timer);
    const here = page();
    const form = answerForm();
    if (!here || !form || !dirtySince || saving) return;
    dirtySince = 0;
    const body = new URLSearchParams(new FormData(form));
    body.set("draft_version", here.dataset.draftVersion);
    saving = fetch(here.dataset.draft, { method: "POST", body, keepalive: true });
    try {
      const answer = await saving;
      if (answer.status === 200) {
        here.dataset.draftVersion = (await answer.json()).version;
        savedState(here.dataset.saved);
      } else if (answer.status === 409) {
        const stored = await answer.json();
        here.dataset.draftVersion = stored.version;
        note("warn", here.dataset.stale, "alert");
        showStored(stored.values);
      }
    } catch {
      dirtySince = performance.now();
      savedState("");
    } finally {
      saving = null;
      if (dirtySince) timer = setTimeout(save, SAVE_AT_LEAST);
    }
  };

  // Both texts survive: what another tab stored stands beside what was typed here.
  const showStored = (values) => {
    const list = document.createElement("dl");
    list.className = "keys";
    for (const [name, value] of Object.entries(values)) {
      if (!value || name.startsWith("process.")) continue;
      const term = document.createElement("dt");
      term.textContent = name;
      const detail = document.createElement("dd");
      detail.textContent = value;
      list.append(term, detail);
    }
    notices()?.append(list);
  };

  const touched = (event) => {
    if (!event.target.closest?.("[data-answer]")) return;
    savedState("");
    const now = performance.now();
    if (!dirtySince) dirtySince = now;
    clearTimeout(timer);
    timer = setTimeout(save, now - dirtySince > SAVE_AT_LEAST ? 0 : SAVE_AFTER);
  };

  // --- answers -----------------------------------------------------------------------------------------------------
  const queue = () => {
    try {
      return JSON.parse(localStorage.getItem(QUEUE) ?? "[]");
    } catch {
      return [];
    }
  };
  const keep = (waiting) => {
    try {
      if (waiting.length) localStorage.setItem(QUEUE, JSON.stringify(waiting));
      else localStorage.removeItem(QUEUE);
      return true;
    } catch {
      return false;
    }
  };

  // The page's own token: one that was kept for long belongs to a session that may have ended.
  const send = (url, kept) => {
    const body = new URLSearchParams(kept);
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (token) body.set("csrfmiddlewaretoken", token.value);
    return fetch(url, { method: "POST", body, headers: { "HX-Request": "true" } });
  };
  const signIn = (answer) => answer.headers.get("HX-Redirect");
  // Taken, or refused for good; whoever must sign in first, and a server in trouble, are asked again.
  const isSettled = (answer) => (answer.ok && !signIn(answer)) || [404, 409, 410, 422].includes(answer.status);

  const busy = (form, on) => {
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = on;
  };

  const submit = async (form) => {
    clearTimeout(timer);
    // Another item takes this one's place for a while.
    if (form.matches("[data-undo]")) await save();
    await saving?.catch(() => {});
    const here = page();
    if (form.elements.ahead) form.elements.ahead.value = next?.assignment ?? "";
    const body = new URLSearchParams(new FormData(form)).toString();
    busy(form, true);
    let answer;
    try {
      answer = await send(form.action, body);
    } catch {
      if (!form.matches("[data-answer]") || !keep([...queue(), { url: form.action, body }])) return busy(form, false);
      dirtySince = 0;
      if (next) show(next.html);
      else busy(form, false);
      note("warn", (page() ?? here).dataset.offline, "alert");
      return;
    }
    if (signIn(answer) && form.matches("[data-answer]")) keep([...queue(), { url: form.action, body }]);
    if (signIn(answer)) return location.assign(signIn(answer));
    dirtySince = 0;
    const html = await answer.text();
    // Not where something comes first: new guidelines, or the end.
    if (answer.headers.get("X-Next") === "ahead" && next) {
      show(next.html);
      notices()?.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      return fade();
    }
    if (answer.status >= 500) {
      busy(form, false);
      return note("error", document.getElementById("toasts")?.dataset.server ?? "", "alert");
    }
    show(html);
  };

  // What waited is sent in its order with the key it was rendered with, so that twice is once.
  let draining = false;
  const drain = async () => {
    if (draining || !queue().length) return;
    draining = true;
    let refused = false;
    try {
      for (let waiting = queue(); waiting.length; waiting = queue()) {
        const answer = await send(waiting[0].url, waiting[0].body);
        if (!isSettled(answer)) break;
        keep(queue().slice(1));
        refused ||= !answer.ok;
      }
      if (!queue().length && page()) notices()?.replaceChildren();
      if (refused && page()) note("warn", page().dataset.refused, "alert");
    } catch {
      // Still offline.
    } finally {
      draining = false;
    }
  };

  // --- what waits for a word -------------------------------------------------------------------------------------
  const dismiss = (notice) => {
    notice.remove();
    document.getElementById("main").focus({ preventScroll: true });
  };
  // Content that people are warned of; the focus says that it is there now.
  const reveal = (event) => {
    event.preventDefault();
    const parts = event.target.closest("[data-veil]").querySelectorAll(".veil__part[inert]");
    for (const part of parts) part.inert = false;
    for (const words of document.querySelectorAll("[data-while-hidden]")) words.remove();
    event.target.closest("form").remove();
    parts[0]?.focus({ preventScroll: true });
  };

  // The next item in place of what was said of the one before; the link itself where that fails.
  const goOn = async (link) => {
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
      if (!answer.ok || signIn(answer)) throw new Error(answer.status);
      show(await answer.text());
    } catch {
      location.assign(link.href);
    }
  };

  const begin = () => {
    dirtySince = 0;
    fade();
    lookAhead();
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-answer], [data-gives-back]")) return;
    event.preventDefault();
    submit(form);
  });
  document.addEventListener("input", touched);
  document.addEventListener("change", touched);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const form = answerForm();
    if (!form || form.inert) return;
    event.preventDefault();
    form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const onward = event.target.closest("[data-feedback] a[data-next]");
    if (onward && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      goOn(onward);
    }
    if (event.target.closest("[data-dismiss]")) dismiss(event.target.closest("[data-notice]"));
    if (event.target.closest("[data-reveal]")) reveal(event);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save();
  });
  addEventListener("online", drain);
  setInterval(drain, RESEND);
  if (page()) begin();
  drain();
})();
