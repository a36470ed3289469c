// One item after another without a reload: drafts, the next item ahead of time, and answers that wait for the network,
// which kept.js keeps and sends. Without it every form is an ordinary form.
(() => {
  const SAVE_AFTER = 1200; // of silence
  const SAVE_AT_LEAST = 4000; // while somebody types on
  const LOOK_AGAIN = 5000;
  const NOT_BEFORE = 1000; // after an item is shown: what is pressed sooner was meant for the one before
  const LARGEST_KEPT_ALIVE = 60000; // bytes that a browser sends on while a page goes
  const kept = window.cardinalKept;

  let next = null; // {assignment, html}
  let behind = null; // {here, nodes}: the item whose answer waits while there is no other to show
  let dirtySince = 0;
  let timer = 0;
  let saving = null;
  let sending = false;
  let fresh = 0;

  const page = () => document.querySelector("[data-work]");
  const answerForm = () => document.querySelector("[data-answer]");
  const notices = () => document.querySelector("[data-notices]");

  // --- showing -----------------------------------------------------------------------------------------------------
  const show = (html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const inside = parsed.querySelector("main") ?? parsed.body;
    const main = document.getElementById("main");
    behind = null;
    kept.unsay("draft", "needs");
    main.replaceChildren(kept.region(), ...inside.childNodes);
    window.htmx?.process(main);
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: main } }));
    const refused = main.querySelector("[aria-invalid=true]");
    const target = refused?.matches("fieldset") ? refused.querySelector("input") : refused;
    (target ?? main.querySelector("[autofocus], [data-first], h1[tabindex]") ?? main).focus({ preventScroll: Boolean(!target) });
    if (!target) scrollTo({ top: 0 });
    rest(main);
    begin();
  };
  // Nobody has read what has just been shown; whoever touches it has.
  const rest = (main) => {
    clearTimeout(fresh);
    main.dataset.fresh = "";
    fresh = setTimeout(isRead, NOT_BEFORE);
  };
  const isRead = () => {
    clearTimeout(fresh);
    delete document.getElementById("main").dataset.fresh;
  };
  const isFresh = () => "fresh" in document.getElementById("main").dataset;

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
  // What is held now, or why there is nothing.
  const showHeld = async (address) => {
    try {
      const answer = await kept.reach(address);
      if (answer.ok && !signIn(answer)) show(await answer.text());
    } catch {
      // Still offline; it is tried again.
    }
  };

  // --- what somebody typed, in the words of the questions -----------------------------------------------------------
  const wordsOf = (element) => {
    const label = element.closest("label") ?? document.querySelector(`label[for="${element.id}"]`);
    const words = label?.cloneNode(true);
    for (const part of words?.querySelectorAll("kbd, .field__optional") ?? []) part.remove();
    return words?.textContent.trim() ?? "";
  };
  const describe = (form, values) => {
    const rows = [];
    for (const [name, value] of values) {
      const controls = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
      const control = controls.find((each) => each.value === value && each.matches("[type=radio], [type=checkbox]")) ?? controls[0];
      const chosen = control?.selectedOptions?.[0]?.textContent.trim();
      if (!value || !control || (control.type === "hidden" && !control.closest("fieldset"))) continue;
      const legend = control.closest("fieldset")?.querySelector("legend span, legend")?.textContent.trim() ?? "";
      if (control.matches("[type=radio], [type=checkbox]")) rows.push([legend, wordsOf(control) || value]);
      else rows.push([[legend, wordsOf(control)].filter(Boolean).join(": "), chosen ?? value]);
    }
    return rows;
  };
  // As it is kept in the browser: to be sent, and to be shown to its author where it is refused.
  const written = (here, form, url) => {
    const values = new FormData(form);
    const body = new URLSearchParams(values);
    body.set("draft_version", here.dataset.draftVersion);
    return { at: Date.now(), url, body: body.toString(), words: describe(form, values) };
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
    if (!here || !form || !dirtySince || saving || here.dataset.lost) return;
    dirtySince = 0;
    if (here.dataset.undecided) return keepHere(here, form);
    saving = keepDraft(here, form);
    try {
      await saving;
    } finally {
      saving = null;
      if (dirtySince) timer = setTimeout(save, SAVE_AT_LEAST);
    }
  };
  // In the browser and on the server at once: a page that goes away waits for neither.
  const keepDraft = async (here, form, isSecond = false) => {
    const draft = written(here, form, here.dataset.draft);
    const sent = kept.post(draft.url, draft.body, { keepalive: draft.body.length < LARGEST_KEPT_ALIVE });
    const [, { value: answer }] = await Promise.allSettled([kept.put("draft", here.dataset.assignment, draft), sent]);
    const before = here.tried;
    here.tried = draft.body;
    if (answer?.status === 200 && !signIn(answer)) {
      here.dataset.draftVersion = (await answer.json()).version;
      kept.forget("draft", here.dataset.assignment);
      kept.unsay("draft");
      savedState(here.dataset.saved);
    } else if (answer?.status === 409) {
      await meetStored(here, form, await answer.json(), before);
    } else if ([404, 410, 413].includes(answer?.status)) {
      const isLong = answer.status === 413;
      if (!isLong) here.dataset.lost = "1";
      savedState("");
      kept.say("draft", isLong ? here.dataset.tooLong : here.dataset.gone, { isAlert: true });
    } else {
      const isBack = answer && !isSecond && (await kept.whoIsThere().catch(() => "nobody")) === "own";
      if (isBack && answer.status === 403) return keepDraft(here, form, true);
      dirtySince = performance.now();
      savedState(kept.lasts() ? here.dataset.onDevice : "");
    }
  };
  // Both texts survive: what another tab stored stands beside what was typed here until somebody chooses, and nothing
  // is sent meanwhile. What this tab sent itself, and never heard of, is no other tab's.
  const meetStored = async (here, form, stored, before) => {
    if (before && kept.isSame(stored.values, before)) {
      here.dataset.draftVersion = stored.version;
      return keepDraft(here, form);
    }
    here.dataset.undecided = "1";
    const keepMine = () => {
      here.dataset.draftVersion = stored.version;
      delete here.dataset.undecided;
      kept.unsay("draft");
      dirtySince = performance.now();
      save();
      backTo(form);
    };
    const takeTheirs = async () => {
      await showHeld(here.dataset.item);
      if (here !== page()) kept.forget("draft", here.dataset.assignment);
    };
    const actions = [{ text: here.dataset.keepMine, act: keepMine }, { text: here.dataset.takeStored, act: takeTheirs }];
    const mine = new FormData(form);
    const rows = describe(form, Object.entries(stored.values).filter(([name, value]) => mine.get(name) !== value));
    savedState("");
    kept.say("draft", here.dataset.stale, { isAlert: true, rows, summary: here.dataset.storedWords, isOpen: true, actions });
  };
  const keepHere = async (here, form) => {
    await kept.put("draft", here.dataset.assignment, written(here, form, here.dataset.draft));
    savedState(kept.lasts() ? here.dataset.onDevice : "");
  };
  const backTo = (form) => (form.querySelector("textarea, input:checked") ?? document.getElementById("main")).focus({ preventScroll: true });

  const touched = (event) => {
    if (event.target.closest?.("[data-work]")) isRead();
    if (!event.target.closest?.("[data-answer]")) return;
    savedState("");
    kept.shows(page()?.dataset.assignment ?? "");
    const now = performance.now();
    if (!dirtySince) dirtySince = now;
    clearTimeout(timer);
    timer = setTimeout(save, now - dirtySince > SAVE_AT_LEAST ? 0 : SAVE_AFTER);
  };

  // --- answers -----------------------------------------------------------------------------------------------------
  const signIn = (answer) => answer.headers.get("HX-Redirect");

  const busy = (form, on) => {
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = on;
  };

  // Answers wait for the network, and so do skips and flags; what else is sent does not.
  const kindOf = (form) => (form.matches("[data-answer]") ? "answer" : form.matches("[data-aside]") ? "aside" : "");
  // It is sent later, and another item takes its place, or a word that it waits.
  const waits = async (here, form, kind) => {
    await kept.put(kind, here.dataset.assignment, written(here, form, form.action));
    kept.forget(kind === "answer" ? "aside" : "answer", here.dataset.assignment);
    kept.forget("draft", here.dataset.assignment);
    dirtySince = 0;
    kept.shows("");
    if (next) return show(next.html);
    behind = { here, kind, form, nodes: [...document.getElementById("main").children].filter((node) => !node.matches("[data-kept]")) };
    const view = document.querySelector(`template[data-waits="${kind}"]`).content.cloneNode(true);
    document.getElementById("main").replaceChildren(kept.region(), view);
    document.querySelector("#main h1").focus();
  };
  const takeBack = () => {
    document.getElementById("main").replaceChildren(kept.region(), ...behind.nodes);
    kept.forget(behind.kind, behind.here.dataset.assignment);
    busy(behind.form, false);
    behind = null;
    dirtySince = performance.now();
    save();
    document.getElementById("main").focus({ preventScroll: true });
  };

  // One at a time, and none by a key that was still down, or pressed twice, when the item came.
  const submitOnce = async (form) => {
    if (sending || (isFresh() && kindOf(form))) return;
    if (form.matches("[data-answer]") && page()?.dataset.undecided) return kept.point("draft");
    sending = true;
    try {
      await submit(form);
    } finally {
      sending = false;
    }
  };
  const submit = async (form) => {
    clearTimeout(timer);
    const isAnswer = form.matches("[data-answer]");
    await saving?.catch(() => {});
    // What else is sent gives the page to another item, for a while or for good, or draws it anew.
    if (!isAnswer) await save();
    const here = page();
    if (form.elements.ahead) form.elements.ahead.value = next?.assignment ?? "";
    busy(form, true);
    const sent = () => kept.post(form.action, new URLSearchParams(new FormData(form)));
    let answer;
    let who = "own";
    try {
      answer = await sent();
      if (answer.status === 403 || signIn(answer)) who = await kept.whoIsThere();
      if (answer.status === 403 && who === "own") answer = await sent();
    } catch {
      if (kindOf(form)) return waits(here, form, kindOf(form));
      busy(form, false);
      return kept.say("needs", here.dataset.needs, { isAlert: true });
    }
    if (who !== "own") return keepFor(who, here, form, answer);
    await settle(here, form, answer, isAnswer);
  };
  // Somebody signed out, or another signed in, in this browser.
  const keepFor = async (who, here, form, answer) => {
    busy(form, false);
    if (!kindOf(form)) return;
    await kept.put(kindOf(form), here.dataset.assignment, written(here, form, form.action));
    dirtySince = 0;
    if (who === "nobody" && signIn(answer)) location.assign(signIn(answer));
  };
  const settle = async (here, form, answer, isAnswer) => {
    const became = isAnswer ? kept.outcomeOf(answer) : "";
    if (answer.status === 403 || answer.status >= 500 || became === "later") {
      busy(form, false);
      return kept.say("needs", here.dataset.trouble, { isAlert: true });
    }
    dirtySince = 0;
    kept.shows("");
    if (became.startsWith("refused")) await kept.refuse(here.dataset.assignment, became, written(here, form, form.action));
    else if (isAnswer ? became !== "incomplete" : answer.ok && !form.matches("[data-undo]")) kept.forget("draft", here.dataset.assignment);
    const html = await answer.text();
    // Not where something comes first: new guidelines, or the end.
    if (answer.headers.get("X-Next") === "ahead") {
      if (next) show(next.html);
      else await showHeld(here.dataset.item);
      notices()?.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      return fade();
    }
    show(html);
  };

  // What waited was sent: an item that is answered now makes room, and one whose draft arrived is shown with it.
  const follow = ({ detail }) => {
    const here = page() ?? behind?.here;
    const id = here?.dataset.assignment;
    if (behind ? !kept.has("answer") && !kept.has("aside") : detail.answers.includes(id)) return showHeld(here.dataset.item);
    if (page() && detail.drafts.includes(id) && !dirtySince) showHeld(here.dataset.item);
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
    kept.drain();
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-answer], [data-gives-back]")) return;
    event.preventDefault();
    submitOnce(form);
  });
  // A key that is held, or pressed twice, acts once, and not on what came meanwhile.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.matches("textarea")) return;
    if (event.repeat || (isFresh() && event.target.matches("[data-next]"))) event.preventDefault();
  }, true);
  document.addEventListener("input", touched);
  document.addEventListener("change", touched);
  document.addEventListener("click", (event) => {
    const onward = event.target.closest("[data-feedback] a[data-next]");
    if (onward && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      goOn(onward);
    }
    if (event.target.closest("[data-dismiss]")) dismiss(event.target.closest("[data-notice]"));
    if (event.target.closest("[data-reveal]")) reveal(event);
    if (event.target.closest("[data-take-back]")) takeBack();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save();
  });
  document.addEventListener("kept:sent", follow);
  // Sent by another tab, or the way to the next item was not free yet.
  setInterval(() => behind && !kept.has("answer") && !kept.has("aside") && showHeld(behind.here.dataset.item), LOOK_AGAIN);
  if (page()) begin();
})();
