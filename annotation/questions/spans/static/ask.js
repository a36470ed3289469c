// Marks pieces of a text. What is marked stands in one hidden input as JSON; everything seen is drawn from it.
(() => {
  const LONGEST_QUOTE = 120;
  // The piece that somebody is about to mark, in UTF-16 units of its response's text.
  const pieces = new WeakMap();

  const questionOf = (element) => element.closest("[data-spans]");
  const responseOf = (element) => element.closest("[data-spans-response]");
  const textOf = (response) => response.querySelector("[data-spans-text]");
  const wordsOf = (response) => textOf(response).textContent;

  // A browser counts UTF-16 units, the log counts code points.
  const toPoints = (text, units) => Array.from(text.slice(0, units)).length;
  const toUnits = (text, points) => Array.from(text).slice(0, points).join("").length;

  const marksIn = (question) => {
    try {
      const marks = JSON.parse(question.querySelector("[data-spans-value]").value);
      return Array.isArray(marks) ? marks.filter((mark) => mark && typeof mark === "object") : [];
    } catch {
      return [];
    }
  };
  const keep = (question, marks) => {
    const input = question.querySelector("[data-spans-value]");
    input.value = marks.length ? JSON.stringify(marks) : "";
    forgive(question);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  // What was refused is being answered anew.
  const forgive = (question) => {
    for (const refused of question.querySelectorAll("[aria-invalid]")) refused.removeAttribute("aria-invalid");
    question.querySelector("[role=alert]")?.remove();
  };

  const rangeOf = (response, start, end) => {
    const node = textOf(response).firstChild;
    if (!node || start >= end || end > node.length) return null;
    const range = new Range();
    range.setStart(node, start);
    range.setEnd(node, end);
    return range;
  };

  const paint = () => {
    if (!("highlights" in CSS)) return;
    const found = { good: [], wrong: [], piece: [] };
    for (const response of document.querySelectorAll("[data-spans-response]")) {
      const text = wordsOf(response);
      for (const mark of marksIn(questionOf(response))) {
        if (mark.response !== Number(response.dataset.spansResponse)) continue;
        found[mark.kind]?.push(rangeOf(response, toUnits(text, mark.start), toUnits(text, mark.end)));
      }
      const piece = pieces.get(response);
      if (piece) found.piece.push(rangeOf(response, piece.start, piece.end));
    }
    Object.entries(found).forEach(([kind, ranges], priority) => {
      const highlight = new Highlight(...ranges.filter(Boolean));
      highlight.priority = priority;
      CSS.highlights.set(`spans-${kind}`, highlight);
    });
  };

  const quote = (words) => (words.length > LONGEST_QUOTE ? `${words.slice(0, LONGEST_QUOTE)}…` : words);
  const nameOf = (response, mark) => {
    const key = mark.severity ? `${mark.kind} ${mark.severity}` : mark.kind;
    const label = response.querySelector(`[data-spans-mark="${CSS.escape(key)}"]`)?.textContent ?? key;
    return mark.category ? `${label} · ${mark.category}` : label;
  };
  const listMarks = (question) => {
    const marks = marksIn(question);
    for (const response of question.querySelectorAll("[data-spans-response]")) {
      const list = response.querySelector("[data-spans-marks]");
      const text = wordsOf(response);
      list.replaceChildren();
      marks.forEach((mark, index) => {
        if (mark.response !== Number(response.dataset.spansResponse)) return;
        const row = question.querySelector("[data-spans-row]").content.firstElementChild.cloneNode(true);
        const words = quote(text.slice(toUnits(text, mark.start), toUnits(text, mark.end)));
        const button = row.querySelector("[data-spans-remove]");
        row.dataset.kind = mark.kind;
        row.querySelector("[data-spans-kind]").textContent = nameOf(response, mark);
        row.querySelector("[data-spans-quote]").textContent = words;
        button.dataset.spansRemove = index;
        button.setAttribute("aria-label", `${button.textContent}: ${nameOf(response, mark)}, ${words}`);
        list.append(row);
      });
      list.hidden = list.childElementCount === 0;
    }
    const nothing = question.querySelector("[data-spans-nothing]");
    if (marks.length) nothing.checked = false;
    nothing.closest("label").hidden = marks.length > 0;
    paint();
  };

  const say = (response, lead, words) => {
    response.querySelector("[data-spans-status]").textContent = words ? `${lead} ${words}` : "";
  };
  const choose = (response, piece) => {
    for (const other of questionOf(response).querySelectorAll("[data-spans-response]")) {
      if (other === response || !pieces.has(other)) continue;
      pieces.delete(other);
      other.querySelector("[data-spans-menu]").hidden = true;
      say(other, "", "");
    }
    if (piece) pieces.set(response, piece);
    else pieces.delete(response);
    response.querySelector("[data-spans-menu]").hidden = !piece;
    say(response, questionOf(response).dataset.piece, piece && quote(wordsOf(response).slice(piece.start, piece.end)));
    paint();
  };

  // With the mouse or a finger: what is selected, without the blank space around it.
  const offsetIn = (text, node, offset) => {
    const before = new Range();
    before.selectNodeContents(text);
    if (before.comparePoint(node, offset) < 0) return 0;
    if (before.comparePoint(node, offset) > 0) return text.textContent.length;
    before.setEnd(node, offset);
    return before.toString().length;
  };
  const selectedIn = (text, selection) => {
    const range = selection.getRangeAt(0);
    const start = offsetIn(text, range.startContainer, range.startOffset);
    const end = offsetIn(text, range.endContainer, range.endOffset);
    const words = text.textContent.slice(start, end);
    const first = start + words.length - words.trimStart().length;
    return words.trim() ? { start: first, end: first + words.trim().length } : null;
  };
  let pressed = null;
  const takeSelection = () => {
    const selection = document.getSelection();
    const inside = (node) => (node instanceof Element ? node : node?.parentElement)?.closest("[data-spans-text]");
    const text = inside(selection.anchorNode) ?? inside(selection.focusNode);
    if (!text || !selection.rangeCount) return;
    const piece = selectedIn(text, selection);
    // A caret put into the text ends the piece; a selection that is lost to the press of a button does not.
    if (piece || pressed === text) choose(responseOf(text), piece);
  };

  // By the keyboard: word by word, also where no blank space parts them.
  const wordsIn = (text) => {
    if (!("Segmenter" in Intl)) return [...text.matchAll(/\S+/g)].map((m) => ({ start: m.index, end: m.index + m[0].length }));
    return [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)]
      .filter((each) => each.segment.trim())
      .map((each) => ({ start: each.index, end: each.index + each.segment.length }));
  };
  const bounded = (number, last) => Math.min(Math.max(number, 0), last);
  const step = (response, by, edge) => {
    const words = wordsIn(wordsOf(response));
    if (!words.length) return;
    const piece = pieces.get(response);
    const last = words.length - 1;
    let first = piece ? bounded(words.findIndex((word) => word.end > piece.start), last) : by > 0 ? -1 : words.length;
    let final = piece ? words.findLastIndex((word) => word.start < piece.end) : first;
    if (!piece || edge === "both") first = final = bounded((by > 0 ? final : first) + by, last);
    else if (edge === "start") first = bounded(first + by, final);
    else final = Math.max(bounded(final + by, last), first);
    choose(response, { start: words[first].start, end: words[final].end });
    showPiece(response, words[edge === "start" ? first : final]);
  };
  const showPiece = (response, word) => {
    const box = rangeOf(response, word.start, word.end)?.getBoundingClientRect();
    const menu = response.querySelector("[data-spans-menu]").parentElement.offsetHeight;
    if (box && (box.top < 16 || box.bottom > innerHeight - menu - 16)) scrollBy({ top: box.top - innerHeight / 3 });
  };

  const pressInText = (event) => {
    const text = event.target.closest?.("[data-spans-text]");
    if (!text || event.ctrlKey || event.metaKey || event.altKey) return;
    const response = responseOf(text);
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by) step(response, by, event.shiftKey ? "end" : "both");
    else if (event.key === "Escape" && pieces.has(response)) choose(response, null);
    else if (event.key === "Enter" && pieces.has(response)) response.querySelector("[data-spans-mark]").focus();
    else return;
    event.preventDefault();
  };

  const mark = (response, named) => {
    const question = questionOf(response);
    const piece = pieces.get(response);
    const text = wordsOf(response);
    const [kind, severity = null] = named.split(" ");
    const category = response.querySelector("[data-spans-category]");
    const added = {
      response: Number(response.dataset.spansResponse),
      start: toPoints(text, piece.start),
      end: toPoints(text, piece.end),
      kind,
      severity,
      category: category?.value || null,
    };
    const marks = marksIn(question);
    const isSame = (other) => ["response", "start", "end", "kind", "severity", "category"].every((key) => (other[key] ?? null) === added[key]);
    if (!marks.some(isSame)) marks.push(added);
    document.getSelection().removeAllRanges();
    choose(response, null);
    if (category) category.value = "";
    keep(question, marks);
    say(response, question.dataset.marked, nameOf(response, added));
    textOf(response).focus({ preventScroll: true });
  };
  const remove = (response, index) => {
    const question = questionOf(response);
    const marks = marksIn(question);
    const [gone] = marks.splice(index, 1);
    keep(question, marks);
    say(response, question.dataset.removed, nameOf(response, gone));
    (response.querySelector("[data-spans-remove]") ?? textOf(response)).focus({ preventScroll: true });
  };

  const press = (event) => {
    const button = event.target.closest?.("[data-spans] button");
    if (!button) return;
    const response = responseOf(button);
    if (button.dataset.spansMove) {
      const [edge, by] = button.dataset.spansMove.split(" ");
      step(response, Number(by), edge);
    } else if (button.dataset.spansMark) mark(response, button.dataset.spansMark);
    else if (button.dataset.spansRemove) remove(response, Number(button.dataset.spansRemove));
    else {
      choose(response, null);
      textOf(response).focus({ preventScroll: true });
    }
  };

  const changed = (event) => {
    const question = event.target.closest?.("[data-spans]");
    if (!question) return;
    if (event.target.matches("[data-spans-nothing]")) forgive(question);
    else if (event.target.matches("[data-spans-value]")) listMarks(question);
  };

  const prepare = () => {
    for (const question of document.querySelectorAll("[data-spans]")) listMarks(question);
  };
  document.addEventListener("selectionchange", takeSelection);
  document.addEventListener("keydown", pressInText);
  document.addEventListener("click", press);
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener("pointerdown", (event) => { pressed = event.target.closest?.("[data-spans-text]") ?? null; });
  // The selection stays while its button is pressed.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.("[data-spans-menu] button")) event.preventDefault();
  });
  document.addEventListener("htmx:load", prepare);
  prepare();
})();
