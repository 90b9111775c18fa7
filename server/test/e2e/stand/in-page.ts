/**
 * Expressions to be evaluated in a page. As text, because the types of the server's programs know no document, and
 * a page's functions would not be theirs.
 */

/** Resolves when so many frames were drawn. */
export const framesPass = (count: number): string =>
  `(async () => { for (let frame = 0; frame < ${count}; frame++) await new Promise(requestAnimationFrame); })()`;

/**
 * Resolves when changed colours have been put on. Colours fade, and an inherited one sets out only when its parent's
 * has arrived, so one calm frame is not the end yet. What moves with a scrolled list never ends, and is not waited for.
 */
export const coloursSettle = `(async () => {
  for (let calmFrames = 0; calmFrames < 4; calmFrames++) {
    await new Promise(requestAnimationFrame);
    const fades = document.getAnimations().filter(({ effect, timeline }) =>
      timeline === document.timeline && effect?.getComputedTiming().endTime !== Infinity);
    if (fades.length > 0) calmFrames = 0;
    await Promise.allSettled(fades.map((fade) => fade.finished));
  }
})()`;

/** Makes text larger, as browsers do for those who set it so; the site's header, which comes with every page, is left out. */
export const enlargeText = (percent: number): string => `(() => {
  document.querySelector('nav').closest('header').remove();
  document.documentElement.style.fontSize = '${percent}%';
})()`;

/** By how many pixels the page is wider than the window: 0 where nothing has to be scrolled sideways. */
export const sidewaysPx = 'document.documentElement.scrollWidth - innerWidth';

/** Resolves with the moment, by the machine's clock, at which a seat's button has a status. */
export const momentOfStatus = (seat: number, status: string): string => `new Promise((resolve) => {
  const seat = document.querySelector('[data-seat="${seat}"]');
  const look = () => seat.dataset.status === '${status}' && resolve(Date.now());
  new MutationObserver(look).observe(seat, { attributes: true });
  look();
})`;

/** Resolves with the moment, by the machine's clock, of the next click anywhere. */
export const momentOfClick =
  "new Promise((resolve) => addEventListener('click', () => resolve(Date.now()), { once: true, capture: true }))";

/** Reports violations of the content security policy on the console, where they are collected. */
export const reportViolations = `document.addEventListener('securitypolicyviolation', (violation) => {
  console.error('content security policy: ' + violation.violatedDirective + ' ' + violation.blockedURI);
});`;

/** Begins to count how often the page comes to tell of a declined payment, each time in an alert of its own. */
export const countDeclines = `(() => {
  let shown = null;
  window.declines = 0;
  new MutationObserver(() => {
    const before = shown;
    shown = document.querySelector('[data-step="checkout"] [role="alert"]');
    if (shown && shown !== before) window.declines++;
  }).observe(document.documentElement, { childList: true, subtree: true });
})()`;
export const declinesCounted = 'window.declines';

/** Begins to count the marks that are put on the still picture of the map: seats, numbers, labels. */
export const countMarks = `(() => {
  window.marks = 0;
  const still = document.querySelector('[data-testid="seat-map"]');
  for (const name of ['rect', 'roundRect', 'fillText', 'moveTo']) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      if (this.canvas === still) window.marks++;
      return draw.apply(this, given);
    };
  }
})()`;
export const marksCounted = 'window.marks';

const readMap = `
  const still = document.querySelector('[data-testid="seat-map"]');
  const ratio = still.width / still.clientWidth;
  const copy = new OffscreenCanvas(still.width, still.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(still, 0, 0);
  const { data } = copy.getImageData(0, 0, still.width, still.height);
  const pixelAt = (x, y) => data.subarray((Math.round(y * ratio) * still.width + Math.round(x * ratio)) * 4).subarray(0, 4);`;

/** Which of some points of the map have a colour, and not a shade of grey or nothing at all. */
export const colouredPoints = (
  points: readonly (readonly [x: number, y: number])[],
): string => `(() => {${readMap}
  return ${JSON.stringify(points)}.map(([x, y]) => {
    const [red, green, blue, opaque] = pixelAt(x, y);
    return opaque > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 20;
  });
})()`;

/** How many pixels of the map have each of some colours, named as in a style sheet. */
export const pixelsOf = (colours: readonly string[]): string => `(() => {${readMap}
  const probe = document.createElement('span');
  probe.style.setProperty('forced-color-adjust', 'none');
  document.body.append(probe);
  const wanted = ${JSON.stringify(colours)}.map((name) => {
    probe.style.color = name;
    return getComputedStyle(probe).color.match(/[0-9]+/g).slice(0, 3).map(Number);
  });
  probe.remove();
  const counts = wanted.map(() => 0);
  for (let at = 0; at < data.length; at += 4) {
    wanted.forEach((colour, index) => {
      if (data[at + 3] === 255 && colour.every((part, channel) => data[at + channel] === part)) counts[index]++;
    });
  }
  return counts;
})()`;
