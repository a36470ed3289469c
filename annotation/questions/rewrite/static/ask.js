// Puts a response into the text area to start from, and says beforehand when own words would go.
(() => {
  const originalOf = (question, letter) =>
    question.querySelector(`[data-rewrite-original="${letter}"]`).content.textContent;

  const holdsOwnWords = (question, area) => {
    const letters = [...question.querySelectorAll("[data-rewrite-original]")].map((each) => each.dataset.rewriteOriginal);
    const words = area.value.trim();
    return words !== "" && !letters.some((letter) => originalOf(question, letter).trim() === words);
  };

  const stopAsking = (question) => {
    for (const button of question.querySelectorAll("[data-first]")) {
      button.textContent = button.dataset.first;
      delete button.dataset.first;
    }
  };
  const askAgain = (question, button) => {
    stopAsking(question);
    button.dataset.first = button.textContent;
    button.textContent = button.dataset.again;
  };

  const start = (question, button) => {
    const area = question.querySelector("[data-rewrite-text]");
    if (!("first" in button.dataset) && holdsOwnWords(question, area)) return askAgain(question, button);
    stopAsking(question);
    const letter = button.dataset.rewriteStart;
    const side = question.querySelector(`input[type=radio][value="${letter}"]`);
    if (side && !side.checked) side.click();
    area.value = originalOf(question, letter);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
    area.setSelectionRange(0, 0);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-rewrite-start]");
    if (button) start(button.closest("[data-rewrite]"), button);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-rewrite-text]")) stopAsking(event.target.closest("[data-rewrite]"));
  });
})();
