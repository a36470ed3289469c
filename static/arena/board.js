// Follows an open board: writes its points as votes move them, fetches its standings again when there are new ones, and
// keeps the reader's place.
(() => {
  const live = document.querySelector("[data-board-stream]");
  const news = document.querySelector("[data-board-news]");
  if (!live) return;

  // A screen reader is told of changes, but not of every vote.
  const QUIET_MS = 15000;
  let wanted = 0;
  let fetching = false;
  let spokenAt = -QUIET_MS;
  let newest = null;

  const standings = () => document.getElementById("standings");
  const shown = () => Number(standings().dataset.number);
  const scrollers = () => [...standings().querySelectorAll(".table-wrap")];

  const announce = () => {
    if (performance.now() - spokenAt < QUIET_MS) return;
    spokenAt = performance.now();
    news.textContent = standings().dataset.summary;
  };

  // Who stands in no row yet comes with the next standings.
  const writePoints = () => {
    const line = document.querySelector("[data-board-live]");
    if (!newest || !line) return;
    const written = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 0, useGrouping: false });
    document.querySelectorAll("[data-points-of]").forEach((place) => {
      const points = newest.points[place.dataset.pointsOf];
      const text = points === undefined ? place.textContent : written.format(points);
      if (text !== place.textContent) place.textContent = text;
    });
    line.querySelector("[data-board-comparisons]").textContent = newest.comparisons.toLocaleString(document.documentElement.lang);
    delete line.dataset.waiting;
  };

  const replace = (html) => {
    const places = scrollers().map((scroller) => scroller.scrollLeft);
    const focused = scrollers().indexOf(document.activeElement);
    const top = window.scrollY;
    htmx.swap(standings(), html, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
    scrollers().forEach((scroller, index) => (scroller.scrollLeft = places[index] || 0));
    if (focused >= 0 && scrollers()[focused]) scrollers()[focused].focus({ preventScroll: true });
    window.scrollTo({ top, behavior: "instant" });
    writePoints();
    announce();
  };

  const refresh = async () => {
    if (fetching) return;
    fetching = true;
    try {
      for (let before = -1; wanted > shown() && before !== shown(); ) {
        before = shown();
        const answer = await fetch(live.dataset.boardPage, { headers: { "HX-Request": "true" }, cache: "no-store" });
        if (!answer.ok) break;
        replace(await answer.text());
      }
    } catch {
      // No connection: the stream comes back with the number that is then the newest.
    } finally {
      fetching = false;
    }
  };

  const source = new EventSource(live.dataset.boardStream);
  source.addEventListener("board", (message) => {
    wanted = JSON.parse(message.data).number;
    refresh();
  });
  source.addEventListener("points", (message) => {
    newest = JSON.parse(message.data);
    writePoints();
  });
})();
