// Shows both responses as they are written. The final text and the ballot come from the page itself.
(() => {
  let source = null;
  let following = null;

  const stop = () => {
    if (source) source.close();
    source = null;
    following = null;
  };

  const follow = (live) => {
    if (live === following) return;
    stop();
    following = live;
    const side = (name) => live.querySelector(`[data-side="${name}"]`);
    // Its place is kept, so that nothing moves; htmx asks no more for an element that is gone.
    const endWaiting = () => {
      const line = document.getElementById("waiting");
      if (line?.hasAttribute("hx-get")) {
        const empty = line.cloneNode(false);
        empty.removeAttribute("hx-get");
        line.replaceWith(empty);
      }
    };
    const show = (name, text) => {
      side(name).querySelector("[data-text]").append(text);
      const state = side(name).querySelector("[data-state]");
      if (state) state.remove();
    };
    source = new EventSource(live.dataset.stream);
    source.addEventListener("text", (message) => {
      endWaiting();
      for (const [name, text] of Object.entries(JSON.parse(message.data))) show(name, text);
    });
    source.addEventListener("restart", () => {
      for (const text of live.querySelectorAll("[data-text]")) text.textContent = "";
    });
    const finish = () => {
      const page = live.dataset.page;
      stop();
      htmx.ajax("GET", page, { target: "#main", swap: "innerHTML" });
    };
    source.addEventListener("ready", finish);
    source.addEventListener("void", finish);
    // A refused stream (another browser's battle, a restart of the server) closes for good: the page knows more.
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) setTimeout(finish, 2000);
    });
  };

  const look = () => {
    const live = document.querySelector("[data-stream]");
    if (live) follow(live);
    else stop();
    const title = document.getElementById("reveal-title");
    if (title && document.activeElement === document.body) title.focus({ preventScroll: true });
  };

  // Once there is an answer a narrow window's form leaves its foot for the end of the page: the reader goes along.
  const unfolded = new WeakSet();
  const unfold = (event) => {
    const form = event.target.closest?.("form.votebar");
    // That a player stopped is told to the form itself; nobody has answered anything by it.
    if (!form || form === event.target || unfolded.has(form)) return;
    unfolded.add(form);
    if (getComputedStyle(form).position !== "static") return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const block = form.offsetHeight > window.innerHeight ? "start" : "end";
    form.scrollIntoView({ block, behavior: isCalm ? "instant" : "smooth" });
  };

  // A refused form stays where its reader is, and what it was refused for comes into view.
  const isRefused = (event) => event.detail.xhr?.status === 422 && event.detail.target?.id === "main";
  const stay = (event) => {
    if (isRefused(event)) event.detail.swapOverride = "innerHTML";
  };
  const showRefusal = (event) => {
    if (isRefused(event)) document.querySelector("#main .notice[role=alert]")?.scrollIntoView({ block: "center" });
  };

  document.addEventListener("change", unfold);
  document.addEventListener("htmx:beforeSwap", stay);
  document.addEventListener("htmx:afterSettle", showRefusal);
  document.addEventListener("htmx:afterSwap", look);
  look();
})();
