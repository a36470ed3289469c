// A ranking by drag, keys and buttons. The selects that work without it stay what is sent; here they are only hidden.
// Nothing has a place until somebody gives it one: rows begin under "Not ranked yet".
(() => {
  // So far does a finger tremble.
  const DRAG_FROM = 5;
  // Of a row's height, at its top and bottom: there a row lands beside it, between them it ties.
  const EDGE = 0.3;
  const boards = new WeakMap();

  const fill = (text, words) => text.replace(/\{(\w+)\}/g, (_all, key) => words[key]);

  class Board {
    constructor(fieldset) {
      this.fieldset = fieldset;
      this.ties = fieldset.hasAttribute("data-ties");
      this.selects = [...fieldset.querySelectorAll("[data-ranking-place]")];
      this.rows = new Map(this.selects.map((select) => [select.dataset.rankingPlace, this.makeRow(select)]));
      this.drag = null;
      this.load();
      this.part("plain").hidden = true;
      this.part("board").hidden = false;
      this.part("clear").hidden = false;
    }

    part(name) {
      return this.fieldset.querySelector(`[data-ranking-${name}]`);
    }

    makeRow(select) {
      const row = this.part("row").content.firstElementChild.cloneNode(true);
      row.dataset.letter = select.dataset.rankingPlace;
      row.querySelector("[data-ranking-name]").textContent = select.labels[0].textContent;
      return row;
    }

    name(letter) {
      return this.rows.get(letter).querySelector("[data-ranking-name]").textContent;
    }

    control(letter, act) {
      return this.rows.get(letter).querySelector(`[data-act="${act}"]`);
    }

    // Tiers from the best, and who is in none, both in the order shown.
    load() {
      const places = new Map();
      for (const select of this.selects) {
        if (select.value === "") continue;
        const place = Number(select.value);
        places.set(place, [...(places.get(place) ?? []), select.dataset.rankingPlace]);
      }
      this.tiers = [...places.keys()].sort((a, b) => a - b).map((place) => places.get(place));
      this.paint();
    }

    get pool() {
      return [...this.rows.keys()].filter((letter) => this.tierOf(letter) < 0);
    }

    tierOf(letter) {
      return this.tiers.findIndex((tier) => tier.includes(letter));
    }

    // `where`: {before: letter or null for the end}, {tie: letter} or {out: true}; the letters are of other rows.
    place(letter, where) {
      const order = [...this.rows.keys()];
      const tiers = this.tiers.map((tier) => tier.filter((each) => each !== letter)).filter((tier) => tier.length);
      const find = (other) => tiers.findIndex((tier) => tier.includes(other));
      if (where.tie) {
        const tier = find(where.tie);
        tiers[tier] = [...tiers[tier], letter].sort((a, b) => order.indexOf(a) - order.indexOf(b));
      } else if (!where.out) {
        tiers.splice(where.before === null ? tiers.length : find(where.before), 0, [letter]);
      }
      this.tiers = tiers;
      this.store();
      this.paint();
      this.say(letter);
    }

    store() {
      const changed = this.selects.filter((select) => {
        const tier = this.tierOf(select.dataset.rankingPlace);
        const value = tier < 0 ? "" : String(tier + 1);
        const differs = select.value !== value;
        select.value = value;
        return differs;
      });
      // What was refused is being answered anew, whichever row was moved.
      const refused = this.selects.filter((select) => select.getAttribute("aria-invalid") === "true");
      for (const select of new Set([...changed.slice(0, 1), ...(changed.length ? refused : [])])) {
        this.isStoring = true;
        select.dispatchEvent(new Event("change", { bubbles: true }));
        this.isStoring = false;
      }
    }

    moves(letter) {
      const tier = this.tierOf(letter);
      if (tier < 0) return { up: { before: null }, down: null, tie: null };
      const others = this.tiers[tier].filter((each) => each !== letter);
      const above = this.tiers[tier - 1], below = this.tiers[tier + 1], second = this.tiers[tier + 2];
      if (others.length) {
        const apart = { before: below ? below[0] : null };
        return { up: { before: others[0] }, down: apart, tie: apart };
      }
      return {
        up: above ? { before: above[0] } : null,
        down: below ? { before: second ? second[0] : null } : null,
        tie: above ? { tie: above[0] } : null,
      };
    }

    act(letter, act) {
      if (act === "tie" && !this.ties) return;
      const where = act === "out" ? { out: true } : this.moves(letter)[act];
      if (where) this.place(letter, where);
      else this.say(letter);
    }

    press(letter, act) {
      if (act !== "grip") this.act(letter, act);
      else if (this.tierOf(letter) < 0) this.act(letter, "up");
      else this.say(letter);
      const control = this.control(letter, act);
      (control.hidden ? this.control(letter, "grip") : control).focus();
    }

    clear() {
      this.tiers = [];
      this.store();
      this.paint();
      this.control(this.pool[0], "grip").focus();
    }

    paint() {
      const focused = document.activeElement;
      const ranked = this.tiers.flat();
      const pool = this.pool;
      this.part("ranked").append(...ranked.map((letter) => this.rows.get(letter)));
      this.part("pool").append(...pool.map((letter) => this.rows.get(letter)));
      this.part("empty").hidden = ranked.length > 0;
      this.part("rest").hidden = pool.length === 0;
      this.part("clear").classList.toggle("ballot__clear--idle", ranked.length === 0);
      for (const letter of this.rows.keys()) this.paintRow(letter);
      // A row that is moved in the document loses the focus that it had.
      if (this.fieldset.contains(focused) && focused !== document.activeElement) focused.focus();
    }

    paintRow(letter) {
      const row = this.rows.get(letter), tier = this.tierOf(letter), moves = this.moves(letter);
      const isTied = tier >= 0 && this.tiers[tier].length > 1;
      row.classList.toggle("ranking__row--joined", isTied && this.tiers[tier][0] !== letter);
      const rank = row.querySelector("[data-ranking-rank]");
      rank.classList.toggle("ranking__rank--none", tier < 0);
      rank.textContent = tier < 0 ? "–" : tier + 1;
      if (tier < 0) rank.setAttribute("title", rank.dataset.none);
      else rank.removeAttribute("title");
      for (const button of row.querySelectorAll(".ranking__move")) {
        const act = button.dataset.act;
        const { label, labelOut, labelTied } = button.dataset;
        const words = (tier < 0 && labelOut) || (isTied && labelTied) || label;
        button.hidden = tier < 0 && act !== "up";
        button.setAttribute("aria-label", fill(words, { name: this.name(letter) }));
        button.setAttribute("aria-disabled", String(moves[act] === null));
        if (act === "tie") button.setAttribute("aria-pressed", String(isTied));
      }
    }

    say(letter) {
      const tier = this.tierOf(letter), { saysPlaced, saysTied, saysOut } = this.fieldset.dataset;
      const others = tier < 0 ? [] : this.tiers[tier].filter((each) => each !== letter);
      const text = tier < 0 ? saysOut : others.length ? saysTied : saysPlaced;
      const words = { name: this.name(letter), rank: tier + 1, left: this.pool.length };
      this.part("says").textContent = fill(text, { ...words, others: others.map((each) => this.name(each)).join(", ") });
    }

    // Dragging.
    start(event, letter) {
      this.drag = { letter, y: event.clientY, pointer: event.pointerId, isMoving: false, where: null };
    }

    move(event) {
      const { drag } = this;
      if (!drag || event.pointerId !== drag.pointer) return;
      const way = event.clientY - drag.y;
      if (!drag.isMoving && Math.abs(way) < DRAG_FROM) return;
      // Not before: a press whose pointer is captured would be a press of the whole question.
      if (!drag.isMoving) this.fieldset.setPointerCapture(event.pointerId);
      drag.isMoving = true;
      const row = this.rows.get(drag.letter);
      this.fieldset.classList.add("ranking--dragging");
      row.classList.add("ranking__row--dragged");
      row.style.transform = `translateY(${way}px)`;
      drag.where = this.landing(event.clientY, drag.letter);
      this.point(drag.where, drag.letter);
    }

    landing(y, letter) {
      const rest = this.part("rest");
      if (!rest.hidden && y > rest.getBoundingClientRect().top) return { out: true };
      for (const tier of this.tiers) {
        const others = tier.filter((each) => each !== letter);
        if (!others.length) continue;
        const top = this.rows.get(others[0]).getBoundingClientRect();
        const bottom = this.rows.get(others.at(-1)).getBoundingClientRect();
        const edge = this.ties ? EDGE : 0.5;
        if (y < top.top + edge * top.height) return { before: others[0] };
        if (this.ties && y <= bottom.bottom - edge * bottom.height) return { tie: others[0] };
      }
      return { before: null };
    }

    point(where, letter) {
      for (const row of this.rows.values()) row.classList.remove("ranking__row--before", "ranking__row--after", "ranking__row--tie");
      this.part("rest").classList.toggle("ranking__target", Boolean(where?.out));
      const ranked = this.tiers.flat().filter((each) => each !== letter);
      this.part("empty").classList.toggle("ranking__target", where?.before === null && !ranked.length);
      if (!where || where.out) return;
      if (where.tie) {
        const tier = this.tiers[this.tierOf(where.tie)].filter((each) => each !== letter);
        for (const each of tier) this.rows.get(each).classList.add("ranking__row--tie");
      } else if (where.before !== null) this.rows.get(where.before).classList.add("ranking__row--before");
      else if (ranked.length) this.rows.get(ranked.at(-1)).classList.add("ranking__row--after");
    }

    // Whether a row was dragged; then the press that ends it is no press.
    end(event, isDropped) {
      const { drag } = this;
      if (!drag || (event.pointerId !== undefined && event.pointerId !== drag.pointer)) return;
      this.drag = null;
      this.wasDragged = drag.isMoving;
      const row = this.rows.get(drag.letter);
      row.style.transform = "";
      row.classList.remove("ranking__row--dragged");
      this.fieldset.classList.remove("ranking--dragging");
      this.point(null, drag.letter);
      if (isDropped && drag.isMoving && drag.where) this.place(drag.letter, drag.where);
    }
  }

  const KEYS = { ArrowUp: "up", ArrowDown: "down", "=": "tie", Delete: "out", Backspace: "out" };

  const onKey = (event, board) => {
    board.wasDragged = false; // No press followed the drag.
    if (event.key === "Escape" && board.drag) return board.end(event, false);
    const control = event.target.closest("[data-act]");
    const act = KEYS[event.key];
    if (!control || !act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const letter = control.closest("[data-letter]").dataset.letter;
    board.act(letter, act);
    board.control(letter, "grip").focus();
  };

  const onClick = (event, board) => {
    if (event.target.closest("[data-ranking-clear]")) return board.clear();
    const control = event.target.closest("[data-act]");
    const wasDragged = board.wasDragged;
    board.wasDragged = false;
    if (control && !wasDragged) board.press(control.closest("[data-letter]").dataset.letter, control.dataset.act);
  };

  // With a finger only by the handle, so that the page can still be scrolled by the rows.
  const onPointerDown = (event, board) => {
    board.wasDragged = false;
    const grip = event.target.closest?.('[data-act="grip"]');
    if (!grip || event.button !== 0 || !event.isPrimary) return;
    if (event.pointerType === "touch" && !event.target.closest(".ranking__handle")) return;
    board.start(event, grip.closest("[data-letter]").dataset.letter);
  };

  const begin = (fieldset) => {
    if (boards.has(fieldset)) return;
    const board = new Board(fieldset);
    boards.set(fieldset, board);
    fieldset.addEventListener("keydown", (event) => onKey(event, board));
    fieldset.addEventListener("click", (event) => onClick(event, board));
    fieldset.addEventListener("pointerdown", (event) => onPointerDown(event, board));
    fieldset.addEventListener("pointermove", (event) => board.move(event));
    fieldset.addEventListener("pointerup", (event) => board.end(event, true));
    fieldset.addEventListener("pointercancel", (event) => board.end(event, false));
    // A draft that is put back fills the selects.
    fieldset.addEventListener("change", () => { if (!board.isStoring) board.load(); });
  };

  const showRefusal = () => {
    const refused = document.querySelector("[data-ballot] [aria-invalid=true]");
    const board = refused && boards.get(refused.closest("[data-ranking]"));
    if (board) board.control(refused.dataset.rankingPlace, "grip").focus();
  };
  const prepare = () => {
    for (const fieldset of document.querySelectorAll("[data-ranking]")) begin(fieldset);
  };
  document.addEventListener("htmx:load", prepare);
  document.addEventListener("htmx:afterSettle", showRefusal);
  prepare();
  showRefusal();
})();
