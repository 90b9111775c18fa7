import { createContext } from 'svelte';

export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
  /** Whether it still makes sense; asked whenever state that it reads changes. Absent: always. */
  readonly isOpen?: () => boolean;
}

export interface Notice {
  readonly id: number;
  readonly tone: 'good' | 'bad' | 'plain';
  readonly title: string;
  readonly advice: string;
  readonly action: NoticeAction | null;
}

type NoticeOptions = Partial<Pick<Notice, 'tone' | 'advice' | 'action'>>;

const SHOWN_MS = 5_000;
/** Something to decide on stays long enough to read, think and reach for it. */
const SHOWN_WITH_ACTION_MS = 12_000;
const NOTICES_MAX = 3;

/** Short messages about what just happened, newest last, each gone after a while. */
export class Notices {
  #nextId = 1;
  #list = $state.raw<readonly Notice[]>([]);
  /** Said by screen readers without being shown. */
  #spoken = $state('');

  get list(): readonly Notice[] {
    return this.#list;
  }

  get spoken(): string {
    return this.#spoken;
  }

  show(title: string, { tone = 'plain', advice = '', action = null }: NoticeOptions = {}): void {
    const notice: Notice = { id: this.#nextId++, tone, title, advice, action };
    // The same words twice are one message that stays longer.
    const others = this.#list.filter((one) => one.title !== title);
    this.#list = [...others, notice].slice(-NOTICES_MAX);
    setTimeout(() => this.dismiss(notice.id), action ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
  }

  /** Copies a text, then says so. False where there is no clipboard: without HTTPS, or if it is forbidden. */
  async copy(text: string, said: string): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return false;
    }
    this.show(said, { tone: 'good' });
    return true;
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((one) => one.id !== id);
  }

  /** Announces politely: for changes that sighted buyers see happen. */
  say(text: string): void {
    this.#spoken = text;
  }
}

export const [getNotices, setNotices] = createContext<Notices>();
