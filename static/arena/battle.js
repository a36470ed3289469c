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
    const show = (name, text) => {
      side(name).querySelector("[data-text]").append(text);
      const state = side(name).querySelector("[data-state]");
      if (state) state.remove();
    };
    source = new EventSource(live.dataset.stream);
    source.addEventListener("text", (message) => {
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

  document.addEventListener("htmx:afterSwap", look);
  look();
})();
