import type { Clock } from '@stampede/shared/platform/clock.ts';
import {
  type Authorization,
  type Charge,
  type PaymentGateway,
  PaymentVoidedError,
} from '../../../src/payments/payment-gateway.ts';

/** How a call goes: answered at once, refused by the bank, failed before or after it had an effect, or never answered. */
export type Answer = 'yes' | 'no' | 'fails before' | 'fails after' | 'never';

/** A payment gateway that does as it is told and keeps books, as a real one does. */
export class ScriptedGateway implements PaymentGateway {
  /** The answers to come, one a call; when they are used up, `yes`. */
  readonly script: Answer[] = [];
  readonly calls: string[] = [];
  /** How it names what it authorized. */
  reference = (orderId: string): string => `pay-${orderId}`;
  /** Orders whose money the gateway has. */
  readonly charged = new Set<string>();
  readonly #voided = new Set<string>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async authorize({ orderId }: Charge): Promise<Authorization> {
    return this.#answer('authorize', (answer) => {
      this.#refuseVoided(orderId);
      return answer === 'no'
        ? { kind: 'declined', reason: 'card-declined' }
        : { kind: 'authorized', reference: this.reference(orderId) };
    });
  }

  async capture({ orderId }: Charge): Promise<void> {
    return this.#answer('capture', () => {
      this.#refuseVoided(orderId);
      this.charged.add(orderId);
    });
  }

  async void({ orderId }: Charge): Promise<void> {
    return this.#answer('void', () => {
      this.#voided.add(orderId);
      this.charged.delete(orderId);
    });
  }

  #refuseVoided(orderId: string): void {
    if (this.#voided.has(orderId)) throw new PaymentVoidedError('voided');
  }

  #answer<T>(call: string, effect: (answer: Answer) => T): Promise<T> {
    this.calls.push(call);
    const answer = this.script.shift() ?? 'yes';
    return new Promise((resolve, reject) => {
      if (answer === 'never') return;
      this.#clock.after(1, () => {
        if (answer === 'fails before') {
          reject(new Error('the line is dead'));
          return;
        }
        try {
          const value = effect(answer);
          if (answer === 'fails after') reject(new Error('the line went dead'));
          else resolve(value);
        } catch (cause) {
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        }
      });
    });
  }
}
