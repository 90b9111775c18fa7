// Loaded before a server (`node --import`): its machine's clock is wrong by WRONG_CLOCK_MS.
const offsetMs = Number(process.env.WRONG_CLOCK_MS ?? 0);
const rightNow = Date.now;

globalThis.Date = new Proxy(Date, {
  construct: (target, parts, asked) =>
    Reflect.construct(target, parts.length === 0 ? [rightNow() + offsetMs] : parts, asked),
});
Date.now = () => rightNow() + offsetMs;
