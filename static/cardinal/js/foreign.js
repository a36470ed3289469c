// Nothing that stands in a foreign text asks for anything through htmx. The server writes `hx-disable` around such a text
// and a mark behind it that only it can write; a text that closes the element around itself still stands before that mark.
// Where the mark is gone, all that follows is foreign.
(() => {
  const isBefore = (one, other) => Boolean(one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);

  const isForeign = (element) => {
    for (const start of document.querySelectorAll("[data-foreign]")) {
      if (!isBefore(start, element)) continue;
      // Equal texts have equal marks: its own is the first behind it.
      const marks = document.querySelectorAll(`[data-foreign-end="${CSS.escape(start.dataset.foreign)}"]`);
      const end = [...marks].find((mark) => isBefore(start, mark));
      if (!end || isBefore(element, end)) return true;
    }
    return false;
  };

  document.addEventListener("htmx:confirm", (event) => {
    if (isForeign(event.detail.elt)) event.preventDefault();
  });
})();
