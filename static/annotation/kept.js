// What waits in the browser: answers, skips, flags and drafts that could not be sent yet, each sealed under a key that only the pages
// of its author get. Every annotator's page sends what waits and says what became of it; work.js keeps things here.
(() => {
  const PREFIX = "cardinal-kept";
  const RESEND = 5000;
  const WHILE_PAUSED = 30000;
  const PATIENCE = 20000;
  const SAID_FOR = 20000;

  const says = document.querySelector("[data-keeping]")?.dataset;
  if (!says) return;
  let own = null; // {mark, key}: whose page this is
  let isOnline = true;
  let live = ""; // the assignment that this page shows and saves itself
  const memory = new Map(); // where the browser keeps nothing, or cannot seal
  const restsUntil = new Map();

  // --- what the page says, in view wherever one is on it ------------------------------------------------------------
  const region = () => {
    const main = document.getElementById("main");
    let box = main.querySelector(":scope > [data-kept]");
    if (!box) {
      box = document.createElement("div");
      box.className = "kept container";
      box.dataset.kept = "";
      main.prepend(box);
    }
    return box;
  };
  const made = (tag, className, ...inside) => {
    const element = document.createElement(tag);
    element.className = className;
    element.append(...inside);
    return element;
  };
  const lineOf = (name) => region().querySelector(`[data-line="${name}"]`);
  const unsay = (...names) => {
    for (const name of names) lineOf(name)?.remove();
  };
  const buttonOf = (action) => {
    const button = made(action.href ? "a" : "button", "button button--small", action.text);
    if (action.href) return Object.assign(button, { href: action.href, target: "_blank", rel: "noopener" });
    return Object.assign(button, { type: "button", onclick: action.act });
  };
  // rows: what somebody typed, as pairs of a question and what was said to it. actions: {text, href} or {text, act} each.
  const say = (name, text, { level = "warn", isAlert = false, rows = [], summary = says.typed, isOpen = false, actions = [] } = {}) => {
    const before = lineOf(name);
    if (before && !rows.length && before.textContent.startsWith(text)) return;
    const body = made("div", "notice__body", made("p", "", text));
    if (rows.length) {
      const list = made("dl", "kept__rows");
      for (const [question, words] of rows) list.append(made("dt", "", question), made("dd", "", words));
      for (const words of list.querySelectorAll("dd")) words.dir = "auto";
      body.append(Object.assign(made("details", "disclosure", made("summary", "", summary), list), { open: isOpen }));
    }
    const line = made("div", `notice notice--${level}`, body);
    line.dataset.line = name;
    line.setAttribute("role", isAlert ? "alert" : "status");
    if (actions.length) line.append(made("div", "notice__actions", ...actions.map(buttonOf)));
    if (before) before.replaceWith(line);
    else region().append(line);
    if (isAlert) uncover();
  };
  // What somebody types in is not behind what is said.
  const uncover = () => {
    const typed = document.activeElement;
    if (!typed?.matches("textarea, input") || region().contains(typed)) return;
    const hidden = region().getBoundingClientRect().bottom - typed.getBoundingClientRect().top;
    if (hidden > 0) scrollBy({ top: -hidden - 8 });
  };
  // What has to be chosen first.
  const point = (name) => lineOf(name)?.querySelector("button, a")?.focus();

  // --- the network -------------------------------------------------------------------------------------------------
  const setOnline = (on) => {
    isOnline = on;
    if (on) unsay("offline");
    else say("offline", own?.key ? says.offline : says.offlineHere, { isAlert: true });
  };
  const reach = async (url, options = {}) => {
    let answer;
    try {
      const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
      answer = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE), ...options });
    } catch (error) {
      setOnline(false);
      throw error;
    }
    setOnline(true);
    return answer;
  };
  let token = "";
  const post = (url, kept, options = {}) => {
    const body = new URLSearchParams(kept);
    if (token) body.set("csrfmiddlewaretoken", token);
    return reach(url, { method: "POST", body, ...options });
  };

  // --- whose page it is ----------------------------------------------------------------------------------------------
  const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  // Who is signed in now: "own" (their forms are taken again), "other" or "nobody".
  const whoIsThere = async () => {
    const answer = await reach(says.key);
    if (!answer.ok) throw new Error(`the key: ${answer.status}`);
    if (answer.headers.get("HX-Redirect")) {
      say("there", says.signedOut, { isAlert: true, actions: [{ text: says.signIn, href: answer.headers.get("HX-Redirect") }] });
      return "nobody";
    }
    const found = await answer.json();
    const mark = own?.mark ?? document.querySelector("[data-owner]")?.dataset.owner ?? found.mark;
    if (found.mark !== mark) {
      say("there", says.other, { isAlert: true });
      return "other";
    }
    own ??= { mark, key: await crypto.subtle?.importKey("raw", bytesOf(found.key), "AES-GCM", false, ["encrypt", "decrypt"]) };
    token = found.token;
    unsay("there");
    for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    return "own";
  };

  // --- the store -----------------------------------------------------------------------------------------------------
  const text = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
  const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const nameOf = (kind, id) => `${PREFIX}:${own?.mark ?? ""}:${kind}:${id}`;
  const stored = (mark = own?.mark) => {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(`${PREFIX}:${mark}`));
    } catch {
      return [];
    }
  };
  const namesOf = (kind) => [...new Set([...stored(), ...memory.keys()])].filter((name) => name.split(":")[2] === kind);

  // One entry for each assignment: what is kept later replaces what was kept before.
  const put = async (kind, id, value) => {
    const name = nameOf(kind, id);
    try {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const how = { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) };
      const sealed = await crypto.subtle.encrypt(how, own.key, new TextEncoder().encode(JSON.stringify(value)));
      localStorage.setItem(name, JSON.stringify({ iv: text(iv), sealed: text(sealed) }));
      memory.delete(name);
    } catch {
      memory.set(name, JSON.stringify(value));
    }
    await paint();
  };
  const read = async (name) => {
    if (memory.has(name)) return { name, raw: memory.get(name), ...JSON.parse(memory.get(name)) };
    const raw = localStorage.getItem(name);
    try {
      const kept = JSON.parse(raw);
      const how = { name: "AES-GCM", iv: bytes(kept.iv), additionalData: new TextEncoder().encode(name) };
      const opened = await crypto.subtle.decrypt(how, own.key, bytes(kept.sealed));
      return { name, raw, ...JSON.parse(new TextDecoder().decode(opened)) };
    } catch {
      return null; // Not ours, or broken.
    }
  };
  const all = async (kind) => {
    const entries = await Promise.all(namesOf(kind).map(read));
    return entries.filter(Boolean).sort((one, other) => one.at - other.at);
  };
  // Unless it was replaced meanwhile.
  const drop = (entry) => {
    if (memory.get(entry.name) === entry.raw) memory.delete(entry.name);
    else if (localStorage.getItem(entry.name) === entry.raw) localStorage.removeItem(entry.name);
  };
  const forget = (kind, id) => {
    for (const name of namesOf(kind).filter((each) => each.endsWith(`:${id}`))) {
      if (!memory.delete(name)) localStorage.removeItem(name);
    }
    paint();
  };
  const isSame = (values, body) => {
    const sent = Object.fromEntries(new URLSearchParams(body));
    return Object.entries(values).every(([name, value]) => name.startsWith("process.") || sent[name] === value);
  };
  const idOf = (entry) => entry.name.split(":")[3];

  const paint = async () => {
    const waiting = namesOf("answer").length;
    if (waiting) say("waiting", says.waiting.replace("%n", waiting));
    else unsay("waiting", "paused");
    const asides = namesOf("aside").length;
    if (asides) say("asides", says.asides.replace("%n", asides));
    else unsay("asides");
    for (const entry of await all("refused")) {
      const line = `refused-${idOf(entry)}`;
      const act = () => {
        drop(entry);
        unsay(line);
      };
      if (!lineOf(line)) say(line, says[entry.why], { isAlert: true, rows: entry.words, actions: [{ text: says.discard, act }] });
    }
  };

  // --- sending -------------------------------------------------------------------------------------------------------
  // What became of an answer. Only a mark of the server's own says that it is stored, or why it never will be.
  const REFUSALS = { closed: "refusedClosed", ended: "refusedEnded", locked: "refusedLocked", answered: "refusedAnswered" };
  const outcomeOf = (answer) => {
    if (answer.headers.get("X-Stored")) return "stored";
    const refused = answer.headers.get("X-Refused");
    if (refused === "paused") return "paused";
    if (refused && refused !== "again") return REFUSALS[refused] ?? "refusedLate";
    if ([404, 410].includes(answer.status)) return "refusedLate";
    return answer.status === 422 && !refused ? "incomplete" : "later";
  };
  // It stays, with what was typed, until its author has seen it.
  const refuse = async (id, why, { at, words }) => {
    await put("refused", id, { at, why, words });
    forget("draft", id);
  };
  const sendAnswer = async (entry) => {
    const id = idOf(entry);
    if (restsUntil.get(id) > Date.now()) return "paused";
    const became = outcomeOf(await post(entry.url, entry.body));
    if (became === "paused") {
      restsUntil.set(id, Date.now() + WHILE_PAUSED);
      say("paused", says.paused);
    } else if (became === "incomplete") {
      await put("draft", id, { ...entry, name: undefined, raw: undefined, url: `${entry.url}/draft` });
      say("incomplete", says.incomplete, { isAlert: true });
    } else if (became.startsWith("refused")) {
      await refuse(id, became, entry);
    }
    if (became === "stored") forget("draft", id);
    if (!["later", "paused"].includes(became)) drop(entry);
    return became;
  };
  // A skip or a flag, which a pause does not hold up.
  const sendAside = async (entry) => {
    const became = outcomeOf(await post(entry.url, entry.body));
    if (became === "later" || became === "paused") return "later";
    if (became !== "stored") await refuse(idOf(entry), "refusedAside", entry);
    forget("draft", idOf(entry));
    drop(entry);
    return became;
  };
  const sendDraft = async (entry) => {
    const answer = await post(entry.url, entry.body);
    if (answer.headers.get("HX-Redirect")) return "later";
    if (answer.status === 409 && isSame((await answer.clone().json()).values, entry.body)) {
      drop(entry); // It had arrived, and its answer had not.
      return "stored";
    }
    const why = { 404: "refusedLate", 409: "refusedStale", 410: "refusedLate", 413: "refusedLong" }[answer.status];
    if (why) await refuse(idOf(entry), why, entry);
    if (answer.status !== 200 && !why) return "later";
    drop(entry);
    return why ?? "stored";
  };

  const sendAll = async (kind, send, sent, ids) => {
    for (const entry of await all(kind)) {
      if (kind === "draft" && idOf(entry) === live) continue;
      const became = await send(entry);
      if (became === "later") return;
      if (became === "stored") ids.push(idOf(entry));
      sent.isAny ||= became !== "paused";
    }
  };
  // Answers in their order, then skips and flags, each with the key it was rendered with, so that twice is once.
  let draining = false;
  const drain = async () => {
    const drafts = namesOf("draft").filter((name) => !name.endsWith(`:${live}`));
    const isAsked = own ? namesOf("answer").length + namesOf("aside").length + drafts.length : stored("").length + memory.size;
    if (draining || !isAsked) return;
    draining = true;
    const sent = { answers: [], asides: [], drafts: [], isAny: false };
    try {
      if ((await whoIsThere()) === "own") {
        await sendAll("answer", sendAnswer, sent, sent.answers);
        await sendAll("aside", sendAside, sent, sent.asides);
        await sendAll("draft", sendDraft, sent, sent.drafts);
      }
    } catch {
      // Still offline.
    } finally {
      draining = false;
    }
    await paint();
    for (const [line, words, { length }] of [["sent", says.sent, sent.answers], ["sent-asides", says.sentAsides, sent.asides]]) {
      if (!length) continue;
      say(line, words.replace("%n", length), { level: "success" });
      setTimeout(() => unsay(line), SAID_FOR);
    }
    if (sent.isAny) document.dispatchEvent(new CustomEvent("kept:sent", { detail: sent }));
  };

  window.cardinalKept = {
    ...{ put, forget, say, unsay, point, region, reach, post, refuse, outcomeOf, whoIsThere, isSame, drain },
    has: (kind) => namesOf(kind).length > 0,
    lasts: () => Boolean(own?.key),
    shows: (id) => (live = id),
  };
  addEventListener("online", () => {
    setOnline(true);
    drain();
  });
  addEventListener("offline", () => setOnline(false));
  addEventListener("storage", (event) => event.key?.startsWith(PREFIX) && paint());
  setInterval(drain, RESEND);
  (async () => {
    if (!navigator.onLine) setOnline(false);
    // The page that is worked on has the key at hand before the network goes.
    if (document.querySelector("[data-work]") || stored("").length) await whoIsThere().catch(() => {});
    await paint();
    await drain();
  })();
})();
