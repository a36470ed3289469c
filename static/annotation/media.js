// Images enlarged together, players of which one plays at a time, and what of each has been played. Without it an image
// opens in a tab of its own and every player has its own controls; where playing is asked for, the server says so.
(() => {
  const KEYS = ["q", "w", "e", "r"];
  // Durations of browsers and of the server differ by less.
  const GRACE = 0.1;
  const LARGEST = 40;

  const players = () => [...document.querySelectorAll("[data-player][data-letter]:not([data-letter=''])")];
  const kept = new WeakMap(); // ranges of an earlier page, by player
  let latest = null;

  // --- what was played ---------------------------------------------------------------------------------------------
  const merge = (ranges) => {
    const merged = [];
    for (const [start, end] of ranges.filter(([start, end]) => end > start).sort((a, b) => a[0] - b[0])) {
      const last = merged.at(-1);
      if (last && start <= last[1] + 0.05) last[1] = Math.max(last[1], end);
      else merged.push([start, end]);
    }
    return merged;
  };
  const rangesOf = (player) => {
    const now = [];
    for (let index = 0; index < player.played.length; index += 1) {
      now.push([player.played.start(index), player.played.end(index)]);
    }
    const rounded = ([start, end]) => [Math.round(start * 100) / 100, Math.round(end * 100) / 100];
    return merge([...(kept.get(player) ?? []), ...now]).map(rounded);
  };
  const shareOf = (player) => {
    const seconds = Number(player.dataset.seconds);
    const played = rangesOf(player).reduce((sum, [start, end]) => sum + end - start, 0);
    return seconds > 0 ? Math.min(1, (played + (played > 0 ? GRACE : 0)) / seconds) : 1;
  };
  const measure = () => document.querySelector("[data-measure=media_played]");
  const percent = (share) => Math.floor(share * 100 + 1e-6);

  const paint = () => {
    const found = players();
    for (const player of found) {
      const state = player.closest(".media-player");
      const shown = String(percent(shareOf(player)));
      const text = state.querySelector("[data-played]");
      if (text && text.textContent !== shown) {
        text.textContent = shown;
        state.querySelector("[data-played-bar]").style.width = `${shown}%`;
      }
    }
    const input = measure();
    if (input && found.length) {
      input.value = JSON.stringify(Object.fromEntries(found.map((player) => [player.dataset.player, rangesOf(player)])));
    }
    paintGate(found);
    paintButtons(found);
  };
  const missing = () => {
    const gate = document.querySelector("[data-gate]");
    return gate ? players().filter((player) => shareOf(player) < Number(gate.dataset.gate)) : [];
  };
  const paintGate = () => {
    const gate = document.querySelector("[data-gate]");
    if (!gate) return;
    const left = missing();
    gate.classList.toggle("gate--open", !left.length);
    const names = left.map((player) => player.dataset.letter).join(", ");
    const text = left.length ? `${gate.dataset.gateLeft} ${names}` : gate.dataset.gateOpen;
    const place = gate.querySelector("[data-gate-text]");
    if (place.textContent !== text) place.textContent = text;
  };

  // --- players -----------------------------------------------------------------------------------------------------
  const start = (player) => {
    for (const other of document.querySelectorAll("audio, video")) if (other !== player) other.pause();
    latest = player;
    player.play().catch(() => {});
  };
  const toggle = (player) => {
    if (player.paused) start(player);
    else player.pause();
  };
  // To the next one, at the same moment; it plays on if this one played.
  const switchPlayer = () => {
    const all = players();
    const from = latest && all.includes(latest) ? latest : all[0];
    const to = all[(all.indexOf(from) + 1) % all.length];
    const played = !from.paused;
    from.pause();
    const end = Number.isFinite(to.duration) ? to.duration : Number(to.dataset.seconds);
    to.currentTime = Math.min(from.currentTime, Math.max(0, end - 0.05));
    latest = to;
    if (played) start(to);
  };
  const paintButtons = (found) => {
    for (const button of document.querySelectorAll("[data-toggle-player]")) {
      const player = found.find((each) => each.dataset.player === button.dataset.togglePlayer);
      if (!player) continue;
      button.querySelector("[data-icon-play]").hidden = !player.paused;
      button.querySelector("[data-icon-pause]").hidden = player.paused;
    }
  };
  const addButtons = (together, found) => {
    const row = together.querySelector("[data-media-players]");
    const template = together.querySelector("[data-player-button]");
    if (row.querySelector("[data-toggle-player]")) return;
    for (const [index, player] of found.entries()) {
      const button = template.content.firstElementChild.cloneNode(true);
      button.dataset.togglePlayer = player.dataset.player;
      button.dataset.says += ` ${player.dataset.letter}`;
      button.querySelector("[data-letter-of]").textContent = player.dataset.letter;
      if (KEYS[index]) button.dataset.hotkey = KEYS[index];
      button.querySelector(".hotkey").textContent = (KEYS[index] ?? "").toUpperCase();
      row.insertBefore(button, row.querySelector("[data-switch-player]"));
    }
    row.hidden = false;
    row.querySelector("[data-switch-player]").hidden = found.length < 2;
  };

  // --- images ------------------------------------------------------------------------------------------------------
  const view = { scale: 1, x: 0.5, y: 0.5 };
  const dialog = () => document.querySelector("[data-zoom-dialog]");
  const fit = (pane, image) => Math.min(pane.clientWidth / image.naturalWidth, pane.clientHeight / image.naturalHeight, 4);
  const draw = () => {
    view.scale = Math.min(LARGEST, Math.max(1, view.scale));
    view.x = Math.min(1, Math.max(0, view.x));
    view.y = Math.min(1, Math.max(0, view.y));
    if (view.scale === 1) view.x = view.y = 0.5;
    let level = "";
    for (const pane of dialog().querySelectorAll(".zoom__pane")) {
      const image = pane.querySelector("img");
      if (!image.naturalWidth) continue;
      const size = fit(pane, image) * view.scale;
      image.style.width = `${image.naturalWidth * size}px`;
      image.style.transform = `translate(${-view.x * 100}%, ${-view.y * 100}%)`;
      level ||= `${Math.round(size * 100)} %`;
    }
    dialog().querySelector("[data-zoom-level]").textContent = level;
  };
  const fullSize = () => {
    const pane = dialog().querySelector(".zoom__pane");
    view.scale = 1 / fit(pane, pane.querySelector("img"));
    draw();
  };
  const move = (dx, dy) => {
    const image = dialog().querySelector(".zoom__pane img");
    view.x += dx / image.clientWidth;
    view.y += dy / image.clientHeight;
    draw();
  };
  const openZoom = () => {
    const box = dialog();
    const panes = box.querySelector("[data-zoom-panes]");
    const shown = [...document.querySelectorAll("[data-zoom]")];
    // Those of the responses belong beside each other; a prompt's image stands with them where there is no other.
    const wanted = shown.some((link) => link.dataset.letter) ? shown.filter((link) => link.dataset.letter) : shown;
    panes.replaceChildren(
      ...wanted.map((link) => {
        const pane = document.createElement("div");
        pane.className = "zoom__pane";
        const image = link.querySelector("img").cloneNode();
        image.draggable = false;
        image.addEventListener("load", draw);
        if (link.dataset.letter) {
          const letter = document.createElement("span");
          letter.className = "side-letter zoom__letter";
          letter.setAttribute("aria-hidden", "true");
          letter.textContent = link.dataset.letter;
          pane.append(letter);
        }
        pane.append(image);
        return pane;
      }),
    );
    Object.assign(view, { scale: 1, x: 0.5, y: 0.5 });
    box.showModal();
    panes.focus();
    draw();
  };
  const zoomKeys = {
    "+": () => { view.scale *= 1.25; },
    "=": () => { view.scale *= 1.25; },
    "-": () => { view.scale *= 0.8; },
    0: () => { view.scale = 1; },
    1: fullSize,
    ArrowLeft: () => move(-60, 0),
    ArrowRight: () => move(60, 0),
    ArrowUp: () => move(0, -60),
    ArrowDown: () => move(0, 60),
  };
  const held = new Map(); // pointers on the images
  const spread = () => {
    const [one, other] = [...held.values()];
    return other ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
  };
  const drag = (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const apart = spread();
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (apart) view.scale *= spread() / apart;
    move((before.x - event.clientX) / held.size, (before.y - event.clientY) / held.size);
  };

  // --- the page ----------------------------------------------------------------------------------------------------
  const restore = (found) => {
    let earlier = {};
    try {
      earlier = JSON.parse(measure()?.value || "{}");
    } catch {
      // Nothing that this page wrote.
    }
    for (const player of found) {
      const ranges = earlier[player.dataset.player];
      if (!kept.has(player)) kept.set(player, Array.isArray(ranges) ? ranges : []);
    }
  };
  const prepare = () => {
    const together = document.querySelector("[data-media-together]");
    if (!together) return;
    const found = players();
    restore(found);
    together.hidden = false;
    if (found.length) addButtons(together, found);
    together.querySelector("[data-open-zoom]").hidden = !document.querySelector("[data-zoom]");
    paint();
  };

  const onPlayer = (event) => {
    if (!event.target.matches?.("[data-player]")) return;
    if (event.type === "play") {
      latest = event.target;
      for (const other of document.querySelectorAll("audio, video")) if (other !== latest) other.pause();
    }
    paint();
    // What was played is part of the draft.
    if (event.type === "pause" || event.type === "ended") {
      document.querySelector("[data-answer]")?.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  for (const type of ["play", "pause", "ended", "timeupdate", "seeked"]) document.addEventListener(type, onPlayer, true);

  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target.closest?.("[data-toggle-player]");
    if (button) return toggle(players().find((player) => player.dataset.player === button.dataset.togglePlayer));
    if (target.closest?.("[data-switch-player]")) return switchPlayer();
    const link = target.closest?.("[data-zoom]");
    if (link && dialog() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      return openZoom();
    }
    if (target.closest?.("[data-open-zoom]")) return openZoom();
    if (!dialog()?.open) return;
    const by = target.closest?.("[data-zoom-by]");
    if (by) view.scale *= Number(by.dataset.zoomBy);
    if (target.closest?.("[data-zoom-fit]")) view.scale = 1;
    if (target.closest?.("[data-zoom-full]")) return fullSize();
    draw();
  });
  document.addEventListener(
    "keydown",
    (event) => {
      if (!dialog()?.open) return;
      if (event.key.length === 1) event.stopPropagation(); // the answers below have keys, too
      const act = zoomKeys[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
      draw();
    },
    true,
  );
  document.addEventListener("pointerdown", (event) => {
    const pane = event.target.closest?.(".zoom__pane");
    if (!pane) return;
    pane.setPointerCapture(event.pointerId);
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  document.addEventListener("pointermove", drag);
  for (const type of ["pointerup", "pointercancel"]) {
    document.addEventListener(type, (event) => held.delete(event.pointerId));
  }
  document.addEventListener(
    "wheel",
    (event) => {
      if (!event.target.closest?.(".zoom__pane")) return;
      event.preventDefault();
      view.scale *= event.deltaY < 0 ? 1.15 : 1 / 1.15;
      draw();
    },
    { passive: false },
  );
  addEventListener("resize", () => dialog()?.open && draw());

  // The server refuses, too; here nothing of the page is lost.
  document.addEventListener(
    "submit",
    (event) => {
      if (!event.target.matches("[data-answer]")) return;
      paint();
      const [first] = missing();
      if (!first) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      first.focus();
      first.scrollIntoView({ block: "center" });
    },
    true,
  );
  document.addEventListener("htmx:load", prepare);
  document.addEventListener("htmx:afterSettle", prepare);
  prepare();
})();
