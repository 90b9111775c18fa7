import type { StepOf } from './flow.ts';
import { lostOf, stateToKeep } from './kept-state.ts';
import type { StepResult, VirtualBuyer } from './virtual-buyer.ts';

/** The office asks for patience rather than refusing; so often it is believed. */
const SESSION_ATTEMPTS_MAX = 5;

/** A session, a socket, and the show with all that the server has to tell of it. */
export async function connect(buyer: VirtualBuyer): Promise<StepResult> {
  const bearer = await openSession(buyer);
  if (bearer === null) return 'disconnected';
  const { client, line } = buyer.identity.openClient(bearer);
  buyer.adopt(client, line);
  client.start();
  const { id, map } = buyer.house.show;
  const answer = await buyer.ask('enter', () => client.enter(id, map));
  if (!answer.ok) return answer.code;
  buyer.become('outside');
  return 'ok';
}

async function openSession(buyer: VirtualBuyer): Promise<string | null> {
  const { metrics, stopwatch } = buyer.house;
  for (let attempt = 1; attempt <= SESSION_ATTEMPTS_MAX; attempt++) {
    metrics.count('requests');
    const sentAt = stopwatch();
    const answer = await buyer.identity.askForSession();
    if (answer.kind === 'failed') {
      buyer.detail = `no session: ${answer.reason}`;
      return null;
    }
    metrics.answered('session', stopwatch() - sentAt);
    if (answer.kind === 'session') return answer.bearer;
    await buyer.pause(answer.retryAfterMs);
  }
  buyer.detail = 'no session: too many calls from one address';
  return null;
}

export async function join(buyer: VirtualBuyer): Promise<StepResult> {
  if (buyer.isSaleOver) return 'over';
  const answer = await buyer.ask('join', () => buyer.client.join());
  if (!answer.ok) return answer.code === 'sold-out' || answer.code === 'sale-closed' ? 'over' : answer.code;
  buyer.become(buyer.client.view.standing.state === 'admitted' ? 'shopping' : 'waiting');
  return 'ok';
}

/** Waits to be let in, or for a moment of the run. */
export async function awaitSomething(
  buyer: VirtualBuyer,
  options: StepOf<'await'>['options'],
): Promise<StepResult> {
  const { metrics, stopwatch, beganAt } = buyer.house;
  if ('moment' in options) {
    await buyer.pause(Math.max(0, beganAt + options.moment * 1_000 - stopwatch()));
    return 'ok';
  }
  const since = stopwatch();
  const isAnswered = (): boolean => {
    const { state } = buyer.client.view.standing;
    return state === 'admitted' || state === 'outside' || buyer.isSaleOver;
  };
  if (!(await buyer.until(isAnswered, options.admission.within))) return 'late';
  const { standing } = buyer.client.view;
  if (standing.state === 'admitted') {
    metrics.waited('admission', stopwatch() - since);
    buyer.become('shopping');
    return 'ok';
  }
  if (buyer.isSaleOver) return 'over';
  buyer.detail = standing.state === 'outside' ? `outside: ${standing.reason}` : '';
  return 'not-admitted';
}

/** Loses the connection. What was there is remembered, for `resume` to compare. */
export function drop(buyer: VirtualBuyer): StepResult {
  buyer.kept = stateToKeep(buyer.client.view);
  buyer.keptAt = buyer.house.stopwatch();
  buyer.hasEntered = false;
  buyer.house.metrics.count('drops');
  buyer.become('away');
  buyer.line?.drop();
  return 'ok';
}

/** Waits until the client has come back by itself and compares what it has with what it had. */
export async function resume(buyer: VirtualBuyer, within: number): Promise<StepResult> {
  const { client, kept, line } = buyer;
  const { metrics, stopwatch } = buyer.house;
  if (!kept) return 'ok';
  if (!(await buyer.until(() => buyer.hasEntered, within))) return 'late';
  const watched = [...kept.sections.keys()];
  if (watched.length > 0) {
    // The client has asked for its sections already; the answer to this request comes after that one's.
    const answer = await client.watch(watched);
    if (!answer.ok) return answer.code;
  }
  metrics.waited('resume', stopwatch() - (line?.openedAt ?? 0));
  metrics.waited('away', stopwatch() - buyer.keptAt);
  buyer.become(
    client.view.standing.state === 'waiting' ? 'waiting' : client.view.hold ? 'holding' : 'shopping',
  );
  buyer.kept = null;
  const serverNow = buyer.house.clock.now() + client.view.serverTimeOffsetMs;
  const lost = lostOf(kept, stateToKeep(client.view), serverNow);
  buyer.detail = lost ?? '';
  return lost === null ? 'ok' : 'not-kept';
}

export async function leave(buyer: VirtualBuyer): Promise<StepResult> {
  const answer = await buyer.ask('leave', () => buyer.client.leave());
  buyer.become('outside');
  return answer.ok ? 'ok' : answer.code;
}
